// SPDX-License-Identifier: Apache-2.0
// script/text_natives.cc: patterns with a budget, and texts without addresses.
#include <lua.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.hh"
#include "script/api.hh"
#include "script/convert.hh"
#include "script/natives.hh"
#include "script/pattern.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

/// LIMIT: steps of one call; a step costs about as much as an instruction.
constexpr std::size_t steps_max = 1'000'000;
/// Bytes or entries that a function of C goes through in the time of an instruction.
constexpr std::size_t things_an_instruction = 8;

std::string_view text_at(lua_State* lua, int index) {
    std::size_t size = 0;
    const char* text = luaL_checklstring(lua, index, &size);
    return {text, size};
}

/// Where a search begins, from Lua's position (from 1, negative from the end) to an offset.
std::size_t offset_at(lua_State* lua, int index, std::size_t size) {
    const auto position = static_cast<std::ptrdiff_t>(luaL_optnumber(lua, index, 1));
    const auto length = static_cast<std::ptrdiff_t>(size);
    const std::ptrdiff_t offset = position > 0   ? position - 1
                                  : position < 0 ? length + position
                                                 : 0;
    return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(offset, 0, length));
}

/// The steps of one call; what was spent is taken from the budget of the plan at its end.
class CallBudget : public StepBudget {
public:
    explicit CallBudget(lua_State* lua)
        : StepBudget(steps_max), interpreter_(Interpreter::of(lua)) {}
    ~CallBudget() { interpreter_.charge(static_cast<std::int64_t>(spent())); }
    CallBudget(const CallBudget&) = delete;
    CallBudget& operator=(const CallBudget&) = delete;

private:
    Interpreter& interpreter_;
};

Pattern compiled(lua_State* lua, std::string_view text, Pattern::Caret caret) {
    Result<Pattern> pattern = Pattern::compile(text, caret);
    if (!pattern) {
        raise(lua, std::move(pattern).error());
    }
    return std::move(*pattern);
}

/// The value of a result, or its error raised in Lua.
template <class T>
T checked(lua_State* lua, Result<T> result) {
    if (!result) {
        raise(lua, std::move(result).error());
    }
    return std::move(*result);
}

int push_captures(lua_State* lua, std::string_view subject, std::span<const Capture> captures) {
    luaL_checkstack(lua, static_cast<int>(captures.size()), "too many captures");
    for (const Capture& capture : captures) {
        if (capture.is_position) {
            lua_pushinteger(lua, static_cast<lua_Integer>(capture.begin + 1));
        } else {
            lua_pushlstring(lua, subject.data() + capture.begin, capture.end - capture.begin);
        }
    }
    return static_cast<int>(captures.size());
}

int push_nothing(lua_State* lua) {
    lua_pushnil(lua);
    return 1;
}

int find(lua_State* lua) {
    const std::string_view subject = text_at(lua, 1);
    const std::string_view pattern = text_at(lua, 2);
    const std::size_t init = offset_at(lua, 3, subject.size());
    CallBudget budget{lua};
    const std::optional<Match> match = checked(
        lua, lua_toboolean(lua, 4) != 0 || is_plain(pattern)
                 ? find_plain(subject, pattern, init, budget)
                 : compiled(lua, pattern, Pattern::Caret::anchors).find(subject, init, budget));
    if (!match) {
        return push_nothing(lua);
    }
    lua_pushinteger(lua, static_cast<lua_Integer>(match->begin + 1));
    lua_pushinteger(lua, static_cast<lua_Integer>(match->end));
    return 2 + push_captures(lua, subject, match->captures());
}

int match(lua_State* lua) {
    const std::string_view subject = text_at(lua, 1);
    const Pattern pattern = compiled(lua, text_at(lua, 2), Pattern::Caret::anchors);
    CallBudget budget{lua};
    const std::optional<Match> found =
        checked(lua, pattern.find(subject, offset_at(lua, 3, subject.size()), budget));
    return found ? push_captures(lua, subject, found->values()) : push_nothing(lua);
}

/// The iterator of gmatch: its upvalues are the text, the pattern and where to go on.
int next_match(lua_State* lua) {
    const std::string_view subject = text_at(lua, lua_upvalueindex(1));
    const Pattern pattern =
        compiled(lua, text_at(lua, lua_upvalueindex(2)), Pattern::Caret::is_plain);
    CallBudget budget{lua};
    const auto at = static_cast<std::size_t>(lua_tonumber(lua, lua_upvalueindex(3)));
    const std::optional<Match> found = checked(lua, pattern.find(subject, at, budget));
    if (!found) {
        return push_nothing(lua);
    }
    lua_pushnumber(lua, static_cast<double>(found->next_init()));
    lua_replace(lua, lua_upvalueindex(3));
    return push_captures(lua, subject, found->values());
}

int gmatch(lua_State* lua) {
    (void)text_at(lua, 1);
    (void)compiled(lua, text_at(lua, 2), Pattern::Caret::is_plain);
    lua_settop(lua, 2);
    lua_pushnumber(lua, 0);
    lua_pushcclosure(lua, next_match, 3);
    return 1;
}

