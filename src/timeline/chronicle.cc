// SPDX-License-Identifier: Apache-2.0
// timeline/chronicle.cc: everything in a timeline as one list, by time.
#include "timeline/chronicle.hh"

#include <algorithm>

namespace ktm::timeline {

std::string key_of(std::size_t lane, Entry::Kind kind, std::size_t number) {
    constexpr std::string_view letters = "smca";
    return std::to_string(lane) + letters[static_cast<std::size_t>(kind)] + std::to_string(number);
}

std::vector<Entry> chronicle(const Timeline& timeline) {
    std::vector<Entry> all;
    const auto add_spans = [&](std::size_t lane, const std::vector<Span>& spans, Entry::Kind kind) {
        for (std::size_t i = 0; i < spans.size(); ++i) {
            const Span& span = spans[i];
            const bool minor = kind == Entry::Kind::call;  // A mark tells it already.
            all.push_back({kind, lane, span.begin, span.end, span.text, span.detail, span.look,
                           minor, span.open, key_of(lane, kind, i)});
        }
    };
    for (std::size_t lane = 0; lane < timeline.lanes.size(); ++lane) {
        const Lane& each = timeline.lanes[lane];
        add_spans(lane, each.spans, Entry::Kind::span);
        add_spans(lane, each.calls, Entry::Kind::call);
        for (std::size_t i = 0; i < each.marks.size(); ++i) {
            const Mark& mark = each.marks[i];
            all.push_back({Entry::Kind::mark, lane, mark.at, mark.at, mark.text, mark.detail,
                           mark.look, mark.minor, false, key_of(lane, Entry::Kind::mark, i)});
        }
    }
    for (std::size_t i = 0; i < timeline.arrows.size(); ++i) {
        const Arrow& arrow = timeline.arrows[i];
        all.push_back({Entry::Kind::arrow, arrow.from, arrow.sent, arrow.heard,
                       "to the " + timeline.lanes[arrow.to].name + ": " + arrow.text, "",
                       Look::step, false, false, key_of(arrow.from, Entry::Kind::arrow, i)});
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
    return all;
}

std::string length_text(const Entry& entry) {
    if (entry.kind == Entry::Kind::mark) {
        return "";
    }
    const auto length = std::chrono::round<std::chrono::microseconds>(entry.end - entry.begin);
    return format_duration(length) + (entry.open ? " …" : "");
}

std::string clock_text(Duration at) {
    const std::int64_t us = std::chrono::round<std::chrono::microseconds>(at).count();
    const std::int64_t size = us < 0 ? -us : us;
    return (us < 0 ? "-" : "") + std::to_string(size / 1'000'000) + "." +
           std::to_string(1'000'000 + size % 1'000'000).substr(1);
}

}  // namespace ktm::timeline
