// SPDX-License-Identifier: Apache-2.0
// sim/recalled_exchanges.cc: what a recorded kernel, program or file can still honestly say.
#include "sim/recalled_exchanges.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hh"
#include "base/secrets.hh"
#include "base/text.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "sim/argument_difference.hh"
#include "trace/exchange.hh"

namespace ktm::sim {

namespace {

bool is_change(std::string_view what) {
    constexpr std::array<std::string_view, 7> verbs{"add-",   "delete-", "set-",  "put-",
                                                    "block-", "open-",   "write-"};
    return std::any_of(verbs.begin(), verbs.end(),
                       [what](std::string_view verb) { return what.starts_with(verb); });
}

/// What a request is about, the requests of a guard included.
void add_names(const json::View& value, std::vector<std::string>& names) {
    for (const json::View item : value.items()) {
        add_names(item, names);
    }
    for (const json::View::Field field : value.fields()) {
        const bool is_name = field.key == "link" || field.key == "name" || field.key == "to";
        if (is_name && field.value.is_string()) {
            names.emplace_back(*field.value.as_string());
        } else {
            add_names(field.value, names);
        }
    }
}

json::Document parsed(std::string_view text) {
    Result<json::Document> document = json::parse(text);
    KTM_ASSERT(document.has_value());
    return std::move(*document);
}

}  // namespace

RecalledExchanges::RecalledExchanges(std::vector<trace::Record> records, Duration end) : end_(end) {
    for (trace::Record& record : records) {
        if (!record.message) {
            continue;
        }
        const json::View message = record.message->root();
        if (const auto watch = message.find("watch"); watch && watch->as_uint()) {
            read_heard(record, *watch->as_uint());
        } else if (const auto killed = message.find("kills"); killed && killed->as_uint()) {
            if (Item* item = find(*killed->as_uint())) {
                item->was_killed = true;
            }
        } else if (const auto id = trace::exchange_id(message)) {
            if (message.find("request")) {
                read_request(record, *id);
            } else {
                read_answer(record, *id);
            }
        }
    }
}

void RecalledExchanges::read_request(trace::Record& record, std::uint64_t id) {
    const json::View message = record.message->root();
    const json::View request = *message.find("request");
    Item item;
    item.id = id;
    item.place = message.find_string("in").value_or("");
    item.what = request.find_string("what").value_or("");
    item.words = message.find_string("words").value_or(item.what);
    item.request = json::compact(request);
    item.parsed = json::Document::extract(request);
    add_names(request, item.names);
    std::sort(item.names.begin(), item.names.end());
    item.is_change = is_change(item.what);
    item.at = record.time;
    item.line = record.line;
    items_.push_back(std::move(item));
}

void RecalledExchanges::read_answer(trace::Record& record, std::uint64_t id) {
    Item* item = find(id);
    if (item == nullptr || item->message) {
        return;
    }
    item->after = std::max(record.time - item->at, Duration::zero());
    item->had_effect = !record.message->root().find("error");
    item->message = std::move(record.message);
}

void RecalledExchanges::read_heard(trace::Record& record, std::uint64_t watch) {
    const Item* const begin = find(watch);
    if (begin == nullptr) {
        return;
    }
    const auto cause = std::find_if(items_.rbegin(), items_.rend(), [&](const Item& item) {
        return item.place == begin->place && (item.is_change || &item == begin);
    });
    cause->heard.push_back(
        {watch, std::max(record.time - cause->at, Duration::zero()), std::move(*record.message)});
}

RecalledExchanges::Item* RecalledExchanges::find(std::uint64_t id) {
    const auto found = std::find_if(items_.rbegin(), items_.rend(),
                                    [id](const Item& item) { return item.id == id; });
    return found == items_.rend() ? nullptr : &*found;
}

// --- Answering ----------------------------------------------------------------------------------

Result<RecalledExchanges::Answer> RecalledExchanges::answer(std::string_view place,
                                                            std::string_view request,
                                                            std::string_view words, Again again) {
    const json::Document asked = parsed(request);
    Item* latest = nullptr;
    for (Item& item : items_) {
        const bool hides = item.request.find(secret_mark) != std::string::npos;
        const bool is_same =
            item.place == place &&
            (hides ? !difference(item.parsed.root(), asked.root()) : item.request == request);
        const bool is_over = item.used && (item.is_change || again == Again::never);
        if (!is_same || is_over || obstacle(item) != nullptr) {
            continue;
        }
        if (!item.used) {
            return answer_of(item);
        }
        latest = &item;
    }
    if (latest != nullptr) {
        return answer_of(*latest);
    }
    return Error{Kind::protocol, "not-recorded",
                 "the plan wants to " + excerpt(words, shown_bytes_max) +
                     (place.empty() ? "" : " in " + printable(place)) +
                     ", and what comes of it is not known: " + why_not(place, request),
                 "", nullptr};
}

bool RecalledExchanges::is_related(const Item& one, const Item& other) {
    const auto is_of_other = [&](const std::string& name) {
        return std::binary_search(other.names.begin(), other.names.end(), name);
    };
    return one.place == other.place &&
           (one.names.empty() || other.names.empty() ||
            std::any_of(one.names.begin(), one.names.end(), is_of_other));
}

const RecalledExchanges::Item* RecalledExchanges::obstacle(const Item& item) const {
    bool is_before = true;
    for (const Item& other : items_) {
        if (&other == &item) {
            is_before = false;
            continue;
        }
        if (other.is_change && other.had_effect && other.used != is_before &&
            is_related(item, other)) {
            return &other;
        }
    }
    return nullptr;
}

RecalledExchanges::Answer RecalledExchanges::answer_of(Item& item) const {
    Answer answer;
    answer.id = item.id;
    answer.after = item.after;
    answer.silent_for = std::max(end_ - item.at, Duration::zero());
    answer.message = item.message ? &*item.message : nullptr;
    answer.was_killed = item.was_killed;
    if (!std::exchange(item.used, true)) {
        for (const Heard& heard : item.heard) {
            answer.heard.push_back(&heard);
        }
    }
    return answer;
}

/// What the recording holds instead.
std::string RecalledExchanges::why_not(std::string_view place, std::string_view request) const {
    const json::Document asked = parsed(request);
    const std::string_view what = asked.root().find_string("what").value_or("");
    std::string elsewhere;
    std::string otherwise;
    std::string often;
    for (const Item& item : items_) {
        if (item.what != what) {
            continue;
        }
        const std::string line = "line " + std::to_string(item.line);
        const std::optional<std::string> where = difference(item.parsed.root(), asked.root());
        const Item* const change = obstacle(item);
        if (where) {
            otherwise = otherwise.empty()
                            ? "the recording has it otherwise (" + line + "): " + *where
                            : otherwise;
        } else if (item.place != place) {
            elsewhere = "the recording has it elsewhere (" + line + "): in " +
                        (item.place.empty() ? "our own namespace" : printable(item.place));
        } else if (change != nullptr && !(item.used && item.is_change)) {
            return "in the recording it comes (" + line + ") " +
                   (change->used ? "before" : "behind") + " '" + change->words + "' (line " +
                   std::to_string(change->line) + "), which has " + (change->used ? "" : "not ") +
                   "been done here";
        } else {
            often = "the recording has it, the last time in " + line +
                    ", and the plan has done it as often already";
        }
    }
    for (const std::string& reason : {often, elsewhere, otherwise}) {
        if (!reason.empty()) {
            return reason;
        }
    }
    return items_.empty() ? "the recording holds nothing of the kind"
                          : "the recording does not have it";
}

std::optional<std::string> RecalledExchanges::untold() const {
    const auto left = std::find_if(items_.begin(), items_.end(), [](const Item& item) {
        return !item.used && (item.is_change || item.what == "run");
    });
    return left == items_.end()
               ? std::nullopt
               : std::optional{"'" + left->words + "' (line " + std::to_string(left->line) + ")"};
}

}  // namespace ktm::sim
