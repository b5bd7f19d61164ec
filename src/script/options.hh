// SPDX-License-Identifier: Apache-2.0
// script/options.hh: the table of options that a word is given, read field by field.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hh"
#include "base/time.hh"
#include "net/mac_address.hh"

struct lua_State;

namespace ktm::script {

/// Each field that is wrong raises, and says what was expected. Reading leaves the stack as it was.
class Options {
public:
    enum class Items { none, one, many };

    /// Raises when the value at `index` is no table. `fields` and `items` are all that there may
    /// be.
    Options(lua_State* lua, int index, const char* word,
            std::initializer_list<std::string_view> fields, Items items = Items::none);

    [[nodiscard]] bool has(const char* field) const;

    [[nodiscard]] std::optional<std::string> text(const char* field) const;
    [[nodiscard]] std::optional<bool> boolean(const char* field) const;
    /// A whole number from min to max.
    [[nodiscard]] std::optional<std::uint64_t> integer(const char* field, std::uint64_t min,
                                                       std::uint64_t max) const;
    [[nodiscard]] std::optional<double> number(const char* field) const;
    [[nodiscard]] std::optional<Duration> duration(const char* field) const;
    /// A number of bytes, or a text with a unit.
    [[nodiscard]] std::optional<std::uint64_t> size(const char* field) const;
    [[nodiscard]] std::optional<IpAddress> ip(const char* field) const;
    [[nodiscard]] std::optional<net::MacAddress> mac(const char* field) const;
    /// The name of an interface, or a handle with one.
    [[nodiscard]] std::optional<std::string> link(const char* field) const;
    /// The items: addresses, or lists of them.
    [[nodiscard]] std::vector<IpAddress> addresses() const;
    /// The first item as the name of an interface; nothing when there is none.
    [[nodiscard]] std::optional<std::string> first_link() const;

    /// The same as a text.
    [[nodiscard]] std::optional<std::string> first_text() const;

    /// Raises, in the name of the word.
    [[noreturn]] void refuse(const std::string& what) const;
    /// The value, or raises: the field is needed.
    template <class T>
    [[nodiscard]] T needed(const char* field, std::optional<T> value) const {
        if (!value) {
            refuse(std::string{"'"} + field + "' is missing");
        }
        return *std::move(value);
    }

private:
    bool push(const char* field) const;
    void add_addresses(std::vector<IpAddress>& addresses, int depth) const;
    [[nodiscard]] std::string link_on_top(const std::string& place) const;

    lua_State* lua_;
    int index_;
    const char* word_;
};

}  // namespace ktm::script
