// SPDX-License-Identifier: Apache-2.0
// trial/case_file.hh: a case of a plan: in which world it is tried, what goes wrong, and what is
// expected then; and the file in which a person writes that.
//
//     return {
//       claim  = "The network is cut during the copy: the guest stays where it is.",
//       plan   = "shared-storage",
//       vars   = { patience = "30s" },
//       model  = { ram = "1G", link = "10G" },
//       faults = { { "cut", event = "MIGRATION_PASS", role = "source" } },
//       expect = { source = { ends = "aborted in copy" }, guest = "source" },
//     }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/fault.hh"
#include "plan/plan.hh"
#include "ports/files.hh"
#include "script/datum.hh"
#include "trial/strike.hh"

namespace ktm::trial {

/// What is not there is not looked at.
struct RoleExpected {
    std::string role;
    std::string end;       ///< "done", "aborted", "stranded", "killed".
    std::string in_state;  ///< In which it ended.
    std::string why;       ///< A part of what it says was the cause.
    std::optional<int> exit;
    std::vector<std::string> states;  ///< `anything` stands for any number of them.
};

/// Where the guest runs in the end, when it runs nowhere.
inline constexpr std::string_view nowhere_word = "nowhere";

struct Expected {
    std::vector<RoleExpected> roles;
    std::string guest;              ///< The role at which it runs in the end, or `nowhere_word`.
    std::optional<Duration> dark;   ///< At most.
    std::optional<Duration> total;  ///< At most.
    std::optional<std::uint64_t> lost;  ///< Packets, at most.

    [[nodiscard]] bool is_empty() const {
        return roles.empty() && guest.empty() && !dark && !total && !lost;
    }
};

struct Case {
    std::string file;
    std::string claim;
    std::string plan;  ///< As it is written; empty for that of the folder.
    std::string role;
    std::vector<std::string> vars;  ///< NAME=VALUE.
    std::string vars_file;          ///< From where we stand, as the trace is.
    std::string model;
    ProgramOutputs programs;
    std::string trace;
    bool tries_all = false;  ///< Every single fault, each in a trial of its own.
    std::vector<Strike> strikes;
    Expected expected;

    script::Datum table;  ///< As it was read, for places.
    /// Of faults[1].state, by path: "faults", "1", "state"; as near as there is something.
    [[nodiscard]] plan::Place place_of(const std::vector<std::string>& path) const;
};

struct ReadCase {
    std::optional<Case> found;  ///< Without faults only.
    plan::Faults faults;        ///< Sorted.
};

[[nodiscard]] ReadCase read_case(ports::Files& files, const std::string& file);

/// What does not fit the plan: roles and states that it does not have. `plays` are the roles that
/// are played.
void check_case(const Case& wanted, const plan::Plan& plan, const std::vector<std::string>& plays,
                plan::Faults& faults);

}  // namespace ktm::trial
