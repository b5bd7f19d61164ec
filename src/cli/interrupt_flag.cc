// SPDX-License-Identifier: Apache-2.0
// cli/interrupt_flag.cc: SIGINT and SIGTERM as a flag, for work that runs without a loop.
#include "cli/interrupt_flag.hh"

namespace ktm::cli {

namespace {

constexpr std::array<int, 2> signals_heard{SIGINT, SIGTERM};
volatile sig_atomic_t interrupt_heard = 0;

extern "C" void hear_interrupt(int) {
    interrupt_heard = 1;
}

}  // namespace

InterruptFlag::InterruptFlag() {
    interrupt_heard = 0;
    for (std::size_t at = 0; at < signals_heard.size(); ++at) {
        struct sigaction hears {};
        hears.sa_handler = hear_interrupt;
        hears.sa_flags = static_cast<int>(SA_RESETHAND);
        if (::sigaction(signals_heard[at], &hears, &before_[at]) == 0 &&
            before_[at].sa_handler == SIG_IGN) {
            (void)::sigaction(signals_heard[at], &before_[at], nullptr);
        }
    }
}

InterruptFlag::~InterruptFlag() {
    for (std::size_t at = 0; at < signals_heard.size(); ++at) {
        (void)::sigaction(signals_heard[at], &before_[at], nullptr);
    }
}

bool InterruptFlag::is_set() const noexcept {
    return interrupt_heard != 0;
}

}  // namespace ktm::cli
