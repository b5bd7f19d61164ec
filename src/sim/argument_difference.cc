// SPDX-License-Identifier: Apache-2.0
// sim/argument_difference.cc: where what was sent differs from what was recorded.
#include "sim/argument_difference.hh"

#include <utility>

#include "base/secrets.hh"
#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::sim {

namespace {

/// A value that may not be there.
using Place = std::optional<json::View>;

std::string shown(const Place& value) {
    return value ? excerpt(json::compact(*value), shown_bytes_max) : "nothing";
}

bool is_real(const json::View& value) {
    return value.type() == json::Type::real;
}

/// Whether a text fits a recorded one, in which secrets are hidden. Any text may be a secret.
bool fits(std::string_view recorded, std::string_view text) {
    std::size_t mark = recorded.find(secret_mark);
    if (mark == std::string_view::npos) {
        return recorded == text;
    }
    if (text.substr(0, mark) != recorded.substr(0, mark)) {
        return false;
    }
    text.remove_prefix(mark);
    recorded.remove_prefix(mark + secret_mark.size());
    while ((mark = recorded.find(secret_mark)) != std::string_view::npos) {
        const std::size_t found = text.find(recorded.substr(0, mark));
        if (found == std::string_view::npos) {
            return false;
        }
        text.remove_prefix(found + mark);
        recorded.remove_prefix(mark + secret_mark.size());
    }
    return text.ends_with(recorded);
}

bool same_scalar(const json::View& one, const json::View& other) {
    if (is_real(one) || is_real(other)) {
        const std::optional<double> number = one.as_double();
        return number && number == other.as_double();
    }
    if (one.is_string() && other.is_string()) {
        return fits(*one.as_string(), *other.as_string());
    }
    return one.type() == other.type() && json::compact(one) == json::compact(other);
}

/// Walks both values at once and remembers the first place where they part.
class Comparison {
public:
    void compare(const std::string& path, const Place& expected, const Place& got) {
        if (found) {
            return;
        }
        if (expected && got && expected->is_object() && got->is_object()) {
            compare_objects(path, *expected, *got);
        } else if (expected && got && expected->is_array() && got->is_array()) {
            compare_arrays(path, *expected, *got);
        } else if (!expected || !got || !same_scalar(*expected, *got)) {
            found = (path.empty() ? "" : "at " + path + ": ") + "expected " + shown(expected) +
                    ", got " + shown(got);
        }
    }

    std::optional<std::string> found;

private:
    void compare_objects(const std::string& path, const json::View& expected,
                         const json::View& got) {
        const std::string front = path.empty() ? "" : path + ".";
        for (const json::View::Field field : expected.fields()) {
            compare(front + std::string(field.key), field.value, got.find(field.key));
        }
        for (const json::View::Field field : got.fields()) {
            if (!expected.find(field.key)) {
                compare(front + std::string(field.key), std::nullopt, field.value);
            }
        }
    }

    void compare_arrays(const std::string& path, const json::View& expected,
                        const json::View& got) {
        auto one = expected.items().begin();
        auto other = got.items().begin();
        const auto one_end = expected.items().end();
        const auto other_end = got.items().end();
        for (std::size_t i = 0; one != one_end || other != other_end; ++i) {
            const Place left = one != one_end ? Place{*one} : std::nullopt;
            const Place right = other != other_end ? Place{*other} : std::nullopt;
            compare(path + "[" + std::to_string(i) + "]", left, right);
            if (left) {
                ++one;
            }
            if (right) {
                ++other;
            }
        }
    }
};

}  // namespace

std::optional<std::string> difference(const json::View& expected, const json::View& got) {
    Comparison comparison;
    comparison.compare("", expected, got);
    return std::move(comparison.found);
}

}  // namespace ktm::sim
