// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/replay_test.cc: scenarios written by hand, played to a client without a brain.
#include <csignal>

#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::ReplayPolicy;
using sim::ScenarioRecords;
using sim::testing::TestWorld;

namespace {

const Endpoint here{UnixEndpoint{"/run/qmp.sock"}};

/// Writes the lines that it is told to write and keeps those that it hears, with their instants.
class Talker {
public:
    explicit Talker(TestWorld& world, const Endpoint& endpoint = here) : world_(world) {
        auto connecting = world.ports.transport.connect(
            endpoint, [this](Result<std::unique_ptr<ports::Stream>> stream) {
                if (!stream) {
                    heard += stream.error().code;
                    return;
                }
                stream_ = std::move(*stream);
                stream_->start({[this](std::string_view bytes) { hear(bytes); },
                                [this](std::optional<Error>) { heard += "end"; }});
                stream_->write(std::exchange(unsent_, {}));
            });
        connecting_ = std::move(*connecting);
    }

    void say(const std::string& line) {
        if (stream_) {
            stream_->write(line + "\n");
        } else {
            unsent_ += line + "\n";
        }
    }
    void say_later(Duration delay, const std::string& line) {
        timers_.push_back(world_.ports.clock.arm(delay, [this, line] { say(line); }));
    }
    void hang_up() { stream_.reset(); }

    /// What it heard since the last call.
    std::string take() { return std::exchange(heard, {}); }

    std::string heard;

private:
    void hear(std::string_view bytes) {
        const auto now = world_.ports.clock.now().time_since_epoch();
        for (const char c : bytes) {
            if (c != '\r') {
                heard += c == '\n' ? "@" + std::to_string(now / 1ms) + "\n" : std::string(1, c);
            }
        }
    }

    TestWorld& world_;
    std::unique_ptr<ports::Pending> connecting_;
    std::unique_ptr<ports::Stream> stream_;
    std::string unsent_;
    std::vector<std::unique_ptr<ports::Timer>> timers_;
};

const std::string made_up_start =
    R"({"QMP":{"version":{"qemu":{"micro":0,"minor":2,"major":7},"package":"simulated"},)"
    R"("capabilities":["oob"]}}@0)"
    "\n"
    R"({"return":{},"id":0}@0)"
    "\n";

/// A world that replays a scenario, and a client that has negotiated.
struct Stage {
    explicit Stage(const std::string& scenario, ReplayPolicy policy = {}) {
        const Result<ScenarioRecords> records = sim::read_scenario(scenario);
        REQUIRE(records);
        REQUIRE(world.sim.replay(here, *records, std::move(policy)));
        talker.emplace(world);
        talker->say(R"({"execute":"qmp_capabilities","id":0})");
    }

    void begin() {
        world.run();
        CHECK(talker->take() == made_up_start);
    }
    /// Says it, lets everything happen, and returns what was heard.
    std::string ask(const std::string& line) {
        talker->say(line);
        world.run();
        return talker->take();
    }
    [[nodiscard]] std::string fault() const {
        const std::optional<Error> error = world.sim.fault();
        return error ? error->code + ": " + error->what : "none";
    }
    [[nodiscard]] std::string unplayed() const {
        return world.sim.monitors()[0]->unplayed().value_or("nothing");
    }

    TestWorld world;
    std::optional<Talker> talker;
};

const std::string stop_scenario = R"({"dir":"out","msg":{"execute":"stop"}})"
                                  "\n"
                                  R"({"after":"5ms","dir":"in","msg":{"event":"STOP"}})"
                                  "\n"
                                  R"({"dir":"in","msg":{"return":{}}})"
                                  "\n";

}  // namespace

TEST_CASE("sim/replay: a scenario without greeting, times and ids is a whole conversation") {
    Stage stage{stop_scenario};
    stage.begin();
    CHECK(stage.unplayed() == "line 1 of the trace waits for stop");
    CHECK(stage.ask(R"({"execute":"stop","id":7})") ==
          "{\"event\":\"STOP\"}@5\n{\"return\":{},\"id\":7}@5\n");
    CHECK(stage.unplayed() == "nothing");
    CHECK(stage.fault() == "none");
}

TEST_CASE("sim/replay: distances run from the moment at which a command really comes") {
    Stage stage{stop_scenario};
    stage.begin();
    stage.talker->say_later(1s, R"({"execute":"stop","id":"a"})");
    stage.world.run();
    CHECK(stage.talker->take() == "{\"event\":\"STOP\"}@1005\n{\"return\":{},\"id\":\"a\"}@1005\n");
}

