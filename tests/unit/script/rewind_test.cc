// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/rewind_test.cc: an interpreter that is put back to what it was.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "script/interpreter.hh"

namespace ktm::script {
namespace {

/// Keeps a function of the chunk, which counts its own calls, grows, and says the count.
int counter_of(Interpreter& interpreter) {
    const Result<void> compiled = interpreter.compile(
        "local calls, kept = 0, {}\n"
        "return function()\n"
        "  calls = calls + 1\n"
        "  for index = 1, 500 do kept[#kept + 1] = 'some text' .. index .. calls end\n"
        "  error('calls: ' .. calls, 0)\n"
        "end",
        "chunk.lua");
    REQUIRE(compiled.has_value());
    REQUIRE(interpreter.call(0, 1, Context::load).has_value());
    return interpreter.keep(interpreter.lua());
}

std::string call(Interpreter& interpreter, int kept) {
    interpreter.push_kept(interpreter.lua(), kept);
    const Result<void> ended = interpreter.call(0, 0, Context::action);
    return ended ? "nothing" : ended.error().what;
}

TEST_CASE("an interpreter that is put back knows nothing of what came after the mark",
          "[script][rewind]") {
    Interpreter interpreter{std::make_unique<Arena>()};
    const int kept = counter_of(interpreter);
    CHECK(call(interpreter, kept) == "calls: 1");
    interpreter.mark();
    const Bytes marked = interpreter.memory_used();
    for (int play = 0; play < 100; ++play) {
        for (int again = 0; again < play % 7; ++again) {
            CHECK(call(interpreter, kept) == "calls: " + std::to_string(2 + again));
        }
        interpreter.rewind();
        CHECK(interpreter.memory_used().count == marked.count);
    }
}

TEST_CASE("what an arena takes back it gives out again, in every size", "[script][rewind]") {
    Arena arena;
    for (std::size_t size = 1; size < (std::size_t{1} << 21U); size += 1 + size / 7) {
        void* block = arena.allocate(size);
        REQUIRE(block != nullptr);
        arena.release(block, size);
        CHECK(arena.allocate(size) == block);
        arena.release(block, size);
    }
    CHECK(arena.allocate(std::size_t{1} << 30U) == nullptr);
}

TEST_CASE("an arena puts back what was in use at the mark, between its holes", "[script][rewind]") {
    Arena arena;
    std::vector<std::pair<char*, std::size_t>> kept;
    std::vector<std::pair<char*, std::size_t>> holes;
    for (std::size_t number = 0; number < 400; ++number) {
        const std::size_t size = 1 + number * 37 % 5000;
        auto* block = static_cast<char*>(arena.allocate(size));
        REQUIRE(block != nullptr);
        std::memset(block, static_cast<int>(number % 100), size);
        (number % 3 == 1 ? holes : kept).emplace_back(block, size);
    }
    for (const auto& [block, size] : holes) {
        arena.release(block, size);
    }
    arena.mark();
    for (int play = 0; play < 3; ++play) {
        for (const auto& [block, size] : kept) {
            std::memset(block, 123, size);
            arena.release(block, size);
        }
        REQUIRE(arena.allocate(100) != nullptr);
        arena.rewind();
        std::size_t at = 0;
        bool whole = true;
        for (std::size_t number = 0; number < 400; ++number) {
            if (number % 3 != 1) {
                const auto& [block, size] = kept[at++];
                whole = whole && block[0] == static_cast<char>(number % 100) &&
                        std::all_of(block, block + size, [&](char c) { return c == block[0]; });
            }
        }
        CHECK(whole);
    }
}

}  // namespace
}  // namespace ktm::script
