// SPDX-License-Identifier: Apache-2.0
// cli/case_run.hh: a case of a plan, played, and what of it is not as it was expected.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/fault.hh"
#include "ports/files.hh"
#include "script/loader.hh"
#include "script/run.hh"
#include "trial/campaign.hh"
#include "trial/case_file.hh"
#include "trial/sequence.hh"

namespace ktm::cli {

/// How a role went.
struct PlayedRole {
    std::string role;
    std::vector<std::string> states;
    std::optional<script::Outcome> outcome;  ///< None: it was killed, or never ended.
    bool killed = false;
    bool has_guest = false;  ///< The guest runs there in the end.
};

struct Played {
    std::vector<PlayedRole> roles;
    std::vector<trial::Violation> violations;
    std::optional<Duration> dark;
    Duration total{};
    std::uint64_t lost = 0;
};

/// One thing that is not as it was expected; of states side by side.
struct Difference {
    std::string what;  ///< "source ends".
    std::string expected;
    std::string got;
    std::vector<trial::SequenceRow> rows;
};

/// What is not as it was expected; of what nobody expects nothing is said.
[[nodiscard]] std::vector<Difference> differences_of(const trial::Expected& expected,
                                                     const Played& played);

struct CaseResult {
    std::string file;
    std::string claim;
    plan::Faults faults;  ///< The case, its vars or its plan are wrong: it was not played.
    std::string trouble;  ///< It could not be played to its end.
    std::vector<trial::Violation> violations;
    std::vector<Difference> differences;
    std::optional<trial::Campaign> campaign;  ///< Where every fault was tried.
    std::string again;                        ///< The command line that shows it again.

    [[nodiscard]] bool is_wrong() const { return !faults.empty(); }
    [[nodiscard]] bool is_good() const;
};

/// Reads and plays it. Nothing outside is touched.
[[nodiscard]] CaseResult run_case(ports::Files& files, const script::SearchPath& path,
                                  const std::string& file);

}  // namespace ktm::cli
