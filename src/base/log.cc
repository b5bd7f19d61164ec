// SPDX-License-Identifier: Apache-2.0
// base/log.cc: the log facade; the sink is installed by the program.
#include "base/log.hh"

#include <utility>

namespace ktm::log {

namespace {

Sink& installed() {
    static Sink sink;
    return sink;
}

void emit(Level level, const std::string& line) {
    if (installed()) {
        installed()(level, line);
    }
}

}  // namespace

void send_to(Sink sink) {
    installed() = std::move(sink);
}

void debug(const std::string& line) {
    emit(Level::debug, line);
}
void info(const std::string& line) {
    emit(Level::info, line);
}
void warning(const std::string& line) {
    emit(Level::warning, line);
}
void error(const std::string& line) {
    emit(Level::error, line);
}

}  // namespace ktm::log
