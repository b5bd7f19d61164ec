// SPDX-License-Identifier: Apache-2.0
// timeline/perfetto.cc: a timeline for ui.perfetto.dev.
#include "timeline/perfetto.hh"

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "json/writer.hh"

namespace ktm::timeline {

namespace {

constexpr std::int64_t process = 1;

/// Microseconds with the nanoseconds behind the point.
std::string microseconds(Duration time) {
    const std::int64_t ns = time.count();
    const std::int64_t size = ns < 0 ? -ns : ns;
    return (ns < 0 ? "-" : "") + std::to_string(size / 1000) + "." +
           std::to_string(1000 + size % 1000).substr(1);
}

std::string number_text(double value) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.6g", std::isfinite(value) ? value : 0.0);
    return text.data();
}

class Events {
public:
    explicit Events(const Timeline& timeline) : timeline_(timeline) {}

    std::string write() && {
        json::ObjectWriter name;
        name.text("name", timeline_.title.empty() ? "katamaran" : timeline_.title);
        meta("process_name", 0, std::move(name).finish());
        for (const Lane& lane : timeline_.lanes) {
            add_lane(lane);
        }
        for (std::size_t i = 0; i < timeline_.arrows.size(); ++i) {
            add_arrow(timeline_.arrows[i], i);
        }
        for (const Counter& counter : timeline_.counters) {
            add_counter(counter);
        }
        return "{\"displayTimeUnit\":\"ms\",\"otherData\":" + told() + ",\"traceEvents\":[\n" +
               events_ + "\n]}\n";
    }

private:
    /// What stands in words above the picture.
    [[nodiscard]] std::string told() const {
        json::ObjectWriter data;
        data.text("headline", headline(timeline_));
        if (timeline_.began) {
            data.text("began", *timeline_.began);
        }
        std::size_t number = 0;
        for (const Ending& ending : timeline_.endings) {
            data.text("end " + (ending.who.empty() ? std::to_string(++number) : ending.who),
                      ending.text);
        }
        number = 0;
        for (const std::string& note : timeline_.notes) {
            data.text("note " + std::to_string(++number), note);
        }
        return std::move(data).finish();
    }

    void add(std::string event) { events_ += (events_.empty() ? "" : ",\n") + std::move(event); }

    void meta(const char* what, std::int64_t track, std::string arguments) {
        json::ObjectWriter event;
        event.text("ph", "M").text("name", what).integer("pid", process).integer("tid", track);
        event.json("args", arguments);
        add(std::move(event).finish());
    }

    /// A new track, with its place among the others.
    std::int64_t track(const std::string& name) {
        const std::int64_t number = ++tracks_;
        json::ObjectWriter named;
        named.text("name", name);
        meta("thread_name", number, std::move(named).finish());
        json::ObjectWriter sorted;
        sorted.integer("sort_index", number);
        meta("thread_sort_index", number, std::move(sorted).finish());
        return number;
    }

    json::ObjectWriter begin(const char* phase, const std::string& name, Duration at,
                             std::int64_t on) {
        json::ObjectWriter event;
        event.text("ph", phase).text("name", name).integer("pid", process).integer("tid", on);
        event.json("ts", microseconds(at));
        return event;
    }

    static std::string arguments(const std::string& detail, Look look) {
        json::ObjectWriter object;
        object.text("look", name_of(look));
        if (!detail.empty()) {
            object.text("detail", detail);
        }
        return std::move(object).finish();
    }

    void add_span(const Span& span, std::int64_t on, const char* category) {
        json::ObjectWriter event = begin("X", span.text, span.begin, on);
        event.json("dur", microseconds(span.end - span.begin)).text("cat", category);
        event.json("args", arguments(span.detail, span.look));
        add(std::move(event).finish());
    }

    void add_rows(const std::vector<Span>& spans, std::int64_t first, const char* category) {
        for (const Span& span : spans) {
            add_span(span, first + static_cast<std::int64_t>(span.row), category);
        }
    }

    void add_lane(const Lane& lane) {
        const std::int64_t first = track(lane.name);
        for (std::size_t row = 1; row < lane.rows; ++row) {
            track(lane.name + " " + std::to_string(row + 1));
        }
        add_rows(lane.spans, first, "state");
        for (const Mark& mark : lane.marks) {
            json::ObjectWriter event = begin("i", mark.text, mark.at, first);
            event.text("s", "t").text("cat", mark.minor ? "minor" : "event");
            event.json("args", arguments(mark.detail, mark.look));
            add(std::move(event).finish());
        }
        if (lane.call_rows == 0) {
            return;
        }
        const std::int64_t calls = track(lane.name + " commands");
        for (std::size_t row = 1; row < lane.call_rows; ++row) {
            track(lane.name + " commands " + std::to_string(row + 1));
        }
        add_rows(lane.calls, calls, "command");
    }

    /// A flow binds to a slice, so the word is a short one at either end.
    void add_arrow(const Arrow& arrow, std::size_t number) {
        if (words_.empty()) {
            words_.assign(timeline_.lanes.size(), 0);
        }
        for (const bool sends : {true, false}) {
            const std::size_t lane = sends ? arrow.from : arrow.to;
            const Duration at = sends ? arrow.sent : arrow.heard;
            if (words_[lane] == 0) {
                words_[lane] = track(timeline_.lanes[lane].name + " words");
            }
            json::ObjectWriter event = begin(sends ? "s" : "f", arrow.text, at, words_[lane]);
            event.text("cat", "peer").integer("id", static_cast<std::int64_t>(number) + 1);
            if (!sends) {
                event.text("bp", "e");
            }
            add_span({at, at, (sends ? "to the peer: " : "from the peer: ") + arrow.text, "",
                      Look::step},
                     words_[lane], "peer");
            add(std::move(event).finish());
        }
    }

    void add_counter(const Counter& counter) {
        for (const Counter::Sample& sample : counter.samples) {
            json::ObjectWriter event = begin("C", counter.who + ": " + counter.name, sample.at, 0);
            event.json("args", "{\"value\":" + number_text(sample.value) + "}");
            add(std::move(event).finish());
        }
    }

    const Timeline& timeline_;
    std::string events_;
    std::int64_t tracks_ = 0;
    std::vector<std::int64_t> words_;  ///< The track of the words of a lane, or 0.
};

}  // namespace

std::string write_perfetto(const Timeline& timeline) {
    return Events{timeline}.write();
}

}  // namespace ktm::timeline
