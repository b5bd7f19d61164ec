// SPDX-License-Identifier: Apache-2.0
// timeline/builder.cc: a timeline from the records of one run, or of both of its sides.
#include "timeline/builder.hh"

#include <algorithm>
#include <map>
#include <utility>

#include "timeline/clock_fit.hh"
#include "timeline/guest_story.hh"
#include "timeline/source_story.hh"

namespace ktm::timeline {

namespace {

/// One QEMU of one source, with what it is called.
struct Vm {
    VmStory* story = nullptr;
    Duration shift{};   ///< Of its recording.
    std::string place;  ///< Empty where there is only one and it has no name.
};

std::string at_place(const std::string& what, const std::string& place) {
    return place.empty() ? what : what + " at " + place;
}

std::string with_place(const std::string& place, const std::string& what) {
    return place.empty() ? what : place + " " + what;
}

/// Puts the stories of all sources together.
class Assembly {
public:
    explicit Assembly(std::vector<std::unique_ptr<SourceStory>>& sources) : sources_(sources) {}

    Timeline assemble() && {
        fit_second();
        set_bounds();
        name_sources();
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            find_vms(i);
        }
        add_title();
        add_guests();
        for (Vm& vm : vms_) {
            add_qemu(vm);
        }
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            add_plan(i);
        }
        add_words();
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            add_host(i);
        }
        for (Lane& lane : timeline_.lanes) {
            finish(lane);
        }
        return std::move(timeline_);
    }

