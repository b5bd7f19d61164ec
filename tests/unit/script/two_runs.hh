// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/two_runs.hh: two runs of one plan, source and dest, in one simulated world.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "monitor/recorder.hh"
#include "script/loaded_plan.hh"
#include "script/run.hh"
#include "script/torn_transport.hh"
#include "sim/virtual_world.hh"

namespace ktm::testing {

/// Waits for ever, as far as the other node is concerned.
inline constexpr const char* waits = R"(
  state "wait" { within = "5min", on { "peer:go", go = "done" } })";
inline constexpr const char* ends_well = R"(
  state "wait" { within = "5s", next = "done", enter = function() sleep("1s") end })";

/// A run, and what is seen of it.
class Side final : public script::Observer {
public:
    Side(sim::VirtualWorld& world, TornTransport& transport, const std::string& plan,
         std::string role, const std::vector<std::pair<std::string, std::string>>& vars,
         script::PeerOptions options);

    void start() { run_->start(); }
    /// Nothing but the looks.
    void look() {
        run_->look_only();
        run_->start();
    }
    /// As if its process was killed.
    void kill() { run_.reset(); }
    void interrupt() {
        run_->interrupt(Error{Kind::cancelled, "interrupted", "by a test", "", {}});
    }

    void on_action(const engine::Action& action) override;
    void on_finding(const script::Finding& finding) override;
    void on_words(std::string_view level, std::string_view text) override;
    void on_waiting(std::string_view, Duration) override { ++waited; }
    void on_over(const script::Outcome& last) override;

    [[nodiscard]] bool is_over() const { return outcome.has_value(); }
    /// "done", or how it ended and why: "aborted peer-lost".
    [[nodiscard]] std::string end() const;
    /// Whether the plan said this.
    [[nodiscard]] bool said(std::string_view text) const;

    std::vector<std::string> words;     ///< What the plan said, and katamaran itself.
    std::vector<std::string> states;    ///< That were entered.
    std::vector<std::string> findings;  ///< "bad tap0: nobody has it open; start it".
    std::vector<std::string> ignored;
    unsigned waited = 0;
    std::optional<script::Outcome> outcome;
    Duration ended_at{};

private:
    sim::VirtualWorld& world_;
    script::LoadedPlan plan_;
    plan::Settings settings_;
    ports::World ports_;
    std::unique_ptr<script::Run> run_;
};

/// Both, and what lies between them.
class TwoRuns {
public:
    using Vars = std::vector<std::pair<std::string, std::string>>;
    struct Given {
        Vars source;
        Vars dest;
        script::PeerOptions options;
        std::string other_dest;  ///< The states of the destination's own plan, if it is another.
    };

    /// The states of the roles, in Lua; `vars` stands among the plan's vars.
    TwoRuns(const std::string& source_states, const std::string& dest_states,
            const std::string& vars = "")
        : TwoRuns(source_states, dest_states, vars, Given{}) {}
    TwoRuns(const std::string& source_states, const std::string& dest_states,
            const std::string& vars, Given given);

    /// Until both are over, or nothing happens any more.
    void play();
    void play_until(Duration instant);
    void after(Duration delay, UniqueFunction<void()> what);

    sim::VirtualWorld world;
    TornTransport transport;
    std::unique_ptr<Side> source;
    std::unique_ptr<Side> dest;

private:
    std::vector<std::unique_ptr<ports::Timer>> timers_;
};

/// A whole plan of two roles, with these states.
[[nodiscard]] std::string two_roles(const std::string& source, const std::string& dest,
                                    const std::string& vars);

/// How a plan ends that has no other node, and whose module has this function.
[[nodiscard]] std::string end_of_lone_plan(sim::VirtualWorld& world, const std::string& function);

}  // namespace ktm::testing
