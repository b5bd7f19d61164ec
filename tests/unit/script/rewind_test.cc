// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/rewind_test.cc: an interpreter that is put back to what it was.
#include <catch2/catch.hpp>
#include <lua.hpp>
#include <memory>
#include <string>

#include "script/interpreter.hh"

namespace ktm::script {
namespace {

/// Keeps a function of the chunk, which counts its own calls and grows.
int counter_of(Interpreter& interpreter) {
    const Result<void> compiled = interpreter.compile(
        "local calls, kept = 0, {}\n"
        "return function(text)\n"
        "  calls = calls + 1\n"
        "  for index = 1, 500 do kept[#kept + 1] = text .. index .. calls end\n"
        "  return calls\n"
        "end",
        "chunk.lua");
    REQUIRE(compiled.has_value());
    REQUIRE(interpreter.call(0, 1, Context::load).has_value());
    return interpreter.keep(interpreter.lua());
}

int call(Interpreter& interpreter, int kept) {
    lua_State* lua = interpreter.lua();
    interpreter.push_kept(lua, kept);
    lua_pushliteral(lua, "some text of no importance");
    REQUIRE(interpreter.call(1, 1, Context::action).has_value());
    const auto calls = static_cast<int>(lua_tonumber(lua, -1));
    lua_pop(lua, 1);
    return calls;
}

TEST_CASE("an interpreter that is put back knows nothing of what came after the mark",
          "[script][rewind]") {
    Interpreter interpreter{std::make_unique<Arena>()};
    const int kept = counter_of(interpreter);
    CHECK(call(interpreter, kept) == 1);
    interpreter.mark();
    const Bytes marked = interpreter.memory_used();
    for (int play = 0; play < 100; ++play) {
        for (int again = 0; again < play % 7; ++again) {
            CHECK(call(interpreter, kept) == 2 + again);
        }
        interpreter.rewind();
        CHECK(interpreter.memory_used().count == marked.count);
    }
}

TEST_CASE("threads and kept values of before are gone with what they belonged to",
          "[script][rewind]") {
    Interpreter interpreter{std::make_unique<Arena>()};
    const int kept = counter_of(interpreter);
    interpreter.mark();
    int first = 0;
    for (int play = 0; play < 20; ++play) {
        lua_State* thread = lua_newthread(interpreter.lua());
        lua_pushinteger(thread, play);
        const int number = interpreter.keep(thread);
        CHECK((play == 0 || number == first));
        first = number;
        (void)interpreter.keep(interpreter.lua());
        CHECK(call(interpreter, kept) == 1);
        interpreter.rewind();
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
