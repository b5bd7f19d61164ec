// SPDX-License-Identifier: Apache-2.0
// trial/programs.hh: the programs that a plan runs, on a node of a trial.
//
// Theory of operation. What a program does is its own affair, and no model knows it. It is taken
// that it ends well and at once, and writes what somebody has said of it. If nobody has, it writes
// nothing, and this guess is told. Whatever a program does to the kernel is not done. Each start is
// a crossing: it can be refused, be late, fail, or never end.
#pragma once

#include <string>
#include <string_view>

#include "base/unique_function.hh"
#include "ports/process.hh"
#include "sim/virtual_processes.hh"
#include "trial/crossings.hh"
#include "trial/stage.hh"

namespace ktm::trial {

/// LIFETIME: all outlive it.
class Programs final : public ports::Processes {
public:
    using OnGuess = UniqueFunction<void(std::string_view line)>;
    /// Called for each program that does its work: whether it is known here what that is.
    using OnWork = UniqueFunction<bool(std::string_view line)>;

    Programs(sim::VirtualClock& clock, Crossings& crossings, Side side, const ProgramOutputs& known,
             OnWork on_work, OnGuess on_guess)
        : processes_(clock),
          crossings_(crossings),
          side_(side),
          known_(known),
          on_work_(std::move(on_work)),
          on_guess_(std::move(on_guess)) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Process>> start(const ports::Program& program,
                                                                Ended ended) override;

private:
    sim::VirtualProcesses processes_;
    Crossings& crossings_;
    Side side_;
    const ProgramOutputs& known_;
    OnWork on_work_;
    OnGuess on_guess_;
};

}  // namespace ktm::trial
