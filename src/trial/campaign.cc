// SPDX-License-Identifier: Apache-2.0
// trial/campaign.cc: a stage, tried with every fault that there can be, or with many of them.
#include "trial/campaign.hh"

#include <algorithm>
#include <utility>

namespace ktm::trial {

namespace {

constexpr std::uint64_t told_every = 256;
constexpr std::uint64_t random_faults_max = 4;

/// splitmix64: the same on every machine, from one number.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    std::uint64_t roll() noexcept {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
        return mixed ^ (mixed >> 31U);
    }
    std::uint64_t below(std::uint64_t bound) noexcept { return roll() % bound; }

private:
    std::uint64_t state_;
};

/// Every harm with a number, so that dice can choose one: what does not fit a crossing is no harm.
constexpr std::uint64_t harms = static_cast<std::uint64_t>(Harm::stop_dest);

class Campaigner {
public:
    Campaigner(Stage& stage, const CampaignOptions& options, Progress progress)
        : stage_(stage), options_(options), progress_(std::move(progress)) {}

    Campaign run() && {
        const Report first = trial({}, true);
        campaign_.crossings = first.crossings;
        if (!first.violations.empty()) {
            campaign_.undisturbed = first.violations;
            return std::move(campaign_);
        }
        switch (options_.scope) {
            case Scope::all: run_singles(first.list); break;
            case Scope::pairs: run_pairs(first.list); break;
            case Scope::random: run_random(); break;
        }
        return std::move(campaign_);
    }

private:
    [[nodiscard]] Report trial(Faults faults, bool keeps) {
        ++campaign_.trials;
        return play(stage_, TrialOptions{std::move(faults), keeps, nullptr});
    }
    [[nodiscard]] bool goes_on() { return !stopped_ && !campaign_.cut_short; }
    void count(std::uint64_t of) {
        ++done_;
        if (done_ % told_every == 0 && progress_ && !progress_(done_, of)) {
            stopped_ = true;
        }
    }

    void run_singles(const std::vector<Crossing>& crossings) {
        const Faults singles = faults_of(crossings, 0);
        for (std::size_t at = 0; at < singles.size() && goes_on(); ++at) {
            look_at(trial({singles[at]}, false), {singles[at]}, 0);
            count(singles.size());
        }
    }

    void run_pairs(const std::vector<Crossing>& crossings) {
        const Faults firsts = faults_of(crossings, 0);
        for (std::size_t at = 0; at < firsts.size() && goes_on(); ++at) {
            const Report once = trial({firsts[at]}, true);
            for (const Fault& second : faults_of(once.list, firsts[at].at)) {
                if (!goes_on()) {
                    break;
                }
                const Faults both{firsts[at], second};
                look_at(trial(both, false), both, 0);
            }
            count(firsts.size());
        }
    }

    void run_random() {
        for (std::uint64_t run = 0; run < options_.runs && goes_on(); ++run) {
            const std::uint64_t seed = options_.seed + run;
            const Faults faults = random_faults(seed, campaign_.crossings, stage_.has_two_nodes());
            look_at(trial(faults, false), faults, seed);
            count(options_.runs);
        }
    }

    [[nodiscard]] Faults faults_of(const std::vector<Crossing>& crossings, std::uint64_t behind) {
        Faults faults;
        for (std::uint64_t at = behind + 1; at <= crossings.size(); ++at) {
            for (const Harm harm : harms_at(crossings[at - 1], stage_.has_two_nodes())) {
                faults.push_back({at, harm});
            }
        }
        return faults;
    }

    void look_at(const Report& report, const Faults& faults, std::uint64_t seed) {
        for (const Violation& violation : report.violations) {
            ++campaign_.violations;
            keep(violation, faults, seed);
        }
    }

    /// The first of its kind is told in full, the others are counted.
    void keep(const Violation& violation, const Faults& faults, std::uint64_t seed) {
        const auto known = std::find_if(
            campaign_.findings.begin(), campaign_.findings.end(), [&](const Finding& finding) {
                return finding.violation.invariant == violation.invariant &&
                       finding.violation.what == violation.what;
            });
        if (known != campaign_.findings.end()) {
            ++known->same;
            return;
        }
        Finding finding{faults, words_for(faults), seed, violation, 0};
        campaign_.findings.push_back(std::move(finding));
        campaign_.cut_short = campaign_.findings.size() >= options_.findings_max;
    }

    /// Played once more, for its words.
    [[nodiscard]] std::vector<std::string> words_for(const Faults& faults) {
        const Report again = play(stage_, TrialOptions{faults, true, nullptr});
        std::vector<std::string> words;
        for (const Fault& fault : faults) {
            const bool crossed = fault.at <= again.list.size();
            words.push_back((crossed ? describe(again.list[fault.at - 1]) : "behind the end") +
                            ": " + std::string{describe(fault.harm)});
        }
        return words;
    }

    Stage& stage_;
    const CampaignOptions& options_;
    Progress progress_;
    Campaign campaign_;
    std::uint64_t done_ = 0;
    bool stopped_ = false;
};

}  // namespace

Faults random_faults(std::uint64_t seed, std::uint64_t crossings, bool two_nodes) {
    Dice dice{seed};
    Faults faults;
    const std::uint64_t wanted = 1 + dice.below(random_faults_max);
    while (faults.size() < wanted) {
        const auto harm = static_cast<Harm>(1 + dice.below(harms));
        // What does not fit its crossing is no harm there; what has no node never is one.
        if (!is_to_world(harm) || fits(harm, Channel::event, false, two_nodes)) {
            faults.push_back({1 + dice.below(crossings), harm});
        }
    }
    std::stable_sort(faults.begin(), faults.end(),
                     [](const Fault& one, const Fault& other) { return one.at < other.at; });
    return faults;
}

Campaign run_campaign(Stage& stage, const CampaignOptions& options, Progress progress) {
    return Campaigner{stage, options, std::move(progress)}.run();
}

}  // namespace ktm::trial
