// SPDX-License-Identifier: Apache-2.0
// tests/unit/qmp/session_test.cc: the legal conversation.
#include <catch2/catch.hpp>

#include "unit/qmp/conversation.hh"

using namespace ktm::qmp;
using namespace ktm::qmp::testing;
using namespace std::chrono_literals;

TEST_CASE("qmp/session: greeting, negotiation, ready") {
    Conversation talk;
    CHECK(talk.session.state() == Session::State::greeting);
    CHECK(talk.session.take_output().empty());
    talk.hear(greeting_line);
    CHECK(talk.session.state() == Session::State::negotiating);
    CHECK(talk.session.take_output() == "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
    CHECK(talk.happened().empty());
    talk.hear("{\"return\": {}, \"id\": 1}\r\n");
    CHECK(talk.session.state() == Session::State::ready);
    CHECK(talk.happened() == Lines{"ready 7.2.22 (Debian)"});
    CHECK_FALSE(talk.session.deadline());
}

TEST_CASE("qmp/session: commands given early are sent when it is ready, in their order") {
    Conversation talk;
    talk.ask("stop");
    talk.hear(greeting_line);
    talk.ask("cont");
    CHECK(talk.session.take_output() == "{\"execute\":\"qmp_capabilities\",\"id\":2}\n");
    talk.hear("{\"return\": {}, \"id\": 2}\r\n");
    CHECK(talk.session.take_output() ==
          "{\"execute\":\"stop\",\"id\":1}\n{\"execute\":\"cont\",\"id\":3}\n");
}

TEST_CASE("qmp/session: arguments are sent as they are given") {
    Conversation talk = Conversation::ready();
    REQUIRE(talk.session.send("migrate", R"({"uri":"tcp:a:1"})", std::nullopt, talk.now));
    CHECK(talk.session.take_output() ==
          "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"tcp:a:1\"},\"id\":2}\n");
}

TEST_CASE("qmp/session: replies are matched by id, whatever their order") {
    Conversation talk = Conversation::ready();
    talk.ask("a");
    talk.ask("b");
    talk.ask("c");
    talk.hear("{\"return\": {\"x\": 4}, \"id\": 4}\r\n{\"id\": 2, \"return\": 2}\r\n");
    talk.hear("{\"id\": 3, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n");
    CHECK(talk.happened() == Lines{"reply #4 {\"x\":4}", "reply #2 2", "error #3 GenericError"});
    CHECK(talk.session.waiting() == 0);
}

TEST_CASE("qmp/session: a refusal carries QEMU's class and text and the command") {
    Conversation talk = Conversation::ready();
    talk.ask("cont");
    talk.hear(R"({"id": 2, "error": {"class": "GenericError", "desc": "not finalized yet"}})"
              "\r\n");
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    const auto& error = std::get<Answered>(happenings.at(0)).reply.error();
    CHECK(error.kind == ktm::Kind::refused);
    CHECK(error.sentence() == "could not run cont: QEMU says: not finalized yet (GenericError)");
}

TEST_CASE("qmp/session: events between everything else come out in their order") {
    Conversation talk = Conversation::ready();
    talk.ask("stop");
    talk.hear(
        "{\"event\": \"STOP\"}\r\n{\"return\": {}, \"id\": 2}\r\n{\"event\": \"RESUME\"}\r\n");
    CHECK(talk.happened() == Lines{"event STOP", "reply #2 {}", "event RESUME"});
}

TEST_CASE("qmp/session: QEMU's own time stamps are kept, and a bad stamp is none") {
    Conversation talk = Conversation::ready();
    talk.hear(R"({"timestamp": {"seconds": 1795227836, "microseconds": 274241}, "event": "STOP"})"
              "\r\n"
              R"({"timestamp": {"seconds": -1, "microseconds": -1}, "event": "STOP"})"
              "\r\n"
              R"({"timestamp": {"seconds": 99999999999999, "microseconds": 0}, "event": "STOP"})"
              "\r\n");
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    CHECK(std::get<Event>(happenings.at(0)).time() == ktm::WallTime{1795227836s + 274241us});
    CHECK_FALSE(std::get<Event>(happenings.at(1)).time());
    CHECK_FALSE(std::get<Event>(happenings.at(2)).time());
}

TEST_CASE("qmp/session: an event during the negotiation is not lost") {
    Conversation talk;
    talk.hear(greeting_line);
    talk.hear("{\"event\": \"STOP\"}\r\n{\"return\": {}, \"id\": 1}\r\n");
    CHECK(talk.happened() == Lines{"event STOP", "ready 7.2.22 (Debian)"});
}

TEST_CASE("qmp/session: finish() answers what waits with cancelled, and says so once") {
    Conversation talk = Conversation::ready();
    talk.ask("stop");
    talk.session.finish();
    talk.session.finish();
    talk.session.hang_up(std::nullopt);
    CHECK(talk.happened() == Lines{"error #2 cancelled", "closed by us"});
    CHECK(talk.session.state() == Session::State::closed);
    CHECK_FALSE(talk.session.send("cont", "", std::nullopt, talk.now));
}

TEST_CASE("qmp/session: the names of the states are words that one can say") {
    CHECK(name_of(Session::State::greeting) == "greeting");
    CHECK(name_of(Session::State::negotiating) == "negotiating");
    CHECK(name_of(Session::State::ready) == "ready");
    CHECK(name_of(Session::State::closed) == "closed");
}

TEST_CASE("qmp/session: every line is shown to the tap as it crosses") {
    std::string seen;
    Session session{Limits{}, [&](Flow flow, std::string_view line) {
                        seen += flow == Flow::in ? "<" : flow == Flow::out ? ">" : "?";
                        seen += std::string(line.substr(0, 12)) + "|";
                    }};
    session.receive(greeting_line, ktm::Instant{});
    session.receive("rubbish\n", ktm::Instant{});
    CHECK(seen == "<{\"QMP\":{\"ver|>{\"execute\":\"|?rubbish|");
}
