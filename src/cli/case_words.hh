// SPDX-License-Identifier: Apache-2.0
// cli/case_words.hh: what came of the cases of a plan, for a person and for a script.
#pragma once

#include "cli/case_run.hh"
#include "cli/console.hh"
#include "cli/trial_words.hh"

namespace ktm::cli {

/// How many cases ended in each way.
struct CaseCounts {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t wrong = 0;
};

/// The line of a case, and below it what is not as it should be. The faults of a wrong case are
/// not among them.
[[nodiscard]] Lines words_of(const CaseResult& result, Duration took, const Console& console);
[[nodiscard]] std::string json_of(const CaseResult& result, Duration took);

/// The last line.
[[nodiscard]] std::string words_of(const CaseCounts& counts, Duration took, const Console& console);
[[nodiscard]] std::string json_of(const CaseCounts& counts, int exit_code);

}  // namespace ktm::cli
