// SPDX-License-Identifier: Apache-2.0
// trace/writer.hh: records to lines. The format is described in docs/TRACE.md.
#pragma once

#include <string>
#include <string_view>

#include "trace/record.hh"

namespace ktm::trace {

/// The first line of a trace.
[[nodiscard]] std::string header_line(std::string_view tool_version, WallTime started,
                                      std::string_view migration = "");

/// The line, with the name of the migration in it; as it is where that is empty.
[[nodiscard]] std::string marked_line(std::string line, std::string_view migration);

/// The same for a trace that is written again: it keeps what it said of itself.
[[nodiscard]] std::string header_line(const Header& header);

/// A record whose payload is JSON already: one line, no newline in it.
[[nodiscard]] std::string message_line(Duration time, std::string_view port, Direction direction,
                                       std::string_view json);

/// A record whose payload is text; bytes that are not UTF-8 are written as \xNN. LIMIT: of a longer
/// text the first 64 KiB, for each byte may take five in the file.
[[nodiscard]] std::string text_line(Duration time, std::string_view port, Direction direction,
                                    std::string_view text);

}  // namespace ktm::trace
