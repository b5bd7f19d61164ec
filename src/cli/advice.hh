// SPDX-License-Identifier: Apache-2.0
// cli/advice.hh: what a person has to know, and to do, when a run is stranded.
#pragma once

#include <string>
#include <vector>

#include "script/run.hh"

namespace ktm::cli {

/// What is known, what is not, and the commands that decide, a line each; nothing when the run is
/// not stranded. `has_peer`: there is another node, at which the guest may run.
[[nodiscard]] std::vector<std::string> advice_for(const script::Outcome& outcome, bool has_peer);

}  // namespace ktm::cli
