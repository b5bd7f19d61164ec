// SPDX-License-Identifier: Apache-2.0
// trial/campaign.hh: a stage, tried with every fault that there can be, or with many of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trial/trial.hh"

namespace ktm::trial {

enum class Scope : std::uint8_t {
    all,     ///< Every single fault.
    pairs,   ///< Every two faults, one behind the other.
    random,  ///< Schedules of one to four faults, drawn from seeds.
};

/// One of so many parts of a campaign, for several machines or nights. Each of its faults is in one
/// part, and neighbours are in different ones, so that a single part is a sample of the whole.
struct Share {
    std::uint64_t part = 1;
    std::uint64_t of = 1;
};

/// "3/40".
[[nodiscard]] Result<Share> parse_share(std::string_view text);

struct CampaignOptions {
    Scope scope = Scope::all;
    Share share;  ///< Of all and of pairs; random schedules have their seeds.
    std::uint64_t seed = 1;
    std::uint64_t runs = 1000;  ///< Of random schedules.
    std::size_t findings_max = 20;
};

/// Faults, and what they broke.
struct Finding {
    Faults faults;                      ///< Those that struck.
    std::vector<std::string> where;     ///< For each fault: the crossing and the harm, in words.
    std::optional<std::uint64_t> seed;  ///< Of a random schedule.
    Violation violation;
    std::uint64_t same = 0;  ///< Further trials that broke the same.
};

struct Campaign {
    std::uint64_t trials = 0;
    std::uint64_t schedules = 0;  ///< Faults, pairs or random schedules: of all shares.
    std::uint64_t tried = 0;      ///< Those of this share.
    std::uint64_t crossings = 0;  ///< Of the trial without a fault.
    std::uint64_t violations = 0;
    /// The first of each kind: the same invariant broken at the same crossing.
    std::vector<Finding> findings;
    std::vector<std::string> guessed;  ///< Programs that the plan runs: what they do is not known.
    std::vector<Violation> undisturbed;  ///< Broken without any fault; then nothing else is tried.
    bool cut_short = false;              ///< There were more kinds of findings than asked for.
    bool interrupted = false;            ///< Whoever watches did not want it to go on.
    /// How far it came: single faults, or the first ones of pairs, or schedules.
    std::uint64_t done = 0;
    std::uint64_t of = 0;
};

/// Who watches a campaign; both may be nothing.
struct CampaignWatch {
    /// The first of a kind, when it is found.
    UniqueFunction<void(const Finding&)> found;
    /// Asked before each trial, with what is in Campaign.
    UniqueFunction<bool(std::uint64_t done, std::uint64_t of)> goes_on;
};

/// A schedule is drawn fault by fault, each of what can go wrong behind the one before it; what
/// is played to learn that is a trial like others, and judged.
[[nodiscard]] Campaign run_campaign(Stage& stage, const CampaignOptions& options,
                                    CampaignWatch watch);

}  // namespace ktm::trial
