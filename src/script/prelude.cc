// SPDX-License-Identifier: Apache-2.0
// script/prelude.cc: the prelude, opened in an interpreter.
#include "script/prelude.hh"

#include <array>
#include <lua.hpp>
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "prelude_net_text.hh"
#include "prelude_text.hh"
#include "script/api.hh"
#include "script/natives.hh"

namespace ktm::script {

namespace {

constexpr std::array words_of_loading{"plan",      "role",     "state",  "on",        "var",
                                      "derive",    "change",   "before", "after",     "same_family",
                                      "ascending", "together", "one_of", "different", "require"};
constexpr const char* globals_finder = "globals_in_functions";

/// compile(text): for the prelude alone, to learn how LuaJIT writes things down.
int compile_text(lua_State* lua) {
    return luaL_loadstring(lua, lua_tostring(lua, 1)) == 0 ? 1 : lua_error(lua);
}

/// Adds the functions of jit.util that look into compiled functions.
void add_inspection(lua_State* lua) {
    lua_pushcfunction(lua, luaopen_jit);
    lua_pushliteral(lua, LUA_JITLIBNAME);
    lua_call(lua, 1, 0);
    lua_getfield(lua, LUA_REGISTRYINDEX, "_PRELOAD");
    lua_getfield(lua, -1, "jit.util");
    lua_call(lua, 0, 1);
    for (const char* name : {"funcinfo", "funcbc", "funck"}) {
        lua_getfield(lua, -1, name);
        lua_setfield(lua, -4, name);
    }
    lua_pop(lua, 2);
    lua_pushcfunction(lua, compile_text);
    lua_setfield(lua, -2, "compile");
    lua_pushcfunction(lua, require_module);
    lua_setfield(lua, -2, "require");
}

/// LuaJIT's own libraries: the prelude takes from them what a plan may have.
void open_libraries(lua_State* lua) {
    struct Library {
        const char* name;
        lua_CFunction open;
    };
    for (const Library& library :
         {Library{"", luaopen_base}, Library{LUA_STRLIBNAME, luaopen_string},
          Library{LUA_TABLIBNAME, luaopen_table}, Library{LUA_MATHLIBNAME, luaopen_math}}) {
        lua_pushcfunction(lua, library.open);
        lua_pushstring(lua, library.name);
        lua_call(lua, 1, 0);
    }
}

/// Behind the words of a plan: what is no word, and what is no assignment.
int refuse_global(lua_State* lua) {
    return luaL_error(lua, "'%s' would be a global; write 'local %s', or use m.note",
                      lua_tostring(lua, 2), lua_tostring(lua, 2));
}

/// Gives the function on top of the stack, and those inside it, the globals of today, which are
/// empty: one that keeps LuaJIT's own keeps all of its libraries. Pops it.
void detach(lua_State* lua) {
    if (lua_isfunction(lua, -1)) {
        for (int number = 1; lua_getupvalue(lua, -1, number) != nullptr; ++number) {
            detach(lua);
        }
        lua_pushvalue(lua, LUA_GLOBALSINDEX);
        lua_setfenv(lua, -2);
    }
    lua_pop(lua, 1);
}

void detach_functions_in_table(lua_State* lua) {
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        detach(lua);
    }
}

/// What is compiled once in a process, and without its text's names and lines, which nobody asks
/// for, takes half the memory and a tenth of the time.
std::string compiled(std::string_view text) {
    lua_State* lua = luaL_newstate();
    KTM_ASSERT(lua != nullptr);
    luaL_openlibs(lua);
    lua_getglobal(lua, "string");
    lua_getfield(lua, -1, "dump");
    const int loaded = luaL_loadbufferx(lua, text.data(), text.size(), "=prelude", "t");
    KTM_ASSERT(loaded == 0);
    lua_pushboolean(lua, 1);
    lua_call(lua, 2, 1);
    std::size_t size = 0;
    const char* code = lua_tolstring(lua, -1, &size);
    std::string copy{code, size};
    lua_close(lua);
    return copy;
}

void push_compiled(lua_State* lua, const std::string& bytecode) {
    const int loaded = luaL_loadbufferx(lua, bytecode.data(), bytecode.size(), "=prelude", "b");
    KTM_ASSERT(loaded == 0);
}

/// Replaces the table of words on the stack by an empty one behind which they stand.
void guard_words(lua_State* lua) {
    lua_createtable(lua, 0, 1);
    lua_pushcfunction(lua, find_word);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
    lua_newtable(lua);
    lua_createtable(lua, 0, 3);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_global);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
}

}  // namespace

