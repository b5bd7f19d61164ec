// SPDX-License-Identifier: Apache-2.0
// sim/virtual_world.hh: all ports at once, simulated: the same program, in milliseconds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/life.hh"
#include "sim/replayed_monitor.hh"
#include "sim/virtual_ciphers.hh"
#include "sim/virtual_clock.hh"
#include "sim/virtual_files.hh"
#include "sim/virtual_network.hh"
#include "sim/virtual_processes.hh"
#include "sim/virtual_signals.hh"
#include "sim/virtual_transport.hh"

namespace ktm::sim {

/// LIFETIME: outlives whoever uses its ports.
class VirtualWorld {
public:
    VirtualWorld() : VirtualWorld(VirtualLoop::Limits{}) {}
    explicit VirtualWorld(VirtualLoop::Limits limits) : loop_(clock_, limits) {}

    [[nodiscard]] ports::World ports() noexcept {
        return ports::World{loop_,  clock_,   transport_, processes_,
                            files_, signals_, networks_,  ciphers_};
    }

    /// A monitor that replays these records, those of one port, at the endpoint.
    [[nodiscard]] Result<void> replay(const Endpoint& endpoint, ScenarioRecords records,
                                      ReplayPolicy policy = {});

    /// The first thing that makes the run worthless: the loop gave up, or a program did what the
    /// trace does not hold.
    [[nodiscard]] std::optional<Error> fault() const;

    [[nodiscard]] const std::vector<std::unique_ptr<ReplayedMonitor>>& monitors() const noexcept {
        return monitors_;
    }
    [[nodiscard]] VirtualClock& virtual_clock() noexcept { return clock_; }
    [[nodiscard]] VirtualLoop& loop() noexcept { return loop_; }
    [[nodiscard]] VirtualProcesses& processes() noexcept { return processes_; }
    [[nodiscard]] VirtualFiles& files() noexcept { return files_; }
    [[nodiscard]] VirtualSignals& signals() noexcept { return signals_; }
    [[nodiscard]] VirtualNetworks& networks() noexcept { return networks_; }

    /// When it ends, networks and owned files take nothing more from the process.
    [[nodiscard]] Life& life() noexcept { return life_; }
    /// The process was killed, now at the latest: guards act, and the files that it owned are
    /// nobody's. What it left behind in memory may be dropped before or afterwards. Then the world
    /// is there for another process.
    void bury();

private:
    VirtualClock clock_;
    Life life_;
    VirtualLoop loop_;
    VirtualTransport transport_{clock_};
    VirtualProcesses processes_{clock_};
    VirtualFiles files_{&life_};
    VirtualSignals signals_{clock_};
    VirtualNetworks networks_{clock_, life_};
    VirtualCiphers ciphers_;
    std::vector<std::unique_ptr<ReplayedMonitor>> monitors_;
};

}  // namespace ktm::sim
