// SPDX-License-Identifier: Apache-2.0
// trial/trial.hh: one migration, played from its beginning until nothing acts any more.
//
// Theory of operation. The world of a stage is made anew, both katamarans are started, and the
// clock is turned until both runs are over. Then whoever was killed is recovered, as a person would
// do, and the world is given a little time; what holds then holds for good, and the referee looks
// at it. Nothing here is random, so the same stage with the same faults is the same trial.
//
//     playing ──both over, or killed──> recovering ──> resting ──> judged
//        └──nothing left to happen, or too much──> judged
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/ram_copy.hh"
#include "model/traffic.hh"
#include "script/run.hh"
#include "trial/crossings.hh"
#include "trial/katamaran.hh"
#include "trial/referee.hh"
#include "trial/stage.hh"

namespace ktm::trial {

/// LIMIT: simulated time; a migration that takes longer is none.
inline constexpr Duration trial_max{std::chrono::hours{48}};

/// Something that happened, for who wants to see a trial: which side, what kind ("action", a level
/// of words, "guest", "fault", "recovery"), and what.
using Told =
    UniqueFunction<void(Instant at, Side side, std::string_view kind, std::string_view text)>;

/// What crossed the ports of a side, as lines of a trace.
using Recorded = UniqueFunction<void(Side side, std::string_view line)>;

struct TrialOptions {
    Faults faults;
    Keep keeps = Keep::nothing;  ///< Of what crosses.
    Told told;
    Recorded recorded;
};

/// How a role has ended.
struct Ending {
    Side side = Side::source;
    std::string role;
    std::optional<script::Outcome> outcome;  ///< None: it was killed, or never ended.
    bool killed = false;
    std::vector<std::string> left;  ///< What its recovery could not take back.
    std::vector<Entered> states;
};

struct Report {
    std::vector<Violation> violations;
    std::vector<Ending> endings;
    std::vector<model::FlowAccount> accounts;
    std::array<model::HeldMost, 2> held_most;  ///< By side.
    Duration total{};                          ///< From the start to the last run's end.
    std::optional<Duration> dark;
    Referee::Stood stood;
    std::array<bool, 2> guest_runs{};            ///< By side, when nothing acts any more.
    std::optional<model::RamCopy::Course> copy;  ///< Of the memory that the source sent.
    std::uint64_t crossings = 0;
    std::vector<Turn> turns;     ///< Of each fault, in their order.
    std::vector<Crossing> list;  ///< Where they were kept.

    [[nodiscard]] std::uint64_t packets_lost() const;
};

/// LIFETIME: the stage is used, and as before afterwards; one trial at a time.
[[nodiscard]] Report play(Stage& stage, TrialOptions options);

}  // namespace ktm::trial
