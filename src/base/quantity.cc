// SPDX-License-Identifier: Apache-2.0
// base/quantity.cc: numbers with units, without floating point.
#include "base/quantity.hh"

#include <string>

namespace ktm {

namespace {

/// LIMIT: nine decimals are a nanosecond of a second; a tenth would be lost silently.
constexpr std::size_t fraction_digits_max = 9;

Error malformed(std::string_view text, std::span<const Unit> units, std::string_view noun,
                std::string_view example) {
    std::string names;
    for (const Unit& unit : units) {
        names += (names.empty() ? "" : ", ") + std::string(unit.name);
    }
    return Error{Kind::invalid, "bad-quantity",
                 "'" + std::string(text) + "' is not " + std::string(noun) +
                     "; expected a number with a unit, such as " + std::string(example) +
                     " (units: " + names + ")",
                 "", nullptr};
}

std::size_t digits_at(std::string_view text, std::size_t from) {
    std::size_t end = from;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') {
        ++end;
    }
    return end - from;
}

/// number × factor of a run of digits, or false when it does not fit.
bool scaled(std::string_view digits, std::int64_t factor, std::int64_t& out) {
    std::int64_t value = 0;
    for (const char c : digits) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, c - '0', &value)) {
            return false;
        }
    }
    return !__builtin_mul_overflow(value, factor, &out);
}

/// The part behind the point, in steps of the factor, rounded to nearest.
std::int64_t fraction_of(std::string_view digits, std::int64_t factor) {
    __int128 numerator = 0;
    __int128 denominator = 1;
    for (const char c : digits) {
        numerator = numerator * 10 + (c - '0');
        denominator *= 10;
    }
    return static_cast<std::int64_t>((numerator * factor * 2 + denominator) / (denominator * 2));
}

}  // namespace

Result<std::int64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                    std::string_view noun, std::string_view example) {
    const std::size_t whole = digits_at(text, 0);
    std::size_t end = whole;
    std::string_view fraction;
    if (end < text.size() && text[end] == '.') {
        fraction = text.substr(end + 1, digits_at(text, end + 1));
        end += 1 + fraction.size();
        if (fraction.empty() || fraction.size() > fraction_digits_max) {
            return malformed(text, units, noun, example);
        }
    }
    if (whole == 0) {
        return malformed(text, units, noun, example);
    }
    for (const Unit& unit : units) {
        if (text.substr(end) != unit.name) {
            continue;
        }
        std::int64_t value = 0;
        const bool fits =
            scaled(text.substr(0, whole), unit.factor, value) &&
            !__builtin_add_overflow(value, fraction_of(fraction, unit.factor), &value);
        if (!fits) {
            return Error{Kind::invalid, "too-large",
                         "'" + std::string(text) + "' is too large for " + std::string(noun), "",
                         nullptr};
        }
        return value;
    }
    return malformed(text, units, noun, example);
}

}  // namespace ktm
