// SPDX-License-Identifier: Apache-2.0
// sim/recalled_monitor.hh: a QEMU that answers from a recording, whatever the order.
//
// Theory of operation. The monitor that ReplayedMonitor plays expects one sequence of commands, and
// proves that a program sends it. This one has no expectation: it hands each command to a
// Recollection, sends what that knows at the recorded distance, and tells the events of the trace
// when they are due. As with QEMU itself, a command that waits for its answer holds up those behind
// it. One that was never answered in the recording is not answered here, as long as the recording
// goes on: what QEMU would have done behind its end, nobody knows. When the recording cannot tell
// what QEMU would answer, nothing is answered any more, and the owner is told, once.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "ports/clock.hh"
#include "sim/qmp_server.hh"
#include "sim/recollection.hh"

namespace ktm::sim {

class RecalledMonitor {
public:
    struct Handlers {
        UniqueFunction<void(Error)> on_unknown;
        UniqueFunction<void(int)> on_signal;
    };

    /// Listens at once. `records` are those of one port, which end so long before the recording.
    [[nodiscard]] static Result<std::unique_ptr<RecalledMonitor>> open(
        ports::Clock& clock, ports::Transport& transport, const Endpoint& endpoint,
        const ScenarioRecords& records, Duration beyond, Handlers handlers);

    RecalledMonitor(const RecalledMonitor&) = delete;
    RecalledMonitor& operator=(const RecalledMonitor&) = delete;
    ~RecalledMonitor() = default;

    [[nodiscard]] const std::string& place() const noexcept { return place_; }
    /// The first thing of the recording that did not happen again; nothing at the end.
    [[nodiscard]] std::optional<std::string> untold() const { return recollection_.untold(); }

    /// Up to when it is known what QEMU tells; nothing while it is not known how it goes on.
    [[nodiscard]] std::optional<Instant> known_until() const { return recollection_.known_until(); }

private:
    /// To the command that is carried out.
    struct Reply {
        Instant due{};
        std::string line;  ///< Empty: it never came, and `due` is when nothing is known any more.
        std::string command;
    };

    RecalledMonitor(ports::Clock& clock, std::string place, const ScenarioRecords& records,
                    Duration beyond, Handlers handlers)
        : clock_(clock),
          place_(std::move(place)),
          recollection_(records, beyond),
          handlers_(std::move(handlers)) {}

    void greet();
    void take(QmpCommand command);
    void forget_client();
    void fail(Error error);
    /// Sends what is due, and waits for the next.
    void turn();
    /// What becomes of the next command: it will be answered, what QEMU told before it has to be
    /// told first, or nobody knows.
    enum class Next : std::uint8_t { begun, waits, unknown };
    [[nodiscard]] Next begin_next();
    void say_reply();
    void tell(const ScenarioRecord& record);

    ports::Clock& clock_;
    std::string place_;
    Recollection recollection_;
    Handlers handlers_;
    std::unique_ptr<QmpServer> server_;
    std::deque<QmpCommand> commands_;  ///< Wait until the one before them is answered.
    std::optional<Reply> reply_;
    std::unique_ptr<ports::Timer> timer_;
};

}  // namespace ktm::sim
