// SPDX-License-Identifier: Apache-2.0
// trial/trial.cc: one migration, played from its beginning until nothing acts any more.
#include "trial/trial.hh"

#include <utility>

#include "trial/site.hh"
#include "trial/verdicts.hh"

namespace ktm::trial {

namespace {

/// What a QEMU does by itself behind the end is over by then, and so is what was on its way.
constexpr Duration rest{std::chrono::seconds{5}};
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

}  // namespace

std::uint64_t Report::packets_lost() const {
    std::uint64_t lost = 0;
    for (const model::FlowAccount& account : accounts) {
        lost += account.lost_in_all();
    }
    return lost;
}

Report play(Stage& stage, TrialOptions options) {
    Report report = Trial{stage, options}.play();
    // LIFETIME: behind the site, whose runs are of this memory.
    for (Part& part : stage.parts) {
        part.plan.interpreter().rewind();
    }
    return report;
}

}  // namespace ktm::trial
