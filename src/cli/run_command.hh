// SPDX-License-Identifier: Apache-2.0
// cli/run_command.hh: `katamaran run`: a plan, carried out.
#pragma once

#include <string>
#include <vector>

#include "ports/loop.hh"
#include "script/loader.hh"

namespace ktm::cli {

struct RunOptions {
    std::string plan;
    std::string role;               ///< Empty: the vars decide.
    std::vector<std::string> vars;  ///< KEY=VALUE.
    std::string vars_file;          ///< JSON; empty for none.
    std::string record;             ///< Where the run is kept; empty for nowhere.
    std::string state;              ///< The folder of journals.
    bool json = false;
    script::SearchPath path;
};

[[nodiscard]] int run_plan(const ports::World& world, const RunOptions& options);

}  // namespace ktm::cli
