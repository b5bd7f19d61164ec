// SPDX-License-Identifier: Apache-2.0
// cli/trace_command.cc: `katamaran trace show`: a conversation that a person can read.
#include "cli/trace_command.hh"

#include <regex.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/text.hh"
#include "cli/console.hh"
#include "cli/summary.hh"
#include "json/writer.hh"
#include "trace/reader.hh"
#include "trace/writer.hh"

namespace ktm::cli {

namespace {

constexpr std::size_t detail_bytes = 160;
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

struct Line {
    std::string name;
    std::string detail;
    Colour colour = Colour::plain;
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

/// Turns records into lines; remembers commands, to name the one that a reply answers, and STOP.
class Narrator {
public:
    Line tell(const trace::Record& record) {
        if (!record.message) {
            const bool bad = record.direction == trace::Direction::in;
            return Line{bad ? "unreadable" : std::string(name_of(record.direction)),
                        excerpt(record.text, detail_bytes),
                        record.direction == trace::Direction::open ? Colour::dim : Colour::yellow};
        }
        const json::View message = record.message->root();
        if (const auto command = message.find_string("execute")) {
            return tell_command(record, message, *command);
        }
        if (const auto event = message.find_string("event")) {
            return tell_event(record, message, *event);
        }
        if (const auto result = message.find("return")) {
            const std::string name = asked(record, message);
            const std::string detail = summary_of(*result, detail_bytes);
            return Line{"return", name + (detail.empty() ? "" : "  " + detail), Colour::plain};
        }
        if (const auto error = message.find("error")) {
            const std::string what(error->find_string("desc").value_or("?"));
            const std::string kind(error->find_string("class").value_or("?"));
            return Line{"error",
                        asked(record, message) + "  " + excerpt(what, detail_bytes) + " (" +
                            printable(kind) + ")",
                        Colour::red};
        }
        if (const auto qmp = message.find("QMP")) {
            return Line{"greeting", greeting_text(*qmp), Colour::dim};
        }
        return Line{"message", summary_of(message, detail_bytes), Colour::plain};
    }

private:
    struct Asked {
        std::string command;
        Duration time;
    };

    static std::string number_of(const json::View& message) {
        const std::optional<json::View> id = message.find("id");
        return id ? "#" + excerpt(json::compact(*id), 20) : "";
    }

    static std::string greeting_text(const json::View& qmp) {
        const std::optional<json::View> version = qmp.find("version");
        const std::optional<json::View> number = version ? version->find("qemu") : std::nullopt;
        std::string text = "QEMU";
        if (number) {
            const char* joint = " ";
            for (const std::string_view part : {"major", "minor", "micro"}) {
                text += joint + std::to_string(number->find_int(part).value_or(0));
                joint = ".";
            }
            text += " " + printable(version->find_string("package").value_or(""));
        }
        return text;
    }

    Line tell_command(const trace::Record& record, const json::View& message,
                      std::string_view command) {
        const std::string number = number_of(message);
        asked_[record.port + number] = Asked{std::string(command), record.time};
        const std::optional<json::View> arguments = message.find("arguments");
        const std::string detail = arguments ? summary_of(*arguments, detail_bytes) : "";
        return Line{printable(command), number + (detail.empty() ? "" : "  " + detail),
                    Colour::cyan};
    }

    Line tell_event(const trace::Record& record, const json::View& message,
                    std::string_view event) {
        const std::optional<json::View> data = message.find("data");
        std::string detail = data ? summary_of(*data, detail_bytes) : "";
        Colour colour = Colour::bold;
        if (event == "STOP") {
            stopped_[record.port] = record.time;
            colour = Colour::yellow;
        } else if (event == "RESUME") {
            colour = Colour::green;
            const auto stop = stopped_.find(record.port);
            if (stop != stopped_.end()) {
                detail += "(stopped for " + format_duration(record.time - stop->second) + ")";
                stopped_.erase(stop);
            }
        } else if (message.find("data") && data->find_string("status") == "failed") {
            colour = Colour::red;
        }
        return Line{printable(event), detail, colour};
    }

    /// "#4 query-migrate, 0.41 ms": which command a reply answers, and how long it took.
    std::string asked(const trace::Record& record, const json::View& message) {
        const std::string number = number_of(message);
        const auto found = asked_.find(record.port + number);
        if (found == asked_.end()) {
            return number;
        }
        const Asked question = found->second;
        asked_.erase(found);
        return number + " " + printable(question.command) + ", " +
               format_duration(record.time - question.time);
    }

    std::map<std::string, Asked> asked_;
    std::map<std::string, Duration> stopped_;
};

class Show {
public:
    Show(const TraceShowOptions& options, Console& console, std::optional<Pattern> pattern)
        : options_(options), console_(console), pattern_(std::move(pattern)) {}

    /// False when nobody reads our output any more.
    bool show(const std::vector<trace::Record>& records) {
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
        const Line line = narrator_.tell(record);
        if (!options_.port.empty() && record.port != options_.port) {
            return true;
        }
        const std::string text = console_.json() ? json_text(record) : plain_text(record, line);
        if (pattern_ && !pattern_->matches(text)) {
            return true;
        }
        ++shown_;
        return console_.line(console_.json() ? text : painted(record, line));
    }

    static std::string json_text(const trace::Record& record) {
        std::string line =
            record.message
                ? trace::message_line(record.time, record.port, record.direction,
                                      json::compact(record.message->root()))
                : trace::text_line(record.time, record.port, record.direction, record.text);
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

    [[nodiscard]] static std::string plain_text(const trace::Record& record, const Line& line) {
        return margin(record) + padded(line.name, name_width) + " " + line.detail;
    }

    [[nodiscard]] std::string painted(const trace::Record& record, const Line& line) const {
        const std::string text = console_.paint(Colour::dim, margin(record)) +
                                 console_.paint(line.colour, padded(line.name, name_width)) + " " +
                                 line.detail;
        return text.substr(0, text.find_last_not_of(' ') + 1);
    }

    const TraceShowOptions& options_;
    Console& console_;
    std::optional<Pattern> pattern_;
    Narrator narrator_;
    std::set<std::string> ports_;
    std::size_t shown_ = 0;
};

}  // namespace

int run_trace_show(const ports::World& world, const TraceShowOptions& options) {
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
    const Result<void> read = world.files.read_pieces(options.file, [&](std::string_view piece) {
        records.clear();
        reader.receive(piece, records);
        read_by_somebody = show.show(records);
        return read_by_somebody && !reader.damage();
    });
    if (!read) {
        console.error(read.error());
        return exit_failed;
    }
    if (read_by_somebody) {
        records.clear();
        reader.finish(records);
        read_by_somebody = show.show(records);
    }
    if (!console.fault().empty()) {
        console.note(console.fault());
        return exit_failed;
    }
    if (reader.damage() && read_by_somebody) {
        Error damage = *reader.damage();
        damage.during = "read all of " + options.file;
        console.error(damage);
        return exit_failed;
    }
    show.explain_emptiness();
    return exit_done;
}

}  // namespace ktm::cli
