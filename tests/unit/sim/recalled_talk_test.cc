// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/recalled_talk_test.cc: what the other node of a recording can still say.
#include "sim/recalled_talk.hh"

#include "json/parser.hh"
#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::RecalledTalk;
using Form = RecalledTalk::Form;
using Deed = RecalledTalk::Deed;
using trace::Direction;

namespace {

/// A conversation by hand, a line each millisecond.
struct Conversation {
    Conversation() {
        line(Direction::out, hello("source"));
        line(Direction::in, hello("dest"));
    }
    static std::string hello(const std::string& role) {
        return R"({"katamaran":1,"tool":"t","plan":"p","digest":"d","role":")" + role +
               R"(","run":"r-)" + role + R"(","with":"","agree":{},"at":0,"heard":0})";
    }
    Conversation& line(Direction direction, const std::string& message) {
        time += 1ms;
        records.push_back(
            {time, "peer", direction, std::move(*json::parse(message)), "", records.size() + 2});
        return *this;
    }
    Conversation& we(const std::string& message) { return line(Direction::out, message); }
    Conversation& they(const std::string& message) { return line(Direction::in, message); }
    RecalledTalk talk(Duration beyond = 0ms) { return {std::move(records), time + beyond}; }

    std::vector<trace::Record> records;
    Duration time{};
};

Instant at(Duration time) {
    return Instant{time};
}

Result<void> hear(RecalledTalk& talk, Form form, const std::string& name, Duration when,
                  const std::string& data = "{}") {
    return talk.hear(form, name, json::parse(data)->root(), at(when));
}

/// What is said next, and when.
std::string next(RecalledTalk& talk) {
    const std::optional<Instant> due = talk.next_due();
    if (!due) {
        return "waits";
    }
    const RecalledTalk::Step& step = talk.take_next(*due);
    return step.name + " at " + format_duration(due->time_since_epoch());
}

}  // namespace

TEST_CASE("An answer comes as long after the question as it came", "[sim]") {
    RecalledTalk talk = Conversation{}
                            .we(R"({"n":1,"ask":"place","data":{"asked":true}})")
                            .they(R"({"n":1,"answer":1,"data":{"port":4}})")
                            .talk();
    REQUIRE(talk.is_one_plan());
    talk.begin(at(100ms));
    CHECK(next(talk) == "waits");
    REQUIRE(hear(talk, Form::ask, "place", 150ms, R"({"asked":true})"));
    CHECK(next(talk) == "place at 151 ms");
    CHECK(next(talk) == "waits");
    CHECK_FALSE(talk.untold());
}

TEST_CASE("What is said too early is heard behind what the other node says first", "[sim]") {
    RecalledTalk talk = Conversation{}
                            .they(R"({"n":1,"word":"ready","data":{}})")
                            .we(R"({"n":1,"word":"go","data":{}})")
                            .they(R"({"n":2,"word":"gone","data":{}})")
                            .talk();
    talk.begin(at(0ms));
    REQUIRE(hear(talk, Form::word, "go", 0ms));
    CHECK(next(talk) == "ready at 0 ns");
    CHECK(next(talk) == "gone at 1 ms");
}

TEST_CASE("What the recording does not hold, or not so, or not so often, is refused", "[sim]") {
    Conversation conversation;
    conversation.we(R"({"n":1,"word":"go","data":{"to":1}})");
    RecalledTalk talk = conversation.talk();
    talk.begin(at(0ms));
    const auto refused = [&](const std::string& name, const std::string& data,
                             const std::string& why) {
        const Result<void> heard = hear(talk, Form::word, name, 0ms, data);
        return !heard && heard.error().code == "not-recorded" &&
               heard.error().what.find(why) != std::string::npos;
    };
    CHECK(refused("stay", "{}", "the recording does not have it"));
    CHECK(refused("go", R"({"to":2})", "(line 4): at to: expected 1, got 2"));
    REQUIRE(hear(talk, Form::word, "go", 0ms, R"({"to":1})"));
    CHECK(refused("go", R"({"to":1})", "the plan has done it as often already"));
    CHECK(hear(talk, Form::bye, "aborted", 0ms));
}

TEST_CASE("A word is refused while one is missing that had been answered to", "[sim]") {
    RecalledTalk talk = Conversation{}
                            .we(R"({"n":1,"word":"one","data":{}})")
                            .they(R"({"n":1,"word":"yes","data":{}})")
                            .we(R"({"n":2,"word":"two","data":{}})")
                            .we(R"({"n":3,"word":"three","data":{}})")
                            .they(R"({"n":2,"word":"end","data":{}})")
                            .talk();
    talk.begin(at(0ms));
    const Result<void> early = hear(talk, Form::word, "two", 0ms);
    REQUIRE_FALSE(early);
    CHECK_THAT(early.error().what, Catch::Contains("it says 'one' to the other node before"));
    REQUIRE(hear(talk, Form::word, "one", 1ms));
    REQUIRE(hear(talk, Form::word, "three", 2ms));
    CHECK(next(talk) == "yes at 2 ms");
    CHECK(next(talk) == "waits");
    CHECK(talk.untold() == "what it hears, 'two' (line 6)");
    REQUIRE(hear(talk, Form::word, "two", 3ms));
    CHECK(next(talk) == "end at 4 ms");
}

TEST_CASE("What was sent again over another connection was said once", "[sim]") {
    Conversation conversation;
    conversation.they(R"({"n":1,"word":"ready","data":{}})");
    conversation.records.push_back({conversation.time, "peer", Direction::eof, {}, "gone", 5});
    conversation.records.push_back({conversation.time, "peer", Direction::open, {}, "there", 6});
    conversation.they(Conversation::hello("dest")).they(R"({"n":1,"word":"ready","data":{}})");
    RecalledTalk talk = conversation.talk();
    talk.begin(at(0ms));
    CHECK(next(talk) == "ready at 0 ns");
    CHECK(talk.take_next(*talk.next_due()).deed == Deed::broke);
    CHECK(talk.take_next(*talk.next_due()).deed == Deed::returned);
    CHECK(next(talk) == "waits");
}

TEST_CASE("Who gave no sign of life until the recording ended has fallen silent", "[sim]") {
    RecalledTalk alive = Conversation{}.they(R"({"heard":0})").talk(1s);
    alive.begin(at(0ms));
    CHECK(next(alive) == "waits");
    RecalledTalk silent = Conversation{}.they(R"({"heard":0})").talk(5s);
    silent.begin(at(0ms));
    CHECK(silent.take_next(*silent.next_due()).deed == Deed::fell_silent);
    RecalledTalk parted = Conversation{}.they(R"({"n":1,"bye":"done"})").talk(5s);
    parted.begin(at(0ms));
    CHECK(next(parted) == "done at 0 ns");
    CHECK(next(parted) == "waits");
}

TEST_CASE("A conversation in which nobody came, or which was refused, has no hello", "[sim]") {
    CHECK_FALSE(RecalledTalk({}, 0ms).hello());
    std::vector<trace::Record> records;
    records.push_back(
        {1ms, "peer", Direction::in, std::move(*json::parse(R"({"refused":"no"})")), "", 2});
    const RecalledTalk refused{std::move(records), 2ms};
    CHECK_FALSE(refused.hello());
    CHECK(refused.refusal() == "no");
}
