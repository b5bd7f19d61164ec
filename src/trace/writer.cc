// SPDX-License-Identifier: Apache-2.0
// trace/writer.cc: records to lines.
#include "trace/writer.hh"

#include <utility>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::trace {

namespace {

constexpr std::size_t text_bytes_max = 65536;

json::ObjectWriter begin(Duration time, std::string_view port, Direction direction) {
    json::ObjectWriter line;
    line.integer("t", time.count()).text("port", port).text("dir", name_of(direction));
    return line;
}

}  // namespace

std::string header_line(std::string_view tool_version, WallTime started,
                        std::string_view migration) {
    return header_line(Header{format_version, std::string(tool_version), format_wall_time(started),
                              std::string(migration)});
}

std::string header_line(const Header& header) {
    json::ObjectWriter line;
    line.text("magic", "katamaran-trace")
        .integer("version", format_version)
        .text("tool", header.tool)
        .text("started", header.started);
    return marked_line(std::move(line).finish() + "\n", header.migration);
}

std::string marked_line(std::string line, std::string_view migration) {
    if (!migration.empty()) {
        line.insert(line.size() - 2, ",\"migration\":" + json::quoted(migration));
    }
    return line;
}

std::string message_line(Duration time, std::string_view port, Direction direction,
                         std::string_view json) {
    json::ObjectWriter line = begin(time, port, direction);
    line.json("msg", json);
    return std::move(line).finish() + "\n";
}

std::string text_line(Duration time, std::string_view port, Direction direction,
                      std::string_view text) {
    json::ObjectWriter line = begin(time, port, direction);
    line.text("text", excerpt(text, text_bytes_max));
    return std::move(line).finish() + "\n";
}

}  // namespace ktm::trace