/// What takes the place of a match: from a text, a table or a function; false keeps the match.
std::string replacement_for(lua_State* lua, std::string_view subject, const Match& match,
                            StepBudget& budget) {
    const std::string whole{subject.substr(match.begin, match.end - match.begin)};
    if (lua_type(lua, 3) == LUA_TSTRING || lua_type(lua, 3) == LUA_TNUMBER) {
        return checked(lua, expand(text_at(lua, 3), subject, match, budget));
    }
    if (lua_type(lua, 3) == LUA_TTABLE) {
        push_captures(lua, subject, match.values().first(1));
        lua_gettable(lua, 3);
    } else {
        luaL_checktype(lua, 3, LUA_TFUNCTION);
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(lua, subject, match.values()), 1);
    }
    if (lua_toboolean(lua, -1) == 0) {
        lua_pop(lua, 1);
        return whole;
    }
    if (lua_isstring(lua, -1) == 0) {
        luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
    }
    std::string text{text_at(lua, -1)};
    lua_pop(lua, 1);
    return text;
}

int gsub(lua_State* lua) {
    const std::string_view subject = text_at(lua, 1);
    const Pattern pattern = compiled(lua, text_at(lua, 2), Pattern::Caret::anchors);
    const double count_max = luaL_optnumber(lua, 4, static_cast<double>(subject.size() + 1));
    CallBudget budget{lua};
    std::string out;
    std::size_t at = 0;
    double count = 0;
    while (count < count_max && at <= subject.size()) {
        const std::optional<Match> found =
            checked(lua, pattern.is_anchored() ? pattern.match_at(subject, at, budget)
                                               : pattern.find(subject, at, budget));
        if (!found) {
            break;
        }
        out += subject.substr(at, found->begin - at);
        out += replacement_for(lua, subject, *found, budget);
        if (found->end == found->begin && found->end < subject.size()) {
            out += subject[found->end];
        }
        at = found->next_init();
        ++count;
        if (pattern.is_anchored()) {
            break;
        }
    }
    if (at < subject.size()) {
        out += subject.substr(at);
    }
    lua_pushlstring(lua, out.data(), out.size());
    lua_pushnumber(lua, count);
    return 2;
}

int text_of(lua_State* lua) {
    luaL_checkany(lua, 1);
    push_text_of(lua, 1);
    return 1;
}

/// Whether a form shows an address, which differs from run to run: it has %p.
bool shows_address(std::string_view form) {
    for (std::size_t at = 0; at + 1 < form.size(); ++at) {
        if (form[at] != '%') {
            continue;
        }
        const std::size_t letter = form.find_first_not_of("-+ #0123456789.", at + 1);
        if (letter != std::string_view::npos && form[letter] == 'p') {
            return true;
        }
        at = letter == std::string_view::npos ? form.size() : letter;
    }
    return false;
}

/// string.format of LuaJIT is the upvalue; what it would show with an address is a text before.
int format(lua_State* lua) {
    if (shows_address(text_at(lua, 1))) {
        return luaL_error(lua, "%%p shows an address, which differs from run to run");
    }
    const int count = lua_gettop(lua);
    for (int index = 2; index <= count; ++index) {
        if (lua_type(lua, index) != LUA_TNUMBER && lua_type(lua, index) != LUA_TSTRING) {
            push_text_of(lua, index);
            lua_replace(lua, index);
        }
    }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, 1);
    return 1;
}

/// Gives every text the methods of the table: ("x"):upper().
int text_methods(lua_State* lua) {
    lua_pushliteral(lua, "");
    if (lua_getmetatable(lua, -1) == 0) {
        lua_newtable(lua);
    }
    lua_pushvalue(lua, 1);
    lua_setfield(lua, -2, "__index");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    return 0;
}

/// Calls the function in the upvalue and charges the plan for the size of what it works on: a table
/// of a million entries takes one instruction to be shifted, and a millisecond.
int call_charged(lua_State* lua) {
    std::size_t size = 0;
    if (lua_type(lua, 1) == LUA_TSTRING || lua_type(lua, 1) == LUA_TTABLE) {
        size = lua_objlen(lua, 1);
    }
    Interpreter::of(lua).charge(static_cast<std::int64_t>(size / things_an_instruction));
    const int count = lua_gettop(lua);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, LUA_MULTRET);
    return lua_gettop(lua);
}

int charged(lua_State* lua) {
    lua_settop(lua, 1);
    lua_pushcclosure(lua, call_charged, 1);
    return 1;
}

int list(lua_State* lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    mark_as_list(lua);
    return 1;
}

constexpr Native text_natives[] = {
    {"find", find}, {"match", match},     {"gmatch", gmatch},
    {"gsub", gsub}, {"text_of", text_of}, {"text_methods", text_methods},
    {"list", list}, {"charged", charged},
};

}  // namespace

void add_natives(lua_State* lua, const Native* begin, const Native* end) {
    for (const Native* native = begin; native != end; ++native) {
        lua_pushcfunction(lua, native->function);
        lua_setfield(lua, -2, native->name);
    }
}

void push_format(lua_State* lua, int raw_format) {
    lua_pushvalue(lua, raw_format);
    lua_pushcclosure(lua, format, 1);
}

void add_text_natives(lua_State* native) {
    add_natives(native, std::begin(text_natives), std::end(text_natives));
}

}  // namespace ktm::script
