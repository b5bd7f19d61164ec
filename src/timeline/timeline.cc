// SPDX-License-Identifier: Apache-2.0
// timeline/timeline.cc: what a timeline says in one line.
#include "timeline/timeline.hh"

#include <algorithm>

namespace ktm::timeline {

const char* name_of(Look look) noexcept {
    switch (look) {
        case Look::quiet: return "quiet";
        case Look::step: return "step";
        case Look::running: return "running";
        case Look::away: return "away";
        case Look::dark: return "dark";
        case Look::held: return "held";
        case Look::commit: return "commit";
        case Look::good: return "good";
        case Look::bad: return "bad";
        case Look::unknown: return "unknown";
    }
    return "unknown";
}

const DarkWindow* main_window(const Timeline& timeline) noexcept {
    const auto longest = std::max_element(
        timeline.dark.begin(), timeline.dark.end(),
        [](const DarkWindow& a, const DarkWindow& b) { return a.length() < b.length(); });
    return longest == timeline.dark.end() ? nullptr : &*longest;
}

std::string brief_text(Duration length) {
    std::int64_t unit = 1;
    while (length.count() / unit >= 1000 && length < std::chrono::minutes{1}) {
        unit *= 10;
    }
    if (length >= std::chrono::minutes{1}) {
        unit = std::chrono::nanoseconds{std::chrono::seconds{1}}.count();
    }
    return format_duration(Duration{(length.count() + unit / 2) / unit * unit});
}

namespace {

std::string dark_text(const Timeline& timeline) {
    const DarkWindow* window = main_window(timeline);
    if (window == nullptr) {
        return "no dark window";
    }
    const std::string length = brief_text(window->length());
    std::string text = (window->ended ? "dark for " : "dark for at least ") + length;
    text += window->stopped.empty() ? "" : ": stopped at " + window->stopped;
    text += !window->ended            ? ", no RESUME seen"
            : window->resumed.empty() ? ""
                                      : ", resumed at " + window->resumed;
    if (timeline.dark.size() > 1) {
        text += "; the longest of " + std::to_string(timeline.dark.size()) + " dark windows";
    }
    return text;
}

}  // namespace

void note_held_most(Timeline& timeline, std::string_view place, std::int64_t packets) {
    if (packets <= 0) {
        return;
    }
    timeline.held_most = std::max(timeline.held_most.value_or(0), packets);
    std::vector<Span*> holds;
    for (Lane& lane : timeline.lanes) {
        const bool is_there = place.empty() || lane.name.ends_with(" at " + std::string{place});
        for (Span& span : lane.spans) {
            if (lane.actor == Actor::packets && is_there && span.look == Look::held) {
                holds.push_back(&span);
            }
        }
    }
    // Of several nobody knows which one had them.
    if (holds.size() == 1) {
        holds.front()->text += ", at most " + std::to_string(packets) + " packets";
    }
}

std::string headline(const Timeline& timeline) {
    std::string text = timeline.twice > Duration::zero()
                           ? "THE GUEST RAN TWICE for " + brief_text(timeline.twice) + "; "
                           : "";
    text += dark_text(timeline);
    if (timeline.held_most) {
        text += "; up to " + std::to_string(*timeline.held_most) + " packets held";
    }
    for (const std::string& loss : timeline.losses) {
        text += "; " + loss;
    }
    return text;
}

}  // namespace ktm::timeline
