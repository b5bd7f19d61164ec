// SPDX-License-Identifier: Apache-2.0
// script/prelude.hh: what the prelude gives to C++.
#pragma once

#include "engine/machine.hh"
#include "plan/settings.hh"

struct lua_State;

namespace ktm::script {

/// Pushes a new `m` with these values, and on top of it its note.
void push_m(lua_State* lua, const plan::Plan& plan, const plan::Settings& settings);

/// Pushes an event as `run` and `wait` see it: name, vm, data.
void push_event(lua_State* lua, const engine::Event& event);

}  // namespace ktm::script
