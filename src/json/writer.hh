// SPDX-License-Identifier: Apache-2.0
// json/writer.hh: JSON text, built or rendered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json/document.hh"

namespace ktm::json {

/// The text as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string quoted(std::string_view text);
/// The same, behind what is there.
void append_quoted(std::string& out, std::string_view text);

/// One line, no spaces; integers and big numbers exactly, doubles in their shortest exact form.
[[nodiscard]] std::string compact(const View& view);

/// Indented by two spaces, for people; empty containers and short arrays of scalars on one line.
[[nodiscard]] std::string pretty(const View& view);

/// Builds one object, field by field, on one line.
class ObjectWriter {
public:
    ObjectWriter();
    ObjectWriter& text(std::string_view key, std::string_view value);
    ObjectWriter& integer(std::string_view key, std::int64_t value);
    ObjectWriter& boolean(std::string_view key, bool value);
    /// A value that is already JSON, on one line.
    ObjectWriter& json(std::string_view key, std::string_view value);

    [[nodiscard]] std::string finish() &&;

private:
    void key(std::string_view name);

    std::string out_;
};

}  // namespace ktm::json
