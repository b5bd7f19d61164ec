// SPDX-License-Identifier: Apache-2.0
// sim/replayed_monitor.hh: a QEMU that says again what it said when it was recorded.
//
// Theory of operation
//
// Purpose: to be the other end of a QMP conversation for a program that does not know the
// difference. It listens at an endpoint, serves one client at a time as QEMU does, and keeps a
// cursor on the records of one port:
//
//     in      sent when its distance to the record before it has passed since that one was played
//     out     waits until the client sends that command
//     eof     the connection is closed; where nothing follows, so is the endpoint
//     left    waits until the client closes the connection
//     signal  handed to the owner after its distance
//
// Replies find the live command by the id that the recorded command had; the live id is put in its
// place. A reply without one, where the recorded commands have none, answers the latest command
// that still waits.
//
// A command that comes early, while the cursor stands before its record, waits for its turn,
// provided that it is the next one in the trace. Commands with a standing answer never wait: they
// are compared with the record at the cursor, and answered at once when they are not there.
// query-qmp-schema, and query-target which is asked with it, have the standing answer that they
// are not known. When no command is left in the trace, every other command is refused with
// "GenericError: the trace has ended".
//
// Everything else that a client sends is a fault: the replay ends, the connection and the endpoint
// are closed, and fault() tells which record was expected.
//
// A trace that begins behind the greeting or the negotiation gets them made up, for each
// connection. While nobody is connected the trace stands still. A client that connects when another
// has left goes on where the trace stands; replies to commands of the one before are dropped.
//
// What it does not do: it has no state of its own. What a VM would do on commands that are not in
// the trace, nobody knows.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/clock.hh"
#include "ports/transport.hh"
#include "sim/qmp_server.hh"
#include "sim/scenario_records.hh"

namespace ktm::sim {

struct ReplayPolicy {
    /// Whether the arguments of a command must be equal to the recorded ones, where there are any.
    bool strict_arguments = true;
    /// Whether a greeting and a negotiation that the trace does not hold are made up.
    bool made_up_negotiation = true;
    /// By command: the JSON value that it returns where the cursor does not stand at it.
    std::map<std::string, std::string> answers;
};

class ReplayedMonitor {
public:
    using OnSignal = UniqueFunction<void(int)>;

    /// Listens at once. `records` are those of one port. An error: somebody listens there already,
    /// or a standing answer is not JSON.
    [[nodiscard]] static Result<std::unique_ptr<ReplayedMonitor>> open(
        ports::Clock& clock, ports::Transport& transport, const Endpoint& endpoint,
        ScenarioRecords records, ReplayPolicy policy, OnSignal on_signal);

    ReplayedMonitor(const ReplayedMonitor&) = delete;
    ReplayedMonitor& operator=(const ReplayedMonitor&) = delete;
    ~ReplayedMonitor() = default;

    /// Where it listens, or did.
    [[nodiscard]] const std::string& place() const noexcept { return place_; }

    /// Why the replay ended before its time: "line 8 of the trace expected stop, got cont".
    [[nodiscard]] const std::optional<Error>& fault() const noexcept { return fault_; }

    /// What is still to be played: "line 8 of the trace waits for stop"; nothing at the end.
    [[nodiscard]] std::optional<std::string> unplayed() const;

private:
    ReplayedMonitor(ports::Clock& clock, std::string place, ScenarioRecords records,
                    ReplayPolicy policy, OnSignal on_signal);

    void greet();
    void make_up_negotiation();
    void end_connection();
    void lose_client();
    void skip_leaving();
    void fail(std::string code, std::string what);

    void play();
    void play_timed(const ScenarioRecord& record);
    void say(const ScenarioRecord& record);
    void say_reply(const ScenarioRecord& record);
    void say_eof();
    void take(const ScenarioRecord& record);

    void admit(QmpCommand command);
    [[nodiscard]] bool answer_standing(const QmpCommand& command);
    [[nodiscard]] const ScenarioRecord* command_ahead(std::size_t skipped) const;
    [[nodiscard]] std::optional<std::string> mismatch(const ScenarioRecord& record,
                                                      const QmpCommand& command) const;

    ports::Clock& clock_;
    std::string place_;
    ScenarioRecords records_;
    ReplayPolicy policy_;
    OnSignal on_signal_;
    std::size_t cursor_ = 0;
    std::optional<Error> fault_;
    std::unique_ptr<QmpServer> server_;

    /// The ids of the live commands, by the recorded ones; nothing for one whose client has gone,
    /// so that its reply is dropped.
    std::map<std::string, std::optional<std::string>> live_ids_;
    /// The same for commands that were recorded without an id and wait for their reply.
    std::vector<std::optional<std::string>> unanswered_;

    // Of the connection that is served.
    std::unique_ptr<ports::Timer> timer_;  ///< For the record at the cursor.
    std::deque<QmpCommand> early_;         ///< Wait for the cursor; each fits the next `out` left.
};

}  // namespace ktm::sim
