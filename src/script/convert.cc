// SPDX-License-Identifier: Apache-2.0
// script/convert.cc: values between Lua, JSON and errors.
#include "script/convert.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <lua.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "json/rules.hh"
#include "json/writer.hh"
#include "script/interpreter.hh"

namespace ktm::script {

namespace {

constexpr const char* error_mark = "ktm.error";
constexpr const char* list_mark = "ktm.list";
/// What an error costs that goes up through our frames; a loop that catches refusals ends in time.
constexpr std::int64_t instructions_a_raise = 5'000;
constexpr double nanoseconds_a_millisecond = 1e6;
/// Beyond it a double is no exact integer of 64 bits.
constexpr double integer_max = 9.2e18;

/// Pushes a field without asking metatables: what a plan raises may be anything.
void push_raw_field(lua_State* lua, int index, const char* key) {
    lua_pushstring(lua, key);
    lua_rawget(lua, index);
}

std::string text_field(lua_State* lua, int index, const char* key) {
    push_raw_field(lua, index, key);
    std::size_t size = 0;
    const char* text = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : nullptr;
    std::string copy = text != nullptr ? std::string{text, size} : std::string{};
    lua_pop(lua, 1);
    return copy;
}

bool has_mark(lua_State* lua, int index, const char* mark) {
    if (lua_getmetatable(lua, index) == 0) {
        return false;
    }
    luaL_getmetatable(lua, mark);
    const bool same = lua_rawequal(lua, -1, -2) != 0;
    lua_pop(lua, 2);
    return same;
}

Kind kind_of(std::string_view name) {
    for (const Kind kind : {Kind::usage, Kind::invalid, Kind::io, Kind::protocol, Kind::refused,
                            Kind::timeout, Kind::lost, Kind::cancelled}) {
        if (name_of(kind) == name) {
            return kind;
        }
    }
    return Kind::invalid;
}

/// LIMIT: causes of causes; a plan can make an error its own cause.
constexpr int causes_max = 8;

/// The error at an absolute index.
Error error_below(lua_State* lua, int index, int depth) {
    if (lua_type(lua, index) == LUA_TTABLE) {
        Error error{kind_of(text_field(lua, index, "kind")), text_field(lua, index, "code"),
                    text_field(lua, index, "what"), text_field(lua, index, "during"), nullptr};
        if (depth < causes_max && lua_checkstack(lua, 4) != 0) {
            push_raw_field(lua, index, "cause");
            if (lua_istable(lua, -1)) {
                error.cause =
                    std::make_shared<const Error>(error_below(lua, lua_gettop(lua), depth + 1));
            }
            lua_pop(lua, 1);
        }
        if (error.what.empty()) {
            error.what = "the plan raised a table without 'what'";
        }
        return error;
    }
    if (lua_type(lua, index) == LUA_TSTRING) {
        std::size_t size = 0;
        const char* text = lua_tolstring(lua, index, &size);
        return Error{Kind::invalid, "plan", std::string{text, size}, "", nullptr};
    }
    return Error{Kind::invalid, "plan",
                 std::string{"the plan raised a "} + luaL_typename(lua, index), "", nullptr};
}

int tell_error(lua_State* lua) {
    const std::string text = error_at(lua, 1).sentence();
    lua_pushlstring(lua, text.data(), text.size());
    return 1;
}

/// Leaves the metatable of errors on the stack.
void push_error_metatable(lua_State* lua) {
    if (luaL_newmetatable(lua, error_mark) != 0) {
        lua_pushcfunction(lua, tell_error);
        lua_setfield(lua, -2, "__tostring");
        lua_pushboolean(lua, 0);
        lua_setfield(lua, -2, "__metatable");
    }
}

std::string number_text(double number) {
    std::array<char, 32> buffer;
    const bool whole = std::trunc(number) == number && std::fabs(number) < integer_max;
    const auto end = whole ? std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                           static_cast<std::int64_t>(number))
                           : std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return {buffer.data(), end.ptr};
}

/// Writes Lua values as JSON; the first thing that JSON cannot hold stops it.
class JsonWriter {
public:
    explicit JsonWriter(lua_State* lua) : lua_(lua) {}

