// SPDX-License-Identifier: Apache-2.0
// cli/plan_command.hh: `katamaran plan`: plans looked at, drawn, compared and begun.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/time.hh"
#include "ports/files.hh"
#include "script/loader.hh"

namespace ktm::cli {

struct PlanOptions {
    std::vector<std::string> plans;  ///< Paths or names; of `diff` one or two, of `new` the name.
    std::string format;              ///< Of `graph`: mermaid, dot or svg.
    std::string from;                ///< Of `new`: the parent.
    std::string only;                ///< Of `test`: a part of the names of the cases.
    bool json = false;
    std::function<Instant()> now;  ///< Of `test`: it says how long each case took.
    script::SearchPath path;
};

/// All that is wrong with each plan.
[[nodiscard]] int run_plan_check(ports::Files& files, const PlanOptions& options);
/// Vars with types, defaults and docs; roles, states, edges, deadlines; holds and undos.
[[nodiscard]] int run_plan_show(ports::Files& files, const PlanOptions& options);
[[nodiscard]] int run_plan_graph(ports::Files& files, const PlanOptions& options);
/// The plans in the search path.
[[nodiscard]] int run_plan_list(ports::Files& files, const PlanOptions& options);
/// A new file NAME.lua in the working directory, derived from another plan; where that can be
/// played in the simulated world, with a first case in NAME.tests.
[[nodiscard]] int run_plan_new(ports::Files& files, const PlanOptions& options);
/// The cases of plans, played; `plans` are folders, cases and plans.
[[nodiscard]] int run_plan_test(ports::Files& files, const PlanOptions& options);
/// What differs from the parent, or from another plan.
[[nodiscard]] int run_plan_diff(ports::Files& files, const PlanOptions& options);

}  // namespace ktm::cli
