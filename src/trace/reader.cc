// SPDX-License-Identifier: Apache-2.0
// trace/reader.cc: a trace from its bytes.
#include "trace/reader.hh"

#include <cmath>
#include <utility>

#include "json/grammar.hh"

namespace ktm::trace {

namespace {

/// LIMIT: QEMU's longest message has 0.2 MiB; our own limit for one is 16 MiB.
constexpr std::size_t line_bytes_max = 20U << 20U;
constexpr std::size_t magic_bytes = 4;
/// Compressed bytes taken at once: few enough that even a hostile stream expands to a bounded text
/// before its lines are looked at.
constexpr std::size_t compressed_piece_bytes = 2048;
constexpr std::string_view a_record =
    R"(a record, such as {"t":1,"port":"qmp","dir":"in","msg":{}})";

/// The second place of a field of the record itself, where two values would contradict each other;
/// in the message below the first one counts.
std::optional<std::size_t> column_of_repetition(std::string_view line, const json::View& record) {
    for (const std::string_view name : {"t", "port", "dir", "msg", "text", "magic", "version"}) {
        std::size_t count = 0;
        for (const json::View::Field field : record.fields()) {
            count += field.key == name ? 1 : 0;
        }
        const std::string quoted = "\"" + std::string(name) + "\"";
        if (count > 1) {
            return line.find(quoted, line.find(quoted) + 1) + 1;
        }
    }
    return std::nullopt;
}

/// Where the field stands in its line, from 1; the start of the line when it is not there. A colon
/// tells a key from a value of the same text.
std::size_t column_of(std::string_view line, std::string_view field) {
    const std::string quoted = "\"" + std::string(field) + "\"";
    for (std::size_t at = line.find(quoted); at != std::string_view::npos;
         at = line.find(quoted, at + 1)) {
        const std::size_t next = line.find_first_not_of(" \t", at + quoted.size());
        if (next != std::string_view::npos && line[next] == ':') {
            return at + 1;
        }
    }
    return 1;
}

}  // namespace

void Reader::fail(std::string code, std::size_t column, std::string_view expected) {
    damage_ = Error{Kind::invalid, std::move(code),
                    "line " + std::to_string(line_) + ", column " + std::to_string(column) +
                        ": expected " + std::string(expected),
                    "", nullptr};
}

void Reader::receive(std::string_view bytes, std::vector<Record>& records) {
    if (form_known_) {
        take(bytes, records);
        return;
    }
    start_ += bytes;
    if (start_.size() < magic_bytes) {
        return;
    }
    form_known_ = true;
    if (looks_compressed(start_)) {
        decompressor_.emplace();
    }
    take(std::exchange(start_, {}), records);
}

void Reader::take(std::string_view bytes, std::vector<Record>& records) {
    while (!bytes.empty() && !damage_) {
        if (!decompressor_) {
            text_ += std::exchange(bytes, {});
            read_lines(records);
            continue;
        }
        const std::string_view piece = bytes.substr(0, compressed_piece_bytes);
        bytes.remove_prefix(piece.size());
        const Result<void> done = decompressor_->decompress(piece, text_);
        read_lines(records);
        if (!done && !damage_) {
            ++line_;
            fail(done.error().code, text_.size() + 1, "intact compressed data");
        }
    }
}

void Reader::finish(std::vector<Record>& records) {
    if (damage_) {
        return;
    }
    text_ += std::exchange(start_, {});
    const bool torn = decompressor_ && !decompressor_->at_end();
    if (!text_.empty() && !torn) {
        text_ += '\n';
    }
    read_lines(records);
    if (torn && !damage_) {
        ++line_;
        fail("torn", text_.size() + 1,
             "the end of the compressed stream; the recording was cut off here");
    }
    if (line_ == 0 && !damage_) {
        line_ = 1;
        fail("empty", 1, "a trace; the file is empty");
    }
}

void Reader::read_lines(std::vector<Record>& records) {
    std::size_t begin = 0;
    while (!damage_) {
        const std::size_t end = text_.find('\n', begin);
        if (end == std::string::npos) {
            break;
        }
        ++line_;
        read_line(std::string_view{text_}.substr(begin, end - begin), records);
        begin = end + 1;
    }
    text_.erase(0, begin);
    if (text_.size() > line_bytes_max && !damage_) {
        ++line_;
        fail("line-too-long", line_bytes_max + 1,
             "a newline after at most " + std::to_string(line_bytes_max) + " bytes");
    }
}

void Reader::read_line(std::string_view line, std::vector<Record>& records) {
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.empty()) {
        return;
    }
    const Result<json::Document> parsed = parser_.parse(line);
    if (!parsed) {
        const std::optional<json::Fault> fault = json::find_fault(line, rules);
        fail(parsed.error().code, fault ? fault->offset + 1 : 1,
             fault ? fault->expected : parsed.error().what);
        return;
    }
    const json::View root = parsed->root();
    if (!root.is_object()) {
        fail("bad-record", 1, a_record);
        return;
    }
    if (const std::optional<std::size_t> column = column_of_repetition(line, root)) {
        fail("duplicate-key", *column, "each field of a record once");
        return;
    }
    if (std::exchange(begun_, true) == false && root.find("magic")) {
        read_header(root);
        return;
    }
    read_record(line, root, records);
}

