// SPDX-License-Identifier: Apache-2.0
// qmp/session.cc: one QMP conversation. The theory of operation is in the header.
#include "qmp/session.hh"

#include <algorithm>
#include <utility>

#include "base/text.hh"

namespace ktm::qmp {

namespace {

std::string intent_of(const std::string& command) {
    return "run " + command;
}

std::string number(CommandId id) {
    return "#" + std::to_string(id.value);
}

}  // namespace

std::string_view name_of(Session::State state) noexcept {
    switch (state) {
        case Session::State::greeting: return "greeting";
        case Session::State::negotiating: return "negotiating";
        case Session::State::ready: return "ready";
        case Session::State::closed: return "closed";
    }
    return "unknown";
}

Session::Session(Limits limits, LineTap tap)
    : limits_(limits), tap_(std::move(tap)), framer_(limits.line_bytes_max) {}

void Session::open(Instant now) {
    if (state_ == State::greeting) {
        phase_deadline_ = now + limits_.greeting_within;
    }
}

void Session::receive(std::string_view bytes, Instant now) {
    if (state_ == State::closed) {
        return;
    }
    framer_.receive(bytes);
    while (state_ != State::closed) {
        const std::optional<std::string_view> line = framer_.next();
        if (!line) {
            break;
        }
        read_line(*line, now);
    }
    if (state_ != State::closed && framer_.overflowed()) {
        show_unfinished();
        fail(Error{Kind::protocol, "line-too-long",
                   "a message of more than " + std::to_string(limits_.line_bytes_max) + " bytes",
                   "read a message of QEMU", nullptr});
    }
}

void Session::read_line(std::string_view line, Instant now) {
    Result<Message> message = decode(parser_, line);
    if (tap_) {
        tap_(message ? Flow::in : Flow::unreadable, line);
    }
    if (message) {
        accept(std::move(*message), now);
    } else {
        refuse(std::move(message).error());
    }
}

/// Ends the conversation because of something that QEMU sent.
void Session::refuse(Error error) {
    fail(state_ == State::greeting
             ? std::move(error).wrapped(Kind::protocol, "bad-greeting",
                                        "what answers there does not speak QMP", "greet QEMU")
             : std::move(error));
}

/// A line that has no end is shown as well: it is the evidence that one wants most.
void Session::show_unfinished() {
    if (tap_ && !framer_.unfinished().empty()) {
        tap_(Flow::unreadable, framer_.unfinished());
    }
}

void Session::put(const std::string& line) {
    if (tap_) {
        tap_(Flow::out, std::string_view{line}.substr(0, line.size() - 1));
    }
    output_ += line;
}

void Session::accept(Message&& message, Instant now) {
    switch (message.form) {
        case Message::Form::greeting: accept_greeting(message.body, now); break;
        case Message::Form::event: accept_event(Event{std::move(message.body)}); break;
        case Message::Form::result:
        case Message::Form::error: accept_reply(std::move(message)); break;
    }
}

void Session::accept_greeting(const json::Document& body, Instant now) {
    if (state_ != State::greeting) {
        fail(Error{Kind::protocol, "second-greeting",
                   "QEMU greeted twice on one connection; it may have been replaced by another",
                   "read a message of QEMU", nullptr});
        return;
    }
    Result<Greeting> greeting = greeting_of(body);
    if (!greeting) {
        refuse(std::move(greeting).error());
        return;
    }
    greeting_ = std::move(*greeting);
    state_ = State::negotiating;
    phase_deadline_ = now + limits_.negotiation_within;
    negotiation_ = ids_.next();
    put(encode(*negotiation_, "qmp_capabilities", ""));
}

void Session::accept_event(Event&& event) {
    if (state_ == State::greeting) {
        happenings_.emplace_back(Warned{"dropped the event " + printable(event.name()) +
                                        ", which came before the greeting"});
        return;
    }
    happenings_.emplace_back(std::in_place_type<Event>, std::move(event));
}

void Session::accept_reply(Message&& message) {
    if (state_ == State::greeting) {
        happenings_.emplace_back(Warned{"dropped a reply that came before the greeting"});
        return;
    }
    const bool refused = message.form == Message::Form::error;
    if (refused && !message.id) {
        fail(refusal_of(message.body)
                 .wrapped(Kind::protocol, "unreadable-command",
                          "QEMU could not read what was sent to it", "talk to QEMU"));
        return;
    }
    if (negotiation_ && message.id == negotiation_) {
        accept_negotiation(message);
        return;
    }
    const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& pending) {
        return message.id == pending.id;
    });
    // Before the negotiation is over none of our commands has been sent: no reply can be theirs.
    if (found == pending_.end() || state_ != State::ready) {
        warn_of_unexpected(message);
        return;
    }
    const auto index = static_cast<std::size_t>(found - pending_.begin());
    if (refused) {
        answer(index, refusal_of(message.body).while_trying(intent_of(found->command)));
    } else {
        answer(index, Reply{std::move(message.body)});
    }
}

void Session::accept_negotiation(const Message& message) {
    negotiation_.reset();
    if (message.form == Message::Form::error) {
        fail(refusal_of(message.body)
                 .wrapped(Kind::protocol, "negotiation-refused", "QEMU refused the negotiation",
                          "talk to QEMU"));
        return;
    }
    state_ = State::ready;
    phase_deadline_.reset();
    for (Pending& pending : pending_) {
        put(std::exchange(pending.unsent, {}));
    }
    happenings_.emplace_back(Became{greeting_});
}

