// SPDX-License-Identifier: Apache-2.0
// cli/run_command.hh: `katamaran run`: a plan, carried out.
#pragma once

#include "cli/prepared_run.hh"

namespace ktm::cli {

[[nodiscard]] int run_plan(const ports::World& world, const RunOptions& options);

}  // namespace ktm::cli
