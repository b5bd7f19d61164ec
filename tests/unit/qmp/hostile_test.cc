// SPDX-License-Identifier: Apache-2.0
// tests/unit/qmp/hostile_test.cc: the enemies of a session, one by one.
#include <catch2/catch.hpp>

#include "unit/qmp/conversation.hh"

using namespace ktm::qmp;
using namespace ktm::qmp::testing;
using namespace std::chrono_literals;
using ktm::Kind;

namespace {

const std::string whole =
    std::string(greeting_line) +
    "{\"return\": {}, \"id\": 1}\r\n"
    "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n"
    "{\"return\": {\"a\": [1, 2]}, \"id\": 2}\r\n"
    "{\"id\": 3, \"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"gone\"}}\r\n";
const Lines whole_told{"ready 7.2.22 (Debian)", "event STOP", "reply #2 {\"a\":[1,2]}",
                       "error #3 DeviceNotFound"};

/// Commands 2 and 3 are asked as soon as the greeting was heard, as a fast caller would.
Lines told_in_pieces(const std::vector<std::string_view>& pieces) {
    Conversation talk;
    bool asked = false;
    Lines lines;
    for (const std::string_view piece : pieces) {
        talk.hear(piece);
        if (!asked && talk.session.state() != Session::State::greeting) {
            talk.ask("a");
            talk.ask("b");
            asked = true;
        }
        for (std::string& line : talk.happened()) {
            lines.push_back(std::move(line));
        }
    }
    return lines;
}

ktm::Error fatal(std::string_view bytes) {
    Conversation talk = Conversation::ready();
    talk.ask("stop");
    talk.hear(bytes);
    CHECK(talk.session.state() == Session::State::closed);
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    REQUIRE(happenings.size() == 2);
    const auto& told_to_command = std::get<Answered>(happenings[0]).reply.error();
    CHECK(told_to_command.kind == Kind::lost);
    CHECK(told_to_command.during == "run stop");
    CHECK(told_to_command.what.find("is not known") != std::string::npos);
    return *std::get<Closed>(happenings[1]).error;
}

}  // namespace

TEST_CASE("qmp/hostile: a split at every byte changes nothing") {
    const std::size_t greeting_end = std::string_view(greeting_line).size();
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
        const std::string_view view{whole};
        const std::size_t first = std::min(cut, greeting_end);
        const std::size_t second = std::max(cut, greeting_end);
        const Lines lines = told_in_pieces(
            {view.substr(0, first), view.substr(first, second - first), view.substr(second)});
        CHECK(lines == whole_told);
    }
}

TEST_CASE("qmp/hostile: byte by byte changes nothing") {
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        bytes.push_back(std::string_view{whole}.substr(i, 1));
    }
    CHECK(told_in_pieces(bytes) == whole_told);
}

TEST_CASE("qmp/hostile: a greeting that never comes ends by its deadline, with the likely reason") {
    Conversation talk;
    talk.pass(4999ms);
    CHECK(talk.happened().empty());
    CHECK(talk.session.deadline() == ktm::Instant{} + 5s);
    talk.pass(1ms);
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    const auto& error = *std::get<Closed>(happenings.at(0)).error;
    CHECK(error.kind == Kind::timeout);
    CHECK(error.code == "no-greeting");
    CHECK(error.what.find("one client at a time") != std::string::npos);
}

TEST_CASE("qmp/hostile: a peer that greets and then says nothing ends by its deadline") {
    Conversation talk;
    talk.pass(3s);
    talk.hear(greeting_line);
    talk.pass(4s);
    CHECK(talk.happened().empty());
    talk.pass(1s);
    CHECK(talk.happened() == Lines{"closed no-negotiation"});
}

TEST_CASE("qmp/hostile: a reply to an unknown id is dropped, with a warning") {
    Conversation talk = Conversation::ready();
    talk.ask("a");
    talk.hear(
        "{\"return\": 0, \"id\": 77}\r\n{\"return\": 0, \"id\": \"2\"}\r\n"
        "{\"return\": 0, \"id\": 0}\r\n{\"return\": 0, \"id\": -2}\r\n"
        "{\"return\": 0, \"id\": 2.0}\r\n{\"return\": 0}\r\n{\"return\": 1, \"id\": 2}\r\n");
    const std::string never = "warned: dropped a reply to a command that was never sent";
    CHECK(talk.happened() == Lines{never, never, never, never, never,
                                   "warned: dropped a reply without an id", "reply #2 1"});
}

