// SPDX-License-Identifier: Apache-2.0
// cli/verdict.hh: how a run ended, in one line: for a person, for a script, as an exit code.
#pragma once

#include <string>

#include "script/run.hh"

namespace ktm::cli {

/// How it ended, where the guest runs, what was left behind; and which packets were lost.
[[nodiscard]] std::string verdict(const script::Outcome& outcome);
[[nodiscard]] std::string verdict_json(const script::Outcome& outcome, int exit_code);

/// 0 done, 1 aborted and undone, 3 stranded, something left behind or packets lost, 130 interrupted
/// and undone.
[[nodiscard]] int exit_code_of(const script::Outcome& outcome);

}  // namespace ktm::cli
