// SPDX-License-Identifier: Apache-2.0
// cli/verdict.hh: how a run ended, in one line: for a person, for a script, as an exit code.
#pragma once

#include <string>
#include <vector>

#include "script/run.hh"

namespace ktm::cli {

/// How it ended, where the guest runs, what was left behind; and what became of the packets.
[[nodiscard]] std::string verdict(const script::Outcome& outcome);
[[nodiscard]] std::string verdict_json(const script::Outcome& outcome, int exit_code,
                                       const std::vector<std::string>& advice = {});

/// Texts as a list.
[[nodiscard]] std::string texts_json(const std::vector<std::string>& texts);

/// Whether a run has failed that cannot prove that it has lost no packet.
enum class ZeroLoss { told, required };

/// 0 done, 1 aborted and undone, 3 stranded or something left behind, and where that is required a
/// loss or none that is proven; 130 interrupted and undone.
[[nodiscard]] int exit_code_of(const script::Outcome& outcome, ZeroLoss zero_loss = ZeroLoss::told);

}  // namespace ktm::cli
