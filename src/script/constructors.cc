// SPDX-License-Identifier: Apache-2.0
// script/constructors.cc: the words with which a plan is declared.
//
// Each makes a node: a table with a mark, its kind, name, body and place, and has no other effect.
// `state "x"` alone is an unfinished node, which becomes a node when it is called with its body. A
// word that nobody knows becomes a node of kind "unknown", so that the loader can report it beside
// all other faults instead of stopping at it.
#include <algorithm>
#include <lua.hpp>
#include <string>
#include <vector>

#include "base/nearest.hh"
#include "script/api.hh"
#include "script/modules.hh"
#include "script/natives.hh"

namespace ktm::script {

namespace {

/// Pushes the file and the line of the plan's code that called us.
void push_place(lua_State* lua) {
    lua_Debug frame{};
    for (int level = 1; lua_getstack(lua, level, &frame) == 1; ++level) {
        lua_getinfo(lua, "Sl", &frame);
        if (frame.source[0] == '@') {
            lua_pushstring(lua, frame.source + 1);
            lua_pushinteger(lua, frame.currentline);
            return;
        }
    }
    lua_pushliteral(lua, "");
    lua_pushinteger(lua, 0);
}

void set_mark(lua_State* lua, const char* mark) {
    luaL_getmetatable(lua, mark);
    lua_setmetatable(lua, -2);
}

/// A node of this kind; name and body are stack indices, 0 for none.
void push_node(lua_State* lua, const char* kind, int name, int body, const char* mark) {
    lua_createtable(lua, node_line, 0);
    lua_pushstring(lua, kind);
    lua_rawseti(lua, -2, node_kind);
    if (name != 0) {
        lua_pushvalue(lua, name);
        lua_rawseti(lua, -2, node_name);
    }
    if (body != 0) {
        lua_pushvalue(lua, body);
        lua_rawseti(lua, -2, node_body);
    }
    push_place(lua);
    lua_rawseti(lua, -3, node_line);
    lua_rawseti(lua, -2, node_file);
    set_mark(lua, mark);
}

const char* kind_of_closure(lua_State* lua) {
    return lua_tostring(lua, lua_upvalueindex(1));
}

/// `state "x"`: waits for its body.
int make_named(lua_State* lua) {
    const char* kind = kind_of_closure(lua);
    require_context(lua, static_cast<unsigned>(Context::load), kind);
    push_node(lua, kind, lua_gettop(lua) > 0 ? 1 : 0, 0, unfinished_mark);
    return 1;
}

/// `on {…}`: complete at once.
int make_bare(lua_State* lua) {
    const char* kind = kind_of_closure(lua);
    require_context(lua, static_cast<unsigned>(Context::load), kind);
    push_node(lua, kind, 0, lua_gettop(lua) > 0 ? 1 : 0, node_mark);
    return 1;
}

/// The body of an unfinished node; the name stays where the node began.
int finish_node(lua_State* lua) {
    lua_rawgeti(lua, 1, node_kind);
    const std::string kind = lua_tostring(lua, -1);
    lua_pop(lua, 1);
    if (kind == "unknown" && lua_type(lua, 2) != LUA_TTABLE) {
        lua_pushvalue(lua, 1);
        return 1;
    }
    lua_createtable(lua, node_line, 0);
    for (int place = node_kind; place <= node_line; ++place) {
        lua_rawgeti(lua, 1, place);
        lua_rawseti(lua, -2, place);
    }
    if (lua_gettop(lua) > 1 && !lua_isnil(lua, 2)) {
        lua_pushvalue(lua, 2);
        lua_rawseti(lua, -2, node_body);
    }
    set_mark(lua, node_mark);
    return 1;
}

/// A field of an unfinished node, as in `foo.bar {…}` where there is no foo.
int field_of_unfinished(lua_State* lua) {
    lua_settop(lua, 1);
    return 1;
}

/// `var.ip`: a constructor for that type, known or not.
int find_var_type(lua_State* lua) {
    require_context(lua, static_cast<unsigned>(Context::load), "var");
    lua_pushliteral(lua, "var");
    lua_pushvalue(lua, 2);
    lua_pushcclosure(
        lua,
        [](lua_State* inner) {
            require_context(inner, static_cast<unsigned>(Context::load), "var");
            push_node(inner, "var", lua_upvalueindex(2), lua_gettop(inner) > 0 ? 1 : 0, node_mark);
            return 1;
        },
        2);
    return 1;
}

/// `var "patience"`: the value of a var, as a deadline.
int refer_to_var(lua_State* lua) {
    require_context(lua, static_cast<unsigned>(Context::load), "var");
    push_node(lua, "reference", 2, 0, node_mark);
    return 1;
}

void add_constructor(lua_State* lua, const char* kind, lua_CFunction make) {
    lua_pushstring(lua, kind);
    lua_pushcclosure(lua, make, 1);
    lua_setfield(lua, -2, kind);
}

void lock(lua_State* lua) {
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
}

void make_marks(lua_State* lua) {
    luaL_newmetatable(lua, node_mark);
    lock(lua);
    luaL_newmetatable(lua, unfinished_mark);
    lua_pushcfunction(lua, finish_node);
    lua_setfield(lua, -2, "__call");
    lua_pushcfunction(lua, field_of_unfinished);
    lua_setfield(lua, -2, "__index");
    lock(lua);
    lua_pop(lua, 2);
}

void add_var_word(lua_State* lua) {
    lua_newtable(lua);
    lua_createtable(lua, 0, 3);
    lua_pushcfunction(lua, find_var_type);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refer_to_var);
    lua_setfield(lua, -2, "__call");
    lock(lua);
    lua_setmetatable(lua, -2);
    lua_setfield(lua, -2, "var");
}

}  // namespace

void add_constructors(lua_State* words) {
    make_marks(words);
    for (const char* kind : {"role", "state", "derive", "change", "before", "after"}) {
        add_constructor(words, kind, make_named);
    }
    for (const char* kind :
         {"plan", "on", "same_family", "ascending", "together", "one_of", "different"}) {
        add_constructor(words, kind, make_bare);
    }
    add_var_word(words);
}

int find_word(lua_State* lua) {
    const std::string word = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
    if (word == net_word) {
        push_net_words(lua, 1);
        return 1;
    }
    if (Interpreter::of(lua).context() == Context::load) {
        lua_settop(lua, 2);
        push_place(lua);
        if (Modules* modules = Interpreter::of(lua).modules(); modules != nullptr) {
            modules->note_unknown(lua_tostring(lua, 3), static_cast<int>(lua_tointeger(lua, 4)),
                                  word);
        }
        push_node(lua, "unknown", 2, 0, unfinished_mark);
        return 1;
    }
    const std::vector<std::string>& known = global_words();
    if (std::find(known.begin(), known.end(), word) != known.end()) {
        return luaL_error(lua, "%s declares; it belongs into the plan, not into an action",
                          word.c_str());
    }
    return luaL_error(lua, "no word '%s'%s", word.c_str(),
                      did_you_mean(word, global_words()).c_str());
}

}  // namespace ktm::script
