// SPDX-License-Identifier: Apache-2.0
// tests/unit/peer/session_test.cc: the conversation as it should be, and its deadlines.
#include <catch2/catch.hpp>

#include "peer/conversation.hh"

using namespace ktm::peer;
using namespace ktm::peer::testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("peer/session: who connects speaks first, who listens answers") {
    Conversation source{"source"};
    Conversation dest{"dest"};
    source.session.open(source.now);
    dest.session.open(dest.now);
    CHECK(dest.out().empty());
    const std::string hello = source.out();
    CHECK(hello.starts_with(R"({"katamaran":1,"tool":"1.0","plan":"move","digest":"00aa",)"));
    dest.hear(hello);
    CHECK(dest.happened() == Lines{"greeted source"});
    source.hear(dest.out());
    CHECK(source.happened() == Lines{"greeted dest"});
    CHECK(source.session.state() == Session::State::together);
    // The first beat goes at once: the other side knows the round trip then, too.
    CHECK(source.session.their_clock());
    dest.hear(source.out());
    CHECK(dest.session.their_clock());
}

TEST_CASE("peer/session: words are numbered, and one line says that all of them came") {
    Conversation source = Conversation::together();
    source.hear(encode_word(1, "ready", false, "{}") +
                encode_word(2, "go", true, R"({"asked":true})"));
    CHECK(source.happened() == Lines{"said ready {}", R"(asked go {"asked":true})"});
    CHECK(source.out() == "{\"heard\":2}\n");
    CHECK(source.out().empty());
    REQUIRE(source.session.say("yes", R"({"a":1})"));
    CHECK(source.out() == "{\"n\":1,\"word\":\"yes\",\"data\":{\"a\":1}}\n");
    CHECK(!source.session.is_delivered());
    source.hear(encode_heard(1));
    CHECK(source.session.is_delivered());
}

TEST_CASE("peer/session: an answer goes to the oldest ask of its word") {
    Conversation source = Conversation::together();
    source.hear(encode_word(1, "a", true, "{}") + encode_word(2, "b", true, "{}") +
                encode_word(3, "a", true, "{}"));
    (void)source.out();
    REQUIRE(source.session.reply("a", "1"));
    REQUIRE(source.session.reply("a", "null"));
    CHECK(source.session.reply("a", "3").error().code == "no-ask");
    CHECK(source.out() == encode_answer(1, 1, "1") + encode_answer(2, 3, "null"));
}

TEST_CASE("peer/session: an answer for which nobody waits is dropped, with a warning") {
    Conversation source = Conversation::together();
    const auto ask = source.session.ask("a", "{}");
    const auto forgotten = source.session.ask("b", "{}");
    REQUIRE((ask && forgotten));
    source.session.forget(*forgotten);
    source.hear(encode_answer(1, *ask, "{}") + encode_answer(2, *forgotten, "{}") +
                encode_answer(3, 77, "{}") + encode_answer(4, *ask, "{}"));
    CHECK(source.happened() ==
          Lines{"answer to 1 {}", "warned: dropped an answer to number 2, for which nobody waits",
                "warned: dropped an answer to number 77, for which nobody waits",
                "warned: dropped an answer to number 1, for which nobody waits"});
}

TEST_CASE("peer/session: each says every half second that it is there") {
    Conversation source = Conversation::together();
    source.pass(milliseconds{499});
    CHECK(source.out().empty());
    source.pass(milliseconds{1});
    CHECK(source.out().starts_with(R"({"beat":500000000,)"));
    CHECK(source.session.deadline() == source.now + milliseconds{500});
}

TEST_CASE("peer/session: who is not heard for silent_max is lost, once and for good") {
    Conversation source = Conversation::together();
    for (int i = 0; i < 9; ++i) {
        source.pass(milliseconds{500});
    }
    CHECK(source.happened().empty());
    source.pass(milliseconds{500});
    CHECK(source.happened() == Lines{"lost silent peer-lost"});
    source.hear(encode_heard(0));
    source.session.open(source.now);
    source.pass(seconds{60});
    CHECK(source.happened().empty());
    CHECK(!source.session.deadline());
    CHECK(source.session.say("x", "{}").error().code == "peer-lost");
    CHECK(source.session.ask("x", "{}").error().code == "peer-lost");
}

TEST_CASE("peer/session: any line keeps the other side from being lost") {
    Conversation source = Conversation::together();
    for (int i = 0; i < 40; ++i) {
        source.pass(milliseconds{500});
        if (i % 8 == 0) {
            source.hear(encode_heard(0));
        }
    }
    CHECK(source.happened().empty());
}

TEST_CASE("peer/session: who stood still itself listens before it says that the other is silent") {
    Conversation source = Conversation::together();
    source.pass(seconds{20});
    CHECK(source.happened().empty());
    SECTION("what came meanwhile was just not read") {
        source.hear(encode_heard(0));
        source.pass(milliseconds{500});
        CHECK(source.happened().empty());
    }
    SECTION("nothing came") {
        source.pass(milliseconds{500});
        CHECK(source.happened() == Lines{"lost silent peer-lost"});
    }
}

