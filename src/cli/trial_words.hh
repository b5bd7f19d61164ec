// SPDX-License-Identifier: Apache-2.0
// cli/trial_words.hh: what came of trials, for a person and for a script.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/trial_command.hh"
#include "json/writer.hh"
#include "trial/campaign.hh"

namespace ktm::cli {

using Lines = std::vector<std::string>;

/// As many digits as mean something in a forecast.
[[nodiscard]] std::string rounded_text(Duration duration);

/// " --fault 41:lost", for each.
[[nodiscard]] std::string faults_text(const trial::Faults& faults);

/// What did not hold, in two lines; and as fields.
void add_violation(const trial::Violation& violation, Lines& lines);
void add_violation(const trial::Violation& violation, json::ObjectWriter& line);

/// The forecast, what was broken, and how each run ended; with `lists`, all crossings first.
[[nodiscard]] Lines words_of(const trial::Report& report, const trial::Stage& stage, bool lists);
/// An object for each crossing that was kept, and the last line of the output.
[[nodiscard]] Lines json_of(const trial::Report& report, const trial::Stage& stage);

/// What was found, with the command that shows it again.
[[nodiscard]] Lines words_of(const trial::Finding& finding, const std::string& again);
[[nodiscard]] std::string json_of(const trial::Violation& violation, const trial::Faults& faults,
                                  std::optional<std::uint64_t> seed, const std::string& again);

/// How often each kind was found, and how many trials there were; what is broken without a fault.
[[nodiscard]] Lines sum_of(const trial::Campaign& campaign, trial::Scope scope,
                           const std::string& again);
[[nodiscard]] Lines sum_json(const trial::Campaign& campaign, const std::string& again);
/// All of it.
[[nodiscard]] Lines words_of(const trial::Campaign& campaign, trial::Scope scope,
                             const std::string& again);

/// The command line that has these options, without its faults.
[[nodiscard]] std::string command_line_of(const TrialCommand& command);

}  // namespace ktm::cli