void Reader::read_header(const json::View& object) {
    const std::optional<std::int64_t> version = object.find_int("version");
    if (object.find_string("magic") != "katamaran-trace" || !version || *version < 1) {
        fail("bad-header", 1, R"(the header {"magic":"katamaran-trace","version":1,…})");
        return;
    }
    if (*version > format_version) {
        fail("newer-format", 1,
             "format " + std::to_string(format_version) +
                 " or older; a newer katamaran wrote format " + std::to_string(*version));
        return;
    }
    header_ =
        Header{static_cast<int>(*version), std::string(object.find_string("tool").value_or("")),
               std::string(object.find_string("started").value_or("")),
               std::string(object.find_string("migration").value_or(""))};
}

std::optional<Duration> Reader::read_time(const json::View& object) const {
    const std::optional<json::View> time = object.find("t");
    if (!time) {
        return std::nullopt;
    }
    if (header_) {
        const std::optional<std::int64_t> ns = time->as_int();
        return ns && *ns >= 0 ? std::optional{Duration{*ns}} : std::nullopt;
    }
    const std::optional<double> seconds = time->as_double();
    // LIMIT: nanoseconds in 64 bits are 292 years.
    const bool sane = seconds && *seconds >= 0 && *seconds < 9e9;
    return sane ? std::optional{Duration{std::llround(*seconds * 1e9)}} : std::nullopt;
}

void Reader::read_record(std::string_view line, const json::View& object,
                         std::vector<Record>& records) {
    const std::optional<Duration> time = read_time(object);
    if (!time) {
        fail("bad-time", column_of(line, "t"),
             header_ ? "\"t\" with whole nanoseconds, 0 or more" : "\"t\" with seconds, 0 or more");
        return;
    }
    const std::optional<Direction> direction = direction_of(object.find_string("dir").value_or(""));
    if (!direction) {
        fail("bad-direction", column_of(line, "dir"), "\"dir\" with in, out, open, eof or note");
        return;
    }
    const std::string_view port = object.find_string("port").value_or(header_ ? "" : "qmp");
    if (port.empty()) {
        fail("bad-port", column_of(line, "port"), "\"port\" with the name of the port");
        return;
    }
    const std::optional<json::View> message = object.find("msg");
    const std::optional<std::string_view> text = object.find_string("text");
    const bool crossed = *direction == Direction::in || *direction == Direction::out;
    if (crossed && !message && !text) {
        fail("bad-record", 1, "\"msg\" with what crossed the port, or \"text\"");
        return;
    }
    records.push_back(
        Record{*time, std::string(port), *direction,
               message ? std::optional{json::Document::extract(*message)} : std::nullopt,
               std::string(text.value_or("")), line_});
}

}  // namespace ktm::trace
