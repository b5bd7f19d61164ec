// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/recollection_test.cc: what a recorded QEMU still says, and what nobody knows.
#include "sim/recollection.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "sim/argument_difference.hh"
#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::Recollection;
using sim::testing::data;

namespace {

const std::string freeze = R"~({"t":0,"dir":"in","msg":{"QMP":{"version":{"package":"recorded"}}}}
{"t":0.1,"dir":"out","msg":{"execute":"qmp_capabilities","id":1}}
{"t":0.2,"dir":"in","msg":{"return":{},"id":1}}
{"t":1,"dir":"out","msg":{"execute":"query-status","id":2}}
{"t":1.1,"dir":"in","msg":{"return":{"status":"running","running":true},"id":2}}
{"t":2,"dir":"out","msg":{"execute":"stop","id":3}}
{"t":2.01,"dir":"in","msg":{"event":"STOP"}}
{"t":2.02,"dir":"in","msg":{"return":{},"id":3}}
{"t":3,"dir":"out","msg":{"execute":"migrate","arguments":{"uri":"a","key":"x-(secret)"},"id":4}}
{"t":3.1,"dir":"in","msg":{"return":{},"id":4}}
{"t":3.5,"dir":"in","msg":{"event":"MIGRATION","data":{"status":"completed"}}}
{"t":4,"dir":"out","msg":{"execute":"cont","id":5}}
{"t":4.01,"dir":"in","msg":{"event":"RESUME"}}
{"t":4.02,"dir":"in","msg":{"return":{},"id":5}}
{"t":5,"dir":"out","msg":{"execute":"query-block","id":6}}
)~";

/// A recollection that is asked at instants.
struct Asked {
    explicit Asked(const std::string& trace = freeze, Duration beyond = 0s)
        : recollection(*sim::read_scenario(trace), beyond) {
        recollection.begin(at(0s));
    }
    static Instant at(Duration time) { return Instant{time}; }
    Result<Recollection::Answer> ask(const std::string& name, Duration time,
                                     const std::string& arguments = "") {
        const std::string text = R"({"execute":")" + name + "\"" +
                                 (arguments.empty() ? "" : ",\"arguments\":" + arguments) + "}";
        return recollection.answer({name, std::move(*json::parse(text)), ""}, at(time));
    }
    /// Tells what is due up to an instant, by name.
    std::string told_until(Duration time) {
        std::string told;
        while (recollection.next_due() && *recollection.next_due() <= at(time)) {
            const sim::ScenarioRecord record = recollection.tell_next();
            told += (record.turn == sim::Turn::signal ? "signal " + std::to_string(record.signal)
                     : record.turn == sim::Turn::eof
                         ? "eof"
                         : std::string{*json::parse(record.text)->root().find_string("event")}) +
                    "@" + std::to_string(recollection_now(time)) + " ";
        }
        return told;
    }
    static long recollection_now(Duration time) { return time / 1ms; }
    std::string why(const Result<Recollection::Answer>& answer) {
        return answer ? "" : answer.error().what;
    }
    Recollection recollection;
};

const std::string migrate = R"({"uri":"a","key":"x-abc"})";

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("sim/recollection: a command is answered as it was, and its events are told as late") {
    Asked asked;
    CHECK(says(asked.recollection.greeting(), "recorded"));
    const auto answer = asked.ask("stop", 10s);
    REQUIRE(answer.has_value());
    CHECK(answer->reply == R"({"return":{}})");
    CHECK(answer->after == 20ms);
    CHECK(asked.recollection.next_due() == Asked::at(10s + 10ms));
    CHECK(asked.told_until(11s) == "STOP@11000 ");
    CHECK_FALSE(asked.recollection.next_due());
}

TEST_CASE("sim/recollection: a question is answered at another place while nothing has changed") {
    Asked asked;
    CHECK(asked.ask("query-status", 1s)->reply ==
          R"({"return":{"status":"running","running":true}})");
    CHECK(asked.ask("query-status", 2s).has_value());
    REQUIRE(asked.ask("stop", 3s).has_value());
    (void)asked.told_until(4s);
    CHECK(says(asked.ask("query-status", 4s)->reply, "\"paused\""));
    CHECK(says(asked.why(asked.ask("query-name", 4s)), "does not have it"));
}

TEST_CASE("sim/recollection: who asks a little faster than it was asked gets no answer earlier") {
    std::string looks = R"~({"t":0,"dir":"out","msg":{"execute":"migrate","id":1}}
{"t":0.001,"dir":"in","msg":{"return":{},"id":1}})~";
    for (int number = 1; number <= 9; ++number) {
        const std::string at = "{\"t\":0." + std::to_string(number);
        const std::string id = std::to_string(number + 1);
        looks += "\n" + at + R"(,"dir":"out","msg":{"execute":"query-migrate","id":)" + id +
                 "}}\n" + at + R"(02,"dir":"in","msg":{"id":)" + id + R"(,"return":{"left":)" + id +
                 "}}}";
    }
    Asked asked{looks};
    REQUIRE(asked.ask("migrate", 0s).has_value());
    Duration now = 5ms;
    for (int number = 1; number <= 9; ++number) {
        now += 92ms;  // Of 98 ms; in all that is more than what any question may be early.
        const auto answer = asked.ask("query-migrate", now);
        REQUIRE(answer.has_value());
        CHECK(says(answer->reply, "\"left\":" + std::to_string(number + 1)));
        now += *answer->after;
        CHECK(now == number * 100ms + 2ms);
    }
}

