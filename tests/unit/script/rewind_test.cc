// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/rewind_test.cc: an interpreter that is put back to what it was.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

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

}  // namespace
}  // namespace ktm::script
