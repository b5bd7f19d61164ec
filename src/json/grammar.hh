// SPDX-License-Identifier: Apache-2.0
// json/grammar.hh: the slow reader, which knows where a text stops being JSON and why.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "json/document.hh"
#include "json/rules.hh"

namespace ktm::json {

struct Fault {
    std::size_t offset = 0;  ///< Bytes before the place.
    std::string expected;    ///< "':' behind the key", "a value", …
    std::string code;        ///< "invalid-json", "invalid-utf8", "too-deep", "duplicate-key".
};

/// The first fault of a text, or nothing when it is one JSON value. Slow and simple: it speaks
/// after the fast parser has refused, and holds the fast parser to account in the tests.
[[nodiscard]] std::optional<Fault> find_fault(std::string_view text, Rules rules = {});

/// The value of a text, or its first fault as an error. Unlike the fast parser it keeps numbers
/// that no machine type holds.
[[nodiscard]] Result<Document> read_slowly(std::string_view text, Rules rules);

}  // namespace ktm::json