private:
    void fit_second() {
        for (std::size_t i = 1; i < sources_.size(); ++i) {
            ClockFit fit = fit_clocks(*sources_[0], *sources_[i]);
            sources_[i]->shift = fit.shift;
            for (std::vector<PeerWord>* words : {&sources_[i]->words, &sources_[i]->beats}) {
                for (PeerWord& word : *words) {
                    word.at += fit.shift;
                }
            }
            if (!fit.note.empty()) {
                timeline_.notes.push_back(std::move(fit.note));
            }
        }
    }

    void set_bounds() {
        bool first = true;
        for (const auto& source : sources_) {
            if (!source->is_empty()) {
                timeline_.begin =
                    first ? source->begin() : std::min(timeline_.begin, source->begin());
                timeline_.end = first ? source->end() : std::max(timeline_.end, source->end());
                first = false;
            }
            if (source->backwards() > 0) {
                timeline_.notes.push_back("in the recording '" + source->name + "' the time goes " +
                                          "backwards " + std::to_string(source->backwards()) +
                                          " times; what is there is drawn at the time before");
            }
            if (source->left_out() > 0) {
                timeline_.notes.push_back(std::to_string(source->left_out()) + " things of '" +
                                          source->name + "' are left out: there are too many");
            }
        }
        if (first) {
            timeline_.notes.emplace_back("there is nothing in the recording");
        }
    }

    void name_sources() {
        std::map<std::string, std::size_t> counts;
        for (const auto& source : sources_) {
            ++counts[source->role()];
        }
        for (const auto& source : sources_) {
            const std::string role = source->role();
            std::string name = role.empty() ? source->name : role;
            if (counts[role] > 1) {
                name = role.empty() ? source->name : role + " (" + source->name + ")";
            } else if (sources_.size() == 1 && role != "source" && role != "dest") {
                name.clear();
            }
            names_.push_back(std::move(name));
        }
    }

    void find_vms(std::size_t i) {
        const bool alone = sources_[i]->vms.size() == 1;
        for (auto& [vm, story] : sources_[i]->vms) {
            std::string place = names_[i];
            if (!vm.empty()) {
                place = alone && !place.empty() ? place : vm;
            } else if (!alone && names_[i].empty()) {
                place = story.sends() ? "source" : "qmp";
            }
            vms_.push_back({&story, sources_[i]->shift, std::move(place)});
        }
    }

    void add_title() {
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            const PlanStory& plan = sources_[i]->plan;
            if (timeline_.title.empty()) {
                timeline_.title = plan.plan();
            }
            if (plan.ending()) {
                Ending ending = *plan.ending();
                ending.who = names_[i];
                timeline_.endings.push_back(std::move(ending));
            }
        }
    }

    static Place place_of(const Vm& vm) {
        Place place{vm.place, vm.story->turns(), vm.story->sends(), vm.story->receives()};
        for (GuestTurn& turn : place.turns) {
            turn.at += vm.shift;
        }
        return place;
    }

    /// Two QEMUs of which one sends and one receives have one guest; every other has its own.
    void add_guests() {
        std::vector<Place> shared;
        std::vector<Place> own;
        bool sends = false;
        bool receives = false;
        for (const Vm& vm : vms_) {
            const Place place = place_of(vm);
            sends = sends || place.sends;
            receives = receives || place.receives;
            (place.sends || place.receives ? shared : own).push_back(place);
        }
        if (!(sends && receives)) {
            own.insert(own.end(), shared.begin(), shared.end());
            shared.clear();
        }
        if (!shared.empty()) {
            add_guest(shared, "guest");
        }
        for (const Place& place : own) {
            add_guest({place}, vms_.size() == 1 ? "guest" : at_place("guest", place.name));
        }
    }

    void add_guest(const std::vector<Place>& places, std::string name) {
        GuestStory story = tell_guest(places, timeline_.end);
        story.lane.name = std::move(name);
        for (const Place& place : places) {
            for (const GuestTurn& turn : place.turns) {
                if (turn.why == "STOP" || turn.why == "RESUME") {
                    const bool stop = turn.why == "STOP";
                    story.lane.marks.push_back(
                        {turn.at, places.size() > 1 ? at_place(turn.why, place.name) : turn.why,
                         at_place(stop ? "stopped" : "resumed", place.name),
                         stop ? Look::dark : Look::running, false});
                }
            }
        }
        timeline_.twice += story.twice;
        timeline_.dark.insert(timeline_.dark.end(), story.dark.begin(), story.dark.end());
        if (story.twice > Duration::zero()) {
            timeline_.notes.emplace_back(
                sources_.size() > 1
                    ? "the guest ran at two places at the same time, or the clocks of the "
                      "recordings differ by as much"
                    : "the guest ran at two places at the same time");
        }
        add(std::move(story.lane));
    }

    void add_qemu(const Vm& vm) {
        Lane lane = vm.story->qemu_lane(timeline_.end - vm.shift);
        lane.name = with_place(vm.place, "QEMU");
        add_counters(vm.story->counters(), lane.name, vm.shift);
        move(lane, vm.shift);
        add(std::move(lane));
        Lane jobs = vm.story->jobs_lane(timeline_.end - vm.shift);
        move(jobs, vm.shift);
        jobs.name = with_place(vm.place, "disks");
        if (!jobs.spans.empty() || !jobs.marks.empty()) {
            add(std::move(jobs));
        }
    }

    void add_plan(std::size_t i) {
        plan_lanes_.push_back(timeline_.lanes.size());
        SourceStory& source = *sources_[i];
        if (source.plan.has_begun() || !source.words.empty()) {
            Lane lane = source.plan.lane(timeline_.end - source.shift);
            move(lane, source.shift);
            lane.name = at_place("plan", names_[i]);
            add(std::move(lane));
        }
    }

    /// A word that is seen at both ends is an arrow; at one end only it is a mark.
    void add_words() {
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            for (const PeerWord& word : sources_[i]->words) {
                if (!word.sent) {
                    continue;
                }
                const Duration* heard = nullptr;
                for (std::size_t j = 0; j < sources_.size() && heard == nullptr; ++j) {
                    heard = j == i ? nullptr : heard_at(j, word.key);
                    if (heard != nullptr) {
                        timeline_.arrows.push_back(
                            {plan_lanes_[i], plan_lanes_[j], word.at, *heard, word.text});
                    }
                }
                add_word(i, word, heard != nullptr);
            }
            for (const PeerWord& word : sources_[i]->words) {
                if (!word.sent) {
                    add_word(i, word, sources_.size() > 1);
                }
            }
        }
    }

    const Duration* heard_at(std::size_t source, const std::string& key) {
        if (heard_.size() <= source) {
            heard_.resize(source + 1);
        }
        if (heard_[source].empty()) {
            for (const PeerWord& word : sources_[source]->words) {
                if (!word.sent) {
                    heard_[source].emplace(word.key, word.at);
                }
            }
        }
        const auto found = heard_[source].find(key);
        return found == heard_[source].end() ? nullptr : &found->second;
    }

    void add_word(std::size_t source, const PeerWord& word, bool minor) {
        timeline_.lanes[plan_lanes_[source]].marks.push_back(
            {word.at, (word.sent ? "to the peer: " : "from the peer: ") + word.text, word.detail,
             Look::quiet, minor});
    }

    void add_host(std::size_t i) {
        KernelStory& story = sources_[i]->kernel;
        const Duration shift = sources_[i]->shift;
        story.close(timeline_.end - shift);
        Lane kernel = story.kernel_lane();
        Lane packets = story.packets_lane();
        const std::vector<Counter> counters = story.counters();
        move(kernel, shift);
        move(packets, shift);
        kernel.name = at_place("kernel", names_[i]);
        packets.name = at_place("packets", names_[i]);
        add_counters(counters, packets.name, shift);
        const bool has_held = note_held(counters);
        for (const Mark& loss : packets.marks) {
            timeline_.losses.push_back(loss.text);
        }
        if (!kernel.spans.empty() || !kernel.marks.empty()) {
            add(std::move(kernel));
        }
        if (!packets.spans.empty() || !packets.marks.empty() || has_held) {
            add(std::move(packets));
        }
    }

    /// Whether packets were held: that none were, when somebody looked, tells of that instant.
    bool note_held(const std::vector<Counter>& counters) {
        bool has_held = false;
        for (const Counter& counter : counters) {
            for (const Counter::Sample& sample : counter.samples) {
                const auto value = static_cast<std::int64_t>(sample.value);
                if (!counter.minor && value > 0) {
                    has_held = true;
                    timeline_.held_most = std::max(timeline_.held_most.value_or(0), value);
                }
            }
        }
        return has_held;
    }

    void add_counters(std::vector<Counter> counters, const std::string& who, Duration shift) {
        move(counters, shift);
        for (Counter& counter : counters) {
            counter.who = who;
            timeline_.counters.push_back(std::move(counter));
        }
    }

    void add(Lane lane) { timeline_.lanes.push_back(std::move(lane)); }

    static void finish(Lane& lane) {
        lane.rows = std::max<std::size_t>(1, sort_into_rows(lane.spans));
        lane.call_rows = sort_into_rows(lane.calls);
        std::stable_sort(lane.marks.begin(), lane.marks.end(),
                         [](const Mark& a, const Mark& b) { return a.at < b.at; });
    }

    std::vector<std::unique_ptr<SourceStory>>& sources_;
    std::vector<std::string> names_;       ///< By source.
    std::vector<std::size_t> plan_lanes_;  ///< By source; of one without a plan, of no meaning.
    std::vector<std::map<std::string, Duration>> heard_;
    std::vector<Vm> vms_;
    Timeline timeline_;
};

}  // namespace

Builder::Builder() = default;
Builder::~Builder() = default;
Builder::Builder(Builder&&) noexcept = default;
Builder& Builder::operator=(Builder&&) noexcept = default;

void Builder::begin_source(std::string name, Duration offset) {
    sources_.push_back(std::make_unique<SourceStory>(std::move(name), offset));
}

void Builder::take(const trace::Record& record) {
    if (sources_.empty()) {
        begin_source("");
    }
    sources_.back()->take(record);
}

Timeline Builder::finish() && {
    Timeline timeline = Assembly{sources_}.assemble();
    timeline.notes.insert(timeline.notes.begin(), notes_.begin(), notes_.end());
    timeline.began = began_;
    timeline.title = timeline.title.empty() ? title_ : timeline.title;
    return timeline;
}

Timeline build(const std::vector<Source>& sources) {
    Builder builder;
    for (const Source& source : sources) {
        builder.begin_source(source.name, source.offset);
        for (const trace::Record& record : source.records) {
            builder.take(record);
        }
    }
    return std::move(builder).finish();
}

}  // namespace ktm::timeline