TEST_CASE("qmp/hostile: a reply that comes twice is given once") {
    Conversation talk = Conversation::ready();
    talk.ask("a");
    talk.ask("b");
    talk.hear("{\"return\": 1, \"id\": 2}\r\n{\"return\": 1, \"id\": 2}\r\n");
    talk.hear("{\"return\": 2, \"id\": 3}\r\n");
    CHECK(talk.happened() == Lines{"reply #2 1",
                                   "warned: dropped a late or second reply to command #2",
                                   "reply #3 2"});
}

TEST_CASE("qmp/hostile: a late reply is never given to the next command") {
    Conversation talk = Conversation::ready();
    talk.ask("a", 100ms);
    talk.pass(100ms);
    CHECK(talk.happened() == Lines{"error #2 no-reply"});
    talk.ask("b");
    talk.hear("{\"return\": \"for a\", \"id\": 2}\r\n{\"return\": \"for b\", \"id\": 3}\r\n");
    CHECK(talk.happened() ==
          Lines{"warned: dropped a late or second reply to command #2", "reply #3 \"for b\""});
    CHECK(talk.session.state() == Session::State::ready);
}

TEST_CASE("qmp/hostile: a command whose time is over before the negotiation is never sent") {
    Conversation talk;
    talk.ask("a", 1s);
    talk.ask("b");
    talk.pass(1s);
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    CHECK(std::get<Answered>(happenings.at(0)).reply.error().what ==
          "QEMU was not ready in time; the command was not sent");
    talk.hear(greeting_line);
    (void)talk.session.take_output();
    talk.hear("{\"return\": {}, \"id\": 3}\r\n");
    CHECK(talk.session.take_output() == "{\"execute\":\"b\",\"id\":2}\n");
}

TEST_CASE("qmp/hostile: a reply before the command was sent cannot be its reply") {
    Conversation talk;
    talk.ask("a");
    talk.hear("{\"return\": \"too early\", \"id\": 1}\r\n");
    talk.hear(greeting_line);
    talk.hear("{\"return\": \"still too early\", \"id\": 1}\r\n");
    CHECK(talk.happened() == Lines{"warned: dropped a reply that came before the greeting",
                                   "warned: dropped a late or second reply to command #1"});
    CHECK(talk.session.waiting() == 1);
}

TEST_CASE("qmp/hostile: an event before the greeting belongs to another client and is dropped") {
    Conversation talk;
    talk.hear("{\"event\": \"RESUME\"}\r\n");
    talk.hear(greeting_line);
    talk.hear("{\"return\": {}, \"id\": 1}\r\n");
    CHECK(talk.happened() ==
          Lines{"warned: dropped the event RESUME, which came before the greeting",
                "ready 7.2.22 (Debian)"});
}

TEST_CASE("qmp/hostile: what is not QMP at all is a bad greeting") {
    for (const char* line :
         {"HTTP/1.1 400 Bad Request\r\n", "{\"QMP\": 1}\r\n", "{}\r\n", "[]\r\n",
          "{\"QMP\":{\"version\":{\"qemu\":{\"major\":-7,\"minor\":2,\"micro\":0}}}}\n",
          "\xff\n"}) {
        INFO(line);
        Conversation talk;
        talk.hear(line);
        CHECK(talk.happened() == Lines{"closed bad-greeting"});
    }
}

TEST_CASE("qmp/hostile: a refused negotiation is an error of its own, with QEMU's words") {
    Conversation talk;
    talk.hear(greeting_line);
    talk.hear("{\"id\": 1, \"error\": {\"class\": \"GenericError\", \"desc\": \"busy\"}}\r\n");
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    const auto& error = *std::get<Closed>(happenings.at(0)).error;
    CHECK(error.code == "negotiation-refused");
    CHECK(error.cause->what == "QEMU says: busy");
}

TEST_CASE("qmp/hostile: bytes that are not JSON end the conversation, every command told") {
    CHECK(fatal("{\"return\": {}, \"id\": \r\n").code == "invalid-json");
    CHECK(fatal("{\"event\": \"\xff\"}\r\n").code == "invalid-utf8");
    CHECK(fatal("{\"return\": 1, \"id\": 2, \"id\": 3}\r\n").code == "duplicate-key");
    CHECK(fatal("{\"event\": \"A\", \"event\": \"B\"}\r\n").code == "duplicate-key");
    CHECK(fatal("{\"event\": \"A\", \"data\": " + std::string(10000, '[') +
                std::string(10000, ']') + "}\r\n")
              .code == "too-deep");
    CHECK(fatal("{\"return\": {}, \"error\": {}, \"id\": 2}\r\n").code == "protocol-violation");
    CHECK(fatal("{\"id\": 2}\r\n").code == "protocol-violation");
    CHECK(fatal("{\"id\": 2, \"error\": \"text\"}\r\n").code == "protocol-violation");
    CHECK(fatal(greeting_line).code == "second-greeting");
}

