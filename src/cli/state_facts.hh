// SPDX-License-Identifier: Apache-2.0
// cli/state_facts.hh: what `plan show` says of a plan beside what stands in it.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hh"

namespace ktm::cli {

/// The relation in words: "no two of a and b are equal".
[[nodiscard]] std::string words_of(const plan::Relation& relation);

/// Where the state goes when it is late, written or not.
[[nodiscard]] std::string late_of(const plan::Role& role, const plan::State& state);

/// The holds and undos that the state's functions mention, each once.
[[nodiscard]] std::vector<plan::Mention> mentions_of(const plan::State& state);

}  // namespace ktm::cli