TEST_CASE("sim/replay: replies go to the commands to which they were given, in any order") {
    Stage stage{R"({"dir":"out","msg":{"execute":"a","id":10}})"
                "\n"
                R"({"dir":"out","msg":{"execute":"b","id":"x"}})"
                "\n"
                R"({"dir":"in","msg":{"return":"of b","id":"x"}})"
                "\n"
                R"({"dir":"in","msg":{"id":10,"error":{"class":"C","desc":"of a"}}})"
                "\n"
                R"({"dir":"in","msg":{"return":"b again","id":"x"}})"};
    stage.begin();
    stage.talker->say(R"({"execute":"a","id":1})");
    CHECK(stage.ask(R"({"execute":"b"})") ==
          "{\"return\":\"of b\"}@0\n"
          "{\"error\":{\"class\":\"C\",\"desc\":\"of a\"},\"id\":1}@0\n"
          "{\"return\":\"b again\"}@0\n");
}

TEST_CASE("sim/replay: a reply without an id answers the latest command that waits") {
    Stage stage{R"({"dir":"out","msg":{"execute":"slow"}})"
                "\n"
                R"({"dir":"out","msg":{"execute":"quick"}})"
                "\n"
                R"({"dir":"in","msg":{"return":1}})"
                "\n"
                R"({"after":"1s","dir":"in","msg":{"return":2}})"
                "\n"
                R"({"dir":"in","msg":{"return":3}})"};
    stage.begin();
    stage.talker->say(R"({"execute":"slow","id":1})");
    CHECK(stage.ask(R"({"execute":"quick","id":2})") ==
          "{\"return\":1,\"id\":2}@0\n{\"return\":2,\"id\":1}@1000\n{\"return\":3}@1000\n");
}

TEST_CASE("sim/replay: a command that comes early waits for its turn, a foreign one does not") {
    Stage stage{R"({"after":"3s","dir":"in","msg":{"event":"RESUME"}})"
                "\n"
                R"({"dir":"out","msg":{"execute":"a"}})"
                "\n"
                R"({"after":"1s","dir":"in","msg":{"return":1}})"
                "\n"
                R"({"dir":"out","msg":{"execute":"b"}})"
                "\n"
                R"({"dir":"in","msg":{"return":2}})"};
    stage.talker->say_later(1ms, R"({"execute":"a","id":1})");
    stage.talker->say_later(2ms, R"({"execute":"b","id":2})");
    stage.world.run();
    CHECK(stage.talker->take() == made_up_start +
                                      "{\"event\":\"RESUME\"}@3000\n{\"return\":1,\"id\":1}@4000\n"
                                      "{\"return\":2,\"id\":2}@4000\n");
    Stage other{R"({"after":"3s","dir":"in","msg":{"event":"RESUME"}})"
                "\n"
                R"({"dir":"out","msg":{"execute":"a"}})"};
    other.talker->say_later(2ms, R"({"execute":"b","id":2})");
    other.world.run();
    CHECK(other.talker->take() == made_up_start + "end");
    CHECK(other.fault() == "mismatch: line 2 of the trace expected a, got b");
    CHECK(other.world.ports.clock.now() == Instant{2ms});
}

TEST_CASE("sim/replay: another command than the recorded one ends the replay, and is told") {
    Stage stage{stop_scenario};
    stage.begin();
    stage.talker->say(R"({"execute":"cont","id":1})");
    CHECK(stage.ask(R"({"execute":"stop","id":2})") == "end");
    CHECK(stage.fault() == "mismatch: line 1 of the trace expected stop, got cont");
    CHECK(stage.world.sim.fault()->sentence() ==
          "could not replay a trace at /run/qmp.sock: line 1 of the trace expected stop, got "
          "cont (mismatch)");
    CHECK(stage.unplayed() == "line 1 of the trace waits for stop");
    Talker again{stage.world};
    stage.world.run();
    CHECK(again.heard == "ENOENT");
}

