// SPDX-License-Identifier: Apache-2.0
// sim/virtual_processes.hh: the Processes port as a table of command lines and their outcomes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ports/process.hh"
#include "sim/virtual_clock.hh"

namespace ktm::sim {

/// What a program does in the simulation.
struct ProgramOutcome {
    int exit_code = 0;
    std::string out;
    std::string err;
    /// How long it runs; nothing: until it is killed.
    std::optional<Duration> delay = Duration::zero();
    int signal = 0;  ///< That ends it, by somebody else's hand.
};

class VirtualProcesses final : public ports::Processes {
public:
    explicit VirtualProcesses(VirtualClock& clock) : clock_(clock) {}

    /// From now on the command line, its words joined by single spaces, has this outcome. One that
    /// has none is a program that is not there.
    void install(const std::string& command_line, ProgramOutcome outcome);

    [[nodiscard]] Result<std::unique_ptr<ports::Process>> start(const ports::Program& program,
                                                                Ended ended) override;

    /// The command lines that were started, in order.
    [[nodiscard]] const std::vector<std::string>& started() const noexcept { return started_; }

private:
    VirtualClock& clock_;
    std::map<std::string, ProgramOutcome> outcomes_;
    std::vector<std::string> started_;
};

}  // namespace ktm::sim