    void write(int index, const std::string& place, unsigned depth) {
        switch (lua_type(lua_, index)) {
            case LUA_TBOOLEAN: out_ += lua_toboolean(lua_, index) != 0 ? "true" : "false"; return;
            case LUA_TNUMBER: return write_number(lua_tonumber(lua_, index), place);
            case LUA_TSTRING: {
                std::size_t size = 0;
                const char* text = lua_tolstring(lua_, index, &size);
                json::append_quoted(out_, {text, size});
                return;
            }
            case LUA_TTABLE: return write_table(index, place, depth);
            default:
                return refuse(place, std::string{"is a "} + luaL_typename(lua_, index) +
                                         ", which JSON cannot hold");
        }
    }

    [[nodiscard]] Result<std::string> finish() && {
        if (fault_) {
            return std::move(*fault_);
        }
        return std::move(out_);
    }

private:
    void refuse(const std::string& place, const std::string& what) {
        if (!fault_) {
            fault_ = Error{Kind::invalid, "no-json", place + " " + what, "", nullptr};
        }
    }

    void write_number(double number, const std::string& place) {
        if (!std::isfinite(number)) {
            return refuse(place, "is no finite number");
        }
        out_ += number_text(number);
    }

    void write_table(int index, const std::string& place, unsigned depth) {
        if (depth >= json::depth_max || lua_checkstack(lua_, 4) == 0) {
            return refuse(place, "is nested too deeply, or contains itself");
        }
        const std::size_t size = lua_objlen(lua_, index);
        std::vector<std::string> keys;
        std::size_t entries = 0;
        lua_pushnil(lua_);
        while (lua_next(lua_, index) != 0) {
            lua_pop(lua_, 1);
            ++entries;
            if (lua_type(lua_, -1) == LUA_TSTRING) {
                std::size_t length = 0;
                const char* key = lua_tolstring(lua_, -1, &length);
                keys.emplace_back(key, length);
            }
        }
        if (entries == keys.size() && (entries > 0 || !has_mark(lua_, index, list_mark))) {
            return write_object(index, place, depth, std::move(keys));
        }
        if (!keys.empty() || entries != size) {
            return refuse(place, "has keys that are neither all names nor 1 to n");
        }
        write_array(index, place, depth, size);
    }

    void write_object(int index, const std::string& place, unsigned depth,
                      std::vector<std::string> keys) {
        std::sort(keys.begin(), keys.end());
        const char* between = "{";
        for (const std::string& key : keys) {
            out_ += between;
            json::append_quoted(out_, key);
            out_ += ':';
            between = ",";
            lua_pushlstring(lua_, key.data(), key.size());
            lua_rawget(lua_, index);
            write(lua_gettop(lua_), place + "." + key, depth + 1);
            lua_pop(lua_, 1);
        }
        out_ += keys.empty() ? "{}" : "}";
    }

    void write_array(int index, const std::string& place, unsigned depth, std::size_t size) {
        out_ += '[';
        for (std::size_t item = 1; item <= size; ++item) {
            out_ += item > 1 ? "," : "";
            lua_rawgeti(lua_, index, static_cast<int>(item));
            write(lua_gettop(lua_), place + "[" + std::to_string(item) + "]", depth + 1);
            lua_pop(lua_, 1);
        }
        out_ += ']';
    }

    lua_State* lua_;
    std::string out_;
    std::optional<Error> fault_;
};

void push_object(lua_State* lua, const json::View& object) {
    lua_createtable(lua, 0, static_cast<int>(object.size()));
    for (const json::View::Field& field : object.fields()) {
        if (field.value.type() != json::Type::null) {
            lua_pushlstring(lua, field.key.data(), field.key.size());
            push_json(lua, field.value);
            lua_rawset(lua, -3);
        }
    }
}

void push_array(lua_State* lua, const json::View& array) {
    lua_createtable(lua, static_cast<int>(array.size()), 0);
    int position = 0;
    for (const json::View& item : array.items()) {
        push_json(lua, item);
        lua_rawseti(lua, -2, ++position);
    }
    mark_as_list(lua);
}

}  // namespace

void mark_as_list(lua_State* lua) {
    if (luaL_newmetatable(lua, list_mark) != 0) {
        lua_pushboolean(lua, 0);
        lua_setfield(lua, -2, "__metatable");
    }
    lua_setmetatable(lua, -2);
}

void push_json(lua_State* lua, const json::View& value) {
    luaL_checkstack(lua, 4, "JSON too deep");
    switch (value.type()) {
        case json::Type::null: lua_pushboolean(lua, 0); return;
        case json::Type::boolean: lua_pushboolean(lua, *value.as_bool() ? 1 : 0); return;
        case json::Type::integer:
        case json::Type::positive:
        case json::Type::real: lua_pushnumber(lua, *value.as_double()); return;
        case json::Type::big_number:
            lua_pushnumber(lua, std::strtod(std::string{*value.as_big_number()}.c_str(), nullptr));
            return;
        case json::Type::string: {
            const std::string_view text = *value.as_string();
            lua_pushlstring(lua, text.data(), text.size());
            return;
        }
        case json::Type::array: return push_array(lua, value);
        case json::Type::object: return push_object(lua, value);
    }
}

