// SPDX-License-Identifier: Apache-2.0
// plan/value.hh: the value of a var, typed, in canonical units.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.hh"

namespace ktm::plan {

/// The types of vars; their names in a plan are those of name_of().
enum class Type : std::uint8_t {
    ip,           ///< "192.0.2.1", "2001:db8::1"; canonical text.
    ifname,       ///< A network interface: 1 to 15 bytes, no '/', no space, not "." or "..".
    duration,     ///< "25ms"; in nanoseconds here, in milliseconds in Lua.
    size,         ///< "16MiB"; in bytes.
    rate,         ///< "10GB/s", "10Gbit/s"; in bytes per second.
    integer,      ///< "int": a whole number.
    enumeration,  ///< "enum": one of some words.
    boolean,      ///< "bool": true/false, yes/no, on/off.
    path,         ///< A path without a NUL; not empty.
    text,         ///< "string": any UTF-8.
    secret,       ///< A text that is neither printed nor traced.
    list,         ///< Values of one other type, none of them a list.
};

[[nodiscard]] std::string_view name_of(Type type) noexcept;

/// Whether its values are amounts, with an order: durations, sizes, rates and whole numbers.
[[nodiscard]] bool is_amount(Type type) noexcept;

class Value {
public:
    using List = std::vector<Value>;
    using Content = std::variant<bool, std::int64_t, std::string, List>;

    /// The content must fit the type: boolean a bool; integer, duration (nanoseconds), size and
    /// rate (bytes) an int64; list a List; everything else its canonical text.
    Value(Type type, Content content) : type_(type), content_(std::move(content)) {}

    [[nodiscard]] Type type() const noexcept { return type_; }
    [[nodiscard]] bool as_bool() const { return *std::get_if<bool>(&content_); }
    [[nodiscard]] std::int64_t as_int() const { return *std::get_if<std::int64_t>(&content_); }
    [[nodiscard]] const std::string& as_text() const {
        return *std::get_if<std::string>(&content_);
    }
    [[nodiscard]] const List& as_list() const { return *std::get_if<List>(&content_); }
    [[nodiscard]] Duration as_duration() const { return Duration{as_int()}; }

    /// As a person would write it, and as it can be read again; a secret is "(secret)".
    [[nodiscard]] std::string text() const;
    /// JSON: numbers in canonical units (durations in milliseconds); a secret is null.
    [[nodiscard]] std::string json() const;

    [[nodiscard]] bool operator==(const Value&) const = default;

private:
    Type type_;
    Content content_;
};

}  // namespace ktm::plan
