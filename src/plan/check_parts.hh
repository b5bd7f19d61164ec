// SPDX-License-Identifier: Apache-2.0
// plan/check_parts.hh: the parts of check(), one for each part of a plan.
#pragma once

#include <string>
#include <string_view>

#include "plan/plan.hh"

namespace ktm::plan {

/// How names may be spelled: a small letter, then up to 62 of these.
struct Spelling {
    std::string_view signs;     ///< Beside small letters and digits.
    std::string_view expected;  ///< In words.
};

inline constexpr Spelling plan_spelling{"-", "a small letter, then small letters, digits and '-'"};
inline constexpr Spelling var_spelling{"_", "a small letter, then small letters, digits and '_'"};
inline constexpr Spelling state_spelling{"-_",
                                         "a small letter, then small letters, digits, '-' and '_'"};

/// Adds a fault for a name that is missing, spelled badly or too long. `noun` is "state", "role".
void check_name(std::string_view name, std::string_view noun, const Spelling& spelling,
                const Fault& where, Faults& faults);

/// Names, types, bounds and defaults of the vars, and the relations between them.
void check_vars(const Plan& plan, Faults& faults);

/// Each state by itself: its name, its deadline, what it waits for.
void check_states(const Plan& plan, const Role& role, Faults& faults);

/// The other node of a role: its vars, and events of it where there is none.
void check_peer(const Plan& plan, const Role& role, Faults& faults);

/// The states together: targets, what is reached, the ends and the commit.
void check_graph(const Role& role, Faults& faults);

}  // namespace ktm::plan
