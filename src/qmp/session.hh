// SPDX-License-Identifier: Apache-2.0
// qmp/session.hh: one QMP conversation, as a machine without a socket.
//
// Theory of operation
//
// Purpose: to be the only place that knows what is a legal QMP conversation. Bytes go in by
// receive(), time by tick(), the end of the stream by hang_up(); what happened comes out of
// take_happenings() in the order in which it happened, and bytes to send out of take_output().
//
//     Greeting ──greeting──> Negotiating ──return──> Ready
//        │                        │                     │
//        └──────────── fault, deadline, end of stream ──┴──> Closed
//
// Commands: accepted in every state but Closed; sent when Ready, pipelined, numbered from 1. Each
// ends by exactly one Answered: QEMU's result, QEMU's refusal, its own deadline, or the end of the
// connection. A deadline ends the wait, not the connection: the late reply is recognised by its
// number and dropped. The number of a reply is the only thing that is believed; order is not.
//
// Dropped with a Warned: a reply with a number that waits for nothing (unknown, late, second), a
// reply without a number that is no error, and anything but a greeting before the greeting, because
// QEMU may flush to us what it still owed the client before us.
//
// Fatal, the session closes and every waiting command is told: bytes that are not JSON, a line
// beyond the limit, a message of no known kind, a second greeting, an error without a number (QEMU
// could not read what we sent, and we cannot know which command that was).
//
// Deadlines: one for the greeting, one for the negotiation, one for each command that asked for
// one. It does not reconnect, it does not retry, and it does not know any command but
// qmp_capabilities.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/unique_function.hh"
#include "json/framer.hh"
#include "qmp/message.hh"

namespace ktm::qmp {

/// A warning that belongs to the conversation; the owner of the session logs it.
struct Warned {
    std::string text;
};

/// The negotiation has succeeded; the greeting is here to stay.
struct Became {
    Greeting greeting;
};

/// A command has ended, in the one way that it ends.
struct Answered {
    Answered(CommandId command, Result<Reply>&& outcome) : id(command), reply(std::move(outcome)) {}

    CommandId id;
    Result<Reply> reply;
};

/// The conversation is over; nothing follows. Nothing when it ended by finish().
struct Closed {
    std::optional<Error> error;
};

using Happening = std::variant<Event, Answered, Warned, Became, Closed>;

struct Limits {
    /// The schema, the largest answer, has about 0.2 MiB; QEMU itself stops at 64 MiB a token.
    std::size_t line_bytes_max = 16U << 20U;
    std::size_t pending_commands_max = 1024;
    Duration greeting_within = std::chrono::seconds{5};
    Duration negotiation_within = std::chrono::seconds{5};
};

/// Which way a line went. An unreadable one came in and was not JSON.
enum class Flow { in, out, unreadable };

class Session {
public:
    /// Sees every line as it crosses, without its newline, for a recording.
    using LineTap = UniqueFunction<void(Flow, std::string_view)>;

    enum class State { greeting, negotiating, ready, closed };

    explicit Session(Limits limits, LineTap tap = nullptr);

    /// The connection is there: the time for the greeting begins.
    void open(Instant now);

    /// Bytes that arrived.
    void receive(std::string_view bytes, Instant now);
    /// The stream has ended: orderly, or with an error.
    void hang_up(std::optional<Error> error);
    /// The conversation cannot be had, or cannot go on, for a reason outside of it.
    void fail(Error error);
    /// Time has passed; ends what is over its deadline.
    void tick(Instant now);
    /// We end it: what still waits is answered with `cancelled`.
    void finish();

    /// Asks for a command. `arguments` is a JSON object or empty. An error means that nothing was
    /// queued: the session is closed or too many commands wait already.
    [[nodiscard]] Result<CommandId> send(std::string_view command, std::string_view arguments,
                                         std::optional<Duration> within, Instant now);

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return pending_.size(); }
    /// When tick() has to be called next; nothing when no deadline runs.
    [[nodiscard]] std::optional<Instant> deadline() const;

    /// What happened since the last call, in order. The vector is swapped with `spent`, so that a
    /// caller who gives back the last one allocates nothing.
    void take_happenings(std::vector<Happening>& spent);
    /// Bytes to send since the last call.
    [[nodiscard]] std::string take_output();

private:
    struct Pending {
        CommandId id;
        std::string command;
        std::optional<Instant> deadline;
        std::string unsent;  ///< The line, as long as it waits for the negotiation.
    };

    void read_line(std::string_view line, Instant now);
    void accept(Message&& message, Instant now);
    void refuse(Error error);
    void put(const std::string& line);
    void show_unfinished();
    void accept_greeting(const json::Document& body, Instant now);
    void accept_event(Event&& event);
    void accept_reply(Message&& message);
    void accept_negotiation(const Message& message);
    void warn_of_unexpected(const Message& message);
    void answer(std::size_t index, Result<Reply>&& reply);
    void fail_all(const Error& sent, const Error& never_sent);
    void expire_commands(Instant now);
    [[nodiscard]] Error silence() const;

    Limits limits_;
    LineTap tap_;
    State state_ = State::greeting;
    json::Framer framer_;
    json::Parser parser_{line_rules};
    IdCounter<CommandTag> ids_;
    std::optional<CommandId> negotiation_;
    Greeting greeting_;
    std::optional<Instant> phase_deadline_;
    std::deque<Pending> pending_;  ///< In the order of their ids; replies nearly always are, too.
    std::string output_;
    std::vector<Happening> happenings_;
};

[[nodiscard]] std::string_view name_of(Session::State state) noexcept;

}  // namespace ktm::qmp
