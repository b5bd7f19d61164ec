// SPDX-License-Identifier: Apache-2.0
// plan/var.hh: a var as a plan declares it, and how what a person gives becomes its value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hh"
#include "base/result.hh"
#include "json/document.hh"
#include "plan/fault.hh"
#include "plan/value.hh"

namespace ktm::plan {

/// LIMIT: a secret shorter than this could not be told from ordinary text, and hidden.
inline constexpr std::size_t secret_bytes_min = 8;

struct Var {
    std::string name;
    Type type = Type::text;
    Type element = Type::text;    ///< Of a list.
    std::optional<Value> preset;  ///< The default.
    bool optional = false;        ///< May stay without a value.
    std::string doc;
    std::string role;                  ///< The only role that has it; empty for all.
    std::optional<std::int64_t> min;   ///< Of the value in canonical units; of a text or list:
    std::optional<std::int64_t> max;   ///< its size.
    std::vector<std::string> choices;  ///< Of an enumeration.
    std::optional<Family> family;      ///< The only one of its addresses.
    Place place;
    bool agree = false;  ///< Must have the same value at both nodes.

    [[nodiscard]] bool required() const noexcept { return !preset && !optional; }
};

/// What the plan, a file of vars or a script gives: JSON. Durations, sizes and rates are texts with
/// a unit; an integer may be a number or a text. The error says what was expected: "'5' is not a
/// duration; expected a number with a unit, such as 25ms".
[[nodiscard]] Result<Value> read_json(const Var& var, const json::View& given);

/// What a person writes behind --var NAME=. A list is separated by commas, or a JSON array.
[[nodiscard]] Result<Value> read_text(const Var& var, std::string_view given);

/// Whether a value, however it came to be, is of the var's type, range, size and choices.
[[nodiscard]] Result<void> allows(const Var& var, const Value& value);

/// Whether it holds addresses: one, or a list of them.
[[nodiscard]] bool holds_addresses(const Var& var) noexcept;

/// Its type: "list of ip of IPv6".
[[nodiscard]] std::string describe_kind(const Var& var);

/// What is accepted, for `plan show` and for errors: "duration, 1 ms to 60 s".
[[nodiscard]] std::string describe_type(const Var& var);

}  // namespace ktm::plan
