// SPDX-License-Identifier: Apache-2.0
// sim/replayed_monitor.cc: a QEMU that says again what it said when it was recorded.
#include "sim/replayed_monitor.hh"

#include <algorithm>
#include <utility>

#include "base/text.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "sim/argument_difference.hh"

namespace ktm::sim {

namespace {

using SharedRecord = std::shared_ptr<const ScenarioRecord>;

SharedRecord make_up(Turn turn, std::string_view message) {
    Result<json::Document> document = json::parse(message);
    KTM_ASSERT(document.has_value());
    ScenarioRecord record;
    record.turn = turn;
    record.message = std::move(*document);
    return std::make_shared<const ScenarioRecord>(std::move(record));
}

ScenarioRecords made_up_exchange() {
    return {make_up(Turn::out, R"({"execute":"qmp_capabilities"})"),
            make_up(Turn::in, R"({"return":{}})")};
}

bool greets(const SharedRecord& record) {
    return record->turn == Turn::in && record->message && is_greeting(record->message->root());
}

bool ends_connection(const SharedRecord& record) {
    return record->turn == Turn::eof || record->turn == Turn::left;
}

std::string place_of(const ScenarioRecord& record) {
    return record.line == 0 ? "the negotiation before the trace"
                            : "line " + std::to_string(record.line) + " of the trace";
}

json::Document empty_object() {
    Result<json::Document> object = json::parse("{}");
    KTM_ASSERT(object.has_value());
    return std::move(*object);
}

}  // namespace

ReplayedMonitor::ReplayedMonitor(ports::Clock& clock, std::string place, ScenarioRecords records,
                                 ReplayPolicy policy, OnSignal on_signal)
    : clock_(clock),
      place_(std::move(place)),
      records_(std::move(records)),
      policy_(std::move(policy)),
      on_signal_(std::move(on_signal)) {}

Result<std::unique_ptr<ReplayedMonitor>> ReplayedMonitor::open(
    ports::Clock& clock, ports::Transport& transport, const Endpoint& endpoint,
    ScenarioRecords records, ReplayPolicy policy, OnSignal on_signal) {
    for (const auto& [command, value] : policy.answers) {
        Result<json::Document> parsed = json::parse(value);
        if (!parsed) {
            return std::move(parsed).error().while_trying("take the standing answer to " + command);
        }
    }
    std::unique_ptr<ReplayedMonitor> monitor{new ReplayedMonitor{
        clock, endpoint.text(), std::move(records), std::move(policy), std::move(on_signal)}};
    ReplayedMonitor* raw = monitor.get();
    Result<std::unique_ptr<QmpServer>> server = QmpServer::open(
        transport, endpoint,
        {[raw] { raw->greet(); }, [raw](QmpCommand command) { raw->admit(std::move(command)); },
         [raw](std::string_view line) {
             raw->fail("unreadable-command",
                       "the client sent what is no command: " + excerpt(line, shown_bytes_max));
         },
         [raw] { raw->lose_client(); }});
    if (!server) {
        return std::move(server).error();
    }
    monitor->server_ = std::move(*server);
    return monitor;
}

std::optional<std::string> ReplayedMonitor::unplayed() const {
    const auto rest = records_.begin() + static_cast<std::ptrdiff_t>(cursor_);
    const auto next = std::find_if(rest, records_.end(), [](const SharedRecord& record) {
        return record->turn != Turn::left;
    });
    if (next == records_.end()) {
        return std::nullopt;
    }
    const ScenarioRecord& record = **next;
    return place_of(record) +
           (record.turn == Turn::out
                ? " waits for " + std::string(*command_in(record.message->root()))
                : " was not played");
}

// --- The connection ---------------------------------------------------------------------------

void ReplayedMonitor::greet() {
    if (policy_.made_up_negotiation) {
        make_up_negotiation();
    }
    play();
}

/// Puts what is missing in front of what this connection will play.
void ReplayedMonitor::make_up_negotiation() {
    auto at = records_.begin() + static_cast<std::ptrdiff_t>(cursor_);
    const auto end = std::find_if(at, records_.end(), ends_connection);
    const auto first_command =
        std::find_if(at, end, [](const SharedRecord& record) { return record->turn == Turn::out; });
    const bool negotiated =
        first_command != end && command_in((*first_command)->message->root()) == "qmp_capabilities";
    const auto greeting = std::find_if(at, first_command, greets);
    if (greeting != first_command) {
        at = greeting + 1;
    } else {
        at = records_.insert(at, make_up(Turn::in, made_up_greeting())) + 1;
    }
    if (!negotiated) {
        const ScenarioRecords exchange = made_up_exchange();
        records_.insert(at, exchange.begin(), exchange.end());
    }
}

void ReplayedMonitor::end_connection() {
    server_->hang_up();
    timer_.reset();
    early_.clear();
    for (auto& [recorded, live] : live_ids_) {
        live.reset();
    }
    for (std::optional<std::string>& live : unanswered_) {
        live.reset();
    }
}

void ReplayedMonitor::lose_client() {
    end_connection();
    skip_leaving();
}

/// The client of the recording closed the connection, too.
void ReplayedMonitor::skip_leaving() {
    if (cursor_ < records_.size() && records_[cursor_]->turn == Turn::left) {
        ++cursor_;
    }
}

void ReplayedMonitor::fail(std::string code, std::string what) {
    fault_ = Error{Kind::protocol, std::move(code), std::move(what), "replay a trace at " + place_,
                   nullptr};
    end_connection();
    server_->close();
}

// --- The trace --------------------------------------------------------------------------------

void ReplayedMonitor::play() {
    while (server_->has_client() && !timer_ && cursor_ < records_.size()) {
        const SharedRecord record = records_[cursor_];
        switch (record->turn) {
            case Turn::left: return;
            case Turn::out:
                if (early_.empty()) {
                    return;
                }
                take(*record);
                break;
            case Turn::in:
            case Turn::eof:
            case Turn::signal:
                timer_ = clock_.arm(record->after, [this, record] { play_timed(*record); });
                break;
        }
    }
}

void ReplayedMonitor::play_timed(const ScenarioRecord& record) {
    timer_.reset();
    ++cursor_;
    if (record.turn == Turn::eof) {
        say_eof();
        return;
    }
    if (record.turn == Turn::in) {
        say(record);
    } else if (on_signal_) {
        on_signal_(record.signal);
    }
    play();
}

void ReplayedMonitor::say(const ScenarioRecord& record) {
    if (!record.message) {
        server_->send(record.text);
    } else if (is_reply(record.message->root())) {
        say_reply(record);
    } else {
        server_->send(json::compact(record.message->root()));
    }
}

void ReplayedMonitor::say_reply(const ScenarioRecord& record) {
    const json::View reply = record.message->root();
    const std::string id = id_of(reply);
    if (id.empty() && unanswered_.empty()) {
        server_->send(json::compact(reply));
        return;
    }
    std::optional<std::string> live;
    if (id.empty()) {
        live = std::move(unanswered_.back());
        unanswered_.pop_back();
    } else if (const auto found = live_ids_.find(id); found != live_ids_.end()) {
        live = found->second;
    } else {
        fail("unknown-reply", place_of(record) + " answers a command with the id " + id +
                                  ", which the trace does not hold");
        return;
    }
    if (live) {
        server_->send(with_id(reply, *live));
    }
}

void ReplayedMonitor::say_eof() {
    end_connection();
    if (cursor_ == records_.size()) {
        server_->close();
    } else if (server_->has_waiting()) {
        skip_leaving();
        server_->serve_next();
    }
}

/// The client has sent the command of this record.
void ReplayedMonitor::take(const ScenarioRecord& record) {
    const QmpCommand command = std::move(early_.front());
    early_.pop_front();
    const std::string recorded_id = id_of(record.message->root());
    if (recorded_id.empty()) {
        unanswered_.push_back(command.id);
    } else {
        live_ids_[recorded_id] = command.id;
    }
    ++cursor_;
}

// --- The client -------------------------------------------------------------------------------

void ReplayedMonitor::admit(QmpCommand command) {
    const ScenarioRecord* expected = command_ahead(early_.size());
    std::optional<std::string> wrong;
    if (expected != nullptr) {
        wrong = mismatch(*expected, command);
    }
    const bool fits = expected != nullptr && !wrong;
    const bool at_cursor =
        early_.empty() && expected != nullptr && records_[cursor_].get() == expected;
    if (!(fits && at_cursor) && answer_standing(command)) {
        return;
    }
    if (fits) {
        early_.push_back(std::move(command));
        play();
    } else if (expected == nullptr) {
        server_->answer(command, "error", generic_error("the trace has ended"));
    } else {
        fail("mismatch", *wrong);
    }
}

bool ReplayedMonitor::answer_standing(const QmpCommand& command) {
    const auto found = policy_.answers.find(command.name);
    if (found != policy_.answers.end()) {
        server_->answer(command, "return", found->second);
        return true;
    }
    if (command.name == "query-qmp-schema" || command.name == "query-target") {
        server_->answer(command, "error", generic_error("the trace does not hold it"));
        return true;
    }
    return false;
}

/// The record of the command after the next `skipped` ones, of this connection; null when there is
/// none.
const ScenarioRecord* ReplayedMonitor::command_ahead(std::size_t skipped) const {
    for (std::size_t i = cursor_; i < records_.size() && !ends_connection(records_[i]); ++i) {
        if (records_[i]->turn == Turn::out && skipped-- == 0) {
            return records_[i].get();
        }
    }
    return nullptr;
}

std::optional<std::string> ReplayedMonitor::mismatch(const ScenarioRecord& record,
                                                     const QmpCommand& command) const {
    const json::View recorded = record.message->root();
    const std::string name{*command_in(recorded)};
    if (name != command.name) {
        return place_of(record) + " expected " + name + ", got " + printable(command.name);
    }
    const std::optional<json::View> arguments = recorded.find("arguments");
    if (!arguments || !policy_.strict_arguments) {
        return std::nullopt;
    }
    const json::Document none = empty_object();
    const std::optional<std::string> where =
        difference(*arguments, command.message.root().find("arguments").value_or(none.root()));
    return where ? std::optional{place_of(record) + " expected other arguments of " + name + ": " +
                                 *where}
                 : std::nullopt;
}

}  // namespace ktm::sim
