// SPDX-License-Identifier: Apache-2.0
// plan/settings.hh: the values of a plan's vars for one run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hh"
#include "json/document.hh"
#include "plan/plan.hh"

namespace ktm::plan {

/// One var as it was given, before its type is known.
struct Given {
    std::string name;
    std::string text;                      ///< Behind --var NAME=.
    const json::Document* json = nullptr;  ///< Or from a file of vars. LIFETIME: outlives the call.
    std::string from;                      ///< "--var", "vars.json"; for errors.
};

/// What stands behind --var NAME= in an example: "PATH", "25ms", of a secret "@FILE".
[[nodiscard]] std::string example_of(const Var& var);

/// The values by name; a var without one is absent.
using Values = std::map<std::string, Value, std::less<>>;

struct Settings {
    std::string role;
    Values values;
};

/// The role of a run: the one that was asked for, the only one, or the only one that has all the
/// given vars. A fault names the roles and what would decide.
[[nodiscard]] std::string decide_role(const Plan& plan, const std::string& asked,
                                      const std::vector<Given>& given, Faults& faults);

/// All values of a run: what is given, and the defaults. Each fault is added: an unknown var with
/// the nearest name, a var of another role, one given twice, a value that its var does not allow, a
/// required var that is missing (with its doc and how it is given), a broken relation.
[[nodiscard]] Settings resolve(const Plan& plan, const std::string& role,
                               const std::vector<Given>& given, Faults& faults);

}  // namespace ktm::plan
