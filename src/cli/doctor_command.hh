// SPDX-License-Identifier: Apache-2.0
// cli/doctor_command.hh: `katamaran doctor`: what a run would look at before it begins.
#pragma once

#include "cli/prepared_run.hh"

namespace ktm::cli {

/// The plan whose looks are meant when none is named.
inline constexpr const char* host_plan = "host";

/// Of the options of a run: the plan, its role and vars, the folder of journals, and JSON.
[[nodiscard]] int run_doctor(const ports::World& world, const RunOptions& options);

}  // namespace ktm::cli
