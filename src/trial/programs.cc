// SPDX-License-Identifier: Apache-2.0
// trial/programs.cc: the programs that a plan runs, on a node of a trial.
#include "trial/programs.hh"

#include <utility>

#include "base/text.hh"

namespace ktm::trial {

Result<std::unique_ptr<ports::Process>> Programs::start(const ports::Program& program,
                                                        Ended ended) {
    const std::string line = joined(program.argv, " ");
    const Harm harm = crossings_.pass(side_, Channel::run, false, [&] { return line; });
    if (const int error = error_of(harm)) {
        return system_error(error, "start '" + line + "'");
    }
    const auto found = known_.find(line);
    const bool works = harm != Harm::ends_badly && on_work_(line);
    if (found == known_.end() && !works && harm != Harm::ends_badly) {
        on_guess_(line);
    }
    sim::ProgramOutcome outcome;
    outcome.out = found == known_.end() ? "" : found->second;
    if (harm == Harm::ends_badly) {
        outcome.exit_code = 1;
        outcome.err = "the simulation lets it fail\n";
    } else if (harm == Harm::stops_reading) {
        outcome.delay.reset();
    } else if (harm == Harm::late) {
        outcome.delay = late_by;
    }
    processes_.install(line, std::move(outcome));
    return processes_.start(program, std::move(ended));
}

}  // namespace ktm::trial
