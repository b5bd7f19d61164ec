// SPDX-License-Identifier: Apache-2.0
// cli/storyteller.hh: a run of a plan, told as it happens, line by line.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/secrets.hh"
#include "cli/console.hh"
#include "cli/live_line.hh"
#include "cli/prepared_run.hh"
#include "ports/loop.hh"
#include "script/run.hh"

namespace ktm::cli {

/// Prints each state, each undo, each word of the plan and the end; keeps the same in the
/// recording. On a terminal a line at the bottom shows that it is alive.
class Storyteller : public script::Observer {
public:
    Storyteller(const ports::World& world, Console& console, Secrets secrets, RunWith with);
    ~Storyteller() override;

    void begin(const std::string& plan, const std::string& role, const std::string& digest);
    /// There is another node, at which the guest may run.
    void expect_peer() { has_peer_ = true; }

    void on_action(const engine::Action& action) override;
    void on_waiting(std::string_view for_what, Duration left) override;
    void on_finding(const script::Finding& finding) override;
    void on_words(std::string_view level, std::string_view text) override;
    [[nodiscard]] bool wants_migrations() const override { return with_.markers != nullptr; }
    void on_over(const script::Outcome& outcome) override;

    /// Of the run; only after its end.
    [[nodiscard]] int exit_code() const { return exit_code_.value_or(exit_failed); }
    [[nodiscard]] bool is_over() const noexcept { return exit_code_.has_value(); }

private:
    void tell(Colour colour, std::string_view name, std::string_view detail);
    void tell_json(std::string_view kind, std::string fields);
    void keep(std::string_view text);
    void show_alive();
    [[nodiscard]] Duration elapsed() const { return world_.clock.now() - began_; }

    const ports::World& world_;
    Console& console_;
    Secrets secrets_;
    RunWith with_;
    Instant began_{};
    Instant entered_{};
    std::string state_;
    bool committed_ = false;
    bool has_peer_ = false;
    std::string progress_;
    std::string waiting_;  ///< For what, before the run has begun.
    std::optional<Instant> waiting_told_;
    LiveLine live_line_;
    Instant progress_told_{};
    std::unique_ptr<ports::Timer> ticker_;
    std::optional<int> exit_code_;
};

}  // namespace ktm::cli
