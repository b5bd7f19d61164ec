// SPDX-License-Identifier: Apache-2.0
// tests/unit/peer/conversation.hh: one side with a hand on its clock, and what happened as text.
#pragma once

#include <string>
#include <vector>

#include "json/writer.hh"
#include "peer/session.hh"

namespace ktm::peer::testing {

using Lines = std::vector<std::string>;

inline Hello hello_of(const std::string& role) {
    Hello hello;
    hello.tool = "1.0";
    hello.plan = "move";
    hello.digest = "00aa";
    hello.role = role;
    hello.run = "run of " + role;
    hello.agreed = {{"vm_ip", "10.1.2.3"}};
    return hello;
}

/// One word or two for each happening, so that a test asserts the whole sequence.
inline std::string told(const Happening& happening) {
    if (const auto* greeted = std::get_if<Greeted>(&happening)) {
        return "greeted " + greeted->theirs.role;
    }
    if (const auto* said = std::get_if<Said>(&happening)) {
        return (said->asked ? "asked " : "said ") + said->word + " " +
               json::compact(said->data.root());
    }
    if (const auto* answered = std::get_if<Answered>(&happening)) {
        return "answer to " + std::to_string(answered->ask) + " " +
               json::compact(answered->data.root());
    }
    if (const auto* warned = std::get_if<Warned>(&happening)) {
        return "warned: " + warned->text;
    }
    if (const auto* ended = std::get_if<Ended>(&happening)) {
        return "ended " + ended->how +
               (ended->data ? " " + json::compact(ended->data->root()) : "");
    }
    if (const auto* lost = std::get_if<Lost>(&happening)) {
        return "lost " + std::string{name_of(lost->why)} + " " + lost->error.code;
    }
    return std::holds_alternative<Broken>(happening) ? "broken" : "resumed";
}

/// A session, fed by hand.
class Conversation {
public:
    explicit Conversation(const std::string& role, Limits limits = {})
        : session(role == "source" ? Session::Side::connects : Session::Side::listens,
                  hello_of(role), limits) {}

    /// A source that is together with a destination that we play.
    static Conversation together(Limits limits = {}) {
        Conversation source{"source", limits};
        source.session.open(source.now);
        source.hear(encode_hello(hello_of("dest"), "", Beat{}));
        (void)source.happened();
        (void)source.out();
        return source;
    }

    void hear(std::string_view bytes) { session.receive(bytes, now); }
    void pass(Duration time) {
        now += time;
        session.tick(now);
    }
    [[nodiscard]] std::string out() { return session.take_output(); }

    /// What happened since the last call, in order.
    Lines happened() {
        std::vector<Happening> happenings;
        session.take_happenings(happenings);
        Lines lines;
        for (const Happening& happening : happenings) {
            lines.push_back(told(happening));
        }
        return lines;
    }

    Instant now{};
    Session session;
};

}  // namespace ktm::peer::testing
