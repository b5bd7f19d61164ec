// SPDX-License-Identifier: Apache-2.0
// cli/rehearsal.hh: the world of a run that is played against a recording.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/host.hh"
#include "plan/plan.hh"
#include "plan/settings.hh"
#include "script/run.hh"
#include "sim/recalled_monitor.hh"
#include "sim/recalled_networks.hh"
#include "sim/recalled_peer.hh"
#include "sim/recalled_ports.hh"
#include "sim/virtual_world.hh"
#include "trace/exchange.hh"

namespace ktm::cli {

/// The world of one simulation: the clock is virtual, and QEMU, the kernel, programs and signals
/// are what the recording says of them. What it cannot answer stops the loop.
class Rehearsal {
public:
    explicit Rehearsal(sim::Recording recording) : recording_(std::move(recording)) {}

    /// The monitors of the recording, each where the plan will look for it.
    /// And the other node.
    [[nodiscard]] Result<void> open(const script::LoadedPlan& plan, const plan::Settings& settings);

    [[nodiscard]] ports::World ports();

    /// The run asks its guests, and nothing else.
    void settle() { is_settling_ = true; }

    /// What nobody knows, at which the simulation ended.
    [[nodiscard]] std::optional<Error> undecided();

    /// What the plan said to the other node last, and nobody knows what came of it.
    [[nodiscard]] const std::optional<Error>& unheard() const noexcept { return unheard_; }

    /// What of the recording did not happen again.
    [[nodiscard]] std::vector<std::string> untold() const;

    /// How long it went on while QEMU was silent behind the end of the recording.
    [[nodiscard]] Duration beyond();

private:
    [[nodiscard]] Result<void> open(const std::string& port, const Endpoint& endpoint);
    void open_peer(const script::LoadedPlan& plan, const script::PeerPlace& place);
    void arm_signals();
    [[nodiscard]] sim::RecalledExchanges exchanges(std::string_view port);
    void give_up(Error error);
    void give_up_talk(Error error);

    sim::Recording recording_;
    sim::VirtualWorld world_;
    std::vector<std::unique_ptr<sim::RecalledMonitor>> monitors_;
    std::vector<std::unique_ptr<ports::Timer>> signals_;
    sim::RecalledTransport transport_{world_.ports().transport,
                                      [this](Error error) { give_up(std::move(error)); }};
    sim::RecalledProcesses processes_{world_.virtual_clock(), exchanges(trace::exec_port),
                                      [this](Error error) { give_up(std::move(error)); }};
    sim::RecalledFiles files_{exchanges(trace::files_port),
                              [this](Error error) { give_up(std::move(error)); }};
    sim::RecalledNetworks networks_{world_.virtual_clock(), exchanges(trace::net_port),
                                    [this](Error error) { give_up(std::move(error)); }};
    std::unique_ptr<sim::RecalledPeer> peer_;
    bool is_settling_ = false;
    std::optional<Error> unheard_;
    std::optional<Error> undecided_;
};

/// As the run of the recording: by its name it marks what it makes in the kernel.
[[nodiscard]] host::Settings settings_of(const plan::Plan& plan, const plan::Settings& settings,
                                         const sim::Recording& recording);

}  // namespace ktm::cli
