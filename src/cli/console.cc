// SPDX-License-Identifier: Apache-2.0
// cli/console.cc: what a person or a script sees.
#include "cli/console.hh"

#include <poll.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/log.hh"
#include "base/text.hh"
#include "cli/migration_id.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

/// LIMIT: how long the first remark that is not read is waited for.
constexpr int remark_patience_ms = 50;
/// LIMIT: lines that a reader who does not read may find later.
constexpr std::size_t unwritten_bytes_max = 1U << 20U;
/// LIMIT: of a remark, so that in any form it fits into what a pipe takes without blocking.
constexpr std::size_t remark_bytes_max = 500;

const char* code_of(Colour colour) {
    switch (colour) {
        case Colour::plain: return "";
        case Colour::dim: return "\x1b[2m";
        case Colour::bold: return "\x1b[1m";
        case Colour::red: return "\x1b[31m";
        case Colour::green: return "\x1b[32m";
        case Colour::yellow: return "\x1b[33m";
        case Colour::cyan: return "\x1b[36m";
    }
    return "";
}

std::string error_json(const Error& error) {
    json::ObjectWriter object;
    object.text("kind", name_of(error.kind)).text("code", error.code).text("what", error.what);
    if (!error.during.empty()) {
        object.text("during", error.during);
    }
    if (error.cause) {
        object.json("cause", error_json(*error.cause));
    }
    return std::move(object).finish();
}

/// The object, and in it the migration that it tells of.
std::string marked(std::string object) {
    const std::string migration = migration_mark();
    if (!migration.empty()) {
        object.insert(object.size() - 1, ",\"migration\":" + json::quoted(migration));
    }
    return object;
}

/// {"note": …} or {"warning": …}: what stands on stderr beside errors when a script listens.
std::string remark_json(std::string_view kind, std::string_view text) {
    json::ObjectWriter object;
    object.text(kind, text);
    return marked(std::move(object).finish());
}

/// The name of the program, and that of the migration behind it: "katamaran", "katamaran[17]".
std::string speaker() {
    const std::string migration = migration_mark();
    return migration.empty() ? "katamaran" : "katamaran[" + migration + "]";
}

std::string_view key_of(log::Level level) {
    switch (level) {
        case log::Level::debug: return "debug";
        case log::Level::info: return "info";
        case log::Level::warning: return "warning";
        case log::Level::error: return "error";
    }
    return "note";
}

bool wants_colours() {
    const char* off = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    const bool dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
    return ::isatty(STDOUT_FILENO) == 1 && !dumb && (off == nullptr || *off == '\0');
}

/// For poll(): at least zero, at most what fits.
int milliseconds_of(Duration duration) {
    const auto whole = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    return static_cast<int>(std::clamp<long>(whole, 0, INT_MAX));
}

/// Writes all of it to stdout, or returns the errno value; what was written is taken off the text.
/// A signal ends the wait for a reader that does not read: poll() returns with EINTR where a write
/// would be restarted. A pipe that is ready takes PIPE_BUF bytes without blocking.
int write_to_stdout(std::string_view& text, UniqueFunction<Duration()>& left) {
    while (!text.empty()) {
        pollfd ready{STDOUT_FILENO, POLLOUT, 0};
        const int limit_ms = left ? milliseconds_of(left()) : -1;
        const int count_ready = ::poll(&ready, 1, limit_ms);
        if (count_ready <= 0) {
            return count_ready == 0 ? ETIMEDOUT : errno;
        }
        const ssize_t count =
            ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (count < 0 && errno != EAGAIN) {
            return errno;
        }
        text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    return 0;
}

}  // namespace

Console::Console(bool json) : json_(json), colours_(!json && wants_colours()) {}

bool Console::line(std::string_view text) {
    if (write_fault_ == 0) {
        unwritten_ += text;
        unwritten_ += '\n';
        flush();
    }
    return write_fault_ == 0;
}

void Console::flush() {
    std::string_view rest{unwritten_};
    const int fault = write_to_stdout(rest, left_);
    unwritten_.erase(0, unwritten_.size() - rest.size());
    const bool may_come_back = fault == ETIMEDOUT || fault == EINTR;
    reader_stands_ = fault == ETIMEDOUT;
    if (!keeps_ || !may_come_back || unwritten_.size() > unwritten_bytes_max) {
        write_fault_ = fault;
    }
}

void Console::keep_for_slow_reader(Duration patience) {
    keeps_ = true;
    left_ = [this, patience] { return reader_stands_ ? Duration::zero() : patience; };
}

bool Console::finish(Duration patience) {
    if (write_fault_ == 0) {
        keeps_ = false;
        left_ = [patience] { return patience; };
        flush();
    }
    return write_fault_ == 0;
}

int Console::explain_loss() const {
    if (write_fault_ == EINTR) {
        return exit_interrupted;
    }
    if (write_fault_ == ETIMEDOUT) {
        error(Error{Kind::timeout, "timeout", "nobody reads it", "write to stdout", nullptr});
    } else if (write_fault_ != EPIPE) {
        error(system_error(write_fault_, "write to stdout"));
    }
    return exit_failed;
}

void Console::note(std::string_view text) const {
    if (json_) {
        std::fprintf(stderr, "%s\n", remark_json("note", text).c_str());
    } else {
        std::fprintf(stderr, "%s: %s\n", speaker().c_str(), printable(text).c_str());
    }
}

void Console::error(const Error& error) const {
    if (json_) {
        json::ObjectWriter object;
        object.json("error", error_json(error));
        std::fprintf(stderr, "%s\n", marked(std::move(object).finish()).c_str());
    } else {
        note(error.sentence());
    }
}

void Console::raw_error(std::string_view json) const {
    std::fprintf(stderr, "%s\n", marked(std::string{json}).c_str());
}

std::string Console::paint(Colour colour, std::string_view text) const {
    if (!colours_ || colour == Colour::plain) {
        return std::string(text);
    }
    return code_of(colour) + std::string(text) + "\x1b[0m";
}

bool stderr_takes_a_line() {
    static bool stands = false;
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    stands = ::poll(&ready, 1, stands ? 0 : remark_patience_ms) <= 0;
    return !stands;
}

void install_log(bool json) {
    auto logger = spdlog::stderr_logger_st("katamaran");
    logger->set_pattern(json ? "%v" : speaker() + ": %l: %v");
    log::send_to([logger, json](log::Level level, const std::string& text) {
        if (!stderr_takes_a_line()) {
            return;
        }
        const std::string shown = excerpt(text, remark_bytes_max);
        const std::string line = json ? remark_json(key_of(level), shown) : shown;
        switch (level) {
            case log::Level::debug: logger->debug(line); break;
            case log::Level::info: logger->info(line); break;
            case log::Level::warning: logger->warn(line); break;
            case log::Level::error: logger->error(line); break;
        }
    });
}

}  // namespace ktm::cli
