// SPDX-License-Identifier: Apache-2.0
// trial/katamaran.cc: one katamaran of a trial: its run, what it did, and its sudden end.
#include "trial/katamaran.hh"

#include <utility>

#include "trace/exchange.hh"

namespace ktm::trial {

Katamaran::Katamaran(const ports::World& world, sim::Life& life, script::LoadedPlan& plan,
                     const plan::Settings& settings, const host::Settings& host,
                     monitor::Recorder* recorder, Told told)
    : world_(world), life_(life), recorder_(recorder), told_(std::move(told)) {
    run_ = std::make_unique<script::Run>(world, plan, settings, host, recorder, *this);
    keep("plan " + plan.plan().name + ", role " + settings.role + ", digest " + plan.digest());
}

Katamaran::~Katamaran() = default;

void Katamaran::start() {
    run_->start();
}

void Katamaran::interrupt() {
    if (run_ != nullptr && !outcome_) {
        run_->interrupt(Error{Kind::cancelled, std::string{script::interrupted_code},
                              "interrupted by SIGTERM", "", nullptr});
    }
}

void Katamaran::drop() {
    run_.reset();
}

void Katamaran::on_action(const engine::Action& action) {
    if (life_.is_over()) {
        return;
    }
    if (const auto* entered = std::get_if<engine::Entered>(&action)) {
        states_.push_back(
            {world_.clock.now(), entered->state, entered->commits, crossed ? crossed() : 0});
        committed_ = committed_ || entered->commits;
    }
    if (moved_on && (std::holds_alternative<engine::Entered>(action) ||
                     std::holds_alternative<engine::Trouble>(action))) {
        moved_on();
    }
    if (!told_ && recorder_ == nullptr) {
        return;
    }
    const std::string text = engine::describe(action);
    if (!engine::is_inner(action)) {
        keep(text);
    }
    if (told_) {
        told_("action", text);
    }
}

void Katamaran::on_finding(const script::Finding& finding) {
    if (life_.is_over() || (!told_ && recorder_ == nullptr)) {
        return;
    }
    const std::string text =
        "look " + std::string{script::name_of(finding.state)} + ": " + sentence_of(finding);
    keep(text);
    if (told_ && finding.state != script::Finding::State::ok) {
        told_(finding.state == script::Finding::State::bad ? "error" : "warn", text);
    }
}

void Katamaran::on_words(std::string_view level, std::string_view text) {
    if (life_.is_over()) {
        return;
    }
    keep(std::string{level} + ": " + std::string{text});
    if (told_) {
        told_(level, text);
    }
}

void Katamaran::keep(std::string_view text) {
    if (recorder_ != nullptr) {
        recorder_->text(trace::plan_port, trace::Direction::note, text);
    }
}

void Katamaran::on_over(const script::Outcome& outcome) {
    if (life_.is_over()) {
        return;
    }
    outcome_ = outcome;
    ended_at_ = world_.clock.now();
    status_at_end_ = guest_status ? guest_status() : "";
    if (packets) {
        packets_at_end_ = packets();
    }
    if (moved_on) {
        moved_on();
    }
}

}  // namespace ktm::trial
