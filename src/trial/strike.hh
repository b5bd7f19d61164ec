// SPDX-License-Identifier: Apache-2.0
// trial/strike.hh: where a fault strikes, in words that outlive a change of the plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "trial/harm.hh"
#include "trial/stage.hh"
#include "trial/trial.hh"

namespace ktm::trial {

struct Strike {
    Harm harm = Harm::none;
    std::uint64_t at = 0;            ///< The number of the crossing; 0: what follows says which.
    std::string role;                ///< Of whom it is; empty for any.
    std::optional<Channel> channel;  ///< None: any at which there can be that harm.
    /// The name of a command, an event or a word; of a request to the kernel, a line of the
    /// journal or a program any part.
    std::string text;
    std::vector<std::pair<std::string, std::string>> fields;  ///< Of an event.
    std::string state;                                        ///< In which the role is; or empty.
    std::uint64_t nth = 1;
};

/// "lost at event STOP of source in copy".
[[nodiscard]] std::string describe(const Strike& strike);

/// The name of what crosses: of a command, a reply, an event; of a line to the other node the word
/// or the ask, or "hello", "answer", "goodbye". Anything else has its whole text.
[[nodiscard]] std::string name_of(const Crossing& crossing);

/// Whether the crossing is one of those that are meant, whoever's it is and whenever.
[[nodiscard]] bool is_meant(const Strike& strike, const Crossing& crossing, bool two_nodes);

/// Plays the stage to learn which crossings are meant. Each strike is looked for behind the one
/// before it, in the trial in which those before it strike. An error names the first that has no
/// place, and why.
[[nodiscard]] Result<Faults> locate(Stage& stage, const std::vector<Strike>& strikes);

/// Whether each of these faults struck in this trial, whose crossings were kept with their texts.
/// An error names the first that could not, and what would have been needed; one that did not come
/// to pass because those before it ended the run, or whoever it was to strike, is none.
[[nodiscard]] Result<void> check_strikes(const Stage& stage, const Faults& faults,
                                         const Report& report);

}  // namespace ktm::trial
