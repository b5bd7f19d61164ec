// SPDX-License-Identifier: Apache-2.0
// tests/unit/peer/hostile_test.cc: an other side that breaks the rules, and a visitor that is none.
#include <catch2/catch.hpp>

#include "peer/conversation.hh"
#include "peer/visitor.hh"

using namespace ktm::peer;
using namespace ktm::peer::testing;

TEST_CASE("peer/hostile: a line against the rules ends the conversation, with the reason") {
    struct Case {
        const char* line;
        const char* code;
    };
    const std::vector<Case> cases{
        {"garbage", "invalid-json"},
        {"{\"n\":1,\"word\":\"x\",\"data\":{}", "invalid-json"},
        {"\"\xff\"", "invalid-utf8"},
        {"[]", "protocol-violation"},
        {"{}", "protocol-violation"},
        {"7", "protocol-violation"},
        {R"({"n":1,"word":"x"})", "protocol-violation"},
        {R"({"n":1,"word":"x","data":7})", "protocol-violation"},
        {R"({"n":1,"word":7,"data":{}})", "protocol-violation"},
        {R"({"n":0,"word":"x","data":{}})", "protocol-violation"},
        {R"({"n":-1,"word":"x","data":{}})", "protocol-violation"},
        {R"({"n":1.5,"word":"x","data":{}})", "protocol-violation"},
        {R"({"word":"x","data":{}})", "protocol-violation"},
        {R"({"n":1,"word":"x","ask":"x","data":{}})", "protocol-violation"},
        {R"({"n":1,"n":2,"word":"x","data":{}})", "duplicate-key"},
        {R"({"n":2,"word":"x","data":{}})", "missing-word"},
        {R"({"n":18446744073709551615,"word":"x","data":{}})", "missing-word"},
        {R"({"n":1,"answer":0,"data":{}})", "protocol-violation"},
        {R"({"n":1,"bye":"gone"})", "protocol-violation"},
        {R"({"heard":1})", "protocol-violation"},
        {R"({"heard":-1})", "protocol-violation"},
        {R"({"beat":-5,"heard":0})", "protocol-violation"},
        {R"({"beat":9223372036854775807,"heard":0})", "protocol-violation"},
        {R"({"beat":5,"of":9223372036854775807,"came":1,"heard":0})", "protocol-violation"},
        {R"({"beat":5,"of":1,"heard":0})", "protocol-violation"},
        {R"({"katamaran":1})", "protocol-violation"},
        {R"({"refused":7})", "protocol-violation"},
    };
    for (const Case& one : cases) {
        INFO(one.line);
        Conversation source = Conversation::together();
        source.hear(std::string{one.line} + "\n" + encode_word(1, "more", false, "{}"));
        CHECK(source.happened() == Lines{std::string{"lost refused "} + one.code});
        CHECK(source.out().find("refused") != std::string::npos);
        CHECK(source.session.state() == Session::State::over);
    }
}

TEST_CASE("peer/hostile: a second hello is against the rules") {
    Conversation source = Conversation::together();
    source.hear(encode_hello(hello_of("dest"), "", Beat{}));
    CHECK(source.happened() == Lines{"lost refused second-hello"});
}

TEST_CASE("peer/hostile: nothing may come before the hello") {
    for (const std::string& line : {encode_word(1, "x", false, "{}"), encode_heard(0),
                                    encode_bye(1, "done"), encode_beat(Beat{})}) {
        INFO(line);
        Conversation source{"source"};
        source.session.open(source.now);
        source.hear(line);
        CHECK(source.happened() == Lines{"lost refused no-hello"});
    }
}

TEST_CASE("peer/hostile: a line that never ends is noticed at the limit") {
    Limits limits;
    limits.line_bytes_max = 1000;
    Conversation source = Conversation::together(limits);
    for (int i = 0; i < 1000 && source.session.state() == Session::State::together; ++i) {
        source.hear("xxxxxxxxxx");
    }
    CHECK(source.happened() == Lines{"lost refused line-too-long"});
}

TEST_CASE("peer/hostile: more asks than are allowed are too many") {
    Limits limits;
    limits.asks_max = 3;
    Conversation source = Conversation::together(limits);
    for (std::uint64_t number = 1; number <= 4; ++number) {
        source.hear(encode_word(number, "x", true, "{}"));
    }
    CHECK(source.happened() ==
          Lines{"asked x {}", "asked x {}", "asked x {}", "lost refused too-many-asks"});
}

