// SPDX-License-Identifier: Apache-2.0
// cli/trial_command.hh: `katamaran simulate` without a recording: a plan in a world of models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/app.hh"
#include "cli/prepared_run.hh"

namespace ktm::cli {

struct TrialCommand {
    RunOptions run;
    std::string model;                  ///< KEY=VALUE, with commas.
    std::vector<std::string> programs;  ///< LINE => OUTPUT.
    std::string scope;                  ///< Of the faults: "all", "pairs" or empty.
    std::string share;                  ///< Of these faults: "3/40"; empty: all of them.
    std::vector<std::string> faults;    ///< Single ones: "41:lost".
    std::uint64_t seed = 1;
    std::uint64_t runs = 0;  ///< Random schedules; 0: none.
    std::string timeline;    ///< Where the picture of one trial goes; empty for nowhere.
    bool lists = false;      ///< Tell what crosses, and its numbers.
};

/// Between a program and what it writes.
inline constexpr std::string_view program_arrow = " => ";

/// Nothing outside is touched: only the plan and the vars are read.
[[nodiscard]] int try_plan(const Desk& desk, const TrialCommand& command);

}  // namespace ktm::cli
