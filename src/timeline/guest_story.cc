// SPDX-License-Identifier: Apache-2.0
// timeline/guest_story.cc: where one guest ran, from what its QEMUs said.
//
// Theory of operation. The turns of all places, in the order of time, cut the time into pieces; in
// each piece every place is in one state, and judge() says what that means for the guest.
// Neighbours that mean the same are one span. A dark window is a dark span: it names who stopped
// before it and who runs behind it.
#include "timeline/guest_story.hh"

#include <algorithm>

namespace ktm::timeline {

namespace {

struct Turning {
    Duration at{};
    std::size_t place = 0;
    const GuestTurn* turn = nullptr;
};

std::vector<Turning> turnings_of(const std::vector<Place>& places) {
    std::vector<Turning> all;
    for (std::size_t i = 0; i < places.size(); ++i) {
        for (const GuestTurn& turn : places[i].turns) {
            all.push_back({turn.at, i, &turn});
        }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Turning& a, const Turning& b) { return a.at < b.at; });
    return all;
}

class Judge {
public:
    explicit Judge(const std::vector<Place>& places)
        : places_(places), is_(places.size(), GuestIs::unseen) {
        const auto any = [&](bool Place::*does) {
            return std::any_of(places.begin(), places.end(),
                               [&](const Place& place) { return place.*does; });
        };
        both_sides_ = any(&Place::sends) && any(&Place::receives);
    }

    void turn(std::size_t place, GuestIs is) { is_[place] = is; }

    [[nodiscard]] std::vector<std::size_t> running() const {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < is_.size(); ++i) {
            if (is_[i] == GuestIs::running) {
                all.push_back(i);
            }
        }
        return all;
    }

    /// Without a text where there is nothing to say yet.
    [[nodiscard]] Span judge() const {
        const std::vector<std::size_t> here = running();
        if (here.size() > 1) {
            std::string names;
            for (const std::size_t place : here) {
                names += (names.empty() ? "" : " and ") + places_[place].name;
            }
            return said("RUNS TWICE", "the guest runs at " + names + " at the same time",
                        Look::bad);
        }
        if (here.size() == 1) {
            const std::string& name = places_[here.front()].name;
            return said(name.empty() ? "runs" : "runs at " + name,
                        "the guest runs" + (name.empty() ? "" : " at " + name), Look::running);
        }
        if (has(GuestIs::unknown)) {
            return said("unknown", "where the guest runs is not known", Look::unknown);
        }
        if (has(GuestIs::gone)) {
            return said("shut down", "the guest was shut down", Look::bad);
        }
        if (has(GuestIs::stopped) || (both_sides_ && has(GuestIs::left))) {
            return said("dark", "the guest runs nowhere", Look::dark);
        }
        if (has(GuestIs::left)) {
            return said("left", "the guest has gone; its new place is not in the recording",
                        Look::away);
        }
        if (has(GuestIs::waiting)) {
            return said("not here yet", "the guest has not come yet", Look::away);
        }
        return {};
    }

private:
    [[nodiscard]] bool has(GuestIs is) const {
        return std::find(is_.begin(), is_.end(), is) != is_.end();
    }

    static Span said(std::string text, std::string detail, Look look) {
        Span span;
        span.text = std::move(text);
        span.detail = std::move(detail);
        span.look = look;
        return span;
    }

    const std::vector<Place>& places_;
    std::vector<GuestIs> is_;
    bool both_sides_ = false;
};

void note_dark(std::vector<DarkWindow>& dark, const Span& span, const std::string& stopped,
               const Place* resumed) {
    if (span.look == Look::dark) {
        dark.push_back({span.begin, span.end, stopped, resumed == nullptr ? "" : resumed->name,
                        resumed != nullptr});
    }
}

}  // namespace

GuestStory tell_guest(const std::vector<Place>& places, Duration end) {
    GuestStory story;
    story.lane.actor = Actor::guest;
    Judge judge{places};
    const std::vector<Turning> turnings = turnings_of(places);
    Span now;
    std::string stopped;
    bool twice = false;
    const auto close = [&](Duration at, const Place* resumed) {
        now.end = at;
        const bool lasted = !now.text.empty() && at > now.begin;
        if (lasted && story.lane.spans.size() < things_max) {
            note_dark(story.dark, now, stopped, resumed);
            story.twice += twice ? now.end - now.begin : Duration::zero();
            story.lane.spans.push_back(now);
        }
    };
    for (const Turning& turning : turnings) {
        const std::vector<std::size_t> before = judge.running();
        judge.turn(turning.place, turning.turn->is);
        Span next = judge.judge();
        if (next.text == now.text) {
            continue;
        }
        const std::vector<std::size_t> after = judge.running();
        close(turning.at, after.empty() ? nullptr : &places[after.front()]);
        if (before.size() == 1) {
            stopped = places[before.front()].name;
        }
        twice = after.size() > 1;
        next.begin = turning.at;
        next.detail += turning.turn->why.empty() ? "" : " (" + turning.turn->why + ")";
        now = std::move(next);
    }
    now.open = true;
    close(end, nullptr);
    return story;
}

}  // namespace ktm::timeline
