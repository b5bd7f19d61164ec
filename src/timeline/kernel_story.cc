// SPDX-License-Identifier: Apache-2.0
// timeline/kernel_story.cc: what one run changed of its host, and what the host told.
#include "timeline/kernel_story.hh"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::timeline {

namespace {

constexpr std::size_t kernel_name_bytes = 80;
constexpr std::size_t kernel_detail_bytes = 400;
// LIMIT: things that stand at one time.
constexpr std::size_t standing_max = 1000;

// LIMIT: requests that wait for an answer, and counters.
constexpr std::size_t requests_max = 4096;
constexpr std::size_t counters_max = 64;

/// A request that begins something, or ends it.
struct Verb {
    std::string_view what;
    bool begins;
    std::string_view thing;  ///< With what the request is about the name of what lasts.
    Look look;
};
constexpr std::array<Verb, 10> verbs{{{"block-plug", true, "held at ", Look::held},
                                      {"open-plug", false, "held at ", Look::held},
                                      {"add-plug", true, "hold on ", Look::step},
                                      {"delete-root-qdisc", false, "hold on ", Look::step},
                                      {"add-tunnel", true, "tunnel ", Look::step},
                                      {"delete-link", false, "tunnel ", Look::step},
                                      {"add-route", true, "diverted: ", Look::step},
                                      {"delete-route", false, "diverted: ", Look::step},
                                      {"add-redirect", true, "diverted: ", Look::step},
                                      {"delete-redirect", false, "diverted: ", Look::step}}};

const Verb* verb_of(std::string_view what) {
    const auto* found = std::find_if(verbs.begin(), verbs.end(),
                                     [&](const Verb& each) { return each.what == what; });
    return found == verbs.end() ? nullptr : found;
}

/// What is only looked at changes nothing.
bool only_looks(std::string_view what) {
    constexpr std::array<std::string_view, 4> beginnings{"find-", "list-", "route-to", "read-"};
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view each) { return what.starts_with(each); });
}

/// "10.1.2.3/32 to vx0", "tap0": what the fields of a request name.
std::string subject_of(const json::View& request) {
    std::string text{request.find_string("to").value_or("")};
    for (const std::string_view key : {"link", "name"}) {
        const std::string_view name = request.find_string(key).value_or("");
        if (!name.empty()) {
            return excerpt(text.empty() ? std::string{name} : text + " to " + std::string{name},
                           kernel_name_bytes);
        }
    }
    return excerpt(text, kernel_name_bytes);
}

std::string number_of(const json::View& message) {
    const std::optional<json::View> id = message.find("id");
    return id ? excerpt(json::compact(*id), kernel_name_bytes) : "";
}

}  // namespace

void KernelStory::take(const trace::Record& record, Duration at) {
    if (!record.message || !record.message->root().is_object()) {
        if (!record.text.empty()) {
            keep(marks_,
                 Mark{at, excerpt(record.text, kernel_name_bytes),
                      excerpt(record.text, kernel_detail_bytes), Look::quiet, true},
                 left_out_);
            take_acquired(record.text, at);
        }
        return;
    }
    const json::View message = record.message->root();
    if (const std::optional<json::View> request = message.find("request")) {
        take_request(message, *request, at);
    } else if (message.find("answer") || message.find("error")) {
        take_answer(message, at);
    } else {
        keep(marks_,
             Mark{at, "change", excerpt(json::compact(message), kernel_detail_bytes), Look::quiet,
                  true},
             left_out_);
    }
}

/// "acquire the hold on tap0": it lasts until it is released.
void KernelStory::take_acquired(std::string_view text, Duration at) {
    constexpr std::string_view acquire = "acquire ";
    if (text.starts_with(acquire)) {
        const std::string what = excerpt(text.substr(acquire.size()), kernel_name_bytes);
        begin("\n" + what, {at, at, what, "acquired by the plan", Look::quiet});
    }
}

void KernelStory::take_request(const json::View& message, const json::View& request, Duration at) {
    Asked asked;
    asked.what = excerpt(request.find_string("what").value_or("?"), kernel_name_bytes);
    asked.subject = subject_of(request);
    asked.words = excerpt(message.find_string("words").value_or(asked.what), kernel_detail_bytes);
    asked.place = excerpt(message.find_string("in").value_or(""), kernel_name_bytes);
    if (const Verb* verb = verb_of(asked.what)) {
        asked.thing = std::string{verb->thing} + asked.subject;
    }
    keep(marks_,
         Mark{at, excerpt(asked.words, kernel_name_bytes),
              asked.place.empty() ? "" : "in " + asked.place, Look::quiet,
              only_looks(asked.what) || !asked.thing.empty()},
         left_out_);
    if (asked_.size() < requests_max) {
        asked_[number_of(message)] = std::move(asked);
    }
}

