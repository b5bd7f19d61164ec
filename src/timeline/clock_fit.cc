// SPDX-License-Identifier: Apache-2.0
// timeline/clock_fit.cc: two recordings on one axis, by what crossed between them.
//
// Theory of operation. A word is heard after it was said. Each word that both recordings hold
// bounds the distance of their clocks from one side, and words in both directions bound it from
// both: the narrowest bounds come from the quickest words. Where the clocks fit as they are,
// nothing is moved: the clocks of one machine, or of a simulation, are exact.
#include "timeline/clock_fit.hh"

#include <algorithm>
#include <map>
#include <optional>

namespace ktm::timeline {

namespace {

/// The largest distance from hearing back to saying, of all that went that way.
std::optional<Duration> least_lead(const std::vector<PeerWord>& said,
                                   const std::vector<PeerWord>& heard) {
    std::map<std::string_view, Duration> at;
    for (const PeerWord& word : heard) {
        if (!word.sent) {
            at.emplace(word.key, word.at);
        }
    }
    std::optional<Duration> lead;
    for (const PeerWord& word : said) {
        const auto found = word.sent ? at.find(word.key) : at.end();
        if (found != at.end()) {
            lead = std::max(lead.value_or(word.at - found->second), word.at - found->second);
        }
    }
    return lead;
}

std::optional<Duration> larger(std::optional<Duration> a, std::optional<Duration> b) {
    return !a ? b : !b ? a : std::max(*a, *b);
}

}  // namespace

ClockFit fit_clocks(const SourceStory& first, const SourceStory& second) {
    const std::optional<Duration> least =
        larger(least_lead(first.words, second.words), least_lead(first.beats, second.beats));
    const std::optional<Duration> back =
        larger(least_lead(second.words, first.words), least_lead(second.beats, first.beats));
    const std::optional<Duration> most = back ? std::optional{-*back} : std::nullopt;
    const bool fits =
        (!least || *least <= Duration::zero()) && (!most || *most >= Duration::zero());
    if (fits) {
        return {};
    }
    if (least && most && *least > *most) {
        return {{},
                "the clocks of the recordings do not fit together: what is heard stands before "
                "it is said"};
    }
    const Duration shift = least && most ? *least + (*most - *least) / 2 : least ? *least : *most;
    std::string note = "the times of the second recording are moved by " + format_duration(shift) +
                       ", by the words between the plans";
    if (least && most) {
        note += "; that is right to " + brief_text((*most - *least) / 2);
    }
    return {shift, std::move(note)};
}

void move(Lane& lane, Duration shift) {
    for (std::vector<Span>* spans : {&lane.spans, &lane.calls}) {
        for (Span& span : *spans) {
            span.begin += shift;
            span.end += shift;
        }
    }
    for (Mark& mark : lane.marks) {
        mark.at += shift;
    }
}

void move(std::vector<Counter>& counters, Duration shift) {
    for (Counter& counter : counters) {
        for (Counter::Sample& sample : counter.samples) {
            sample.at += shift;
        }
    }
}

}  // namespace ktm::timeline
