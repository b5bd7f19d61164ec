// SPDX-License-Identifier: Apache-2.0
// plan/check.hh: everything that is wrong with a plan as a graph.
#pragma once

#include "plan/plan.hh"

namespace ktm::plan {

/// Adds a fault for each: a bad or missing name, another api, no summary, no role, a role without a
/// state, names twice, a state called like an end, a target that is no state, a state that is never
/// reached, one from which no end can be reached, one without a deadline, a deadline that is no
/// positive time or whose var is missing or no duration, `late` that leads to itself, two commits,
/// abort after the commit, a state that neither waits nor goes on, a handler that an earlier one
/// makes useless, an event whose name has no legal form, a var without doc, a var of a role that
/// does not exist, a default that its own var does not allow, an enum without choices, min above
/// max, a relation with unknown vars or vars of the wrong types, another node that is both
/// connected to and waited for, or whose vars are no address and no port, events of another node in
/// a role that has none, `agree` of a var that only one role has, or where there is no other node.
void check(const Plan& plan, Faults& faults);

}  // namespace ktm::plan
