// SPDX-License-Identifier: Apache-2.0
// script/options.cc: the options of a word, read field by field.
#include "script/options.hh"

#include <algorithm>
#include <cmath>
#include <lua.hpp>

#include "base/bytes.hh"
#include "base/text.hh"
#include "net/request.hh"
#include "script/convert.hh"
#include "script/natives.hh"

namespace ktm::script {

Options::Options(lua_State* lua, int index, const char* word,
                 std::initializer_list<std::string_view> fields, Items items)
    : lua_(lua), index_(index), word_(word) {
    if (lua_type(lua, index) != LUA_TTABLE) {
        refuse(std::string{"expected a table of options, got "} + luaL_typename(lua, index));
    }
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        const bool is_item = lua_type(lua, -1) == LUA_TNUMBER;
        if (is_item && items == Items::one && lua_tonumber(lua, -1) != 1) {
            refuse("expected one device in front of the fields");
        }
        const std::string_view name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
        const bool known = std::find(fields.begin(), fields.end(), name) != fields.end();
        if (is_item ? items != Items::none : known) {
            continue;
        }
        std::string all;
        for (const std::string_view field : fields) {
            all += (all.empty() ? "" : ", ") + std::string{field};
        }
        refuse(is_item ? "expected fields with names: " + all
                       : "no option '" + printable(name) + "'; there are " + all);
    }
}

bool Options::has(const char* field) const {
    const bool there = push(field);
    if (there) {
        lua_pop(lua_, 1);
    }
    return there;
}

void Options::refuse(const std::string& what) const {
    script::refuse(lua_, what, word_);
}

/// Pushes the field; pops it again and says no when it is not there.
bool Options::push(const char* field) const {
    lua_getfield(lua_, index_, field);
    if (lua_isnil(lua_, -1)) {
        lua_pop(lua_, 1);
        return false;
    }
    return true;
}

std::optional<std::string> Options::text(const char* field) const {
    if (!push(field)) {
        return std::nullopt;
    }
    if (lua_type(lua_, -1) != LUA_TSTRING) {
        refuse(std::string{"'"} + field + "' is a text, not a " + luaL_typename(lua_, -1));
    }
    std::size_t size = 0;
    const char* bytes = lua_tolstring(lua_, -1, &size);
    std::string text{bytes, size};
    lua_pop(lua_, 1);
    if (text.find('\0') != std::string::npos) {
        refuse(std::string{"'"} + field + "' holds a NUL");
    }
    return text;
}

std::optional<bool> Options::boolean(const char* field) const {
    if (!push(field)) {
        return std::nullopt;
    }
    if (!lua_isboolean(lua_, -1)) {
        refuse(std::string{"'"} + field + "' is true or false, not a " + luaL_typename(lua_, -1));
    }
    const bool value = lua_toboolean(lua_, -1) != 0;
    lua_pop(lua_, 1);
    return value;
}

std::optional<double> Options::number(const char* field) const {
    if (!push(field)) {
        return std::nullopt;
    }
    if (lua_type(lua_, -1) != LUA_TNUMBER) {
        refuse(std::string{"'"} + field + "' is a number, not a " + luaL_typename(lua_, -1));
    }
    const double value = lua_tonumber(lua_, -1);
    lua_pop(lua_, 1);
    if (!std::isfinite(value)) {
        refuse(std::string{"'"} + field + "' is not a finite number");
    }
    return value;
}

std::optional<std::uint64_t> Options::integer(const char* field, std::uint64_t min,
                                              std::uint64_t max) const {
    const std::optional<double> value = number(field);
    if (!value) {
        return std::nullopt;
    }
    if (*value != std::floor(*value) || *value < static_cast<double>(min) ||
        *value > static_cast<double>(max)) {
        refuse(std::string{"'"} + field + "' is a whole number from " + std::to_string(min) +
               " to " + std::to_string(max));
    }
    return static_cast<std::uint64_t>(*value);
}

