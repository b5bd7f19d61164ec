// SPDX-License-Identifier: Apache-2.0
// cli/interruptions.hh: SIGINT, SIGTERM and SIGHUP, as one callback.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/unique_function.hh"
#include "ports/signals.hh"

namespace ktm::cli {

/// Takes hold of the signals at its construction, so that a program can do so before it makes
/// anything that a sudden death would leave behind. Who is told may come later: nothing is
/// delivered before the loop runs.
class Interruptions {
public:
    explicit Interruptions(ports::Signals& signals);

    void tell(UniqueFunction<void(int signal)> listener) { listener_ = std::move(listener); }

    /// From here on a signal does what it does by default.
    void let_go() {
        watches_.clear();
        listener_ = nullptr;
    }

private:
    UniqueFunction<void(int signal)> listener_;
    std::vector<std::unique_ptr<ports::Watch>> watches_;
};

}  // namespace ktm::cli
