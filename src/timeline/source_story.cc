// SPDX-License-Identifier: Apache-2.0
// timeline/source_story.cc: all that one recording tells.
#include "timeline/source_story.hh"

#include <algorithm>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::timeline {

namespace {

constexpr std::size_t source_name_bytes = 48;
constexpr std::size_t source_detail_bytes = 240;
// LIMIT: monitors of one recording that get a lane.
constexpr std::size_t vms_max = 16;

/// A trace may say any time; these still have a distance from each other.
constexpr Duration time_max{std::chrono::hours{24 * 365 * 100}};

Duration shifted(Duration time, Duration offset) {
    return std::clamp(
        std::clamp(time, -time_max, time_max) + std::clamp(offset, -time_max, time_max), -time_max,
        time_max);
}

/// What a record says, in one of the forms in which it can.
std::string words_of(const trace::Record& record) {
    if (!record.message) {
        return record.text;
    }
    const json::View message = record.message->root();
    if (const auto words = message.find_string("words")) {
        return std::string{*words};
    }
    return excerpt(json::compact(message), source_detail_bytes);
}

/// The word of a message of the other node; heartbeats and the hello have none.
std::string word_in(const json::View& message) {
    for (const std::string_view form : {"word", "ask"}) {
        if (const auto word = message.find_string(form)) {
            return (form == "ask" ? "asks " : "") + excerpt(*word, source_name_bytes);
        }
    }
    if (const auto how = message.find_string("bye")) {
        return "bye: " + excerpt(*how, source_name_bytes);
    }
    return message.find("answer") ? "answer" : "";
}

}  // namespace

void SourceStory::take(const trace::Record& record) {
    Duration at = shifted(record.time, offset_);
    if (begin_ && at < last_) {
        ++backwards_;
        at = last_;
    }
    begin_ = begin_.value_or(at);
    last_ = at;
    const std::string_view port = record.port;
    if (port == "qmp" || port.starts_with("qmp:")) {
        const std::string vm{port.size() > 4 ? port.substr(4) : ""};
        if (vms.size() < vms_max || vms.count(vm) > 0) {
            vms[vm].take(record, at);
        } else {
            ++left_out_;
        }
    } else if (port == "plan" && !record.text.empty()) {
        plan.take(record.text, at);
        kernel.take_note(record.text, at);
    } else if (port == "net") {
        kernel.take(record, at);
    } else if (port == "journal") {
        kernel.take_journal(words_of(record), at);
    } else if (port == "exec" || port == "signal") {
        plan.take_aside(port, words_of(record), at);
    } else if (port == "peer") {
        take_peer(record, at);
    }
}

/// A word carries the number that its sender gave it, so that both ends have the same key.
void SourceStory::take_peer(const trace::Record& record, Duration at) {
    if (!record.message || !record.message->root().is_object()) {
        return;
    }
    const json::View message = record.message->root();
    if (const std::optional<json::View> beat = message.find("beat")) {
        keep(beats,
             PeerWord{at, record.direction == trace::Direction::out,
                      excerpt(json::compact(*beat), source_name_bytes), "", ""},
             left_out_);
        return;
    }
    const std::optional<json::View> number = message.find("n");
    const std::string text = word_in(message);
    if (!number || text.empty()) {
        return;
    }
    const std::optional<json::View> data = message.find("data");
    keep(words,
         PeerWord{at, record.direction == trace::Direction::out,
                  excerpt(json::compact(*number), source_name_bytes), text,
                  data ? excerpt(json::compact(*data), source_detail_bytes) : ""},
         left_out_);
}

std::string SourceStory::role() const {
    if (!plan.role().empty()) {
        return plan.role();
    }
    const auto any = [&](bool (VmStory::*does)() const noexcept) {
        return std::any_of(vms.begin(), vms.end(),
                           [&](const auto& vm) { return (vm.second.*does)(); });
    };
    if (any(&VmStory::sends)) {
        return "source";
    }
    return any(&VmStory::receives) ? "dest" : "";
}

std::size_t SourceStory::left_out() const {
    std::size_t sum = left_out_ + plan.left_out() + kernel.left_out();
    for (const auto& [vm, story] : vms) {
        sum += story.left_out();
    }
    return sum;
}

}  // namespace ktm::timeline
