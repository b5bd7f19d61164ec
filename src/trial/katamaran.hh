// SPDX-License-Identifier: Apache-2.0
// trial/katamaran.hh: one katamaran of a trial: its run, what it did, and its sudden end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/journal.hh"
#include "model/flow_account.hh"
#include "script/run.hh"
#include "sim/life.hh"

namespace ktm::trial {

/// A state that was entered.
struct Entered {
    Instant at;
    std::string state;
    bool commits = false;
    std::uint64_t behind = 0;  ///< So many crossings of the trial came before.
};

class Katamaran final : public script::Observer {
public:
    /// What is said of a run as it goes, for who wants to see it.
    using Told = UniqueFunction<void(std::string_view kind, std::string_view text)>;

    /// LIFETIME: all outlive it; the recorder may be null. The plan's interpreter is put back
    /// before and behind it by whoever owns it.
    Katamaran(const ports::World& world, sim::Life& life, script::LoadedPlan& plan,
              const plan::Settings& settings, const host::Settings& host,
              monitor::Recorder* recorder, Told told);
    Katamaran(const Katamaran&) = delete;
    Katamaran& operator=(const Katamaran&) = delete;
    ~Katamaran() override;

    void start();
    /// SIGTERM.
    void interrupt();
    /// What was in its memory is gone; its life must have ended before.
    void drop();

    [[nodiscard]] bool is_over() const noexcept { return outcome_.has_value(); }
    [[nodiscard]] bool was_killed() const noexcept { return run_ == nullptr && !outcome_; }
    [[nodiscard]] const std::optional<script::Outcome>& outcome() const noexcept {
        return outcome_;
    }
    [[nodiscard]] const std::vector<Entered>& states() const noexcept { return states_; }
    [[nodiscard]] bool has_committed() const noexcept { return committed_; }
    [[nodiscard]] Instant ended_at() const noexcept { return ended_at_; }
    /// Where its guest stood when the run was over, in QEMU's word; empty without a QEMU.
    [[nodiscard]] std::string_view status_at_end() const noexcept { return status_at_end_; }
    UniqueFunction<std::string_view()> guest_status;
    /// What became of the packets so far; and what it was when the run was over.
    UniqueFunction<std::vector<model::FlowAccount>()> packets;
    [[nodiscard]] const std::vector<model::FlowAccount>& packets_at_end() const noexcept {
        return packets_at_end_;
    }
    /// It has entered a state, or is in trouble, or over; from inside of that act.
    UniqueFunction<void()> moved_on;
    /// How many crossings of the trial there have been.
    UniqueFunction<std::uint64_t()> crossed;

    void on_action(const engine::Action& action) override;
    void on_finding(const script::Finding& finding) override;
    void on_words(std::string_view level, std::string_view text) override;
    void on_over(const script::Outcome& outcome) override;

private:
    void keep(std::string_view text);

    const ports::World& world_;
    sim::Life& life_;
    monitor::Recorder* recorder_;
    Told told_;
    std::unique_ptr<script::Run> run_;
    std::vector<Entered> states_;
    bool committed_ = false;
    std::string_view status_at_end_;
    std::vector<model::FlowAccount> packets_at_end_;
    Instant ended_at_{};
    std::optional<script::Outcome> outcome_;
};

}  // namespace ktm::trial
