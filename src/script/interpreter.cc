// SPDX-License-Identifier: Apache-2.0
// script/interpreter.cc: one Lua state with its limits: memory, instructions, words.
#include "script/interpreter.hh"

#include <limits>
#include <lua.hpp>
#include <utility>

#include "base/assert.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/slab.hh"

namespace ktm::script {

namespace {

/// How often the hook fires; rarely enough to cost nothing.
constexpr int hook_step = 10'000;
constexpr std::size_t bytes_an_instruction = 32;

/// " in the action at plans/move.lua:40": all that is left of the frames when memory runs out.
std::string action_of(lua_State* thread) {
    lua_Debug frame{};
    if (lua_getstack(thread, 0, &frame) == 0) {
        return "";
    }
    lua_getinfo(thread, "S", &frame);
    return frame.source[0] == '@' ? " in the action at " + std::string{frame.source + 1} + ":" +
                                        std::to_string(frame.linedefined)
                                  : "";
}

}  // namespace

std::string place_in(lua_State* thread) {
    lua_Debug frame{};
    for (int level = 0; lua_getstack(thread, level, &frame) == 1; ++level) {
        lua_getinfo(thread, "Sl", &frame);
        if (frame.source[0] == '@' && frame.currentline > 0) {
            return std::string{frame.source + 1} + ":" + std::to_string(frame.currentline);
        }
    }
    return "";
}

/// From the interpreter's own memory, or from that of all.
template <typename Memory>
void* Interpreter::give(Memory& memory, void* block, std::size_t old_size, std::size_t new_size) {
    if (new_size == 0) {
        if (block != nullptr) {
            memory.release(block, old_size);
        }
        return nullptr;
    }
    return block == nullptr ? memory.allocate(new_size) : memory.resize(block, old_size, new_size);
}

void* Interpreter::give(void* block, std::size_t old_size, std::size_t new_size) {
    return arena_ ? give(*arena_, block, old_size, new_size)
                  : give(Slab::shared(), block, old_size, new_size);
}

void* Interpreter::allocate(void* owner, void* block, std::size_t old_size, std::size_t new_size) {
    auto& self = *static_cast<Interpreter*>(owner);
    if (block == nullptr) {
        old_size = 0;  // LuaJIT says what kind of object it is for.
    }
    if (new_size == 0) {
        self.memory_used_ -= old_size;
        return self.give(block, old_size, 0);
    }
    if (new_size > old_size) {
        if (self.memory_used_ + (new_size - old_size) > self.memory_limit()) {
            return nullptr;
        }
        // A large block costs more than the instruction that wanted it.
        self.budget_ -= static_cast<std::int64_t>((new_size - old_size) / bytes_an_instruction);
    }
    void* grown = self.give(block, old_size, new_size);
    if (grown != nullptr) {
        self.memory_used_ += new_size - old_size;
    }
    return grown;
}

void Interpreter::count(lua_State* thread, lua_Debug*) {
    Interpreter& self = of(thread);
    self.budget_ -= hook_step;
    if (self.budget_ > 0 || self.context_ == Context::none) {
        return;
    }
    // From now on at each instruction: a pcall catches it once, and the line behind it fails again.
    lua_sethook(thread, count, LUA_MASKCOUNT, 1);
    const std::string place = place_in(thread);
    lua_pushfstring(thread, "%s%smore than %d million instructions without waiting", place.c_str(),
                    place.empty() ? "" : ": ", static_cast<int>(instructions_max / 1'000'000));
    lua_error(thread);
}

Interpreter::Interpreter(std::unique_ptr<Arena> arena) : arena_(std::move(arena)) {
    lua_ = lua_newstate(allocate, this);
    KTM_ASSERT(lua_ != nullptr);
    lua_gc(lua_, LUA_GCSTOP, 0);
    open_words();
    // ORDER: behind the words, for to open jit.util switches the JIT on.
    luaJIT_setmode(lua_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    lua_sethook(lua_, count, LUA_MASKCOUNT, hook_step);
}

void Interpreter::settle() {
    drop_words_of_loading(lua_, words_);
    lua_gc(lua_, LUA_GCCOLLECT, 0);
    lua_gc(lua_, LUA_GCRESTART, 0);
}

void Interpreter::mark() {
    KTM_ASSERT(arena_ != nullptr && run_ == nullptr);
    // These words are made when they are first used; behind the mark that would be in each play.
    push_kept(lua_, words_);
    lua_getfield(lua_, -1, net_word);
    lua_pop(lua_, 2);
    lua_gc(lua_, LUA_GCCOLLECT, 0);
    arena_->mark();
    memory_marked_ = memory_used_;
}

void Interpreter::rewind() noexcept {
    arena_->rewind();
    memory_used_ = memory_marked_;
    context_ = Context::none;
    run_ = nullptr;
}

Interpreter::~Interpreter() {
    lua_close(lua_);
}

Interpreter& Interpreter::of(lua_State* lua) noexcept {
    void* owner = nullptr;
    (void)lua_getallocf(lua, &owner);
    return *static_cast<Interpreter*>(owner);
}

void Interpreter::open_words() {
    push_words(lua_);
    words_ = keep(lua_);
}

Result<void> Interpreter::compile(std::string_view text, const std::string& name) {
    const std::string chunk = "@" + name;
    if (luaL_loadbufferx(lua_, text.data(), text.size(), chunk.c_str(), "t") != 0) {
        return take_error(lua_);
    }
    push_kept(lua_, words_);
    lua_setfenv(lua_, -2);
    return {};
}

Result<void> Interpreter::call(int arguments, int results, Context context) {
    begin_stretch(context);
    const int failed = lua_pcall(lua_, arguments, results, 0);
    end_stretch();
    if (failed != 0) {
        return take_error(lua_);
    }
    return {};
}

std::size_t Interpreter::memory_limit() const noexcept {
    switch (context_) {
        case Context::none: return std::numeric_limits<std::size_t>::max();
        case Context::undo: return memory_max.count + memory_for_undo.count;
        case Context::load:
        case Context::action:
        case Context::look: break;
    }
    return memory_max.count;
}

void Interpreter::begin_stretch(Context context) noexcept {
    if (memory_used_ > memory_max.count / 2) {
        lua_gc(lua_, LUA_GCCOLLECT, 0);
    }
    context_ = context;
    budget_ = instructions_max;
}

void Interpreter::end_stretch() noexcept {
    context_ = Context::none;
    if (budget_ <= 0) {
        lua_sethook(lua_, count, LUA_MASKCOUNT, hook_step);
    }
}

void Interpreter::charge(std::int64_t instructions) {
    budget_ -= instructions;
    if (budget_ <= 0) {
        lua_sethook(lua_, count, LUA_MASKCOUNT, 1);
    }
}

Error Interpreter::take_error(lua_State* thread) {
    Error error = error_at(thread, -1);
    lua_pop(thread, 1);
    // Of these two Lua itself does not say where.
    if (error.what.starts_with("stack overflow")) {
        const std::string place = place_in(thread);
        error.what = (place.empty() ? "" : place + ": ") + error.what;
    } else if (error.what == "not enough memory") {
        error.what = "more memory than the " + std::to_string(memory_max.count >> 20U) +
                     " MiB that a plan may use" + action_of(thread);
    }
    return error;
}

int Interpreter::keep(lua_State* thread) {
    return luaL_ref(thread, LUA_REGISTRYINDEX);
}

void Interpreter::push_kept(lua_State* thread, int number) {
    lua_rawgeti(thread, LUA_REGISTRYINDEX, number);
}

void Interpreter::drop_kept(int number) {
    luaL_unref(lua_, LUA_REGISTRYINDEX, number);
}

}  // namespace ktm::script
