// SPDX-License-Identifier: Apache-2.0
// tests/unit/host/killed_test.cc: a run that is killed at every point, and what recovery makes of
// it.
#include "unit/host/stage.hh"

using namespace ktm;
using namespace ktm::host;
using namespace ktm::host::testing;
using namespace std::chrono_literals;

namespace {

/// How the world behaves.
struct Weather {
    std::optional<Duration> answers_after;
    bool torn = false;
};

const Weather weathers[] = {{std::nullopt, false}, {1ms, false}, {std::nullopt, true}};

void settle(Stage& stage, const Weather& weather) {
    stage.sim.networks().answers_after(weather.answers_after);
    stage.sim.files().tear_last_write(weather.torn);
}

using Scenario = void (*)(Stage& stage, const Acquisition& what);

void get_and_give_back(Stage& stage, const Acquisition& what) {
    const auto id = acquire(stage, what);
    if (id && *id) {
        (void)await(stage, [&](Host::Given done) { stage.host->give_back(**id, std::move(done)); });
        (void)stage.host->close();
    }
}

void act_twice(Stage& stage, const Acquisition& what) {
    const auto id = prepare(stage, what);
    if (!id || !*id) {
        return;
    }
    for (int turn = 0; turn < 2; ++turn) {
        (void)await(stage, [&](Host::Given done) { stage.host->act(**id, std::move(done)); });
        (void)await(stage, [&](Host::Given done) { stage.host->take_back(**id, std::move(done)); });
    }
    (void)await(stage, [&](Host::Given done) { stage.host->act(**id, std::move(done)); });
    (void)await(stage, [&](Host::Given done) { stage.host->give_back(**id, std::move(done)); });
    (void)stage.host->close();
}

/// Everything, on top of each other.
void get_all(Stage& stage, const Acquisition&) {
    std::vector<AcquiredId> ids;
    for (const Acquisition& one : acquisitions()) {
        if (one.name == "bare plug") {
            continue;
        }
        const auto id = acquire(stage, one);
        if (!id || !*id) {
            return;
        }
        ids.push_back(**id);
    }
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
        (void)await(stage, [&](Host::Given done) { stage.host->give_back(*id, std::move(done)); });
    }
    (void)stage.host->close();
}

/// Kills the run behind `acts` acts; false when it ended before.
bool play(Stage& stage, Scenario scenario, const Acquisition& what, std::uint64_t acts) {
    stage.begin();
    stage.sim.life().end_after(acts);
    scenario(stage, what);
    const bool killed = stage.sim.life().is_over();
    stage.kill();
    return killed;
}

/// Recovers, and is killed behind `acts` acts of that; false when it ended before.
bool recover_killed(Stage& stage, std::uint64_t acts) {
    stage.sim.life().end_after(acts);
    (void)recover(stage);
    const bool killed = stage.sim.life().is_over();
    stage.kill();
    return killed;
}

void check_clean(Stage& stage, const std::string& before) {
    const Recovering last = recover(stage);
    REQUIRE(last.done);
    REQUIRE(*last.done);
    CHECK(**last.done == 0);
    CHECK(parting(before, stage.dump()).empty());
    CHECK(stage.journals().empty());
}

/// At every point of the run and at every point of its recovery. Gives how many there were.
/// `stride`: of the points of the recovery only each so many is tried.
int kill_everywhere(Scenario scenario, const Acquisition& what, const Weather& weather,
                    std::uint64_t stride = 1) {
    int points = 0;
    bool killed = true;
    for (std::uint64_t acts = 0; killed; ++acts) {
        bool again = true;
        for (std::uint64_t more = acts % stride; again; more += stride) {
            Stage stage;
            settle(stage, weather);
            const std::string before = stage.dump();
            INFO(what.name << ": killed behind " << acts << " acts, and its recovery behind "
                           << more);
            killed = play(stage, scenario, what, acts);
            again = recover_killed(stage, more);
            check_clean(stage, before);
            ++points;
        }
    }
    return points;
}

}  // namespace

TEST_CASE("host/killed: whatever was acquired is taken back, wherever run and recovery died") {
    for (const Acquisition& what : acquisitions()) {
        for (const Weather& weather : weathers) {
            const bool first = &weather == weathers;
            CHECK(kill_everywhere(get_and_give_back, what, weather, first ? 1 : 5) >
                  (first ? 20 : 5));
        }
    }
}

TEST_CASE("host/killed: what was prepared and acted upon is taken back, wherever they died") {
    for (const Acquisition& what : acquisitions()) {
        for (const Weather& weather : weathers) {
            CHECK(kill_everywhere(act_twice, what, weather, 11) > 10);
        }
    }
}

TEST_CASE("host/killed: many things are taken back, wherever run and recovery died") {
    CHECK(kill_everywhere(get_all, acquisitions().front(), weathers[0], 11) > 100);
}

TEST_CASE("host/killed: a root qdisc of somebody else is put back, wherever they died") {
    for (const auto wanted : {plug, bare_plug}) {
        bool killed = true;
        for (std::uint64_t acts = 0; killed; ++acts) {
            bool again = true;
            for (std::uint64_t more = 0; again; ++more) {
                Stage stage;
                sim::VirtualRoot& root = stage.sim.networks().kernel(blue).link("tap0")->root;
                root.kind = "sfq";
                root.handle = 0x00010000;
                root.options = std::string{"\x01\x00\xff", 3};
                const std::string before = stage.dump();
                killed = play(stage, get_and_give_back, {"plug", blue, wanted}, acts);
                again = recover_killed(stage, more);
                check_clean(stage, before);
            }
        }
    }
}

TEST_CASE("host/killed: behind the commit undos stay as they are, and holds are taken back") {
    std::string with_undo;
    {
        Stage stage;
        stage.begin();
        REQUIRE(acquire(stage, acquisitions()[1], UndoKind::undo));
        with_undo = stage.dump();
    }
    bool committed_once = false;
    bool killed = true;
    for (std::uint64_t acts = 0; killed; ++acts) {
        Stage stage;
        const std::string before = stage.dump();
        stage.begin();
        stage.sim.life().end_after(acts);
        const auto undone = acquire(stage, acquisitions()[1], UndoKind::undo);
        const auto held = acquire(stage, acquisitions()[3], UndoKind::hold);
        const bool committed = undone && *undone && stage.host->commit();
        killed = stage.sim.life().is_over();
        stage.kill();
        committed_once = committed_once || committed;
        INFO("killed behind " << acts << " acts");
        check_clean(stage, committed ? with_undo : before);
    }
    CHECK(committed_once);
}
