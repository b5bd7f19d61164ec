// SPDX-License-Identifier: Apache-2.0
// script/loader.hh: from a plan's name to a plan that can run, or to everything that is wrong.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "plan/fault.hh"
#include "ports/files.hh"
#include "script/loaded_plan.hh"

namespace ktm::script {

/// Where plans and modules are looked for.
struct SearchPath {
    std::vector<std::string> plans;    ///< Folders of plans, first match wins.
    std::vector<std::string> modules;  ///< Folders of the standard library.
};

struct Loading {
    std::optional<LoadedPlan> plan;    ///< Without faults only.
    std::optional<plan::Plan> parent;  ///< What the plan is derived from, as it was unchanged.
    std::string file;                  ///< The one that was found; empty for none.
    bool declares = false;             ///< Whether the file is meant to be a plan, right or wrong.
    plan::Faults faults;               ///< Sorted.
};

/// The file that a person means: a path that exists, or a name in the search path. What has a slash
/// is a path and nothing else. The error says where it was looked for, and the nearest name.
[[nodiscard]] Result<std::string> find_plan(ports::Files& files, const SearchPath& path,
                                            const std::string& wanted);

/// Loads and checks. `wanted` is a path or a name. With an arena the plan can be played again and
/// again: mark() and rewind() of its interpreter.
[[nodiscard]] Loading load_plan(ports::Files& files, const SearchPath& path,
                                const std::string& wanted, std::unique_ptr<Arena> arena = nullptr);

/// Every plan in the search path: the name and the file. A plan that hides another comes first.
struct FoundPlan {
    std::string name;
    std::string file;
    bool hidden = false;  ///< One of the same name is found before it.
};
[[nodiscard]] std::vector<FoundPlan> list_plans(ports::Files& files, const SearchPath& path);

}  // namespace ktm::script