TEST_CASE("sim/recollection: a command that comes before what it followed is not known") {
    Asked asked;
    CHECK(says(asked.why(asked.ask("cont", 1s)), "came of stop (line 6), and that was not sent"));
    REQUIRE(asked.ask("stop", 2s).has_value());
    CHECK(says(asked.why(asked.ask("migrate", 2s, migrate)),
               "STOP (line 7), which has not happened"));
    (void)asked.told_until(3s);
    CHECK(asked.ask("migrate", 3s, migrate).has_value());
    CHECK(says(asked.why(asked.ask("migrate", 3s, migrate)), "as often already"));
}

TEST_CASE("sim/recollection: a command that is early by little is still on its way") {
    Asked asked;
    REQUIRE(asked.ask("stop", 2s).has_value());
    const auto migrates = [&](Duration when) {
        const std::string text = R"({"execute":"migrate","arguments":)" + migrate + "}";
        return asked.recollection.is_on_its_way({"migrate", std::move(*json::parse(text)), ""},
                                                Asked::at(when));
    };
    CHECK(migrates(2s));  // The STOP is due 10 ms later.
    CHECK_FALSE(migrates(1980ms));
    (void)asked.told_until(3s);
    CHECK_FALSE(migrates(3s));
    const std::string cont = R"({"execute":"cont"})";
    REQUIRE(asked.ask("migrate", 3s, migrate).has_value());
    CHECK_FALSE(asked.recollection.is_on_its_way({"cont", std::move(*json::parse(cont)), ""},
                                                 Asked::at(3s)));
}

TEST_CASE("sim/recollection: other arguments are not known, but what is hidden is any text") {
    Asked asked;
    REQUIRE(asked.ask("stop", 2s).has_value());
    (void)asked.told_until(3s);
    CHECK(says(asked.why(asked.ask("migrate", 3s, R"({"uri":"b","key":"x-1"})")),
               "at uri: expected \"a\", got \"b\""));
    CHECK_FALSE(asked.ask("migrate", 3s, R"({"uri":"a","key":"y-1"})").has_value());
    CHECK(asked.ask("migrate", 3s, R"({"uri":"a","key":"x-whatever"})").has_value());
}

TEST_CASE("sim/recollection: a reply that never came is a silence as long as the recording") {
    Asked asked{freeze, 2s};
    for (const char* command : {"stop", "migrate", "cont"}) {
        REQUIRE(
            asked.ask(command, 1s, command == std::string{"migrate"} ? migrate : "").has_value());
        (void)asked.told_until(10s);
    }
    const auto answer = asked.ask("query-block", 10s);
    REQUIRE(answer.has_value());
    CHECK_FALSE(answer->after.has_value());
    CHECK(answer->silent_for == 2s);
    CHECK(asked.recollection.known_until() == Asked::at(1s + 3s));
}

TEST_CASE("sim/recollection: signals come as late behind a command as they came") {
    Asked asked{R"({"t":0,"dir":"out","msg":{"execute":"stop"}}
{"t":0.1,"dir":"in","msg":{"return":{}}}
{"t":1,"dir":"signal","text":"INT"}
{"t":2,"dir":"eof"}
)"};
    REQUIRE(asked.ask("stop", 5s).has_value());
    CHECK(asked.recollection.next_due() == Asked::at(6s));
    CHECK(asked.told_until(10s) == "signal 2@10000 eof@10000 ");
    CHECK_FALSE(asked.recollection.untold());
}

TEST_CASE("sim/recollection: every recorded migration is answered to whoever does it again") {
    for (const char* name : {"shared-storage-success-source", "fail-cancel-active-source",
                             "golden-storage-divert-dest", "multifd-success-source",
                             "fail-source-killed-precopy-dest"}) {
        CAPTURE(name);
        const auto records = sim::read_scenario(data("traces/" + std::string{name} + ".jsonl"));
        REQUIRE(records.has_value());
        Recollection recollection{*records};
        recollection.begin(Instant{});
        for (const auto& record : *records) {
            const Instant now{record->at - records->front()->at};
            while (recollection.next_due() && *recollection.next_due() <= now) {
                (void)recollection.tell_next();
            }
            if (record->turn == sim::Turn::out) {
                const json::View message = record->message->root();
                const auto answer = recollection.answer(
                    {std::string{*sim::command_in(message)}, json::Document::extract(message), ""},
                    now);
                CHECK((answer ? "" : answer.error().what) == std::string{});
            }
        }
        while (recollection.next_due()) {
            (void)recollection.tell_next();
        }
        CHECK(recollection.untold().value_or("") == "");
    }
}

TEST_CASE("sim/difference: a hidden secret stands for any text between what stands around it") {
    const auto same = [](const std::string& recorded, const std::string& text) {
        const auto one = json::parse(json::quoted(recorded));
        const auto other = json::parse(json::quoted(text));
        return !sim::difference(one->root(), other->root());
    };
    CHECK(same("(secret)", ""));
    CHECK(same("a(secret)b(secret)c", "a1b2c"));
    CHECK(same("a(secret)b(secret)c", "abbcc"));
    CHECK_FALSE(same("a(secret)b(secret)c", "a1c"));
    CHECK_FALSE(same("a(secret)", "b"));
    CHECK_FALSE(same("(secret)ab", "b"));
    CHECK_FALSE(same("ab(secret)ba", "aba"));
    CHECK_FALSE(same("text", "other"));
}
