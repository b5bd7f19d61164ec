// SPDX-License-Identifier: Apache-2.0
// script/look_natives.cc: what looks find, and what they share with the other node.
#include <lua.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "script/convert.hh"
#include "script/natives.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

/// LIMIT: of each text of a finding.
constexpr std::size_t finding_bytes_max = 500;

std::string words_at(lua_State* lua, int index, const char* field, const char* word) {
    if (lua_type(lua, index) != LUA_TSTRING && lua_type(lua, index) != LUA_TNUMBER) {
        refuse(lua,
               std::string{"expected "} + field + " as a text, got " + luaL_typename(lua, index),
               word);
    }
    std::size_t size = 0;
    lua_pushvalue(lua, index);
    const char* text = lua_tolstring(lua, -1, &size);
    std::string words{text, std::min(size, finding_bytes_max)};
    lua_pop(lua, 1);
    return words;
}

[[noreturn]] void refuse_more(lua_State* lua, const char* word) {
    raise(lua, Error{Kind::invalid, "runaway",
                     "more than " + std::to_string(findings_max) + " findings in one run", word,
                     nullptr});
}

/// found(what, saw, remedy): the upvalue is the state.
int found(lua_State* lua) {
    const auto state = static_cast<Finding::State>(lua_tointeger(lua, lua_upvalueindex(1)));
    const std::string word = "look." + std::string{name_of(state)};
    Run& run = acting_run_of(lua, word.c_str(), in_looks);
    Finding finding{state, words_at(lua, 1, "what it is", word.c_str()),
                    words_at(lua, 2, "what it is like", word.c_str()), ""};
    const bool wants_remedy = state == Finding::State::warn || state == Finding::State::bad;
    if (wants_remedy || !lua_isnoneornil(lua, 3)) {
        finding.remedy = words_at(lua, 3, "what to do about it", word.c_str());
    }
    if (!run.find(std::move(finding))) {
        refuse_more(lua, word.c_str());
    }
    return 0;
}

/// look_same(what, value, remedy): the upvalue says whether it only warns.
int look_same(lua_State* lua) {
    const bool only_warns = lua_toboolean(lua, lua_upvalueindex(1)) != 0;
    const char* word = only_warns ? "look.alike" : "look.same";
    Run& run = acting_run_of(lua, word, in_looks);
    const std::string what = words_at(lua, 1, "what it is", word);
    Shared thing{words_at(lua, 2, "its value", word), words_at(lua, 3, "what to do about it", word),
                 only_warns};
    if (!run.share(what, std::move(thing))) {
        refuse_more(lua, word);
    }
    return 0;
}

/// looking(): raises where nothing can be found.
int looking(lua_State* lua) {
    (void)acting_run_of(lua, "look.at", in_looks);
    return 0;
}

}  // namespace

void add_look_natives(lua_State* native) {
    for (const Finding::State state :
         {Finding::State::ok, Finding::State::warn, Finding::State::bad, Finding::State::unknown}) {
        lua_pushinteger(native, static_cast<lua_Integer>(state));
        lua_pushcclosure(native, found, 1);
        lua_setfield(native, -2, ("look_" + std::string{name_of(state)}).c_str());
    }
    lua_pushcfunction(native, looking);
    lua_setfield(native, -2, "looking");
    for (const bool only_warns : {false, true}) {
        lua_pushboolean(native, only_warns ? 1 : 0);
        lua_pushcclosure(native, look_same, 1);
        lua_setfield(native, -2, only_warns ? "look_alike" : "look_same");
    }
}

}  // namespace ktm::script