TEST_CASE("sim/replay: recorded arguments must be equal, unless the policy is loose") {
    const std::string scenario =
        R"({"dir":"out","msg":{"execute":"m","arguments":{"a":1,"b":[2]}}})"
        "\n"
        R"({"dir":"in","msg":{"return":{}}})";
    const std::string replied = "{\"return\":{},\"id\":1}@0\n";
    const auto ask = [&](const std::string& arguments, ReplayPolicy policy) {
        Stage stage{scenario, std::move(policy)};
        stage.begin();
        const std::string heard = stage.ask(R"({"execute":"m","id":1)" + arguments + "}");
        return heard == replied ? "replied" : stage.fault();
    };
    CHECK(ask(R"(,"arguments":{"b":[2],"a":1.0})", {}) == "replied");
    CHECK(ask(R"(,"arguments":{"b":[2,3],"a":1})", {}) ==
          "mismatch: line 1 of the trace expected other arguments of m: at b[1]: expected nothing, "
          "got 3");
    CHECK(ask("", {}) ==
          "mismatch: line 1 of the trace expected other arguments of m: at a: expected 1, got "
          "nothing");
    ReplayPolicy loose;
    loose.strict_arguments = false;
    CHECK(ask(R"(,"arguments":{"b":[2,3],"a":1})", loose) == "replied");
    CHECK(ask("", loose) == "replied");
}

TEST_CASE("sim/replay: arguments that were not recorded are not compared") {
    Stage stage{stop_scenario};
    stage.begin();
    CHECK(stage.ask(R"({"execute":"stop","arguments":{"a":1},"id":1})").find("\"id\":1") !=
          std::string::npos);
}

TEST_CASE("sim/replay: after its last command the trace refuses every other") {
    Stage stage{stop_scenario};
    stage.begin();
    (void)stage.ask(R"({"execute":"stop","id":1})");
    const std::string refusal =
        R"({"error":{"class":"GenericError","desc":"the trace has ended"},"id":2}@5)"
        "\n";
    CHECK(stage.ask(R"({"execute":"cont","id":2})") == refusal);
    CHECK(stage.ask(R"({"execute":"cont","id":2})") == refusal);
    CHECK(stage.fault() == "none");
}

TEST_CASE("sim/replay: a standing answer holds wherever the trace does not stand at the command") {
    ReplayPolicy policy;
    policy.answers["query-status"] = R"({"status":"running"})";
    Stage stage{R"({"dir":"out","msg":{"execute":"stop"}})"
                "\n"
                R"({"dir":"in","msg":{"return":{}}})"
                "\n"
                R"({"dir":"out","msg":{"execute":"query-status"}})"
                "\n"
                R"({"dir":"in","msg":{"return":{"status":"paused"}}})",
                policy};
    stage.begin();
    const std::string running = R"({"return":{"status":"running"},"id":1}@0)"
                                "\n";
    CHECK(stage.ask(R"({"execute":"query-status","id":1})") == running);
    (void)stage.ask(R"({"execute":"stop","id":2})");
    CHECK(stage.ask(R"({"execute":"query-status","id":3})") ==
          "{\"return\":{\"status\":\"paused\"},\"id\":3}@0\n");
    CHECK(stage.ask(R"({"execute":"query-status","id":1})") == running);
    CHECK(stage.fault() == "none");
}

TEST_CASE("sim/replay: a standing answer does not wait for its record, it is given at once") {
    ReplayPolicy policy;
    policy.answers["query-status"] = "1";
    Stage stage{R"({"after":"3s","dir":"in","msg":{"event":"STOP"}})"
                "\n"
                R"({"dir":"out","msg":{"execute":"query-status"}})",
                policy};
    stage.talker->say_later(1ms, R"({"execute":"query-status","id":1})");
    stage.world.run();
    CHECK(stage.talker->take() ==
          made_up_start + "{\"return\":1,\"id\":1}@1\n{\"event\":\"STOP\"}@3000\n");
    CHECK(stage.unplayed() == "line 2 of the trace waits for query-status");
    policy.answers["query-status"] = "no JSON";
    TestWorld world;
    CHECK(world.sim.replay(here, {}, policy).error().during ==
          "take the standing answer to query-status");
}

TEST_CASE("sim/replay: the schema is not known where the trace does not hold it") {
    Stage stage{stop_scenario};
    stage.begin();
    const std::string unknown =
        R"({"error":{"class":"GenericError","desc":"the trace does not hold it"},"id":1}@0)"
        "\n";
    CHECK(stage.ask(R"({"execute":"query-target","id":1})") == unknown);
    CHECK(stage.ask(R"({"execute":"query-qmp-schema","id":1})") == unknown);
    CHECK(stage.unplayed() == "line 1 of the trace waits for stop");
    Stage held{R"({"dir":"out","msg":{"execute":"query-qmp-schema"}})"
               "\n"
               R"({"dir":"in","msg":{"return":[]}})"};
    held.begin();
    CHECK(held.ask(R"({"execute":"query-qmp-schema","id":1})") == "{\"return\":[],\"id\":1}@0\n");
}