TEST_CASE("qmp/hostile: of a key that stands twice in data the first one counts, for everybody") {
    Conversation talk = Conversation::ready();
    talk.hear("{\"event\": \"A\", \"data\": {\"x\": 1, \"y\": 2, \"x\": 3}}\r\n");
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    const auto& event = std::get<Event>(happenings.at(0));
    CHECK(event.data()->find_int("x") == 1);
}

TEST_CASE("qmp/hostile: an error without an id means that QEMU could not read us") {
    const ktm::Error error =
        fatal("{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\r\n");
    CHECK(error.code == "unreadable-command");
    CHECK(error.cause->what == "QEMU says: JSON parse error");
}

TEST_CASE("qmp/hostile: a line that never ends is cut off at the limit") {
    Limits limits;
    limits.line_bytes_max = 4096;
    Conversation talk = Conversation::ready(limits);
    for (int i = 0; i < 100 && talk.session.state() == Session::State::ready; ++i) {
        talk.hear(std::string(100, 'x'));
    }
    CHECK(talk.happened() == Lines{"closed line-too-long"});
}

TEST_CASE("qmp/hostile: numbers beyond 64 bits arrive with every digit") {
    Conversation talk = Conversation::ready();
    talk.ask("a");
    talk.hear("{\"return\": {\"n\": 340282366920938463463374607431768211456}, \"id\": 2}\r\n");
    CHECK(talk.happened() == Lines{"reply #2 {\"n\":340282366920938463463374607431768211456}"});
}

TEST_CASE("qmp/hostile: a connection that closes in the middle of a message tells every command") {
    Conversation talk = Conversation::ready();
    talk.ask("a");
    talk.ask("b");
    talk.hear("{\"return\": {}, \"id\": ");
    talk.session.hang_up(ktm::system_error(ECONNRESET, "read"));
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    REQUIRE(happenings.size() == 3);
    CHECK(told(happenings[0]) == "error #2 connection-lost");
    CHECK(told(happenings[1]) == "error #3 connection-lost");
    const auto& error = *std::get<Closed>(happenings[2]).error;
    CHECK(error.what == "QEMU closed the connection in the middle of a message");
    CHECK(error.cause->code == "ECONNRESET");
}

TEST_CASE("qmp/hostile: a command that was never sent is told that it was not") {
    Conversation talk;
    talk.ask("cont");
    talk.session.hang_up(std::nullopt);
    std::vector<Happening> happenings;
    talk.session.take_happenings(happenings);
    CHECK(std::get<Answered>(happenings.at(0)).reply.error().what ==
          "the connection ended before the command was sent");
}

TEST_CASE("qmp/hostile: nothing happens any more after the end") {
    Conversation talk = Conversation::ready();
    talk.hear("rubbish\n");
    (void)talk.happened();
    talk.hear("{\"event\": \"STOP\"}\r\n");
    talk.session.hang_up(std::nullopt);
    talk.pass(1h);
    talk.session.finish();
    CHECK(talk.happened().empty());
    CHECK(talk.session.take_output().empty());
}

TEST_CASE("qmp/hostile: more waiting commands than the limit are refused, not queued") {
    Limits limits;
    limits.pending_commands_max = 3;
    Conversation talk = Conversation::ready(limits);
    talk.ask("a");
    talk.ask("b");
    talk.ask("c");
    const auto refused = talk.session.send("d", "", std::nullopt, talk.now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "too-many-commands");
    CHECK(talk.session.waiting() == 3);
}

TEST_CASE("qmp/hostile: each deadline ends its own command and no other") {
    Conversation talk = Conversation::ready();
    talk.ask("slow", 3s);
    talk.ask("fast", 1s);
    talk.ask("patient");
    CHECK(talk.session.deadline() == talk.now + 1s);
    talk.pass(1s);
    CHECK(talk.happened() == Lines{"error #3 no-reply"});
    talk.pass(2s);
    CHECK(talk.happened() == Lines{"error #2 no-reply"});
    CHECK_FALSE(talk.session.deadline());
    talk.pass(1h);
    CHECK(talk.session.waiting() == 1);
}
