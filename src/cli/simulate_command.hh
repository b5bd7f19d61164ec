// SPDX-License-Identifier: Apache-2.0
// cli/simulate_command.hh: `katamaran simulate`: a plan, carried out against a recording.
#pragma once

#include <string>

#include "cli/prepared_run.hh"

namespace ktm::cli {

struct SimulateOptions {
    RunOptions run;
    std::string trace;  ///< What QEMU said.
};

/// Nothing outside is touched: only the plan, the vars and the recording are read.
[[nodiscard]] int simulate_plan(ports::Files& files, const SimulateOptions& options);

}  // namespace ktm::cli
