// SPDX-License-Identifier: Apache-2.0
// trace/reader.hh: a trace from its bytes.
//
// Theory of operation. Bytes go in by receive(), records come out as far as they are complete.
// Three forms are told apart by their first bytes: zstd, our own with a header, and the plain form
// of other recorders, which has no header and counts the time in seconds ({"t": 0.045, "dir": "in",
// "msg": …}).
//
// The first fault ends the reading: what stands before it is intact, what follows is not trusted. A
// torn last line, or a compressed stream without its end, is such a fault too: finish() tells.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "json/parser.hh"
#include "trace/record.hh"
#include "trace/zstd.hh"

namespace ktm::trace {

class Reader {
public:
    /// Takes the next bytes of the file and appends the records that are complete.
    void receive(std::string_view bytes, std::vector<Record>& records);

    /// The file has ended. A last line that is complete but for its newline counts as complete.
    void finish(std::vector<Record>& records);

    /// What is wrong with the trace, with line and column, once something is.
    [[nodiscard]] const std::optional<Error>& damage() const noexcept { return damage_; }

    /// The header; the plain form has none.
    [[nodiscard]] const std::optional<Header>& header() const noexcept { return header_; }

private:
    /// A record is one level around a message, which may have all the levels of JSON, and keys
    /// twice.
    static constexpr json::Rules rules{json::depth_max + 1, json::Keys::first_counts};

    void read_lines(std::vector<Record>& records);
    void read_line(std::string_view line, std::vector<Record>& records);
    void read_record(std::string_view line, const json::View& object, std::vector<Record>& records);
    [[nodiscard]] std::optional<Duration> read_time(const json::View& object) const;
    void read_header(const json::View& object);
    void take(std::string_view bytes, std::vector<Record>& records);
    void fail(std::string code, std::size_t column, std::string_view expected);

    json::Parser parser_{rules};
    std::optional<Decompressor> decompressor_;
    std::string start_;  ///< The first bytes, until there are enough to know the form.
    bool form_known_ = false;
    std::string text_;
    std::size_t line_ = 0;
    bool begun_ = false;  ///< The first line that is not blank has been read.
    std::optional<Header> header_;
    std::optional<Error> damage_;
};

}  // namespace ktm::trace