Result<std::string> read_json_at(lua_State* lua, int index, const std::string& place) {
    JsonWriter writer{lua};
    writer.write(index > 0 ? index : lua_gettop(lua) + index + 1, place, 0);
    return std::move(writer).finish();
}

void push_value(lua_State* lua, const plan::Value& value) {
    switch (value.type()) {
        case plan::Type::boolean: lua_pushboolean(lua, value.as_bool() ? 1 : 0); return;
        case plan::Type::duration:
            lua_pushnumber(lua, static_cast<double>(value.as_int()) / nanoseconds_a_millisecond);
            return;
        case plan::Type::integer:
        case plan::Type::size:
        case plan::Type::rate: lua_pushnumber(lua, static_cast<double>(value.as_int())); return;
        case plan::Type::list: {
            lua_createtable(lua, static_cast<int>(value.as_list().size()), 0);
            int position = 0;
            for (const plan::Value& item : value.as_list()) {
                push_value(lua, item);
                lua_rawseti(lua, -2, ++position);
            }
            mark_as_list(lua);
            return;
        }
        case plan::Type::ip:
        case plan::Type::ifname:
        case plan::Type::enumeration:
        case plan::Type::path:
        case plan::Type::text:
        case plan::Type::secret:
            lua_pushlstring(lua, value.as_text().data(), value.as_text().size());
            return;
    }
}

void set_text(lua_State* lua, const char* key, const std::string& text) {
    lua_pushlstring(lua, text.data(), text.size());
    lua_setfield(lua, -2, key);
}

void push_error(lua_State* lua, const Error& error) {
    luaL_checkstack(lua, 4, "errors too deep");
    lua_createtable(lua, 0, 5);
    set_text(lua, "kind", std::string{name_of(error.kind)});
    set_text(lua, "code", error.code);
    set_text(lua, "what", error.what);
    set_text(lua, "during", error.during);
    if (error.cause != nullptr) {
        push_error(lua, *error.cause);
        lua_setfield(lua, -2, "cause");
    }
    push_error_metatable(lua);
    lua_setmetatable(lua, -2);
}

Error error_at(lua_State* lua, int index) {
    return error_below(lua, index > 0 ? index : lua_gettop(lua) + index + 1, 0);
}

Result<Duration> duration_at(lua_State* lua, int index) {
    if (lua_type(lua, index) == LUA_TNUMBER) {
        const double number = lua_tonumber(lua, index) * nanoseconds_a_millisecond;
        if (number >= 0 && number < integer_max) {
            return Duration{static_cast<std::int64_t>(number)};
        }
    } else if (lua_type(lua, index) == LUA_TSTRING) {
        return parse_duration(lua_tostring(lua, index));
    }
    return Error{Kind::invalid, "bad-duration",
                 "expected a duration: a text such as \"2s\", or a number of milliseconds", "",
                 nullptr};
}

void raise(lua_State* lua, const Error& error) {
    Interpreter::of(lua).charge(instructions_a_raise);
    // What a plan does wrong is looked for in the plan.
    if (const std::string place = place_in(lua); error.kind == Kind::invalid && !place.empty()) {
        Error placed{error};
        placed.what += ", at " + place;
        push_error(lua, placed);
    } else {
        push_error(lua, error);
    }
    lua_error(lua);
    std::abort();  // lua_error does not return.
}

void push_text_of(lua_State* lua, int index) {
    index = index > 0 ? index : lua_gettop(lua) + index + 1;
    if (luaL_callmeta(lua, index, "__tostring") != 0) {
        return;
    }
    switch (lua_type(lua, index)) {
        case LUA_TNUMBER:
        case LUA_TSTRING:
            lua_pushvalue(lua, index);
            (void)lua_tostring(lua, -1);
            return;
        case LUA_TBOOLEAN:
            lua_pushstring(lua, lua_toboolean(lua, index) != 0 ? "true" : "false");
            return;
        case LUA_TNIL: lua_pushstring(lua, "nil"); return;
        default: lua_pushstring(lua, luaL_typename(lua, index)); return;
    }
}

}  // namespace ktm::script
