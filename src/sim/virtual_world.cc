// SPDX-License-Identifier: Apache-2.0
// sim/virtual_world.cc: all ports at once, simulated.
#include "sim/virtual_world.hh"

#include <utility>

namespace ktm::sim {

Result<void> VirtualWorld::replay(const Endpoint& endpoint, ScenarioRecords records,
                                  ReplayPolicy policy) {
    Result<std::unique_ptr<ReplayedMonitor>> monitor =
        ReplayedMonitor::open(clock_, transport_, endpoint, std::move(records), std::move(policy),
                              [this](int signal) { signals_.deliver(signal); });
    if (!monitor) {
        return std::move(monitor).error();
    }
    monitors_.push_back(std::move(*monitor));
    return {};
}

std::optional<Error> VirtualWorld::fault() const {
    if (loop_.fault()) {
        return loop_.fault();
    }
    for (const std::unique_ptr<ReplayedMonitor>& monitor : monitors_) {
        if (monitor->fault()) {
            return monitor->fault();
        }
    }
    return std::nullopt;
}

void VirtualWorld::bury() {
    life_.end_after(0);
    networks_.bury();
    files_.disown();
    life_.begin_again();
}

}  // namespace ktm::sim