TEST_CASE("sim/replay: when QEMU is gone, so is its socket") {
    Stage stage{R"({"dir":"out","msg":{"execute":"quit"}})"
                "\n"
                R"({"after":"10ms","dir":"eof"})"};
    stage.begin();
    CHECK(stage.ask(R"({"execute":"quit","id":1})") == "end");
    CHECK(stage.world.ports.clock.now() == Instant{10ms});
    CHECK(stage.unplayed() == "nothing");
    Talker again{stage.world};
    stage.world.run();
    CHECK(again.heard == "ENOENT");
}

TEST_CASE("sim/replay: signals come in their turn") {
    Stage stage{R"({"dir":"out","msg":{"execute":"migrate"}})"
                "\n"
                R"({"after":"2s","dir":"signal","text":"INT"})"
                "\n"
                R"({"after":"1s","dir":"in","msg":{"event":"STOP"}})"};
    Instant arrived{};
    const auto watch =
        stage.world.ports.signals.watch(SIGINT, [&] { arrived = stage.world.ports.clock.now(); });
    stage.begin();
    CHECK(stage.ask(R"({"execute":"migrate","id":1})") == "{\"event\":\"STOP\"}@3000\n");
    CHECK(arrived == Instant{2s});
}

TEST_CASE("sim/replay: what was no JSON is said again as it stands") {
    Stage stage{R"({"dir":"in","text":"HTTP/1.1 400"})"};
    stage.world.run();
    CHECK(stage.talker->take() == made_up_start + "HTTP/1.1 400@0\n");
}

TEST_CASE("sim/replay: nothing is made up where the trace has it, or where it must not be") {
    const std::string greeting = R"({"dir":"in","msg":{"QMP":"mine"}})"
                                 "\n";
    Stage greeted{greeting + stop_scenario};
    greeted.world.run();
    CHECK(greeted.talker->take() == "{\"QMP\":\"mine\"}@0\n{\"return\":{},\"id\":0}@0\n");

    Stage negotiated{greeting + R"({"dir":"out","msg":{"execute":"qmp_capabilities"}})"
                                "\n"
                                R"({"after":"7ms","dir":"in","msg":{"return":{}}})"};
    negotiated.world.run();
    CHECK(negotiated.talker->take() == "{\"QMP\":\"mine\"}@0\n{\"return\":{},\"id\":0}@7\n");

    ReplayPolicy policy;
    policy.made_up_negotiation = false;
    TestWorld world;
    REQUIRE(world.sim.replay(here, *sim::read_scenario(R"({"after":"1s","dir":"eof"})"), policy));
    Talker ungreeted{world};
    world.run();
    CHECK(ungreeted.heard == "end");
    CHECK(world.ports.clock.now() == Instant{1s});
}

TEST_CASE("sim/replay: a client that does not negotiate is no client") {
    TestWorld world;
    REQUIRE(world.sim.replay(here, *sim::read_scenario(stop_scenario)));
    Talker talker{world};
    talker.say(R"({"execute":"stop","id":1})");
    world.run();
    CHECK(world.sim.fault()->what ==
          "the negotiation before the trace expected qmp_capabilities, got stop");
    CHECK(talker.heard.ends_with("end"));
}

TEST_CASE("sim/replay: what is no command is a fault, in whatever pieces it comes") {
    Stage stage{stop_scenario};
    stage.begin();
    CHECK(stage.ask("{\"execute\":\n\"stop\"}") == "end");
    CHECK(stage.fault() == "unreadable-command: the client sent what is no command: {\"execute\":");
}

TEST_CASE("sim/replay: a recorded reply to a command that the trace does not hold is a fault") {
    Stage stage{R"({"dir":"in","msg":{"return":{},"id":77}})"};
    stage.world.run();
    CHECK(stage.fault() ==
          "unknown-reply: line 1 of the trace answers a command with the id 77, which the trace "
          "does not hold");
}