TEST_CASE("peer/session: a connection that is gone is had again until silent_max is over") {
    Conversation source = Conversation::together();
    source.session.hang_up(std::nullopt);
    CHECK(source.happened() == Lines{"broken"});
    CHECK(source.session.wants_connection());
    source.pass(milliseconds{4999});
    CHECK(source.happened().empty());
    SECTION("in time") {
        source.session.open(source.now);
        CHECK(source.out().find("\"with\":\"run of dest\"") != std::string::npos);
        source.hear(encode_hello(hello_of("dest"), "run of source", Beat{}));
        CHECK(source.happened() == Lines{"resumed"});
    }
    SECTION("too late") {
        source.pass(milliseconds{1});
        CHECK(source.happened() == Lines{"lost closed peer-lost"});
        CHECK(!source.session.wants_connection());
    }
}

TEST_CASE("peer/session: without a first hello there is no deadline but that of the connection") {
    Conversation source{"source"};
    CHECK(!source.session.deadline());
    source.session.open(source.now);
    source.pass(seconds{5});
    CHECK(source.happened() == Lines{"broken"});
    CHECK(!source.session.deadline());
    CHECK(source.session.wants_connection());
}

TEST_CASE("peer/session: a goodbye ends it, and what they say then is not told") {
    Conversation source = Conversation::together();
    source.hear(encode_bye(1, "done") + encode_word(2, "late", false, "{}"));
    CHECK(source.happened() == Lines{"ended done"});
    CHECK(source.out() == "{\"heard\":2}\n");
    CHECK(source.session.say("x", "{}").error().code == "peer-ended");
    source.session.hang_up(std::nullopt);
    source.pass(seconds{60});
    CHECK(source.happened().empty());
    CHECK(source.session.state() == Session::State::over);
}

TEST_CASE("peer/session: a goodbye carries what was counted, and need not") {
    Conversation source = Conversation::together();
    CHECK(source.session.may_hear());
    source.session.finish("done", R"({"role":"source"})");
    CHECK(source.out() == "{\"n\":1,\"bye\":\"done\",\"data\":{\"role\":\"source\"}}\n");
    source.hear(encode_heard(1));
    CHECK(source.session.may_hear());  // Who is over himself still hears how it ends there.
    source.hear(encode_bye(1, "aborted", R"({"role":"dest"})"));
    CHECK(source.happened() == Lines{R"(ended aborted {"role":"dest"})"});
    CHECK_FALSE(source.session.may_hear());

    Conversation other = Conversation::together();
    other.hear("{\"n\":1,\"bye\":\"done\",\"data\":3}\n");
    CHECK(other.session.state() == Session::State::over);
    CHECK_THAT(other.out(), Catch::Contains("refused"));
}

TEST_CASE("peer/session: our own goodbye is delivered when it is heard") {
    Conversation source = Conversation::together();
    REQUIRE(source.session.say("last", "{}"));
    source.session.finish("aborted");
    CHECK(source.out() == encode_word(1, "last", false, "{}") + encode_bye(2, "aborted"));
    CHECK(!source.session.is_delivered());
    source.hear(encode_heard(1));
    CHECK(!source.session.is_delivered());
    source.hear(encode_word(1, "unheard", false, "{}") + encode_heard(2));
    CHECK(source.session.is_delivered());
    CHECK(source.happened().empty());
    CHECK(source.session.say("x", "{}").error().code == "peer-lost");
}

TEST_CASE("peer/session: a goodbye to nobody is delivered at once") {
    Conversation source{"source"};
    source.session.finish("aborted");
    CHECK(source.session.is_delivered());
    CHECK(source.out().empty());
}

TEST_CASE("peer/session: what differs ends it at both sides, with the values of both") {
    struct Case {
        std::string text;
        Hello theirs;
    };
    const auto changed = [](auto change) {
        Hello hello = hello_of("source");
        change(hello);
        return hello;
    };
    const std::vector<Case> cases{
        {"the plan is 'move' here and 'copy' at the other node",
         changed([](Hello& hello) { hello.plan = "copy"; })},
        {"the digest of the plan move is '00aa' here and '00bb' at the other node: its text is not "
         "the same",
         changed([](Hello& hello) { hello.digest = "00bb"; })},
        {"the role is 'dest' here and at the other node",
         changed([](Hello& hello) { hello.role = "dest"; })},
        {"the var vm_ip is '10.1.2.3' here and '10.1.2.4' at the other node",
         changed([](Hello& hello) { hello.agreed["vm_ip"] = "10.1.2.4"; })},
        {"the var vm_ip is '10.1.2.3' here and not known at the other node; the var x is not known "
         "here and 'y' at the other node",
         changed([](Hello& hello) {
             hello.agreed = {{"x", "y"}};
         })},
        {"the version of the conversation is '1' here and '2' at the other node: the two "
         "katamarans are too far apart",
         changed([](Hello& hello) { hello.version = 2; })},
    };
    for (const Case& one : cases) {
        INFO(one.text);
        Conversation dest{"dest"};
        dest.session.open(dest.now);
        dest.hear(encode_hello(one.theirs, "", Beat{}));
        std::vector<Happening> happenings;
        dest.session.take_happenings(happenings);
        REQUIRE(happenings.size() == 1);
        const Lost* lost = std::get_if<Lost>(&happenings.front());
        REQUIRE(lost != nullptr);
        CHECK(lost->error.what == one.text);
        CHECK(lost->error.code == "peer-mismatch");
        // The other side gets our hello as well, and sees by itself what differs.
        const std::string out = dest.out();
        CHECK(out.starts_with(R"({"katamaran":1,)"));
        CHECK(out.find("{\"refused\":") != std::string::npos);
    }
}

