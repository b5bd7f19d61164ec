// SPDX-License-Identifier: Apache-2.0
// tests/unit/qmp/conversation.hh: a session with a hand on its clock, and what happened as text.
#pragma once

#include <string>
#include <vector>

#include "json/writer.hh"
#include "qmp/session.hh"

namespace ktm::qmp::testing {

inline constexpr const char* greeting_line =
    R"({"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":"Debian"},)"
    R"("capabilities":["oob"]}})"
    "\r\n";

/// One word or two for each happening, so that a test asserts the whole sequence.
inline std::string told(const Happening& happening) {
    if (const auto* event = std::get_if<Event>(&happening)) {
        return "event " + std::string(event->name());
    }
    if (const auto* answered = std::get_if<Answered>(&happening)) {
        const std::string number = "#" + std::to_string(answered->id.value) + " ";
        return answered->reply ? "reply " + number + json::compact(answered->reply->result())
                               : "error " + number + answered->reply.error().code;
    }
    if (const auto* warned = std::get_if<Warned>(&happening)) {
        return "warned: " + warned->text;
    }
    if (const auto* became = std::get_if<Became>(&happening)) {
        return "ready " + became->greeting.version();
    }
    const auto& closed = std::get<Closed>(happening);
    return "closed " + (closed.error ? closed.error->code : std::string("by us"));
}

class Conversation {
public:
    explicit Conversation(Limits limits = {}) : session(limits) { session.open(now); }

    /// A conversation whose negotiation is over; command numbers go on from 2.
    static Conversation ready(Limits limits = {}) {
        Conversation conversation{limits};
        conversation.hear(greeting_line);
        conversation.hear("{\"return\": {}, \"id\": 1}\r\n");
        (void)conversation.happened();
        (void)conversation.session.take_output();
        return conversation;
    }

    void hear(std::string_view bytes) { session.receive(bytes, now); }
    void pass(Duration time) {
        now += time;
        session.tick(now);
    }
    CommandId ask(std::string_view command, std::optional<Duration> within = std::nullopt) {
        return *session.send(command, "", within, now);
    }

    /// What happened since the last call, in order.
    std::vector<std::string> happened() {
        std::vector<Happening> happenings;
        session.take_happenings(happenings);
        std::vector<std::string> lines;
        for (const Happening& happening : happenings) {
            lines.push_back(told(happening));
        }
        return lines;
    }

    Instant now{};
    Session session;
};

using Lines = std::vector<std::string>;

}  // namespace ktm::qmp::testing
