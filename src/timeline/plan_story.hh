// SPDX-License-Identifier: Apache-2.0
// timeline/plan_story.hh: what one run of a plan noted of itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "timeline/row.hh"
#include "timeline/timeline.hh"

namespace ktm::timeline {

/// Reads the notes of the port `plan`, as docs/TRACE.md describes them; others are kept as marks.
class PlanStory {
public:
    void take(std::string_view note, Duration at);
    /// What went on beside the states: a program, a signal.
    void take_aside(std::string_view port, std::string_view text, Duration at);

    [[nodiscard]] bool has_begun() const noexcept { return begun_; }
    [[nodiscard]] const std::string& plan() const noexcept { return plan_; }
    [[nodiscard]] const std::string& role() const noexcept { return role_; }
    /// The line with which the run ended, if it did.
    [[nodiscard]] const std::optional<Ending>& ending() const noexcept { return ending_; }
    [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }

    /// Once.
    [[nodiscard]] Lane lane(Duration end);

private:
    [[nodiscard]] bool take_begin(std::string_view note);
    [[nodiscard]] bool take_state(std::string_view note, Duration at);
    [[nodiscard]] bool take_unwinding(std::string_view note, Duration at);
    [[nodiscard]] bool take_end(std::string_view note, Duration at);
    void take_words(std::string_view note, Duration at);
    void mark(Mark mark) { keep(marks_, std::move(mark), left_out_); }

    bool begun_ = false;
    std::string plan_;
    std::string role_;
    std::optional<Ending> ending_;
    Row states_;
    std::vector<Mark> marks_;
    std::size_t left_out_ = 0;
};

}  // namespace ktm::timeline
