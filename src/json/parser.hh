// SPDX-License-Identifier: Apache-2.0
// json/parser.hh: strict JSON text to Document, by simdjson.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/result.hh"
#include "json/document.hh"
#include "json/rules.hh"

namespace ktm::json {

/// Readable bytes that must follow a text which is parsed in place.
inline constexpr std::size_t padding_bytes = 64;

/// Reused from text to text, so that parsing a message allocates only what the message keeps.
/// Refuses invalid UTF-8, anything behind the value, and what the rules do not allow.
class Parser {
public:
    explicit Parser(Rules rules = {});
    Parser(Parser&&) noexcept;
    Parser& operator=(Parser&&) noexcept;
    ~Parser();

    /// Copies the text once, to have room behind it.
    [[nodiscard]] Result<Document> parse(std::string_view text);

    /// Without the copy: `padding_bytes` bytes behind the text must be readable, whatever they are.
    [[nodiscard]] Result<Document> parse_in_place(std::string_view padded_text);

private:
    struct Engine;
    std::unique_ptr<Engine> engine_;
};

/// One text, by somebody who has no parser.
[[nodiscard]] Result<Document> parse(std::string_view text);

}  // namespace ktm::json
