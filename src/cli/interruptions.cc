// SPDX-License-Identifier: Apache-2.0
// cli/interruptions.cc: SIGINT, SIGTERM and SIGHUP, as one callback.
#include "cli/interruptions.hh"

#include <csignal>

#include "base/result.hh"

namespace ktm::cli {

Interruptions::Interruptions(ports::Signals& signals) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        Result<std::unique_ptr<ports::Watch>> watch = signals.watch(signal, [this, signal] {
            if (listener_) {
                listener_(signal);
            }
        });
        if (watch) {
            watches_.push_back(std::move(*watch));
        }
    }
}

}  // namespace ktm::cli
