// SPDX-License-Identifier: Apache-2.0
// timeline/axis.cc: where an instant stands on a line of so many pixels or columns.
#include "timeline/axis.hh"

#include <algorithm>
#include <array>

namespace ktm::timeline {

namespace {

// LIMIT: more breaks than this would be a picture of breaks.
constexpr std::size_t breaks_max = 2;
/// A gap is broken when it is more than this part of what is drawn.
constexpr int gap_percent_min = 45;
constexpr std::size_t ticks_max = 200;

// Whole numbers, wide enough: the picture is the same wherever it is drawn.
__extension__ using Wide = __int128;

struct Gap {
    Duration begin{};
    Duration end{};
    [[nodiscard]] Duration length() const noexcept { return end - begin; }
};

/// The instants at which a person sees something happen.
std::vector<Duration> busy_instants(const Timeline& timeline) {
    std::vector<Duration> instants{timeline.begin, timeline.end};
    for (const Lane& lane : timeline.lanes) {
        for (const Span& span : lane.spans) {
            instants.push_back(span.begin);
            instants.push_back(span.end);
        }
        for (const Mark& mark : lane.marks) {
            if (!mark.minor) {
                instants.push_back(mark.at);
            }
        }
    }
    for (const Arrow& arrow : timeline.arrows) {
        instants.push_back(arrow.sent);
        instants.push_back(arrow.heard);
    }
    // A copy that is asked how far it is has not stood still.
    for (const Counter& counter : timeline.counters) {
        for (const Counter::Sample& sample : counter.samples) {
            instants.push_back(sample.at);
        }
    }
    std::sort(instants.begin(), instants.end());
    return instants;
}

bool is_dark(const Timeline& timeline, const Gap& gap) {
    return std::any_of(timeline.dark.begin(), timeline.dark.end(), [&](const DarkWindow& dark) {
        return gap.begin < dark.end && dark.begin < gap.end;
    });
}

std::vector<Gap> gaps_to_break(const Timeline& timeline) {
    std::vector<Gap> gaps;
    const std::vector<Duration> instants = busy_instants(timeline);
    for (std::size_t i = 1; i < instants.size(); ++i) {
        gaps.push_back({instants[i - 1], instants[i]});
    }
    std::stable_sort(gaps.begin(), gaps.end(),
                     [](const Gap& a, const Gap& b) { return a.length() > b.length(); });
    Duration drawn = timeline.end - timeline.begin;
    std::vector<Gap> broken;
    for (const Gap& gap : gaps) {
        // The longest come first: only a few are looked at.
        if (broken.size() == breaks_max || gap.length() / gap_percent_min <= drawn / 100) {
            break;
        }
        // A dark window is always true to scale: its length is what the picture is for.
        if (!is_dark(timeline, gap)) {
            drawn -= gap.length();
            broken.push_back(gap);
        }
    }
    std::sort(broken.begin(), broken.end(),
              [](const Gap& a, const Gap& b) { return a.begin < b.begin; });
    return broken;
}

/// 1, 2 or 5 times a power of ten, or a round part of an hour.
Duration step_above(Duration step) {
    constexpr std::array<std::int64_t, 3> round_minutes{1, 5, 15};
    std::int64_t power = 1;
    while (power <= 10'000'000'000) {
        for (const std::int64_t factor : {1, 2, 5}) {
            if (power * factor >= step.count() && power * factor <= 20'000'000'000) {
                return Duration{power * factor};
            }
        }
        power *= 10;
    }
    for (const std::int64_t minute : round_minutes) {
        if (std::chrono::minutes{minute} >= step) {
            return std::chrono::minutes{minute};
        }
    }
    Duration hours = std::chrono::hours{1};
    while (hours < step) {
        hours *= 2;
    }
    return hours;
}

std::string tick_text(Duration at, Duration step, Duration farthest) {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    using std::chrono::seconds;
    const std::string sign = at < Duration::zero() ? "-" : "";
    const std::int64_t ns = at < Duration::zero() ? -at.count() : at.count();
    if (ns == 0) {
        return "0";
    }
    const auto in = [&](std::int64_t unit, const char* name) {
        std::string text = std::to_string(ns / unit);
        std::string rest = std::to_string(unit + ns % unit).substr(1);
        rest.erase(rest.find_last_not_of('0') + 1);
        return sign + text + (rest.empty() ? "" : "." + rest) + " " + name;
    };
    if (step >= hours{1}) {
        return in(3'600'000'000'000, "h");
    }
    if (step >= minutes{1}) {
        return in(60'000'000'000, "min");
    }
    if (farthest >= seconds{1}) {
        return in(1'000'000'000, "s");
    }
    return farthest >= milliseconds{1} ? in(1'000'000, "ms") : in(1'000, "us");
}

}  // namespace

Axis::Axis(Duration begin, Duration end, int left, int right)
    : pieces_{{begin, std::max(end, begin + Duration{1}), left, right, false}} {}

Axis::Axis(const Timeline& timeline, int left, int right, int break_width) {
    const std::vector<Gap> gaps = gaps_to_break(timeline);
    const Duration end = std::max(timeline.end, timeline.begin + Duration{1});
    Duration drawn = end - timeline.begin;
    for (const Gap& gap : gaps) {
        drawn -= gap.length();
    }
    drawn = std::max(drawn, Duration{1});
    const int width = right - left - static_cast<int>(gaps.size()) * break_width;
    Duration passed{};  // of what is drawn
    int x = left;
    int breaks = 0;
    const auto add = [&](Duration from, Duration to) {
        passed += to - from;
        const Wide share = Wide{passed.count()} * width / drawn.count();
        const int next = left + breaks * break_width + static_cast<int>(share);
        pieces_.push_back({from, to, x, next, false});
        x = next;
    };
    Duration at = timeline.begin;
    for (const Gap& gap : gaps) {
        add(at, gap.begin);
        pieces_.push_back({gap.begin, gap.end, x, x + break_width, true});
        x += break_width;
        ++breaks;
        at = gap.end;
    }
    add(at, end);
    pieces_.back().right = right;
}

int Axis::x(Duration at) const noexcept {
    for (const Piece& piece : pieces_) {
        if (at <= piece.end) {
            const Duration length = std::max(piece.end - piece.begin, Duration{1});
            const Duration passed = std::clamp(at - piece.begin, Duration::zero(), length);
            const Wide width = piece.right - piece.left;
            return piece.left + static_cast<int>(width * passed.count() / length.count());
        }
    }
    return right();
}

Axis::Part Axis::unbroken(int from, int to) const noexcept {
    Part longest{from, from};
    for (const Piece& piece : pieces_) {
        const int left = std::max(from, piece.left);
        const int right = std::min(to, piece.right);
        if (!piece.broken && right - left > longest.right - longest.left) {
            longest = {left, right};
        }
    }
    return longest;
}

std::vector<Axis::Tick> Axis::ticks(Duration zero, int distance_min) const {
    Duration time{};
    int width = 0;
    for (const Piece& piece : pieces_) {
        time += piece.broken ? Duration::zero() : piece.end - piece.begin;
        width += piece.broken ? 0 : piece.right - piece.left;
    }
    const Duration step = step_above(time / std::max(1, width / distance_min));
    const Duration farthest = std::max(end() - zero, zero - begin());
    std::vector<Tick> all;
    int free_from = left();
    for (const Piece& piece : pieces_) {
        if (piece.broken) {
            free_from = piece.right;
            continue;
        }
        std::int64_t number = (piece.begin - zero) / step;
        number += zero + number * step < piece.begin ? 1 : 0;
        for (Duration at = zero + number * step; at <= piece.end && all.size() < ticks_max;
             at += step) {
            const int place = x(at);
            if (place >= free_from) {
                all.push_back({place, tick_text(at - zero, step, farthest)});
                free_from = place + distance_min;
            }
        }
    }
    return all;
}

}  // namespace ktm::timeline
