// SPDX-License-Identifier: Apache-2.0
// json/grammar.hh: where exactly a text stops being JSON, and what was expected there.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ktm::json {

struct Fault {
    std::size_t offset = 0;  ///< Bytes before the place.
    std::string expected;    ///< "':' behind the key", "a value", …
    std::string code;        ///< "invalid-json", "invalid-utf8", "too-deep", "duplicate-key".
};

/// The first fault of a text, or nothing when it is one JSON value. Slow and simple: it speaks
/// after the fast parser has refused, and holds the fast parser to account in the tests.
[[nodiscard]] std::optional<Fault> find_fault(std::string_view text, unsigned depth_max);

}  // namespace ktm::json
