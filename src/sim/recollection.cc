// SPDX-License-Identifier: Apache-2.0
// sim/recollection.cc: what a recorded QEMU can still honestly say, whoever asks in what order.
#include "sim/recollection.hh"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <utility>

#include "base/assert.hh"
#include "base/text.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "sim/argument_difference.hh"

namespace ktm::sim {

namespace {

/// They tell how far something is, or what is of no interest to a migration.
constexpr std::array<std::string_view, 8> progress{
    "MIGRATION_PASS",  "RTC_CHANGE",      "BALLOON_CHANGE",    "NIC_RX_FILTER_CHANGED",
    "VSERPORT_CHANGE", "ACPI_DEVICE_OST", "BLOCK_JOB_PENDING", "DEVICE_TRAY_MOVED"};

/// They are carried out for each connection, and never differently.
bool is_negotiation(std::string_view command) {
    return command == "qmp_capabilities";
}

bool only_asks(std::string_view command) {
    return command.starts_with("query-") || command == "qom-get" || command == "qom-list" ||
           command == "device-list-properties";
}

std::string_view event_in(const ScenarioRecord& record) {
    return record.message ? record.message->root().find_string("event").value_or("") : "";
}

std::string line_of(const ScenarioRecord& record) {
    return "line " + std::to_string(record.line);
}

/// For people: "MIGRATION pre-switchover (line 38)".
std::string name_of(const ScenarioRecord& record) {
    std::string name = record.turn == Turn::eof ? "the end of QEMU" : std::string{event_in(record)};
    if (record.message) {
        const std::optional<json::View> data = record.message->root().find("data");
        const auto status = data ? data->find_string("status") : std::nullopt;
        name += status ? " " + std::string{*status} : "";
    }
    return name + " (" + line_of(record) + ")";
}

std::optional<std::string> arguments_differ(const json::View& recorded, const json::View& asked) {
    static const json::Document none = *json::parse("{}");
    return difference(recorded.find("arguments").value_or(none.root()),
                      asked.find("arguments").value_or(none.root()));
}

std::string shown(const QmpCommand& command) {
    const std::optional<json::View> arguments = command.message.root().find("arguments");
    return printable(command.name) +
           (arguments ? " " + excerpt(json::compact(*arguments), shown_bytes_max) : "");
}

/// Whether the recorded command is the same, arguments and all.
bool is_same(const ScenarioRecord& record, const QmpCommand& command) {
    return command_in(record.message->root()) == command.name &&
           !arguments_differ(record.message->root(), command.message.root());
}

std::string status_reply(bool running) {
    json::ObjectWriter value;
    value.text("status", running ? "running" : "paused").boolean("running", running);
    value.boolean("singlestep", false);
    json::ObjectWriter reply;
    reply.json("return", std::move(value).finish());
    return std::move(reply).finish();
}

Recollection::Answer at_once(std::string reply) {
    return {Duration::zero(), Duration::zero(), std::move(reply)};
}

/// The answer to a question that is asked later, by so much, than it was: it comes when it came. So
/// nothing adds up: who computes a speed from many answers finds the one that was found.
Recollection::Answer as_late(Recollection::Answer answer, Duration late) {
    if (answer.after) {
        answer.after = std::max(Duration::zero(), *answer.after - late);
    }
    return answer;
}

/// Commands that wait for their reply while the records are read.
class Unanswered {
public:
    void add(const json::View& command, std::size_t item, Duration at) {
        const std::string id = id_of(command);
        if (id.empty()) {
            nameless_.push_back({item, at});
        } else {
            by_id_[id] = {item, at};
        }
    }
    struct Waiting {
        std::size_t item = 0;
        Duration at{};
    };
    std::optional<Waiting> take(const json::View& reply) {
        const std::string id = id_of(reply);
        if (const auto found = by_id_.find(id); found != by_id_.end()) {
            const Waiting waiting = found->second;
            by_id_.erase(found);
            return waiting;
        }
        if (!id.empty() || nameless_.empty()) {
            return std::nullopt;
        }
        const Waiting waiting = nameless_.back();
        nameless_.pop_back();
        return waiting;
    }

private:
    std::map<std::string, Waiting> by_id_;
    std::deque<Waiting> nameless_;
};

}  // namespace

Recollection::Recollection(const ScenarioRecords& records, Duration beyond)
    : greeting_(made_up_greeting()) {
    const bool was_opened = !records.empty() && !records.front()->place.empty();
    if (was_opened) {
        greeting_.clear();
    }
    chapters_.emplace_back();
    read(records);
    // Of a QEMU that we left nothing is known any more.
    end_ += records.empty() || records.back()->turn == Turn::left ? Duration::zero() : beyond;
    for (Item& item : items_) {
        item.answer.silent_for = end_ - item.at;
    }
}

void Recollection::read(const ScenarioRecords& records) {
    Unanswered unanswered;
    bool greeted = false;
    for (const auto& record : records) {
        end_ += record->after;
        Item item;
        item.record = record;
        item.at = end_;
        const bool is_message = record->turn == Turn::in && record->message;
        if (is_message && is_greeting(record->message->root())) {
            greeting_ = greeted ? greeting_ : json::compact(record->message->root());
            greeted = true;
        } else if (is_message && is_reply(record->message->root())) {
            const json::View reply = record->message->root();
            if (const auto command = unanswered.take(reply)) {
                items_[command->item].answer = {end_ - command->at, {}, with_id(reply, "")};
            }
        } else if (is_told(item)) {
            if (item.sort != Sort::event) {
                unanswered.add(record->message->root(), items_.size(), end_);
            }
            item.chapter = chapters_.size() - 1;
            item.offset = end_ - began_;
            items_.push_back(std::move(item));
        }
    }
}

/// Whether it is a command or something that QEMU tells. What is no JSON, and when others left,
/// says nothing of QEMU.
bool Recollection::is_told(Item& item) {
    const ScenarioRecord& record = *item.record;
    switch (record.turn) {
        case Turn::out: {
            const std::string_view name = *command_in(record.message->root());
            item.sort = only_asks(name) ? Sort::asking : Sort::acting;
            if (item.sort == Sort::acting && !is_negotiation(name)) {
                chapters_.emplace_back();
                began_ = item.at;
                item.is_turn = true;
            }
            return !is_negotiation(name);
        }
        case Turn::in:
            item.is_turn =
                std::find(progress.begin(), progress.end(), event_in(record)) == progress.end();
            return record.message.has_value();
        case Turn::eof: item.is_turn = true; return true;
        case Turn::signal: return true;
        case Turn::left: return false;
    }
    return false;
}

void Recollection::begin(Instant now) {
    if (!chapters_.front()) {
        chapters_.front() = now;
    }
}

// --- Commands -----------------------------------------------------------------------------------

Result<Recollection::Answer> Recollection::answer(const QmpCommand& command, Instant now) {
    if (is_negotiation(command.name)) {
        return at_once(R"({"return":{}})");
    }
    if (command.name == "query-qmp-schema" || command.name == "query-target") {
        json::ObjectWriter reply;
        reply.json("error", generic_error("the recording does not hold it"));
        return at_once(std::move(reply).finish());
    }
    return only_asks(command.name) ? ask(command, now) : act(command, now);
}

Result<Recollection::Answer> Recollection::act(const QmpCommand& command, Instant now) {
    std::size_t at = 0;
    const auto fits = [&](const Item& item) {
        return item.sort == Sort::acting && !item.told && is_same(*item.record, command);
    };
    while (at < items_.size() && !fits(items_[at])) {
        ++at;
    }
    if (at == items_.size()) {
        return unknown(command, nearest(command));
    }
    for (std::size_t before = 0; before < at; ++before) {
        const Item& item = items_[before];
        if (item.sort != Sort::event || item.told || !item.is_turn) {
            continue;
        }
        const std::string what = name_of(*item.record);
        const std::string where =
            "in the recording it comes (" + line_of(*items_[at].record) + ") behind " + what;
        const auto cause = std::find_if(items_.begin(), items_.end(), [&](const Item& other) {
            return other.sort == Sort::acting && other.chapter == item.chapter;
        });
        if (chapters_[item.chapter] || cause == items_.end()) {
            return unknown(command, where + ", which has not happened yet");
        }
        return unknown(command, where + ", which came of " +
                                    std::string{*command_in(cause->record->message->root())} +
                                    " (" + line_of(*cause->record) + "), and that was not sent");
    }
    Item& item = items_[at];
    item.told = true;
    chapter_ = item.chapter;
    chapters_[chapter_] = now;
    here_ = std::max(here_, at + 1);
    return item.answer;
}

Result<Recollection::Answer> Recollection::ask(const QmpCommand& command, Instant now) {
    Item* best = nullptr;
    bool was_asked = false;
    for (std::size_t at = 0; at < items_.size(); ++at) {
        Item& item = items_[at];
        if (item.sort != Sort::asking || !is_same(*item.record, command)) {
            continue;
        }
        was_asked = true;
        if (!is_quiet_between(at, here_)) {
            continue;
        }
        const std::optional<Instant>& began = chapters_[item.chapter];
        const Duration ago = began ? now - (*began + item.offset) : Duration::min();
        if (best == nullptr || ago >= Duration::zero()) {
            best = &item;
        }
        if (!item.told && ago >= -on_the_way_max && ago <= on_the_way_max) {
            item.told = true;
            return as_late(item.answer, ago);
        }
        if (ago < Duration::zero()) {
            break;
        }
    }
    if (best != nullptr) {
        best->told = true;
        return best->answer;
    }
    if (const std::optional<Answer> known = status(); command.name == "query-status" && known) {
        return *known;
    }
    return unknown(command, was_asked ? "the recording was asked that at other times, and QEMU's "
                                        "answer may have changed since"
                                      : nearest(command));
}

bool Recollection::is_on_its_way(const QmpCommand& command, Instant now) const {
    const auto fits = [&](const Item& item) {
        return item.sort != Sort::event && !item.told && is_same(*item.record, command);
    };
    const bool acts = !only_asks(command.name);
    const auto from = items_.begin() + static_cast<std::ptrdiff_t>(acts ? 0 : here_);
    const auto found = std::find_if(from, items_.end(), fits);
    bool is_missing = false;
    for (auto item = items_.begin(); found != items_.end() && item != found; ++item) {
        if (item->told || !item->is_turn) {
            continue;
        }
        const std::optional<Instant>& began = chapters_[item->chapter];
        if (item->sort != Sort::event || !began || *began + item->offset > now + on_the_way_max) {
            return false;
        }
        is_missing = true;
    }
    return is_missing;
}

/// Whether nothing that changes an answer lies between two places.
bool Recollection::is_quiet_between(std::size_t first, std::size_t second) const {
    const auto [from, to] = std::minmax(first, second);
    return std::none_of(items_.begin() + static_cast<std::ptrdiff_t>(from),
                        items_.begin() + static_cast<std::ptrdiff_t>(to),
                        [](const Item& item) { return item.is_turn; });
}

/// From what QEMU told of it before, or will tell next.
std::optional<Recollection::Answer> Recollection::status() const {
    std::optional<bool> running;
    for (const Item& item : items_) {
        const std::string_view event = event_in(*item.record);
        if (event != "STOP" && event != "RESUME") {
            continue;
        }
        if (item.told) {
            running = event == "RESUME";
        } else {
            running = running ? running : event == "STOP";
            break;
        }
    }
    if (!running) {
        return std::nullopt;
    }
    return at_once(status_reply(*running));
}

Error Recollection::unknown(const QmpCommand& command, std::string why) const {
    return Error{Kind::protocol, "not-recorded",
                 "the plan says " + shown(command) +
                     ", and what QEMU answers is not known: " + std::move(why),
                 "", nullptr};
}

/// What the recording holds instead.
std::string Recollection::nearest(const QmpCommand& command) const {
    std::string used;
    for (const Item& item : items_) {
        if (item.sort == Sort::event || command_in(item.record->message->root()) != command.name) {
            continue;
        }
        const auto where = arguments_differ(item.record->message->root(), command.message.root());
        if (where) {
            return "the recording has it with other arguments (" + line_of(*item.record) +
                   "): " + *where;
        }
        used = line_of(*item.record);
    }
    return used.empty() ? "the recording does not have it"
                        : "the recording has it, the last time in " + used +
                              ", and the plan has said it as often already";
}

// --- What QEMU tells by itself ------------------------------------------------------------------

const Recollection::Item* Recollection::next_told(Instant* due) const {
    const Item* next = nullptr;
    for (const Item& item : items_) {
        const std::optional<Instant>& began = chapters_[item.chapter];
        if (item.sort != Sort::event || item.told || !began) {
            continue;
        }
        if (next == nullptr || *began + item.offset < *due) {
            next = &item;
            *due = *began + item.offset;
        }
    }
    return next;
}

std::optional<Instant> Recollection::next_due() const {
    Instant due{};
    return next_told(&due) != nullptr ? std::optional{due} : std::nullopt;
}

ScenarioRecord Recollection::tell_next() {
    Instant due{};
    const Item* next = next_told(&due);
    KTM_ASSERT(next != nullptr);
    const auto at = static_cast<std::size_t>(next - items_.data());
    items_[at].told = true;
    here_ = std::max(here_, at + 1);
    ScenarioRecord told;
    told.turn = next->record->turn;
    told.line = next->record->line;
    told.signal = next->record->signal;
    told.text = next->record->message ? json::compact(next->record->message->root()) : "";
    return told;
}

std::optional<Instant> Recollection::known_until() const {
    const std::optional<Instant>& began = chapters_.back();
    return began ? std::optional{*began + (end_ - began_)} : std::nullopt;
}

std::optional<std::string> Recollection::untold() const {
    const auto left = std::find_if(items_.begin(), items_.end(),
                                   [](const Item& item) { return !item.told && item.is_turn; });
    if (left == items_.end()) {
        return std::nullopt;
    }
    return left->sort == Sort::acting ? std::string{*command_in(left->record->message->root())} +
                                            " (" + line_of(*left->record) + ")"
                                      : name_of(*left->record);
}

}  // namespace ktm::sim
