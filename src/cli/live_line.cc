// SPDX-License-Identifier: Apache-2.0
// cli/live_line.cc: the last line of a terminal, which is written over again and again.
#include "cli/live_line.hh"

#include <unistd.h>

#include <cstdio>

#include "base/text.hh"
#include "cli/console.hh"

namespace ktm::cli {

LiveLine::LiveLine(bool wanted) : is_there_(wanted && ::isatty(STDERR_FILENO) == 1) {}

void LiveLine::show(const std::string& text) {
    if (is_there_ && stderr_takes_a_line()) {
        (void)std::fprintf(stderr, "\r\x1b[K  … %s", excerpt(text, 116).c_str());
        (void)std::fflush(stderr);
        is_shown_ = true;
    }
}

void LiveLine::clear() {
    if (is_shown_ && stderr_takes_a_line()) {
        (void)std::fputs("\r\x1b[K", stderr);
        (void)std::fflush(stderr);
    }
    is_shown_ = false;
}

}  // namespace ktm::cli
