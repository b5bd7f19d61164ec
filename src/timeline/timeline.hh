// SPDX-License-Identifier: Apache-2.0
// timeline/timeline.hh: what happened in a run, actor by actor, on one axis of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hh"

namespace ktm::timeline {

/// What something is, for whoever draws it. No meaning is carried by a colour alone: each look has
/// a pattern of its own, and what is drawn has words.
enum class Look : std::uint8_t {
    quiet,    ///< Worth a place, not an eye.
    step,     ///< An actor is at work.
    running,  ///< The guest runs.
    away,     ///< The guest is not here, and that is as it should be.
    dark,     ///< The guest runs nowhere.
    held,     ///< Packets are kept.
    commit,   ///< From here on nothing is undone.
    good,
    bad,
    unknown,
};
[[nodiscard]] const char* name_of(Look look) noexcept;

/// Something that lasted.
struct Span {
    Duration begin{};
    Duration end{};
    std::string text;    ///< A word or two.
    std::string detail;  ///< A sentence; may be empty.
    Look look = Look::step;
    bool open = false;    ///< Its end was not seen; it is drawn to the end of what is known.
    std::size_t row = 0;  ///< In one row nothing overlaps.
};

/// Something that happened.
struct Mark {
    Duration at{};
    std::string text;
    std::string detail;
    Look look = Look::quiet;
    bool minor = false;  ///< Only where there is room, and in what machines read.
};

enum class Actor : std::uint8_t { guest, qemu, jobs, plan, kernel, packets };

/// What one actor did.
struct Lane {
    Actor actor = Actor::guest;
    std::string name;
    std::vector<Span> spans;  ///< Sorted by begin.
    std::vector<Mark> marks;  ///< Sorted by time.
    std::vector<Span> calls;  ///< Commands with their replies: for machines, and for tables.
    std::size_t rows = 1;     ///< Of spans.
    std::size_t call_rows = 0;
};

/// A word that went from one plan to the other.
struct Arrow {
    std::size_t from = 0;  ///< The lane.
    std::size_t to = 0;
    Duration sent{};
    Duration heard{};
    std::string text;
};

struct Counter {
    struct Sample {
        Duration at{};
        double value = 0;
    };
    std::string name;  ///< With its unit: "RAM that remains, MiB".
    std::string who;   ///< The lane that it belongs to.
    std::vector<Sample> samples;
    bool minor = false;  ///< For machines.
};

/// A time in which the guest ran nowhere.
struct DarkWindow {
    Duration begin{};
    Duration end{};
    std::string stopped;  ///< Where: "source".
    std::string resumed;  ///< Where; either is empty where there is one place without a name.
    bool ended = false;   ///< The guest was seen to run behind it.
    [[nodiscard]] Duration length() const noexcept { return end - begin; }
};

/// How a run ended, as it said itself.
struct Ending {
    std::string who;  ///< "source".
    std::string text;
    Look look = Look::unknown;
};

struct Timeline {
    std::string title;
    Duration begin{};
    Duration end{};
    std::vector<Lane> lanes;
    std::vector<Arrow> arrows;
    std::vector<Counter> counters;
    std::vector<DarkWindow> dark;           ///< In their order.
    std::optional<std::int64_t> held_most;  ///< Packets that waited at one time, as far as counted.
    std::vector<std::string> losses;        ///< Of packets, as the plans said.
    Duration twice{};                       ///< For how long the guest ran at two places.
    std::vector<Ending> endings;
    std::vector<std::string> notes;    ///< What a reader must know before believing the rest.
    std::optional<std::string> began;  ///< Civil time of the zero, where it is known.
};

/// With three digits that count, for people: "13.3 ms".
[[nodiscard]] std::string brief_text(Duration length);

/// "dark for 13.2 ms: stopped at source, resumed at dest"; for several, the longest and their
/// number. That a guest ran twice stands before everything.
[[nodiscard]] std::string headline(const Timeline& timeline);

/// What was counted by who sees more than the recordings do: so many packets waited at this place
/// ("dest"; empty for the only one) at one time.
void note_held_most(Timeline& timeline, std::string_view place, std::int64_t packets);

/// The dark window that a picture shows large: the longest one; nothing when there is none.
[[nodiscard]] const DarkWindow* main_window(const Timeline& timeline) noexcept;

}  // namespace ktm::timeline