TEST_CASE("peer/session: who is not our other side is a stranger") {
    Conversation dest{"dest"};
    dest.session.open(dest.now);
    dest.hear(encode_hello(hello_of("source"), "", Beat{}));
    CHECK(dest.happened() == Lines{"greeted source"});
    Message other;
    other.hello = hello_of("source");
    CHECK(dest.session.judge(other));
    other.hello.run = "another run";
    CHECK(dest.session.judge(other).error().code == stranger_code);
    other.hello.run = "run of source";
    other.with = "an earlier run of dest";
    CHECK(dest.session.judge(other).error().code == stranger_code);
    other.with = "run of dest";
    CHECK(dest.session.judge(other));
}

TEST_CASE("peer/session: a run that was begun anew is not the one that was lost") {
    Conversation source = Conversation::together();
    source.session.hang_up(std::nullopt);
    source.session.open(source.now);
    (void)source.happened();
    SECTION("it says who it is") {
        Hello anew = hello_of("dest");
        anew.run = "a later run of dest";
        source.hear(encode_hello(anew, "", Beat{}));
        CHECK(source.happened() == Lines{"lost refused peer-stranger"});
    }
    SECTION("it refuses us") {
        source.hear(encode_refused("it looks for another run"));
        CHECK(source.happened() == Lines{"lost refused peer-refused"});
    }
}

TEST_CASE("peer/session: both have the key of the side that listens, and no recording does") {
    ktm::SharedKey::Raw raw{};
    raw.fill(0xAB);
    Hello theirs;
    theirs.plan = "move";
    theirs.role = "dest";
    theirs.run = "a run";
    theirs.key = ktm::SharedKey{raw};
    Hello ours = theirs;
    ours.role = "source";
    ours.run = "another";
    ours.key.reset();
    std::string recorded;
    const auto tap = [&recorded](Flow, std::string_view line) { recorded += line; };
    Session dest{Session::Side::listens, theirs, {}, tap};
    Session source{Session::Side::connects, ours, {}, tap};
    CHECK_FALSE(source.key());
    source.open({});
    dest.open({});
    dest.receive(source.take_output(), {});
    const std::string answer = dest.take_output();
    CHECK(answer.find(R"("key":")" + theirs.key->hex()) != std::string::npos);
    source.receive(answer, {});
    REQUIRE(source.key());
    CHECK(*source.key() == *dest.key());
    CHECK(recorded.find("abababab") == std::string::npos);
    CHECK(recorded.find(R"("key":")" + std::string(64, '0') + '"') != std::string::npos);
}

TEST_CASE("peer/session: one that does not fit does not get the key") {
    Hello theirs;
    theirs.plan = "move";
    theirs.role = "dest";
    theirs.run = "a run";
    theirs.key = ktm::SharedKey{{}};
    Hello ours = theirs;
    ours.key.reset();
    ours.role = "source";
    ours.run = "another";
    ours.plan = "another";
    Session dest{Session::Side::listens, theirs, {}};
    dest.open({});
    dest.receive(encode_hello(ours, "", {}), {});
    const std::string answer = dest.take_output();
    CHECK(answer.find(R"("plan":"move")") != std::string::npos);
    CHECK(answer.find(R"("key")") == std::string::npos);
}

TEST_CASE("peer/session: a key that is none makes the hello unreadable") {
    Hello hello;
    hello.run = "a run";
    hello.key = ktm::SharedKey{{}};
    std::string line = encode_hello(hello, "", {});
    line.replace(line.find("\"key\":\"") + 7, 2, "xy");
    ktm::json::Parser parser;
    const std::string padded = line + std::string(ktm::json::padding_bytes, ' ');
    const auto message = decode(parser, std::string_view{padded}.substr(0, line.size()));
    REQUIRE_FALSE(message);
    CHECK(message.error().what.starts_with("'key' is not what it must be"));
}
