// SPDX-License-Identifier: Apache-2.0
// cli/console.cc: what a person or a script sees.
#include "cli/console.hh"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/log.hh"
#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

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

bool wants_colours() {
    const char* off = std::getenv("NO_COLOR");
    return ::isatty(STDOUT_FILENO) == 1 && (off == nullptr || *off == '\0');
}

}  // namespace

Console::Console(bool json) : json_(json), colours_(!json && wants_colours()) {}

bool Console::line(std::string_view text) {
    const std::string whole = std::string(text) + "\n";
    const bool written = std::fwrite(whole.data(), 1, whole.size(), stdout) == whole.size() &&
                         std::fflush(stdout) == 0;
    if (!written && errno != EPIPE) {
        fault_ = system_error(errno, "write to stdout").sentence();
    }
    return written;
}

void Console::note(std::string_view text) const {
    std::fprintf(stderr, "katamaran: %s\n", std::string(text).c_str());
}

void Console::error(const Error& error) const {
    if (json_) {
        json::ObjectWriter object;
        object.json("error", error_json(error));
        std::fprintf(stderr, "%s\n", std::move(object).finish().c_str());
    } else {
        note(printable(error.sentence()));
    }
}

std::string Console::paint(Colour colour, std::string_view text) const {
    if (!colours_ || colour == Colour::plain) {
        return std::string(text);
    }
    return code_of(colour) + std::string(text) + "\x1b[0m";
}

void install_log() {
    auto logger = spdlog::stderr_logger_st("katamaran");
    logger->set_pattern("katamaran: %l: %v");
    log::send_to([logger](log::Level level, const std::string& line) {
        switch (level) {
            case log::Level::debug: logger->debug(line); break;
            case log::Level::info: logger->info(line); break;
            case log::Level::warning: logger->warn(line); break;
            case log::Level::error: logger->error(line); break;
        }
    });
}

}  // namespace ktm::cli
