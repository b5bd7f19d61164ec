// SPDX-License-Identifier: Apache-2.0
// script/table_natives.cc: tables in a fixed order, tables that cannot be changed, and m.
#include <algorithm>
#include <lua.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/nearest.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/prelude.hh"

namespace ktm::script {

namespace {

/// What it costs to give a key its place.
constexpr std::size_t instructions_a_key = 4;

/// A key that has a place in an order that lasts. LIFETIME: the table keeps its texts.
struct Key {
    enum class Type { number, text, boolean };
    Type type = Type::number;
    double number = 0;
    std::string_view text;
    bool truth = false;

    [[nodiscard]] auto order() const { return std::tie(type, number, text, truth); }
};

/// The key at the top of the stack.
Key key_at_top(lua_State* lua) {
    switch (lua_type(lua, -1)) {
        case LUA_TNUMBER: return {Key::Type::number, lua_tonumber(lua, -1), "", false};
        case LUA_TBOOLEAN: return {Key::Type::boolean, 0, "", lua_toboolean(lua, -1) != 0};
        case LUA_TSTRING: {
            std::size_t size = 0;
            const char* text = lua_tolstring(lua, -1, &size);
            return {Key::Type::text, 0, {text, size}, false};
        }
        default: break;
    }
    luaL_error(lua, "pairs: a key is a %s; only texts, numbers and booleans have an order",
               luaL_typename(lua, -1));
    return {};
}

void push_key(lua_State* lua, const Key& key) {
    switch (key.type) {
        case Key::Type::number: lua_pushnumber(lua, key.number); return;
        case Key::Type::text: lua_pushlstring(lua, key.text.data(), key.text.size()); return;
        case Key::Type::boolean: lua_pushboolean(lua, key.truth ? 1 : 0); return;
    }
}

/// Pushes the keys of the table at 1 as a list, in an order that is the same on every run: numbers
/// first, then texts, then false and true.
void push_sorted_keys(lua_State* lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    std::vector<Key> keys;
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pop(lua, 1);
        keys.push_back(key_at_top(lua));
    }
    std::sort(keys.begin(), keys.end(),
              [](const Key& a, const Key& b) { return a.order() < b.order(); });
    Interpreter::of(lua).charge(static_cast<std::int64_t>(keys.size() * instructions_a_key));
    lua_createtable(lua, static_cast<int>(keys.size()), 0);
    int position = 0;
    for (const Key& key : keys) {
        push_key(lua, key);
        lua_rawseti(lua, -2, ++position);
    }
}

/// The iterator of pairs: its upvalues are the table, its keys, and how many were given out.
int next_pair(lua_State* lua) {
    int at = static_cast<int>(lua_tonumber(lua, lua_upvalueindex(3)));
    while (true) {
        lua_rawgeti(lua, lua_upvalueindex(2), ++at);
        if (lua_isnil(lua, -1)) {
            return 1;
        }
        lua_pushvalue(lua, -1);
        lua_gettable(lua, lua_upvalueindex(1));
        if (!lua_isnil(lua, -1)) {
            lua_pushnumber(lua, at);
            lua_replace(lua, lua_upvalueindex(3));
            return 2;
        }
        lua_pop(lua, 2);  // Removed since the loop began.
    }
}

int pairs(lua_State* lua) {
    push_sorted_keys(lua);
    lua_pushvalue(lua, 1);
    lua_insert(lua, -2);
    lua_pushnumber(lua, 0);
    lua_pushcclosure(lua, next_pair, 3);
    return 1;
}

std::string shown_key(lua_State* lua, int index) {
    push_text_of(lua, index);
    std::string key = lua_tostring(lua, -1);
    lua_pop(lua, 1);
    return key;
}

/// The names that are keys of the table at `index`.
std::vector<std::string> names_at(lua_State* lua, int index) {
    std::vector<std::string> names;
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        if (lua_type(lua, -1) == LUA_TSTRING) {
            names.emplace_back(lua_tostring(lua, -1));
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// __index of words: (words, key); the upvalue is their name.
int no_field(lua_State* lua) {
    const std::string key = shown_key(lua, 2);
    return blame(lua, std::string{"no "} + lua_tostring(lua, lua_upvalueindex(1)) + "." + key +
                          did_you_mean(key, names_at(lua, 1)));
}

int no_change(lua_State* lua) {
    return blame(lua, std::string{lua_tostring(lua, lua_upvalueindex(1))} + " cannot be changed");
}

void push_named(lua_State* lua, int name, lua_CFunction function) {
    lua_pushvalue(lua, name);
    lua_pushcclosure(lua, function, 1);
}

/// frozen(name, words[, called]): a table of words that cannot be changed and knows the nearest
/// name; `called` is what a call of it does.
int frozen(lua_State* lua) {
    lua_settop(lua, 3);
    lua_createtable(lua, 0, 1);
    push_named(lua, 1, no_field);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, 2);
    lua_newtable(lua);
    lua_createtable(lua, 0, 4);
    lua_pushvalue(lua, 2);
    lua_setfield(lua, -2, "__index");
    push_named(lua, 1, no_change);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_pushvalue(lua, 3);
    lua_setfield(lua, -2, "__call");
    lua_setmetatable(lua, -2);
    return 1;
}

/// __index behind m: an optional var without a value is nil, anything else has no such name. The
/// upvalue has the vars' names.
int no_var(lua_State* lua) {
    const std::string key = shown_key(lua, 2);
    lua_pushvalue(lua, 2);
    lua_rawget(lua, lua_upvalueindex(1));
    if (lua_isnil(lua, -1)) {
        std::vector<std::string> names = names_at(lua, lua_upvalueindex(1));
        names.insert(names.end(), {"hold", "note", "undo"});
        return blame(
            lua, "no var '" + key + "'" + did_you_mean(key, names) +
                     (nearest(key, names).empty() ? "; values of your own go into m.note" : ""));
    }
    if (lua_toboolean(lua, -1) == 0) {
        return blame(lua, "the var '" + key + "' belongs to another role");
    }
    lua_pushnil(lua);
    return 1;
}

int no_assignment(lua_State* lua) {
    const std::string key = shown_key(lua, 2);
    return blame(lua, "m." + key + " cannot be assigned; use m.note." + key);
}

int check_handle(lua_State* lua) {
    if (lua_type(lua, 1) == LUA_TTABLE) {
        lua_getfield(lua, 1, "release");
        lua_getfield(lua, 1, "what");
        if (lua_isfunction(lua, -2) && lua_isstring(lua, -1) != 0) {
            return 0;
        }
    }
    return blame(lua,
                 "m:hold takes a handle: a table with 'what', a text, and 'release', a function");
}

constexpr Native table_natives[] = {
    {"pairs", pairs},
    {"frozen", frozen},
    {"check_handle", check_handle},
};

void set_field(lua_State* lua, const char* name, lua_CFunction function) {
    lua_pushcfunction(lua, function);
    lua_setfield(lua, -2, name);
}

/// Gives the words on top of the stack what stands behind them: every var's name.
void add_var_names(lua_State* lua, const plan::Plan& plan, const std::string& role) {
    lua_createtable(lua, 0, 1);
    lua_createtable(lua, 0, static_cast<int>(plan.vars.size()));
    for (const plan::Var& var : plan.vars) {
        lua_pushboolean(lua, var.role.empty() || var.role == role ? 1 : 0);
        lua_setfield(lua, -2, var.name.c_str());
    }
    lua_pushcclosure(lua, no_var, 1);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
}

}  // namespace

int blame(lua_State* lua, const std::string& text) {
    lua_Debug frame{};
    for (int level = 1; lua_getstack(lua, level, &frame) == 1; ++level) {
        lua_getinfo(lua, "Sl", &frame);
        if (frame.source[0] == '@') {
            lua_pushfstring(lua, "%s:%d: %s", frame.source + 1, frame.currentline, text.c_str());
            return lua_error(lua);
        }
    }
    lua_pushlstring(lua, text.data(), text.size());
    return lua_error(lua);
}

void push_m(lua_State* lua, const plan::Plan& plan, const plan::Settings& settings) {
    lua_newtable(lua);  // m.note
    lua_createtable(lua, 0, static_cast<int>(settings.values.size()) + 3);
    for (const auto& [name, value] : settings.values) {
        push_value(lua, value);
        lua_setfield(lua, -2, name.c_str());
    }
    lua_pushvalue(lua, -2);
    lua_setfield(lua, -2, "note");
    for (const char* word : {undo_word, hold_word}) {
        lua_getfield(lua, LUA_REGISTRYINDEX, word);
        lua_setfield(lua, -2, word);
    }
    add_var_names(lua, plan, settings.role);
    lua_newtable(lua);  // m
    lua_createtable(lua, 0, 3);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    set_field(lua, "__newindex", no_assignment);
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
    lua_insert(lua, -2);
}

void add_table_natives(lua_State* native) {
    add_natives(native, std::begin(table_natives), std::end(table_natives));
}

void require_context(lua_State* lua, unsigned contexts, const char* word) {
    const Interpreter& interpreter = Interpreter::of(lua);
    if ((contexts & static_cast<unsigned>(interpreter.context())) != 0) {
        return;
    }
    const bool declares = (contexts & in_all_bodies) == 0;
    const char* why = " finds something; it belongs into looks";
    if (declares) {
        why = " declares; it belongs into the plan, not into an action";
    } else if (interpreter.context() == Context::load) {
        why = " acts; a plan has no effect while it is loaded, so call it in an action";
    } else if (interpreter.context() == Context::look) {
        why = " acts; looks only ask, so call it in an action";
    }
    (void)blame(lua, std::string{word} + why);
}

}  // namespace ktm::script
