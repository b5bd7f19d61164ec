// SPDX-License-Identifier: Apache-2.0
// sim/scenario_records.hh: what is replayed: a recorded trace, or a scenario written by hand.
//
// A recorded trace is read as trace::Reader reads it (docs/TRACE.md). A scenario is its plain form,
// loosened for people, and a trace in the plain form is a scenario too:
//
//     {"dir":"out","msg":{"execute":"stop"}}
//     {"after":"5ms","dir":"in","msg":{"event":"STOP","timestamp":{"seconds":0,"microseconds":0}}}
//     {"dir":"in","msg":{"return":{}}}
//     {"after":"2s","dir":"signal","text":"INT"}
//     {"after":"1s","port":"/run/second.sock","dir":"eof"}
//
//  - The time is "t" in seconds, or "after": the distance to the record before it on the same port;
//    or it is left out, and the distance is 0.
//  - A command without "id" is answered by the next reply without one; where several wait, the
//    latest is answered. Pipelined commands need ids.
//  - "dir":"signal" delivers a signal, by its name, when it is that record's turn on its port.
//  - "port" is the name of the port, "qmp" when it is left out.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hh"
#include "ports/files.hh"
#include "trace/record.hh"

namespace ktm::sim {

enum class Turn {
    in,      ///< QEMU says something.
    out,     ///< A command is waited for.
    eof,     ///< QEMU is gone.
    left,    ///< In the recording we closed the connection; our closing it again is waited for.
    signal,  ///< A signal arrives.
};

/// One thing that happens in a replay, in its turn.
struct ScenarioRecord {
    Duration after{};  ///< Since the record before it on the same port.
    Duration at{};     ///< Since the beginning of the trace.
    std::string port;
    Turn turn = Turn::in;
    std::optional<json::Document> message;  ///< Of `out` always, of `in` when it was JSON.
    std::string text;                       ///< Of `in` that was no JSON.
    int signal = 0;
    std::string place;     ///< Where its port had been connected to; empty when that is not known.
    std::size_t line = 0;  ///< Where it stands in the file, from 1; 0 when it is made up.
};

/// Immutable and shared, so that a scenario which is read once can be replayed a thousand times.
using ScenarioRecords = std::vector<std::shared_ptr<const ScenarioRecord>>;

/// What a trace says of monitors and signals; notes are left out, and what was sent but is no
/// command. A signal stands among what the VM of the var `qmp` said, where there is one.
[[nodiscard]] ScenarioRecords scenario_of(std::vector<trace::Record> trace);

/// A recording of a run, as far as it can be read.
struct Recording {
    ScenarioRecords conversations;  ///< Those with monitors, and signals.
    std::map<std::string, std::vector<trace::Record>, std::less<>> exchanges;  ///< By port.
    std::string run;              ///< The name of the run; empty: not known.
    std::string vm;               ///< The monitor in its journal.
    std::string state;            ///< The folder of its journal.
    Duration end{};               ///< Since its beginning.
    std::optional<Error> damage;  ///< What follows it is not there.
};

/// Reads a recording, a trace in the plain form or a scenario. A damaged one is read up to where
/// the damage is; it is an error when there is nothing before.
[[nodiscard]] Result<Recording> read_recording(ports::Files& files, const std::string& path);

/// Reads a whole file, whatever its form. A damaged trace is an error: half a replay proves
/// nothing.
[[nodiscard]] Result<ScenarioRecords> read_scenario(std::string_view bytes);
[[nodiscard]] Result<ScenarioRecords> read_scenario(ports::Files& files, const std::string& path);

/// The records of one port.
[[nodiscard]] ScenarioRecords on_port(const ScenarioRecords& records, std::string_view port);

/// Where a port was connected to when it was recorded; nothing when that is not known.
[[nodiscard]] std::optional<Endpoint> endpoint_of(const ScenarioRecords& records,
                                                  std::string_view port);

/// The names of all ports, sorted.
[[nodiscard]] std::vector<std::string> ports_of(const ScenarioRecords& records);

/// The command in a message, whichever way it is executed; nothing when the message is none.
[[nodiscard]] std::optional<std::string_view> command_in(const json::View& message);

}  // namespace ktm::sim