TEST_CASE("peer/hostile: who does not hear is not told for ever") {
    Limits limits;
    limits.unheard_max = 2;
    Conversation source = Conversation::together(limits);
    REQUIRE(source.session.say("a", "{}"));
    REQUIRE(source.session.ask("b", "{}"));
    CHECK(source.session.say("c", "{}").error().code == "peer-busy");
    CHECK(source.session.ask("c", "{}").error().code == "peer-busy");
    source.hear(encode_heard(1));
    CHECK(source.session.say("c", "{}"));
    // The goodbye has room in any case.
    source.session.finish("done");
    CHECK(source.out().find("\"bye\":\"done\"") != std::string::npos);
}

TEST_CASE("peer/hostile: clocks that lie do no harm") {
    Conversation source = Conversation::together();
    const std::vector<std::string> lies{
        R"({"beat":315360000000000000,"of":0,"came":0,"heard":0})",
        R"({"beat":0,"of":315360000000000000,"came":315360000000000000,"heard":0})",
        R"({"beat":0,"of":0,"came":315360000000000000,"heard":0})"};
    for (const std::string& lie : lies) {
        source.hear(lie + "\n");
        source.pass(std::chrono::milliseconds{500});
    }
    CHECK(source.happened().empty());
}

TEST_CASE("peer/hostile: any split of the stream tells the same") {
    const std::string stream = encode_word(1, "a", false, R"({"x":[1,2,{"y":null}]})") +
                               encode_word(2, "b", true, R"({"asked":true})") + encode_heard(0) +
                               encode_beat(Beat{}) + encode_bye(3, "stranded");
    Conversation whole = Conversation::together();
    whole.hear(stream);
    const Lines expected = whole.happened();
    CHECK(expected.size() == 3);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Conversation source = Conversation::together();
        source.hear(std::string_view{stream}.substr(0, cut));
        source.hear(std::string_view{stream}.substr(cut));
        CHECK(source.happened() == expected);
    }
    Conversation bytes = Conversation::together();
    for (const char byte : stream) {
        bytes.hear({&byte, 1});
    }
    CHECK(bytes.happened() == expected);
}

TEST_CASE("peer/hostile: no change of a byte does more than end the conversation") {
    const std::string stream = encode_hello(hello_of("dest"), "", Beat{}) +
                               encode_word(1, "a", true, R"({"asked":true})") +
                               encode_beat(Beat{}) + encode_bye(2, "done");
    for (std::size_t at = 0; at < stream.size(); ++at) {
        for (const char other : {'\0', '\n', '"', '{', '9', '-', '\xff'}) {
            std::string changed = stream;
            changed[at] = other;
            Conversation source{"source"};
            source.session.open(source.now);
            source.hear(changed);
            (void)source.happened();
            (void)source.out();
        }
    }
    SUCCEED();
}

TEST_CASE("peer/hostile: a visitor is known by its first line") {
    Visitor visitor;
    const std::string hello = encode_hello(hello_of("source"), "", Beat{});
    for (const char byte : hello.substr(0, hello.size() - 1)) {
        visitor.receive({&byte, 1});
        CHECK(!visitor.hello());
    }
    visitor.receive("\n{\"n\":1");
    const auto read = visitor.hello();
    REQUIRE((read && *read));
    CHECK((*read)->hello.run == "run of source");
    CHECK(visitor.bytes() == hello + "{\"n\":1");
}

TEST_CASE("peer/hostile: a visitor that is no katamaran is told apart") {
    struct Case {
        std::string bytes;
        const char* code;
    };
    const std::vector<Case> cases{
        {"GET / HTTP/1.1\r\n", "invalid-json"},
        {"\n", "invalid-json"},
        {encode_word(1, "x", false, "{}"), "no-hello"},
        {std::string(hello_bytes_max + 1, 'x'), "line-too-long"},
        {"{\"katamaran\":1,\"agree\":{\"a\":1}}\n", "protocol-violation"},
    };
    for (const Case& one : cases) {
        INFO(one.code);
        Visitor visitor;
        visitor.receive(one.bytes);
        const auto read = visitor.hello();
        REQUIRE(read);
        CHECK(read->error().code == one.code);
    }
}
