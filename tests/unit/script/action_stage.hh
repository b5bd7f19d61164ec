// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/action_stage.hh: one action of a plan, run in a small world.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "script/run.hh"
#include "sim/virtual_world.hh"

namespace ktm::testing {

/// What a plan said, and how it ended.
struct Told {
    std::vector<std::string> words;
    std::vector<std::string> programs;  ///< Those that were started.
    std::string journals;               ///< What is left of them.
    std::string changed;  ///< The kernel's state as text, where it is another than before.
    script::Outcome outcome;
};

using Preparing = std::function<void(sim::VirtualWorld&)>;

/// Runs one action in a world with some programs, files and devices; `prepare` may change it first.
/// In the action `tried(function)` gives "kind code" of what it raises, "text", or "nothing".
[[nodiscard]] Told told_by(const std::string& action, const Preparing& prepare = nullptr);

/// "kind code" of what the code raises, "text", or "nothing".
[[nodiscard]] std::string raised_by(const std::string& code, const Preparing& prepare = nullptr);

struct Claim {
    const char* code;
    const char* raised;
};
void check(std::initializer_list<Claim> claims, const Preparing& prepare = nullptr);

}  // namespace ktm::testing
