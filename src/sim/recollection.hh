// SPDX-License-Identifier: Apache-2.0
// sim/recollection.hh: what a recorded QEMU can still honestly say, whoever asks in what order.
//
// Theory of operation
//
// Purpose: to answer a plan that does not do exactly what was done when the trace was recorded,
// as far as the trace can, and to refuse where it cannot.
//
// The records of one port are taken apart:
//
//     asking   query-… and the like. They change nothing, and their answers are true for a while.
//     acting   all other commands. Each begins a chapter.
//     event    belongs to the chapter of the acting command before it, with its distance to that.
//
// When a plan acts, the first recorded command that is equal, and was not used yet, answers it,
// with its recorded delay, and its chapter begins to be told. That is honest as long as everything
// that QEMU told before that command in the trace has been told now. Where it has not, the plan has
// come too early, or has left out what that came of; what QEMU would say then, nobody knows.
// Progress, which does not change what QEMU can do, does not count.
//
// Two that are in no order come in any: a plan in a simulation is as fast as can be, and may be
// ahead of an event by the time that processes took from each other. A command that is early by so
// little is on its way until QEMU has told what it told before it. Likewise a question is taken for
// the one that was asked at about this time, and each of these is answered once, in their order:
// who asks ever again, and reckons with the answers, finds what was found.
//
// When a plan asks, the answer is taken that was recorded nearest to where the trace stands: the
// latest one before, or the next one. It must be the same question, and nothing that changes the
// answer may lie between.
//
// query-status alone can be answered without having been asked in the recording: STOP and RESUME
// tell whether the guest runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hh"
#include "base/result.hh"
#include "base/time.hh"
#include "sim/qmp_server.hh"
#include "sim/scenario_records.hh"

namespace ktm::sim {

/// LIMIT: the time that processes of one machine take from each other.
inline constexpr Duration on_the_way_max{std::chrono::milliseconds{20}};

/// Without ports and without a clock: instants are arguments.
class Recollection {
public:
    struct Answer {
        /// After how long it came; nothing: it never did, within `silent_for`.
        std::optional<Duration> after;
        Duration silent_for{};
        /// A reply as it was recorded, but for its id.
        std::string reply;
    };

    /// Those of one port. `beyond`: how much longer than they the recording is.
    explicit Recollection(const ScenarioRecords& records, Duration beyond = Duration::zero());

    /// What QEMU says to who connects; empty when it said nothing. A trace that begins behind the
    /// greeting gets one made up.
    [[nodiscard]] const std::string& greeting() const noexcept { return greeting_; }

    /// From now on the trace is told.
    void begin(Instant now);

    /// What QEMU answers; an error of the code "not-recorded" when the trace cannot tell.
    [[nodiscard]] Result<Answer> answer(const QmpCommand& command, Instant now);

    /// Whether a command that has no answer now has come too early by so little that it is still on
    /// its way: what is missing is told within `on_the_way_max`.
    [[nodiscard]] bool is_on_its_way(const QmpCommand& command, Instant now) const;

    /// When the next thing is to be told; nothing as long as no command goes on with the trace.
    [[nodiscard]] std::optional<Instant> next_due() const;
    /// The next thing to be told, an event, a signal or the end of QEMU; only when one is due.
    [[nodiscard]] ScenarioRecord tell_next();

    /// Up to when it is known that QEMU says nothing more by itself; nothing while it is not known
    /// how the plan goes on.
    [[nodiscard]] std::optional<Instant> known_until() const;

    /// The first recorded thing that did not happen again, for people; nothing at the end.
    [[nodiscard]] std::optional<std::string> untold() const;

private:
    enum class Sort : std::uint8_t { acting, asking, event };
    struct Item {
        Sort sort = Sort::event;
        std::shared_ptr<const ScenarioRecord> record;
        Duration at{};  ///< Since the first record.
        std::size_t chapter = 0;
        Duration offset{};  ///< Since the chapter's beginning.
        Answer answer;      ///< Of commands.
        bool told = false;
        bool is_turn = false;  ///< It changes what QEMU can do, or would answer.
    };

    void read(const ScenarioRecords& records);
    [[nodiscard]] bool is_told(Item& item);
    [[nodiscard]] Result<Answer> act(const QmpCommand& command, Instant now);
    [[nodiscard]] Result<Answer> ask(const QmpCommand& command, Instant now);
    [[nodiscard]] std::optional<Answer> status() const;
    [[nodiscard]] const Item* next_told(Instant* due) const;
    [[nodiscard]] bool is_quiet_between(std::size_t first, std::size_t second) const;
    [[nodiscard]] Error unknown(const QmpCommand& command, std::string why) const;
    [[nodiscard]] std::string nearest(const QmpCommand& command) const;

    std::string greeting_;
    std::vector<Item> items_;
    std::vector<std::optional<Instant>> chapters_;  ///< When each began.
    std::size_t chapter_ = 0;                       ///< That is told.
    Duration end_{};                                ///< Since the first record.
    Duration began_{};                              ///< The last chapter, since the first record.
    std::size_t here_ = 0;                          ///< Behind the latest item that has happened.
};

}  // namespace ktm::sim