/// Adds our string.format to the natives on top of the stack; LuaJIT's is found in its libraries,
/// two below.
void add_format(lua_State* lua) {
    lua_getfield(lua, -3, LUA_STRLIBNAME);
    lua_getfield(lua, -1, "format");
    push_format(lua, lua_gettop(lua));
    lua_setfield(lua, -4, "format");
    lua_pop(lua, 2);
}

void push_words(lua_State* lua) {
    open_libraries(lua);
    lua_pushvalue(lua, LUA_GLOBALSINDEX);
    lua_newtable(lua);
    lua_replace(lua, LUA_GLOBALSINDEX);
    detach_functions_in_table(lua);
    for (const char* name : {LUA_STRLIBNAME, LUA_TABLIBNAME, LUA_MATHLIBNAME}) {
        lua_getfield(lua, -1, name);
        detach_functions_in_table(lua);
        lua_pop(lua, 1);
    }
    static const std::string prelude = compiled(prelude_text);
    push_compiled(lua, prelude);
    lua_newtable(lua);
    add_text_natives(lua);
    add_format(lua);
    add_table_natives(lua);
    add_run_natives(lua);
    add_inspection(lua);
    lua_pushvalue(lua, -3);
    lua_call(lua, 2, 1);
    lua_remove(lua, -2);
    for (const char* name : {hold_word, undo_word, globals_finder}) {
        lua_getfield(lua, -1, name);
        lua_setfield(lua, LUA_REGISTRYINDEX, name);
    }
    lua_getfield(lua, -1, "words");
    lua_remove(lua, -2);
    add_constructors(lua);
    guard_words(lua);
    for (const char* name : {"_LOADED", "_PRELOAD"}) {
        lua_newtable(lua);
        lua_setfield(lua, LUA_REGISTRYINDEX, name);
    }
}

void push_net_words(lua_State* lua, int words) {
    static const std::string prelude = compiled(prelude_net_text);
    push_compiled(lua, prelude);
    lua_newtable(lua);
    add_table_natives(lua);
    add_run_natives(lua);
    add_net_natives(lua);
    lua_pushvalue(lua, words);
    lua_call(lua, 2, 1);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, words, net_word);
}

void drop_words_of_loading(lua_State* lua, int words) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, words);
    (void)lua_getmetatable(lua, -1);
    lua_getfield(lua, -1, "__index");
    for (const char* name : words_of_loading) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, name);
    }
    lua_pop(lua, 3);
    lua_pushnil(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, globals_finder);
}

std::vector<GlobalUse> globals_in_functions(lua_State* lua) {
    lua_getfield(lua, LUA_REGISTRYINDEX, globals_finder);
    lua_pushvalue(lua, -2);
    lua_call(lua, 1, 1);
    std::vector<GlobalUse> uses;
    const int count = static_cast<int>(lua_objlen(lua, -1));
    for (int at = 1; at + 2 <= count; at += 3) {
        lua_rawgeti(lua, -1, at);
        lua_rawgeti(lua, -2, at + 1);
        lua_rawgeti(lua, -3, at + 2);
        uses.push_back({lua_tostring(lua, -3), static_cast<int>(lua_tointeger(lua, -2)),
                        lua_toboolean(lua, -1) != 0});
        lua_pop(lua, 3);
    }
    lua_pop(lua, 1);
    return uses;
}

}  // namespace ktm::script
