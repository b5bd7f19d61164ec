// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/recorded_test.cc: the recorded conversations, played to a real client.
#include <filesystem>

#include "json/writer.hh"
#include "monitor/client.hh"
#include "monitor/recorder.hh"
#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::ScenarioRecord;
using sim::ScenarioRecords;
using sim::Turn;
using sim::testing::data;
using sim::testing::TestWorld;

namespace {

const Endpoint recorded_vm{UnixEndpoint{"/run/qmp.sock"}};

std::vector<std::string> names_of_traces() {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(std::getenv("KTM_DATA")) + "/traces")) {
        names.push_back("traces/" + entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string stamp(Duration time) {
    return std::to_string(time / 1us) + " ";
}

/// Runs the recorded commands through a client: when they were sent, or all of them at once.
class Player {
public:
    enum class Pace { recorded, at_once };

    Player(TestWorld& world, const ScenarioRecords& records, Pace pace,
           monitor::Recorder* recorder = nullptr)
        : world_(world),
          client_(world.ports.clock, world.ports.transport, recorder, "qmp"),
          pace_(pace) {
        client_.connect(
            recorded_vm,
            {[this, &records](const qmp::Greeting&) { send_all(records); },
             [this](const qmp::Event& event) { tell(json::compact(event.body.root())); },
             [this](std::optional<Error> error) {
                 tell("closed " + (error ? error->code : std::string("by us")));
             }});
    }

    void close() { client_.close(); }

    std::vector<std::string> told;

private:
    void send_all(const ScenarioRecords& records) {
        start_ = world_.ports.clock.now();
        // The greeting, the negotiation and its reply have been.
        Duration time{};
        for (std::size_t i = 3; i < records.size(); ++i) {
            time += records[i]->after;
            if (records[i]->turn == Turn::out && pace_ == Pace::at_once) {
                send(*records[i]);
            } else if (records[i]->turn == Turn::out) {
                timers_.push_back(
                    world_.ports.clock.arm(time, [this, record = records[i]] { send(*record); }));
            }
        }
    }

    void send(const ScenarioRecord& record) {
        const json::View message = record.message->root();
        const auto arguments = message.find("arguments");
        const int number = ++sent_;
        REQUIRE(client_.run(*sim::command_in(message), arguments ? json::compact(*arguments) : "",
                            std::nullopt, [this, number](Result<qmp::Reply> reply) {
                                tell("#" + std::to_string(number) + " " +
                                     (reply ? json::compact(reply->result()) : reply.error().code));
                            }));
    }

    void tell(const std::string& what) {
        const Duration time = world_.ports.clock.now() - start_;
        told.push_back((pace_ == Pace::recorded ? stamp(time) : "") + what);
    }

    TestWorld& world_;
    monitor::Client client_;
    Pace pace_;
    Instant start_{};
    int sent_ = 0;
    std::vector<std::unique_ptr<ports::Timer>> timers_;
};

/// The same, read from the records without a client.
std::vector<std::string> expected_of(const ScenarioRecords& records, Player::Pace pace) {
    std::vector<std::string> lines;
    std::map<std::string, int> numbers;
    int sent = 0;
    Duration time{};
    for (std::size_t i = 3; i < records.size(); ++i) {
        const ScenarioRecord& record = *records[i];
        time += record.after;
        const std::string front = pace == Player::Pace::recorded ? stamp(time) : "";
        if (record.turn == Turn::eof) {
            for (const auto& [id, number] : numbers) {
                lines.push_back(front + "#" + std::to_string(number) + " connection-lost");
            }
            lines.push_back(front + "closed connection-lost");
            continue;
        }
        const json::View message = record.message->root();
        const auto id = message.find("id");
        if (record.turn == Turn::out) {
            numbers[json::compact(*id)] = ++sent;
        } else if (!id) {
            lines.push_back(front + json::compact(message));
        } else {
            const int number = numbers.at(json::compact(*id));
            numbers.erase(json::compact(*id));
            const auto error = message.find("error");
            lines.push_back(front + "#" + std::to_string(number) + " " +
                            (error ? std::string(*error->find_string("class"))
                                   : json::compact(*message.find("return"))));
        }
    }
    return lines;
}

}  // namespace

TEST_CASE("sim/recorded: every trace is played whole, each message at its recorded instant") {
    const std::vector<std::string> names = names_of_traces();
    REQUIRE(names.size() >= 40);
    for (const std::string& name : names) {
        INFO(name);
        const ScenarioRecords records = *sim::read_scenario(data(name));
        TestWorld world;
        REQUIRE(world.sim.replay(recorded_vm, records));
        Player player{world, records, Player::Pace::recorded};
        world.run();
        CHECK(player.told == expected_of(records, Player::Pace::recorded));
        CHECK_FALSE(world.sim.fault());
        CHECK_FALSE(world.sim.monitors()[0]->unplayed());
    }
}

TEST_CASE("sim/recorded: commands that are all sent at once get their recorded replies") {
    for (const std::string& name : names_of_traces()) {
        INFO(name);
        const ScenarioRecords records = *sim::read_scenario(data(name));
        TestWorld world;
        REQUIRE(world.sim.replay(recorded_vm, records));
        Player player{world, records, Player::Pace::at_once};
        world.run();
        CHECK(player.told == expected_of(records, Player::Pace::at_once));
        CHECK_FALSE(world.sim.fault());
    }
}

TEST_CASE("sim/recorded: a recording of a replay is replayed to the same story") {
    const ScenarioRecords original =
        *sim::read_scenario(data("traces/shared-storage-pause-before-switchover-source.jsonl"));
    std::vector<std::vector<std::string>> stories;
    ScenarioRecords records = original;
    for (int generation = 0; generation < 3; ++generation) {
        TestWorld world;
        REQUIRE(world.sim.replay(recorded_vm, records));
        auto recorder =
            monitor::Recorder::open(world.ports.files, world.ports.clock, "/t.zst", "9");
        REQUIRE(recorder);
        Player player{world, records, Player::Pace::recorded, recorder->get()};
        const auto end = world.ports.clock.arm(60s, [&] { player.close(); });
        world.run();
        CHECK_FALSE(world.sim.fault());
        CHECK_FALSE(world.sim.monitors()[0]->unplayed());
        CHECK((*recorder)->close());
        CHECK(player.told.back().ends_with("closed by us"));
        stories.push_back(player.told);
        records = *sim::read_scenario(world.ports.files, "/t.zst");
        CHECK(records.size() == original.size() + 1);
        CHECK(records.back()->turn == Turn::left);
    }
    CHECK(stories[1] == stories[0]);
    CHECK(stories[2] == stories[0]);
}

TEST_CASE("sim/recorded: a client that leaves the recorded course is told to its owner") {
    const ScenarioRecords records =
        *sim::read_scenario(data("traces/shared-storage-pause-before-switchover-dest.jsonl"));
    TestWorld world;
    REQUIRE(world.sim.replay(recorded_vm, records));
    std::string story;
    monitor::Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    client.connect(
        recorded_vm,
        {[&](const qmp::Greeting& greeting) { story += greeting.version().substr(0, 6) + ";"; },
         [](const qmp::Event&) {}, [&](std::optional<Error> error) { story += error->code; }});
    (void)client.run("stop", "", 5s,
                     [&](Result<qmp::Reply> reply) { story += reply.error().code + ";"; });
    world.run();
    CHECK(story == "7.2.22;connection-lost;connection-lost");
    REQUIRE(world.sim.fault());
    CHECK(world.sim.fault()->what ==
          "line 4 of the trace expected migrate-set-capabilities, got stop");
}

TEST_CASE("sim/recorded: a thousand runs are one and the same run") {
    const ScenarioRecords records =
        *sim::read_scenario(data("traces/shared-storage-pause-before-switchover-source.jsonl"));
    std::vector<std::string> first;
    for (int run = 0; run < 1000; ++run) {
        TestWorld world;
        REQUIRE(world.sim.replay(recorded_vm, records));
        Player player{world, records, Player::Pace::recorded};
        world.run();
        if (run == 0) {
            first = player.told;
            CHECK(first.size() > 10);
        }
        // REQUIRE: one report is enough.
        REQUIRE(player.told == first);
    }
}
