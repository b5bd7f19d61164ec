// SPDX-License-Identifier: Apache-2.0
// sim/recalled_monitor.cc: a QEMU that answers from a recording, whatever the order.
#include "sim/recalled_monitor.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"
#include "base/text.hh"
#include "json/parser.hh"
#include "sim/argument_difference.hh"

namespace ktm::sim {

Result<std::unique_ptr<RecalledMonitor>> RecalledMonitor::open(ports::Clock& clock,
                                                               ports::Transport& transport,
                                                               const Endpoint& endpoint,
                                                               const ScenarioRecords& records,
                                                               Duration beyond, Handlers handlers) {
    std::unique_ptr<RecalledMonitor> monitor{
        new RecalledMonitor{clock, endpoint.text(), records, beyond, std::move(handlers)}};
    RecalledMonitor* raw = monitor.get();
    Result<std::unique_ptr<QmpServer>> server = QmpServer::open(
        transport, endpoint,
        {[raw] { raw->greet(); }, [raw](QmpCommand command) { raw->take(std::move(command)); },
         [raw](std::string_view line) {
             raw->fail(Error{Kind::protocol, "unreadable-command",
                             "what is no command was sent: " + excerpt(line, shown_bytes_max), "",
                             nullptr});
         },
         [raw] { raw->forget_client(); }});
    if (!server) {
        return std::move(server).error();
    }
    monitor->server_ = std::move(*server);
    return monitor;
}

void RecalledMonitor::greet() {
    if (!recollection_.greeting().empty()) {
        server_->send(recollection_.greeting());
    }
    recollection_.begin(clock_.now());
    turn();
}

void RecalledMonitor::forget_client() {
    commands_.clear();
    reply_.reset();
}

void RecalledMonitor::fail(Error error) {
    forget_client();
    server_->close();
    handlers_.on_unknown(std::move(error).while_trying("simulate " + place_));
}

void RecalledMonitor::take(QmpCommand command) {
    commands_.push_back(std::move(command));
    turn();
}

void RecalledMonitor::turn() {
    timer_.reset();
    while (server_->has_client()) {
        if (!reply_ && !commands_.empty()) {
            const Next next = begin_next();
            if (next == Next::unknown) {
                return;
            }
            if (next == Next::begun) {
                continue;
            }
        }
        const std::optional<Instant> told = recollection_.next_due();
        const bool reply_first = reply_ && (!told || reply_->due <= *told);
        if (!reply_first && !told) {
            return;
        }
        const Instant due = reply_first ? reply_->due : *told;
        if (const Instant now = clock_.now(); due > now) {
            timer_ = clock_.arm(due - now, [this] { turn(); });
            return;
        }
        if (reply_first) {
            say_reply();
        } else {
            tell(recollection_.tell_next());
        }
    }
}

RecalledMonitor::Next RecalledMonitor::begin_next() {
    const Instant now = clock_.now();
    Result<Recollection::Answer> answer = recollection_.answer(commands_.front(), now);
    if (!answer && recollection_.is_on_its_way(commands_.front(), now)) {
        return Next::waits;
    }
    const QmpCommand command = std::move(commands_.front());
    commands_.pop_front();
    if (!answer) {
        fail(std::move(answer).error());
        return Next::unknown;
    }
    if (!answer->after) {
        reply_ = Reply{now + answer->silent_for, "", command.name};
        return Next::begun;
    }
    const Result<json::Document> reply = json::parse(answer->reply);
    KTM_ASSERT(reply.has_value());
    reply_ = Reply{now + *answer->after, with_id(reply->root(), command.id), command.name};
    return Next::begun;
}

void RecalledMonitor::say_reply() {
    Reply reply = *std::exchange(reply_, std::nullopt);
    if (reply.line.empty()) {
        fail(Error{Kind::protocol, "not-recorded",
                   "the plan says " + printable(reply.command) +
                       ", and the recording ends before QEMU has answered that",
                   "", nullptr});
        return;
    }
    server_->send(std::move(reply.line));
}

void RecalledMonitor::tell(const ScenarioRecord& record) {
    if (record.turn == Turn::eof) {
        forget_client();
        server_->close();
    } else if (record.turn == Turn::signal) {
        handlers_.on_signal(record.signal);
    } else {
        server_->send(record.text);
    }
}

}  // namespace ktm::sim
