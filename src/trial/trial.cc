// SPDX-License-Identifier: Apache-2.0
// trial/trial.cc: one migration, played from its beginning until nothing acts any more.
#include "trial/trial.hh"

#include <algorithm>
#include <utility>

#include "trial/site.hh"
#include "trial/verdicts.hh"

namespace ktm::trial {

namespace {

/// What a QEMU does by itself behind the end is over by then, and so is what was on its way.
constexpr Duration rest{std::chrono::seconds{5}};
/// LIMIT: how much longer a guest may stand because something goes wrong. How long it stands when
/// nothing does is what the plan is for.
constexpr Duration standing_more_max{std::chrono::minutes{2}};
/// LIMIT: turns of the clock in one trial.
constexpr std::uint64_t turns_max = 5'000'000;

/// Plays the parts of one trial.
class Trial {
public:
    Trial(Stage& stage, TrialOptions& options)
        : stage_(stage), site_(stage, std::move(options.faults), options.told, options.recorded) {
        site_.crossings().keep(options.keeps);
    }

    Report play() && {
        begin();
        bool goes_on = turn_until([this] { return site_.is_over(); });
        if (goes_on) {
            site_.recover();
            goes_on = turn_until([this] { return !site_.is_recovering(); });
        }
        if (goes_on) {
            const Instant awake = site_.virtual_clock().now() + rest;
            const auto alarm = site_.virtual_clock().arm(rest, [] {});
            goes_on = turn_until([&] { return site_.virtual_clock().now() >= awake; });
        }
        judge(site_);
        return report();
    }

private:
    /// The destination first: it is there when the source comes.
    void begin() {
        for (auto part = stage_.parts.rbegin(); part != stage_.parts.rend(); ++part) {
            site_.begin(*part);
        }
    }

    /// False when it is not reached; that is told.
    template <class Reached>
    bool turn_until(const Reached& reached) {
        while (!reached()) {
            const char* why = nullptr;
            if (++turns_ > turns_max ||
                site_.virtual_clock().now().time_since_epoch() > trial_max) {
                why = "the run does not end";
            } else if (!site_.virtual_clock().run_next()) {
                why = "nothing happens any more, and the run waits for ever";
            }
            if (why != nullptr) {
                site_.referee().blame(Invariant::in_time, why + site_.whereabouts(),
                                      site_.virtual_clock().now());
                return false;
            }
        }
        return true;
    }

    [[nodiscard]] Report report() {
        Report report;
        report.violations = site_.referee().violations();
        for (Part& part : stage_.parts) {
            report.endings.push_back(site_.node(part.side).ending(part.settings.role));
        }
        report.accounts = site_.accounts();
        report.held_most = site_.held_most();
        report.total = site_.ended_at().time_since_epoch();
        report.dark = site_.referee().dark();
        report.stood = site_.referee().stood();
        report.guest_runs = {site_.referee().runs(Side::source), site_.referee().runs(Side::dest)};
        report.copy = site_.node(Side::source).copy_course();
        report.crossings = site_.crossings().count();
        report.turns = site_.crossings().turns();
        report.list = site_.crossings().take_list();
        return report;
    }

    Stage& stage_;
    Site site_;
    std::uint64_t turns_ = 0;
};

Report play_once(Stage& stage, TrialOptions options) {
    Report report = Trial{stage, options}.play();
    // LIFETIME: behind the site, whose runs are of this memory.
    for (Part& part : stage.parts) {
        part.plan.interpreter().rewind();
    }
    return report;
}

/// Held against the same plan without a fault, which is played for that once, and seldom.
void judge_standing(Stage& stage, Report& report) {
    if (report.stood.most <= standing_more_max) {
        return;
    }
    if (!stage.stands) {
        stage.stands = play_once(stage, {}).stood.most;
    }
    const bool is_told = std::any_of(
        report.violations.begin(), report.violations.end(),
        [](const Violation& violation) { return violation.invariant == Invariant::in_time; });
    if (report.stood.most > *stage.stands + standing_more_max && !is_told) {
        report.violations.push_back({Invariant::in_time,
                                     "the guest stood for " + format_duration(report.stood.most) +
                                         ", and for " + format_duration(*stage.stands) +
                                         " when nothing goes wrong",
                                     report.stood.until});
    }
}

}  // namespace

std::uint64_t Report::packets_lost() const {
    std::uint64_t lost = 0;
    for (const model::FlowAccount& account : accounts) {
        lost += account.lost_in_all();
    }
    return lost;
}

Report play(Stage& stage, TrialOptions options) {
    const bool is_disturbed = !options.faults.empty();
    Report report = play_once(stage, std::move(options));
    if (is_disturbed) {
        judge_standing(stage, report);
    }
    return report;
}

}  // namespace ktm::trial