TEST_CASE(
    "sim/replay: one client is served at a time, and the next goes on where the trace stands") {
    Stage stage{stop_scenario};
    Talker second{stage.world};
    second.say(R"({"execute":"qmp_capabilities","id":0})");
    stage.begin();
    CHECK(second.heard.empty());
    stage.talker->hang_up();
    stage.world.run();
    CHECK(second.take() == made_up_start);
    second.say(R"({"execute":"stop","id":5})");
    stage.world.run();
    CHECK(second.take() == "{\"event\":\"STOP\"}@5\n{\"return\":{},\"id\":5}@5\n");
    CHECK(stage.unplayed() == "nothing");
}

TEST_CASE("sim/replay: the reply to a client that has gone is not given to the next one") {
    for (const std::string id : {"", ",\"id\":4"}) {
        Stage stage{R"({"dir":"out","msg":{"execute":"stop")" + id + R"(}})" +
                    "\n"
                    R"({"after":"1s","dir":"in","msg":{"return":"stopped")" +
                    id + R"(}})" +
                    "\n"
                    R"({"dir":"out","msg":{"execute":"cont")" +
                    id + R"(}})" +
                    "\n"
                    R"({"dir":"in","msg":{"return":"continued")" +
                    id + R"(}})"};
        stage.talker->say(R"({"execute":"stop","id":1})");
        const auto end = stage.world.ports.clock.arm(5ms, [&] { stage.talker->hang_up(); });
        stage.world.run();
        Talker next{stage.world};
        next.say(R"({"execute":"qmp_capabilities","id":0})");
        next.say(R"({"execute":"cont","id":1})");
        stage.world.run();
        CHECK(next.heard.find("stopped") == std::string::npos);
        CHECK(next.heard.ends_with("{\"return\":\"continued\",\"id\":1}@1005\n"));
        CHECK(stage.unplayed() == "nothing");
    }
}

TEST_CASE("sim/replay: a trace may hold several connections") {
    const std::string ours = R"({"dir":"eof","text":"closed on our side"})"
                             "\n";
    Stage stage{stop_scenario + ours + stop_scenario +
                R"({"dir":"eof","text":"restarted"})"
                "\n" +
                stop_scenario};
    stage.begin();
    CHECK(stage.ask(R"({"execute":"stop","id":1})").ends_with("\"id\":1}@5\n"));
    CHECK(stage.ask(R"({"execute":"stop","id":2})").find("the trace has ended") !=
          std::string::npos);
    stage.talker->hang_up();
    stage.world.run();
    CHECK(stage.unplayed() == "line 5 of the trace waits for stop");
    for (const bool last : {false, true}) {
        Talker next{stage.world};
        next.say(R"({"execute":"qmp_capabilities","id":0})");
        next.say(R"({"execute":"stop","id":3})");
        stage.world.run();
        CHECK(next.heard.find("\"id\":3}") != std::string::npos);
        CHECK(next.heard.ends_with("end") == !last);
    }
    CHECK(stage.unplayed() == "nothing");
    CHECK(stage.fault() == "none");
}

TEST_CASE("sim/replay: a scenario may have several monitors, each with a cursor of its own") {
    const ScenarioRecords all = *sim::read_scenario(
        R"({"port":"/run/a.sock","dir":"out","msg":{"execute":"a"}})"
        "\n"
        R"({"port":"/run/b.sock","dir":"out","msg":{"execute":"b"}})"
        "\n"
        R"({"port":"/run/b.sock","dir":"in","msg":{"return":"b"}})"
        "\n"
        R"({"port":"/run/a.sock","after":"1ms","dir":"in","msg":{"return":"a"}})");
    TestWorld world;
    std::vector<std::unique_ptr<Talker>> talkers;
    for (const std::string& port : sim::ports_of(all)) {
        const Endpoint endpoint = *Endpoint::parse(port);
        REQUIRE(world.sim.replay(endpoint, sim::on_port(all, port)));
        talkers.push_back(std::make_unique<Talker>(world, endpoint));
        talkers.back()->say(R"({"execute":"qmp_capabilities","id":0})");
    }
    CHECK(world.sim.replay(*Endpoint::parse("/run/a.sock"), all).error().code == "EADDRINUSE");
    talkers[1]->say(R"({"execute":"b","id":1})");
    talkers[0]->say(R"({"execute":"a","id":1})");
    world.run();
    CHECK(talkers[0]->heard == made_up_start + "{\"return\":\"a\",\"id\":1}@1\n");
    CHECK(talkers[1]->heard == made_up_start + "{\"return\":\"b\",\"id\":1}@0\n");
}
