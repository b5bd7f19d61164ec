// SPDX-License-Identifier: Apache-2.0
// trial/campaign.cc: a stage, tried with every fault that there can be, or with many of them.
#include "trial/campaign.hh"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace ktm::trial {

namespace {

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

class Campaigner {
public:
    Campaigner(Stage& stage, const CampaignOptions& options, CampaignWatch watch)
        : stage_(stage), options_(options), watch_(std::move(watch)) {}

    Campaign run() && {
        const Report first = trial({}, Keep::texts);
        campaign_.crossings = first.crossings;
        note_guesses(first.list);
        if (!first.violations.empty()) {
            campaign_.undisturbed = first.violations;
            return std::move(campaign_);
        }
        switch (options_.scope) {
            case Scope::all: run_singles(first.list); break;
            case Scope::pairs: run_pairs(first.list); break;
            case Scope::random: run_random(first.list); break;
        }
        return std::move(campaign_);
    }

private:
    [[nodiscard]] Report trial(const Faults& faults, Keep keeps) {
        ++campaign_.trials;
        return play(stage_, TrialOptions{faults, keeps, nullptr, nullptr});
    }
    /// Of whose effects no model knows.
    void note_guesses(const std::vector<Crossing>& list) {
        std::set<std::string> lines;
        for (const Crossing& crossing : list) {
            if (crossing.channel == Channel::run && lines.insert(crossing.text).second) {
                campaign_.guessed.push_back(crossing.text);
            }
        }
    }
    /// Plays this schedule, if it is of our share.
    void try_out(const Faults& faults) {
        const Share& share = options_.share;
        if (Dice{++campaign_.schedules}.below(share.of) != share.part - 1) {
            return;
        }
        ++campaign_.tried;
        look_at(trial(faults, Keep::nothing), faults);
    }
    [[nodiscard]] bool goes_on() {
        if (!campaign_.interrupted && watch_.goes_on) {
            campaign_.interrupted = !watch_.goes_on(campaign_.done, campaign_.of);
        }
        return !campaign_.interrupted && !campaign_.cut_short;
    }

    void run_singles(const std::vector<Crossing>& crossings) {
        const Faults singles = faults_of(crossings, 0);
        campaign_.of = singles.size();
        for (std::size_t at = 0; at < singles.size() && goes_on(); ++at) {
            try_out({singles[at]});
            ++campaign_.done;
        }
    }

    void run_pairs(const std::vector<Crossing>& crossings) {
        const Faults firsts = faults_of(crossings, 0);
        campaign_.of = firsts.size();
        for (std::size_t at = 0; at < firsts.size() && goes_on(); ++at) {
            const Report once = trial({firsts[at]}, Keep::kinds);
            for (const Fault& second : faults_of(once.list, firsts[at].at)) {
                if (!goes_on()) {
                    return;
                }
                try_out({firsts[at], second});
            }
            ++campaign_.done;
        }
    }

    void run_random(const std::vector<Crossing>& crossings) {
        campaign_.of = options_.runs;
        for (std::uint64_t run = 0; run < options_.runs && goes_on(); ++run) {
            run_schedule(options_.seed + run, crossings);
            ++campaign_.done;
        }
    }

    /// Each fault is drawn of what can be in the trial that had those before it; behind something
    /// that is broken already nothing new would be found.
    void run_schedule(std::uint64_t seed, const std::vector<Crossing>& undisturbed) {
        Dice dice{seed};
        const std::uint64_t wanted = 1 + dice.below(random_faults_max);
        Faults faults;
        Report report;
        while (faults.size() < wanted && goes_on()) {
            const std::vector<Crossing>& list = faults.empty() ? undisturbed : report.list;
            const std::uint64_t behind = faults.empty() ? 0 : faults.back().at;
            if (list.size() <= behind) {
                return;
            }
            const std::uint64_t at = behind + 1 + dice.below(list.size() - behind);
            const std::vector<Harm> harms = harms_at(list[at - 1], stage_.has_two_nodes());
            if (harms.empty()) {
                return;
            }
            faults.push_back({at, harms[dice.below(harms.size())]});
            report = trial(faults, faults.size() < wanted ? Keep::kinds : Keep::nothing);
            look_at(report, faults, seed);
            if (!report.violations.empty()) {
                return;
            }
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

    void look_at(const Report& report, const Faults& faults,
                 std::optional<std::uint64_t> seed = std::nullopt) {
        for (const Violation& violation : report.violations) {
            ++campaign_.violations;
            keep(violation, struck_of(report, faults), seed);
        }
    }

    /// What had no turn changed nothing: without it the trial is the same.
    [[nodiscard]] static Faults struck_of(const Report& report, const Faults& faults) {
        Faults struck;
        for (std::size_t at = 0; at < faults.size(); ++at) {
            if (report.turns[at] == Turn::struck) {
                struck.push_back(faults[at]);
            }
        }
        return struck;
    }

    /// The first of its kind is told in full, the others are counted.
    void keep(const Violation& violation, const Faults& faults, std::optional<std::uint64_t> seed) {
        const auto known = std::find_if(
            campaign_.findings.begin(), campaign_.findings.end(), [&](const Finding& finding) {
                return finding.violation.invariant == violation.invariant &&
                       finding.violation.what == violation.what;
            });
        if (known != campaign_.findings.end()) {
            ++known->same;
            return;
        }
        campaign_.findings.push_back({faults, words_for(faults), seed, violation, 0});
        campaign_.cut_short = campaign_.findings.size() >= options_.findings_max;
        if (watch_.found) {
            watch_.found(campaign_.findings.back());
        }
    }

    /// Played once more, for its words.
    [[nodiscard]] std::vector<std::string> words_for(const Faults& faults) {
        const Report again = play(stage_, TrialOptions{faults, Keep::texts, nullptr, nullptr});
        std::vector<std::string> words;
        for (const Fault& fault : faults) {
            words.push_back(describe(again.list[fault.at - 1]) + ": " +
                            std::string{describe(fault.harm)});
        }
        return words;
    }

    Stage& stage_;
    const CampaignOptions& options_;
    CampaignWatch watch_;
    Campaign campaign_;
};

}  // namespace

Result<Share> parse_share(std::string_view text) {
    Share share;
    const char* const end = text.data() + text.size();
    const auto part = std::from_chars(text.data(), end, share.part);
    const bool has_both = part.ec == std::errc{} && part.ptr != end && *part.ptr == '/';
    const auto of = std::from_chars(has_both ? part.ptr + 1 : end, end, share.of);
    if (!has_both || of.ec != std::errc{} || of.ptr != end || share.part == 0 ||
        share.part > share.of) {
        return Error{
            Kind::usage, "bad-share",
            "'" + std::string{text} + "' is no share; expected one of so many, such as 3/40", "",
            nullptr};
    }
    return share;
}

Campaign run_campaign(Stage& stage, const CampaignOptions& options, CampaignWatch watch) {
    return Campaigner{stage, options, std::move(watch)}.run();
}

}  // namespace ktm::trial
