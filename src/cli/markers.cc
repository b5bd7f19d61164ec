// SPDX-License-Identifier: Apache-2.0
// cli/markers.cc: the lines on stdout that scripts around the first katamaran read.
#include "cli/markers.hh"

#include <utility>

#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

/// LIMIT: progress of one status is told once in this time, as the first katamaran did.
constexpr Duration marker_every{std::chrono::seconds{1}};
constexpr std::string_view marked_port = "qmp";

std::string figure(std::string_view name, const json::View& object, std::string_view key) {
    const std::optional<json::View> value = object.find(key);
    const std::int64_t number = value ? value->as_int().value_or(0) : 0;
    return " " + std::string{name} + "=" + std::to_string(number);
}

std::string number_of_command(const json::View& message) {
    const std::optional<json::View> id = message.find("id");
    return id ? json::compact(*id) : "";
}

}  // namespace

void Markers::hear(std::string_view line) {
    records_.clear();
    reader_.receive(line, records_);
    for (const trace::Record& record : records_) {
        if (record.port == marked_port && record.message) {
            take(record);
        }
    }
}

void Markers::take(const trace::Record& record) {
    const json::View message = record.message->root();
    if (const auto command = message.find_string("execute")) {
        Asked asked{std::string{*command}, std::nullopt};
        if (const auto arguments = message.find("arguments")) {
            const std::optional<json::View> limit = arguments->find("downtime-limit");
            asked.limit_ms = limit ? limit->as_int() : std::nullopt;
        }
        if (asked.limit_ms || *command == "query-migrate") {
            asked_[number_of_command(message)] = std::move(asked);
        }
    } else if (const auto result = message.find("return")) {
        take_reply(record, *result);
    } else if (message.find_string("event").value_or("") == "MIGRATION") {
        const std::optional<json::View> data = message.find("data");
        const std::string_view status = data ? data->find_string("status").value_or("") : "";
        if (status == "pre-switchover" || status == "completed") {
            tell_limit();
        }
    }
}

void Markers::take_reply(const trace::Record& record, const json::View& result) {
    const auto found = asked_.find(number_of_command(record.message->root()));
    if (found == asked_.end()) {
        return;
    }
    const Asked asked = std::move(found->second);
    asked_.erase(found);
    if (asked.limit_ms) {
        limit_ms_ = asked.limit_ms;
    } else {
        tell_progress(record.time, result);
    }
}

void Markers::tell_progress(Duration time, const json::View& migration) {
    const std::optional<json::View> ram = migration.find("ram");
    const std::string_view status = migration.find_string("status").value_or("");
    if (!ram || (status == status_ && told_ && time - *told_ < marker_every)) {
        return;
    }
    status_ = status;
    told_ = time;
    if (print_) {
        print_("KATAMARAN_PROGRESS status=" + status_ +
               figure("ram_transferred", *ram, "transferred") + figure("ram_total", *ram, "total") +
               figure("ram_remaining", *ram, "remaining"));
    }
}

void Markers::tell_limit() {
    if (!limit_ms_ || !print_ || std::exchange(limit_told_, true)) {
        return;
    }
    const Duration way = (round_trip_ ? round_trip_() : std::nullopt).value_or(Duration::zero());
    const auto way_ms = std::chrono::ceil<std::chrono::milliseconds>(way).count();
    print_("KATAMARAN_DOWNTIME_LIMIT applied_ms=" + std::to_string(*limit_ms_) +
           " rtt_ms=" + std::to_string(way_ms) + " auto=" + (round_trip_ ? "true" : "false"));
}

void Markers::conclude(std::string_view migration) {
    const Result<json::Document> parsed = json::parse(migration);
    const std::optional<json::View> ram = parsed ? parsed->root().find("ram") : std::nullopt;
    if (ram && print_) {
        print_("KATAMARAN_RESULT" + figure("downtime_ms", parsed->root(), "downtime") +
               figure("total_time_ms", parsed->root(), "total-time") +
               figure("ram_transferred", *ram, "transferred") + figure("ram_total", *ram, "total"));
    }
}

}  // namespace ktm::cli
