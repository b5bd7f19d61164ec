// SPDX-License-Identifier: Apache-2.0
// cli/interrupt_flag.hh: SIGINT and SIGTERM as a flag, for work that runs without a loop.
#pragma once

#include <signal.h>

#include <array>

namespace ktm::cli {

/// As long as it lives the first of these signals sets a flag; the next one does what it does by
/// default, for whoever cannot wait. A signal that is ignored stays so. One of these at a time.
class InterruptFlag {
public:
    InterruptFlag();
    InterruptFlag(const InterruptFlag&) = delete;
    InterruptFlag& operator=(const InterruptFlag&) = delete;
    ~InterruptFlag();

    [[nodiscard]] bool is_set() const noexcept;

private:
    std::array<struct sigaction, 2> before_{};
};

}  // namespace ktm::cli
