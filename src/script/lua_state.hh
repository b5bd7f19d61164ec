// SPDX-License-Identifier: Apache-2.0
// script/lua_state.hh: a bare LuaJIT state, for tests that hold this room against LuaJIT itself.
#pragma once

#include <lua.hpp>

#include <memory>

namespace ktm::script {

struct LuaStateCloser {
    void operator()(lua_State* lua) const noexcept { lua_close(lua); }
};

/// A state without limits and without the words of plans; those have an Interpreter.
using LuaState = std::unique_ptr<lua_State, LuaStateCloser>;

}  // namespace ktm::script