void Session::warn_of_unexpected(const Message& message) {
    if (!message.id) {
        happenings_.emplace_back(Warned{"dropped a reply without an id"});
    } else if (message.id->value == 0 || message.id->value > ids_.last()) {
        happenings_.emplace_back(Warned{"dropped a reply to a command that was never sent"});
    } else {
        happenings_.emplace_back(
            Warned{"dropped a late or second reply to command " + number(*message.id)});
    }
}

void Session::answer(std::size_t index, Result<Reply>&& reply) {
    happenings_.emplace_back(std::in_place_type<Answered>, pending_[index].id, std::move(reply));
    if (index == 0) {
        pending_.pop_front();
    } else {
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
    }
}

void Session::fail_all(const Error& sent, const Error& never_sent) {
    while (!pending_.empty()) {
        Error error = pending_.front().unsent.empty() ? sent : never_sent;
        error.during = intent_of(pending_.front().command);
        answer(0, std::move(error));
    }
}

void Session::fail(Error error) {
    if (state_ == State::closed) {
        return;
    }
    state_ = State::closed;
    phase_deadline_.reset();
    const auto cause = std::make_shared<const Error>(error);
    fail_all(Error{Kind::lost, "connection-lost",
                   "the connection ended before the reply came; whether QEMU carried the command "
                   "out is not known",
                   "", cause},
             Error{Kind::lost, "connection-lost",
                   "the connection ended before the command was sent", "", cause});
    happenings_.emplace_back(Closed{std::move(error)});
}

void Session::hang_up(std::optional<Error> error) {
    if (state_ == State::closed) {
        return;
    }
    const bool torn = !framer_.unfinished().empty();
    show_unfinished();
    std::string what = torn ? "QEMU closed the connection in the middle of a message"
                            : "QEMU closed the connection";
    if (state_ == State::greeting) {
        what += " before its greeting";
    }
    Error lost{Kind::lost, "connection-lost", std::move(what), "", nullptr};
    if (error) {
        lost.cause = std::make_shared<const Error>(std::move(*error));
    }
    fail(std::move(lost));
}

void Session::finish() {
    if (state_ == State::closed) {
        return;
    }
    state_ = State::closed;
    phase_deadline_.reset();
    const Error ended{Kind::cancelled, "cancelled", "the conversation was ended on our side", "",
                      nullptr};
    fail_all(ended, ended);
    happenings_.emplace_back(Closed{std::nullopt});
}

Error Session::silence() const {
    if (state_ == State::greeting) {
        return Error{Kind::timeout, "no-greeting",
                     "no greeting within " + format_duration(limits_.greeting_within) +
                         "; QEMU serves one client at a time, so another program probably holds "
                         "this monitor",
                     "greet QEMU", nullptr};
    }
    return Error{Kind::timeout, "no-negotiation",
                 "no answer within " + format_duration(limits_.negotiation_within),
                 "negotiate with QEMU", nullptr};
}

void Session::tick(Instant now) {
    if (phase_deadline_ && *phase_deadline_ <= now) {
        fail(silence());
    }
    expire_commands(now);
}

void Session::expire_commands(Instant now) {
    for (std::size_t i = 0; i < pending_.size();) {
        const Pending& pending = pending_[i];
        if (!pending.deadline || *pending.deadline > now) {
            ++i;
            continue;
        }
        const char* what = pending.unsent.empty()
                               ? "QEMU did not reply in time; whether it carried the command out "
                                 "is not known"
                               : "QEMU was not ready in time; the command was not sent";
        answer(i, Error{Kind::timeout, "no-reply", what, intent_of(pending.command), nullptr});
    }
}

Result<CommandId> Session::send(std::string_view command, std::string_view arguments,
                                std::optional<Duration> within, Instant now) {
    std::string name{command};
    if (state_ == State::closed) {
        return Error{Kind::lost, "connection-lost", "the connection to QEMU has ended",
                     intent_of(name), nullptr};
    }
    if (pending_.size() >= limits_.pending_commands_max) {
        return Error{Kind::usage, "too-many-commands",
                     std::to_string(pending_.size()) + " commands wait for their replies already",
                     intent_of(name), nullptr};
    }
    const CommandId id = ids_.next();
    const std::optional<Instant> deadline = within ? std::optional{now + *within} : std::nullopt;
    std::string line = encode(id, command, arguments);
    if (state_ == State::ready) {
        put(std::exchange(line, {}));
    }
    pending_.push_back(Pending{id, std::move(name), deadline, std::move(line)});
    return id;
}

std::optional<Instant> Session::deadline() const {
    std::optional<Instant> first = phase_deadline_;
    for (const Pending& pending : pending_) {
        if (pending.deadline && (!first || *pending.deadline < *first)) {
            first = pending.deadline;
        }
    }
    return first;
}

void Session::take_happenings(std::vector<Happening>& spent) {
    spent.clear();
    std::swap(spent, happenings_);
}

std::string Session::take_output() {
    return std::exchange(output_, {});
}

}  // namespace ktm::qmp
