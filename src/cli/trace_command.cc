// SPDX-License-Identifier: Apache-2.0
// cli/trace_command.cc: `katamaran trace show`: a conversation that a person can read.
#include "cli/trace_command.hh"

#include <regex.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/text.hh"
#include "cli/console.hh"
#include "cli/narrator.hh"
#include "json/writer.hh"
#include "trace/reader.hh"
#include "trace/writer.hh"

namespace ktm::cli {

namespace {

constexpr int name_width = 18;

/// POSIX, not std::regex: the latter recurses once for each character and dies of long lines.
class Pattern {
public:
    static Result<Pattern> compile(const std::string& text) {
        Pattern pattern;
        const int fault =
            ::regcomp(pattern.compiled_.get(), text.c_str(), REG_EXTENDED | REG_NOSUB);
        if (fault == 0) {
            pattern.usable_ = true;
            return pattern;
        }
        std::array<char, 128> why{};
        (void)::regerror(fault, pattern.compiled_.get(), why.data(), why.size());
        return Error{Kind::usage, "bad-pattern",
                     "'" + text + "' is not an extended regular expression: " + why.data(), "",
                     nullptr};
    }

    Pattern(Pattern&& other) noexcept
        : compiled_(std::move(other.compiled_)), usable_(std::exchange(other.usable_, false)) {}
    Pattern& operator=(Pattern&&) = delete;
    ~Pattern() {
        if (usable_) {
            ::regfree(compiled_.get());
        }
    }

    [[nodiscard]] bool matches(const std::string& line) const {
        return ::regexec(compiled_.get(), line.c_str(), 0, nullptr, 0) == 0;
    }

private:
    Pattern() = default;
    std::unique_ptr<regex_t> compiled_ = std::make_unique<regex_t>();
    bool usable_ = false;
};

std::string seconds(Duration time) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%14.6f", static_cast<double>(time.count()) / 1e9);
    return text.data();
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

class Show {
public:
    Show(const TraceShowOptions& options, Console& console, std::optional<Pattern> pattern)
        : options_(options), console_(console), pattern_(std::move(pattern)) {}

    /// False when nobody reads our output any more. With --json the header goes first, so that what
    /// is printed is a trace again; one without a header does not know when it began.
    bool show(const std::vector<trace::Record>& records,
              const std::optional<trace::Header>& header) {
        if (console_.json() && !records.empty() && !std::exchange(begun_, true)) {
            migration_ = header ? header->migration : "";
            std::string line = trace::header_line(header.value_or(trace::Header{}));
            line.pop_back();
            if (!console_.line(line)) {
                return false;
            }
        }
        for (const trace::Record& record : records) {
            ports_.insert(record.port);
            if (!show(record)) {
                return false;
            }
        }
        return true;
    }

    void explain_emptiness() const {
        if (shown_ > 0 || ports_.empty()) {
            return;
        }
        std::string known;
        for (const std::string& port : ports_) {
            known += (known.empty() ? "" : ", ") + port;
        }
        console_.note(ports_.count(options_.port) == 0 && !options_.port.empty()
                          ? "the trace has no port '" + options_.port + "'; it has: " + known
                          : "no line matches '" + options_.grep + "'");
    }

private:
    bool show(const trace::Record& record) {
        // Told even when it is not shown: a reply needs to know the command that it answers.
        const Telling telling = narrator_.tell(record);
        if (!options_.port.empty() && record.port != options_.port) {
            return true;
        }
        const std::string text = console_.json() ? json_text(record) : plain_text(record, telling);
        if (pattern_ && !pattern_->matches(text)) {
            return true;
        }
        ++shown_;
        return console_.line(console_.json() ? text : painted(record, telling));
    }

    [[nodiscard]] std::string json_text(const trace::Record& record) const {
        std::string line = trace::marked_line(
            record.message
                ? trace::message_line(record.time, record.port, record.direction,
                                      json::compact(record.message->root()))
                : trace::text_line(record.time, record.port, record.direction, record.text),
            migration_);
        line.pop_back();
        return line;
    }

    static std::string arrow(trace::Direction direction) {
        switch (direction) {
            case trace::Direction::in: return "<-";
            case trace::Direction::out: return "->";
            case trace::Direction::open: return "==";
            case trace::Direction::eof: return "==";
            case trace::Direction::note: return "--";
        }
        return "  ";
    }

    [[nodiscard]] static std::string margin(const trace::Record& record) {
        return seconds(record.time) + "  " + printable(record.port) + " " +
               arrow(record.direction) + " ";
    }

    [[nodiscard]] static std::string plain_text(const trace::Record& record,
                                                const Telling& telling) {
        return margin(record) + padded(telling.name, name_width) + " " + telling.detail;
    }

    [[nodiscard]] std::string painted(const trace::Record& record, const Telling& telling) const {
        const std::string text = console_.paint(Colour::dim, margin(record)) +
                                 console_.paint(telling.colour, padded(telling.name, name_width)) +
                                 " " + telling.detail;
        return text.substr(0, text.find_last_not_of(' ') + 1);
    }

    const TraceShowOptions& options_;
    Console& console_;
    std::optional<Pattern> pattern_;
    Narrator narrator_;
    std::set<std::string> ports_;
    std::size_t shown_ = 0;
    bool begun_ = false;
    std::string migration_;  ///< Of the whole trace; empty for none.
};

}  // namespace

int run_trace_show(ports::Files& files, const TraceShowOptions& options) {
    Console console{options.json};
    std::optional<Pattern> pattern;
    if (!options.grep.empty()) {
        Result<Pattern> compiled = Pattern::compile(options.grep);
        if (!compiled) {
            console.error(compiled.error());
            return exit_usage;
        }
        pattern.emplace(std::move(*compiled));
    }
    Show show{options, console, std::move(pattern)};
    trace::Reader reader;
    bool read_by_somebody = true;
    std::vector<trace::Record> records;
    const Result<void> read = files.read_pieces(options.file, [&](std::string_view piece) {
        records.clear();
        reader.receive(piece, records);
        read_by_somebody = show.show(records, reader.header());
        return read_by_somebody && !reader.damage();
    });
    if (!read) {
        console.error(read.error());
        return exit_failed;
    }
    if (read_by_somebody) {
        records.clear();
        reader.finish(records);
        read_by_somebody = show.show(records, reader.header());
    }
    if (!read_by_somebody) {
        return console.explain_loss();
    }
    if (reader.damage()) {
        Error damage = *reader.damage();
        damage.during = "read all of " + options.file;
        console.error(damage);
        return exit_failed;
    }
    show.explain_emptiness();
    return exit_done;
}

}  // namespace ktm::cli