std::optional<Duration> Options::duration(const char* field) const {
    if (!push(field)) {
        return std::nullopt;
    }
    Result<Duration> duration = duration_at(lua_, -1);
    lua_pop(lua_, 1);
    if (!duration) {
        raise(lua_, std::move(duration).error().while_trying(word_));
    }
    return *duration;
}

std::optional<std::uint64_t> Options::size(const char* field) const {
    if (!push(field)) {
        return std::nullopt;
    }
    const bool is_text = lua_type(lua_, -1) == LUA_TSTRING;
    lua_pop(lua_, 1);
    if (!is_text) {
        return integer(field, 0, UINT32_MAX);
    }
    Result<Bytes> bytes = parse_bytes(*text(field));
    if (!bytes) {
        raise(lua_, std::move(bytes).error().while_trying(word_));
    }
    return bytes->count;
}

std::optional<IpAddress> Options::ip(const char* field) const {
    const std::optional<std::string> given = text(field);
    if (!given) {
        return std::nullopt;
    }
    Result<IpAddress> address = IpAddress::parse(*given);
    if (!address) {
        raise(lua_, std::move(address).error().while_trying(word_));
    }
    return *address;
}

std::optional<net::MacAddress> Options::mac(const char* field) const {
    const std::optional<std::string> given = text(field);
    if (!given) {
        return std::nullopt;
    }
    Result<net::MacAddress> mac = net::MacAddress::parse(*given);
    if (!mac) {
        raise(lua_, std::move(mac).error().while_trying(word_));
    }
    return *mac;
}

std::string Options::link_on_top(const std::string& place) const {
    if (lua_type(lua_, -1) == LUA_TTABLE) {
        lua_getfield(lua_, -1, "name");
        lua_replace(lua_, -2);
    }
    const std::string name = lua_type(lua_, -1) == LUA_TSTRING ? lua_tostring(lua_, -1) : "";
    lua_pop(lua_, 1);
    if (!net::is_link_name(name)) {
        refuse(place + " is no interface: expected its name, such as \"tap0\", or a handle");
    }
    return name;
}

std::optional<std::string> Options::link(const char* field) const {
    if (!push(field)) {
        return std::nullopt;
    }
    return link_on_top(std::string{"'"} + field + "'");
}

std::optional<std::string> Options::first_link() const {
    lua_rawgeti(lua_, index_, 1);
    if (lua_isnil(lua_, -1)) {
        lua_pop(lua_, 1);
        return std::nullopt;
    }
    return link_on_top("item 1");
}

std::optional<std::string> Options::first_text() const {
    lua_rawgeti(lua_, index_, 1);
    std::optional<std::string> text;
    if (lua_type(lua_, -1) == LUA_TSTRING) {
        text = lua_tostring(lua_, -1);
    } else if (!lua_isnil(lua_, -1)) {
        refuse("item 1 is no text");
    }
    lua_pop(lua_, 1);
    return text;
}

void Options::add_addresses(std::vector<IpAddress>& addresses, int depth) const {
    const int table = lua_gettop(lua_);
    const int count = static_cast<int>(lua_objlen(lua_, table));
    for (int item = 1; item <= count; ++item) {
        lua_rawgeti(lua_, table, item);
        if (lua_type(lua_, -1) == LUA_TTABLE && depth == 0) {
            add_addresses(addresses, depth + 1);
        } else if (lua_type(lua_, -1) == LUA_TSTRING) {
            Result<IpAddress> address = IpAddress::parse(lua_tostring(lua_, -1));
            if (!address) {
                raise(lua_, std::move(address).error().while_trying(word_));
            }
            addresses.push_back(*address);
        } else {
            refuse("item " + std::to_string(item) + " is no address, and no list of them");
        }
        lua_pop(lua_, 1);
    }
}

std::vector<IpAddress> Options::addresses() const {
    std::vector<IpAddress> addresses;
    lua_pushvalue(lua_, index_);
    add_addresses(addresses, 0);
    lua_pop(lua_, 1);
    return addresses;
}

}  // namespace ktm::script
