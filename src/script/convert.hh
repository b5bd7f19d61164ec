// SPDX-License-Identifier: Apache-2.0
// script/convert.hh: values between Lua, JSON and errors.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hh"
#include "base/result.hh"
#include "base/time.hh"
#include "json/document.hh"
#include "plan/value.hh"

struct lua_State;

namespace ktm::script {

/// Pushes a JSON value. Null is nil in objects, so that the field is absent, and false in arrays;
/// numbers are doubles, exact up to 2^53. Arrays remember that they are.
void push_json(lua_State* lua, const json::View& value);

/// The Lua value at `index` as JSON on one line. Keys in alphabetical order; a table with keys 1..n
/// is an array, an empty one an object unless it came from list{}. What JSON cannot hold
/// (functions, cycles, mixed keys, NaN) is an error that names the place: "arguments.channel[2]".
[[nodiscard]] Result<std::string> read_json_at(lua_State* lua, int index, const std::string& place);

/// Marks the table on top of the stack as a list, so that it is one when it is empty, too.
void mark_as_list(lua_State* lua);

/// A var's value in the units of plans: a duration in milliseconds, an amount in bytes.
void push_value(lua_State* lua, const plan::Value& value);

/// Sets a field of the table on top of the stack.
void set_text(lua_State* lua, const char* key, const std::string& text);

/// Pushes an error as plans see it: a table with kind, code, what, during, and a readable form.
void push_error(lua_State* lua, const Error& error);

/// What was raised, as an error: one of ours unchanged, a text as kind `invalid`.
[[nodiscard]] Error error_at(lua_State* lua, int index);

/// A duration as plans write it: "2s", or a number of milliseconds.
[[nodiscard]] Result<Duration> duration_at(lua_State* lua, int index);

/// Raises an error in Lua; does not return.
[[noreturn]] void raise(lua_State* lua, const Error& error);

/// The text of a value without addresses in it, as tostring() and string.format give it to plans.
/// Leaves a string on the stack.
void push_text_of(lua_State* lua, int index);

}  // namespace ktm::script