void KernelStory::take_answer(const json::View& message, Duration at) {
    const auto found = asked_.find(number_of(message));
    if (found == asked_.end()) {
        return;
    }
    const Asked asked = std::move(found->second);
    asked_.erase(found);
    if (const std::optional<json::View> error = message.find("error")) {
        const std::string why =
            excerpt(error->find_string("what").value_or(""), kernel_detail_bytes) + " (" +
            excerpt(error->find_string("code").value_or("?"), kernel_name_bytes) + ")";
        // A question may be answered by "there is none": that is no trouble of the host.
        keep(marks_,
             Mark{at, "not: " + excerpt(asked.words, kernel_name_bytes), why,
                  only_looks(asked.what) ? Look::quiet : Look::bad, only_looks(asked.what)},
             left_out_);
        return;
    }
    carry_out(asked, at);
    if (const std::optional<json::View> answer = message.find("answer")) {
        take_facts(asked, *answer, at);
    }
}

void KernelStory::carry_out(const Asked& asked, Duration at) {
    const Verb* verb = verb_of(asked.what);
    if (verb == nullptr) {
        return;
    }
    const std::string key = asked.place + "\n" + asked.thing;
    if (verb->begins) {
        begin(key, {at, at, asked.thing, asked.words, verb->look});
    } else {
        end(key, at);
    }
}

/// How many packets a plug has, and what an interface has counted.
void KernelStory::take_facts(const Asked& asked, const json::View& answer, Duration at) {
    if (const std::optional<json::View> qdiscs = answer.find("qdiscs")) {
        std::int64_t queued = 0;
        std::int64_t dropped = 0;
        for (const json::View qdisc : qdiscs->items()) {
            queued += qdisc.find_int("queued_packets").value_or(0) % 1'000'000'000;
            dropped += qdisc.find_int("dropped").value_or(0) % 1'000'000'000;
        }
        count("held at " + asked.subject + ", packets", at, static_cast<double>(queued), false);
        count("dropped at " + asked.subject + ", packets", at, static_cast<double>(dropped), true);
    }
    const std::optional<json::View> links = answer.find("links");
    if (!links || links->size() != 1) {
        return;
    }
    const json::View link = *links->items().begin();
    const std::optional<json::View> counters = link.find("counters");
    for (const char* key : {"tx_packets", "rx_packets", "tx_dropped", "rx_dropped"}) {
        const std::optional<std::int64_t> value = counters ? counters->find_int(key) : std::nullopt;
        if (value) {
            count(asked.subject + " " + key, at, static_cast<double>(*value), true);
        }
    }
}

void KernelStory::count(const std::string& name, Duration at, double value, bool minor) {
    if (counters_.size() < counters_max || counters_.count(name) > 0) {
        Counter& counter = counters_[name];
        counter.minor = minor;
        keep(counter.samples, {at, value}, left_out_);
    }
}

void KernelStory::take_journal(std::string_view line, Duration at) {
    keep(marks_,
         Mark{at, "journal: " + excerpt(line, kernel_name_bytes),
              excerpt(line, kernel_detail_bytes), Look::quiet, true},
         left_out_);
}

void KernelStory::begin(const std::string& key, Span span) {
    if (standing_.size() < standing_max) {
        standing_.try_emplace(key, std::move(span));
    }
}

void KernelStory::end(const std::string& key, Duration at) {
    const auto found = standing_.find(key);
    if (found == standing_.end()) {
        return;
    }
    Span span = std::move(found->second);
    standing_.erase(found);
    span.end = at;
    const bool is_held = span.look == Look::held;
    keep(is_held ? held_ : lasted_, std::move(span), left_out_);
}

void KernelStory::take_note(std::string_view note, Duration at) {
    constexpr std::string_view released = "released: ";
    if (note.starts_with(released)) {
        end("\n" + excerpt(note.substr(released.size()), kernel_name_bytes), at);
    }
    const bool loud = note.starts_with("error: ") || note.starts_with("warn: ");
    if (loud && note.find(" hold on ") != std::string_view::npos) {
        keep(losses_,
             Mark{at, excerpt(note.substr(note.find(' ') + 1), kernel_name_bytes),
                  excerpt(note, kernel_detail_bytes), Look::bad, false},
             left_out_);
    }
}

void KernelStory::close(Duration at) {
    while (!standing_.empty()) {
        standing_.begin()->second.open = true;
        end(std::string{standing_.begin()->first}, at);
    }
}

Lane KernelStory::kernel_lane() {
    return Lane{Actor::kernel, "", std::move(lasted_), std::move(marks_), {}};
}

Lane KernelStory::packets_lane() {
    return Lane{Actor::packets, "", std::move(held_), std::move(losses_), {}};
}

std::vector<Counter> KernelStory::counters() {
    std::vector<Counter> all;
    for (auto& [name, counter] : counters_) {
        counter.name = name;
        all.push_back(std::move(counter));
    }
    return all;
}

}  // namespace ktm::timeline
