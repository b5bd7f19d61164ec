// SPDX-License-Identifier: Apache-2.0
// cli/faults.hh: everything that is wrong with a plan or its vars, shown at once.
#pragma once

#include "cli/console.hh"
#include "plan/fault.hh"

namespace ktm::cli {

/// Shows them on stderr, a line or a JSON object each, and returns the exit code.
int report(const Console& console, const plan::Faults& faults);

/// [{"file": …, "line": …, "where": …, "what": …, "expected": …, "hint": …}, …]
[[nodiscard]] std::string faults_json(const plan::Faults& faults);

}  // namespace ktm::cli
