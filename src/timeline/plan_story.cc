// SPDX-License-Identifier: Apache-2.0
// timeline/plan_story.cc: what one run of a plan noted of itself.
#include "timeline/plan_story.hh"

#include <algorithm>
#include <array>

#include "base/text.hh"

namespace ktm::timeline {

namespace {

constexpr std::size_t plan_name_bytes = 80;
constexpr std::size_t plan_detail_bytes = 400;
constexpr std::string_view commit_words = ", which commits";

/// What stands behind the prefix; nothing when there is another one.
std::optional<std::string_view> behind(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return std::nullopt;
    }
    return text.substr(prefix.size());
}

/// "undo 2/4: wake the guest".
bool counts_down(std::string_view note) {
    const std::size_t colon = note.find(": ");
    const std::size_t slash = note.find('/');
    return (note.starts_with("undo ") || note.starts_with("release ") ||
            note.starts_with("hold ")) &&
           slash != std::string_view::npos && colon != std::string_view::npos && slash < colon &&
           note.substr(0, colon).find_first_not_of("abcdefghijklmnopqrstuvwxyz 0123456789/") ==
               std::string_view::npos;
}

}  // namespace

void PlanStory::take(std::string_view note, Duration at) {
    begun_ = true;
    if (!take_begin(note) && !take_state(note, at) && !take_unwinding(note, at) &&
        !take_end(note, at)) {
        take_words(note, at);
    }
}

/// "plan freeze, role node, digest 0011…".
bool PlanStory::take_begin(std::string_view note) {
    const auto rest = behind(note, "plan ");
    const std::size_t role = rest ? rest->find(", role ") : std::string_view::npos;
    if (!plan_.empty() || role == std::string_view::npos) {
        return false;
    }
    plan_ = excerpt(rest->substr(0, role), plan_name_bytes);
    const std::string_view name = rest->substr(role + 7);
    role_ = excerpt(name.substr(0, name.find(',')), plan_name_bytes);
    return true;
}

bool PlanStory::take_state(std::string_view note, Duration at) {
    auto state = behind(note, "enter ");
    if (!state) {
        return false;
    }
    const bool commits = state->ends_with(commit_words);
    if (commits) {
        state->remove_suffix(commit_words.size());
        mark({at, "commit", "from here on nothing is undone", Look::commit, false});
    }
    const std::string name = excerpt(*state, plan_name_bytes);
    states_.begin({at, at, name, "state " + name + (commits ? ": the commit" : ""),
                   commits ? Look::commit : Look::step});
    return true;
}

bool PlanStory::take_unwinding(std::string_view note, Duration at) {
    if (counts_down(note)) {
        const std::string text = excerpt(note, plan_name_bytes);
        states_.begin({at, at, text, excerpt(note, plan_detail_bytes), Look::unknown});
        return true;
    }
    if (note.starts_with("undone: ") || note.starts_with("released: ")) {
        states_.end(at);
        mark({at, excerpt(note, plan_name_bytes), "", Look::quiet, true});
        return true;
    }
    const bool failed = note.starts_with("not undone: ") || note.starts_with("not released: ");
    if (failed || note.starts_with("left: ") || note.starts_with("trouble ")) {
        states_.end(at);
        mark({at, excerpt(note, plan_name_bytes), excerpt(note, plan_detail_bytes), Look::bad,
              false});
        return true;
    }
    return false;
}

/// "end done in waking", as the machine says it, and the verdict, which is for people.
bool PlanStory::take_end(std::string_view note, Duration at) {
    if (const auto end = behind(note, "end ")) {
        states_.end(at);
        const bool good = end->starts_with("done");
        mark({at, excerpt(end->substr(0, end->find(' ')), plan_name_bytes),
              excerpt(note, plan_detail_bytes), good ? Look::good : Look::bad, false});
        return true;
    }
    constexpr std::array<std::pair<std::string_view, Look>, 3> ends{
        {{"done", Look::good}, {"aborted", Look::unknown}, {"stranded", Look::bad}}};
    for (const auto& [name, look] : ends) {
        const bool is_it = note.starts_with(name) && note.find(" after ") < note.find("; ");
        if (is_it && note.find("; ") != std::string_view::npos) {
            states_.end(at);
            ending_ = Ending{"", excerpt(note, plan_detail_bytes), look};
            return true;
        }
    }
    return false;
}

void PlanStory::take_words(std::string_view note, Duration at) {
    const bool loud = note.starts_with("warn: ") || note.starts_with("error: ");
    mark({at, excerpt(note, plan_name_bytes), excerpt(note, plan_detail_bytes),
          loud ? Look::bad : Look::quiet, !loud});
}

void PlanStory::take_aside(std::string_view port, std::string_view text, Duration at) {
    const bool is_signal = port == "signal";
    mark({at, std::string{port} + " " + excerpt(text, plan_name_bytes),
          excerpt(text, plan_detail_bytes), is_signal ? Look::bad : Look::quiet, !is_signal});
}

Lane PlanStory::lane(Duration end) {
    return Lane{Actor::plan, "", states_.finish(end), std::move(marks_), {}};
}

}  // namespace ktm::timeline
