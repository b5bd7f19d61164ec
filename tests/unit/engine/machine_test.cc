// SPDX-License-Identifier: Apache-2.0
// tests/unit/engine/machine_test.cc: states, edges, deadlines and trouble.
#include <catch2/catch.hpp>

#include <algorithm>

#include "unit/engine/rehearsal.hh"

using namespace ktm::engine;
using namespace ktm::engine::testing;
using namespace std::chrono_literals;

namespace {

/// One state with an enter (function 1), with what else the test wants.
Rehearsal one_state(ktm::plan::State state) {
    state.name = "a";
    state.enter = function(1);
    return Rehearsal{role_of({std::move(state), {.name = "b"}})};
}

const ktm::Error& trouble_of(const Rehearsal& play) {
    return std::get<Trouble>(play.actions.at(0)).error;
}

}  // namespace

// --- Moving -----------------------------------------------------------------------------------

TEST_CASE("engine/machine: the first state of the role is the start") {
    Rehearsal play{role_of({{.name = "a"}, {.name = "b"}})};
    CHECK(play.machine.state().empty());
    CHECK(play.give(Start{}) == Lines{"enter a", "arm deadline 1: 10 s"});
    CHECK(play.machine.state() == "a");
    CHECK_FALSE(play.machine.has_ended());
    CHECK_FALSE(play.machine.is_committed());
}

TEST_CASE("engine/machine: each state has the deadline that was given for it") {
    const ktm::plan::Role role = role_of({{.name = "a", .next = "b"}, {.name = "b"}});
    Machine machine{role, {1s, 2min}};
    Actions actions;
    machine.step(Start{}, actions);
    REQUIRE(actions.size() == 5);
    CHECK(describe(actions[1]) == "arm deadline 1: 1 s");
    CHECK(describe(actions[4]) == "arm deadline 2: 2 min 0 s");
}

TEST_CASE("engine/machine: step appends and leaves what is there alone") {
    Rehearsal play{role_of({{.name = "a"}})};
    Actions actions{Disarm{DeadlineId{7}}};
    play.machine.step(Start{}, actions);
    CHECK(actions.size() == 3);
    CHECK(describe(actions[0]) == "disarm deadline 7");
}

TEST_CASE("engine/machine: a machine that is moved goes on where it was") {
    Rehearsal play{role_of({{.name = "a", .handlers = {on("GO", "b")}}, {.name = "b"}})};
    (void)play.give(Start{});
    Machine moved = std::move(play.machine);
    Actions actions;
    moved.step(happened("GO"), actions);
    CHECK(moved.state() == "b");
    play.machine = std::move(moved);
    CHECK(play.machine.state() == "b");
}

TEST_CASE("engine/machine: next is followed after enter, at once where there is none") {
    Rehearsal play{role_of({
        {.name = "a", .enter = function(1), .next = "b"},
        {.name = "b", .next = "c"},
        {.name = "c", .enter = function(3)},
    })};
    CHECK(play.give(Start{}) ==
          Lines{"enter a", "arm deadline 1: 10 s", "run body 1: enter, function 1"});
    CHECK(play.give(ended(1)) == Lines{"disarm deadline 1", "enter b", "arm deadline 2: 10 s",
                                       "disarm deadline 2", "enter c", "arm deadline 3: 10 s",
                                       "run body 2: enter, function 3"});
}

TEST_CASE("engine/machine: an event and its run lead along go") {
    Rehearsal play{role_of({{.name = "a", .handlers = {on_run("RUN", 4, "b")}}, {.name = "b"}})};
    (void)play.give(Start{});
    CHECK(play.give(happened("RUN", R"({"x":1})")) ==
          Lines{"run body 1: run, function 4, upon RUN"});
    const auto& run = std::get<RunBody>(play.actions.at(0));
    REQUIRE(run.event);
    CHECK(run.event->data->root().find_int("x") == 1);
    CHECK(play.give(ended(1)) == Lines{"disarm deadline 1", "enter b", "arm deadline 2: 10 s"});
}

TEST_CASE("engine/machine: a handler without go stays, and the deadline goes on") {
    Rehearsal play{role_of({{.name = "a", .handlers = {on_run("RUN", 4), on("QUIET", "")}}})};
    (void)play.give(Start{});
    CHECK(play.give(happened("QUIET")).empty());
    (void)play.give(happened("RUN"));
    CHECK(play.give(ended(1)).empty());
    CHECK(play.give(happened("RUN")) == Lines{"run body 2: run, function 4, upon RUN"});
}

TEST_CASE("engine/machine: a state that is left for itself is entered anew") {
    Rehearsal play = one_state({.handlers = {on("AGAIN", "a")}});
    (void)play.give_all({Start{}, ended(1)});
    CHECK(play.give(happened("AGAIN")) == Lines{"disarm deadline 1", "enter a",
                                                "arm deadline 2: 10 s",
                                                "run body 2: enter, function 1"});
}

TEST_CASE("engine/machine: the first handler that wants the event has it") {
    ktm::plan::Handler completed = on("MIGRATION", "b");
    completed.matches = {{"status", std::string("completed")}};
    ktm::plan::Handler other_vm = on("MIGRATION", "d");
    other_vm.vm = "w";
    Rehearsal play{role_of({
        {.name = "a", .handlers = {other_vm, completed, on("MIGRATION", "c"), completed}},
        {.name = "b"},
        {.name = "c", .handlers = {on("BACK", "a")}},
        {.name = "d"},
    })};
    (void)play.give_all({Start{}, happened("MIGRATION", R"({"status":"active"})")});
    CHECK(play.machine.state() == "c");
    (void)play.give_all({happened("BACK"), happened("MIGRATION", R"({"status":"completed"})")});
    CHECK(play.machine.state() == "b");
}

TEST_CASE("engine/machine: a match compares truths, numbers and texts, each with its own kind") {
    const auto fits = [](ktm::plan::Match::Wanted wanted, const std::string& data) {
        Pattern pattern{"E", "", {{"x", std::move(wanted)}}};
        return pattern.fits(event("E", data));
    };
    CHECK(fits(true, R"({"x":true})"));
    CHECK_FALSE(fits(true, R"({"x":false})"));
    CHECK_FALSE(fits(true, R"({"x":1})"));
    CHECK(fits(2.0, R"({"x":2})"));
    CHECK(fits(2.5, R"({"x":2.5})"));
    CHECK(fits(18446744073709551615.0, R"({"x":18446744073709551615})"));
    CHECK_FALSE(fits(2.0, R"({"x":"2"})"));
    CHECK(fits(std::string("on"), R"({"x":"on"})"));
    CHECK_FALSE(fits(std::string("on"), R"({"x":"off"})"));
    CHECK_FALSE(fits(std::string(), R"({"x":null})"));
    CHECK_FALSE(fits(std::string("on"), R"({"y":"on"})"));
    CHECK_FALSE(fits(std::string("on"), ""));
}

TEST_CASE("engine/machine: a pattern wants the name, the VM and all its matches") {
    const Pattern pattern{"E", "w", {{"x", 1.0}, {"y", 2.0}}};
    CHECK(pattern.fits(event("E", R"({"x":1,"y":2})", "w")));
    CHECK_FALSE(pattern.fits(event("F", R"({"x":1,"y":2})", "w")));
    CHECK_FALSE(pattern.fits(event("E", R"({"x":1,"y":2})")));
    CHECK_FALSE(pattern.fits(event("E", R"({"x":1,"y":3})", "w")));
}

// --- The queue --------------------------------------------------------------------------------

TEST_CASE("engine/machine: events that came during enter are worked off in their order") {
    Rehearsal play = one_state({.handlers = {on_run("RUN", 2), on("GO", "b")}});
    (void)play.give_all(
        {Start{}, happened("X"), happened("RUN"), happened("Y"), happened("GO"), happened("Z")});
    CHECK(play.give(ended(1)) ==
          Lines{"ignore X: no handler in a", "run body 2: run, function 2, upon RUN"});
    CHECK(play.give(ended(2)) == Lines{"ignore Y: no handler in a", "disarm deadline 1", "enter b",
                                       "arm deadline 2: 10 s", "ignore Z: no handler in b"});
}

TEST_CASE("engine/machine: events that came during enter are seen by the state behind next") {
    Rehearsal play{role_of({
        {.name = "a", .enter = function(1), .next = "b", .handlers = {on("GO", "c")}},
        {.name = "b", .enter = function(2), .handlers = {on("GO", "d")}},
        {.name = "c"},
        {.name = "d"},
    })};
    (void)play.give_all({Start{}, happened("GO"), ended(1)});
    CHECK(play.machine.state() == "b");
    CHECK(play.give(ended(2)) == Lines{"disarm deadline 2", "enter d", "arm deadline 3: 10 s"});
}

TEST_CASE("engine/machine: one event more than the queue holds is trouble") {
    Rehearsal play = one_state({});
    (void)play.give(Start{});
    for (std::size_t i = 0; i < events_max; ++i) {
        CHECK(play.give(happened("E" + std::to_string(i))).empty());
    }
    const std::string storm =
        "more than 1024 events came while one action ran in state 'a' (event-storm)";
    CHECK(play.give(happened("LAST")) ==
          Lines{"trouble in a: " + storm, "cancel body 1: " + storm});
    CHECK(trouble_of(play).kind == ktm::Kind::protocol);
    CHECK(play.give(happened("MORE")) == Lines{"ignore E0: 1024 newer events wait"});
    CHECK(play.give(ended(1)) == Lines{"disarm deadline 1", "end aborted in a: " + storm});
}

TEST_CASE("engine/machine: an event that a wait takes does not count against the queue") {
    Rehearsal play = one_state({});
    (void)play.give(Start{});
    for (std::size_t i = 0; i < events_max; ++i) {
        (void)play.give(happened("E"));
    }
    (void)play.give(awaits(1, "WANTED"));
    CHECK(play.give(happened("WANTED")) == Lines{"deliver to body 1: WANTED"});
}

// --- Waiting for an event ---------------------------------------------------------------------

TEST_CASE("engine/machine: a wait takes the first that fits and leaves the others in order") {
    Rehearsal play = one_state({.handlers = {on("X", ""), on_run("E", 2)}});
    (void)play.give_all({Start{}, happened("X"), happened("E", R"({"n":1})"), happened("Y"),
                         happened("E", R"({"n":2})")});
    CHECK(play.give(awaits(1, "E")) == Lines{"deliver to body 1: E"});
    CHECK(std::get<Deliver>(play.actions.at(0)).event.data->root().find_int("n") == 1);
    CHECK(play.give(ended(1)) ==
          Lines{"ignore Y: no handler in a", "run body 2: run, function 2, upon E"});
    CHECK(std::get<RunBody>(play.actions.at(1)).event->data->root().find_int("n") == 2);
}

TEST_CASE("engine/machine: a wait takes the first that comes, once") {
    Rehearsal play = one_state({.handlers = {on("E", "b")}});
    (void)play.give_all({Start{}, awaits(1, "E")});
    CHECK(play.give(happened("OTHER")).empty());
    CHECK(play.give(happened("E")) == Lines{"deliver to body 1: E"});
    CHECK(play.give(happened("E")).empty());
    CHECK(play.give(ended(1)) == Lines{"ignore OTHER: no handler in a", "disarm deadline 1",
                                       "enter b", "arm deadline 2: 10 s"});
}

TEST_CASE("engine/machine: a wait that was given up takes nothing") {
    Rehearsal play = one_state({.handlers = {on("E", "b")}});
    (void)play.give_all({Start{}, awaits(1, "E"), forgets(1)});
    CHECK(play.give(happened("E")).empty());
    CHECK(play.give(ended(1)).at(1) == "enter b");
}

TEST_CASE("engine/machine: only the running body can give up its wait") {
    Rehearsal play = one_state({});
    (void)play.give_all({Start{}, awaits(1, "E"), forgets(99)});
    CHECK(play.give(happened("E")) == Lines{"deliver to body 1: E"});
}

TEST_CASE("engine/machine: a second wait of the same body stands in place of the first") {
    Rehearsal play = one_state({});
    (void)play.give_all({Start{}, awaits(1, "E"), awaits(1, "F")});
    CHECK(play.give(happened("E")).empty());
    CHECK(play.give(happened("F")) == Lines{"deliver to body 1: F"});
}

TEST_CASE("engine/machine: the window of a wait opens where its body begins") {
    Rehearsal play{role_of({{.name = "a", .handlers = {on_run("RUN", 2), on("E", "")}}})};
    (void)play.give_all({Start{}, happened("E"), happened("RUN")});
    CHECK(play.give(awaits(1, "E")).empty());
    CHECK(play.give(happened("E")) == Lines{"deliver to body 1: E"});
}

TEST_CASE("engine/machine: the end of a body ends its wait") {
    Rehearsal play = one_state({.handlers = {on_run("RUN", 2), on("E", "b")}});
    (void)play.give_all({Start{}, awaits(1, "E"), ended(1)});
    CHECK(play.give(happened("E")).at(1) == "enter b");
}

// --- Deadlines --------------------------------------------------------------------------------

TEST_CASE("engine/machine: a deadline leads to the state of late") {
    Rehearsal play{role_of({{.name = "a", .late = "b"}, {.name = "b"}})};
    (void)play.give(Start{});
    CHECK(play.give(due(1)) == Lines{"enter b", "arm deadline 2: 10 s"});
}

TEST_CASE("engine/machine: late to done is no trouble") {
    Rehearsal play{role_of({{.name = "a", .late = "done"}})};
    (void)play.give(Start{});
    CHECK(play.give(due(1)) == Lines{"end done in a"});
}

TEST_CASE("engine/machine: late to abort and to stranded is trouble, as is no late") {
    const std::string late = "the state 'a' took longer than 10 s (late)";
    for (const auto& [target, end] : std::vector<std::pair<std::string, std::string>>{
             {"", "aborted"}, {"abort", "aborted"}, {"stranded", "stranded"}}) {
        Rehearsal play{role_of({{.name = "a", .late = target}})};
        (void)play.give(Start{});
        CHECK(play.give(due(1)) == Lines{"trouble in a: " + late, "end " + end + " in a: " + late});
        CHECK(trouble_of(play).kind == ktm::Kind::timeout);
    }
}

TEST_CASE("engine/machine: late while a body runs cancels it and goes when it has ended") {
    for (const Input& answer : {ended(1), failed(1)}) {
        Rehearsal play = one_state({.late = "b", .next = "a"});
        (void)play.give(Start{});
        CHECK(play.give(due(1)) ==
              Lines{"cancel body 1: the state 'a' took longer than 10 s (late)"});
        CHECK(play.give(due(1)).empty());
        CHECK(play.give(answer) == Lines{"enter b", "arm deadline 2: 10 s"});
    }
}

TEST_CASE("engine/machine: late is over with its edge; the next body ends as it ends") {
    Rehearsal play{role_of({
        {.name = "a", .late = "b", .enter = function(1)},
        {.name = "b", .late = "a", .enter = function(2), .next = "c"},
        {.name = "c"},
    })};
    (void)play.give_all({Start{}, due(1), failed(1), ended(2)});
    CHECK(play.machine.state() == "c");
}

TEST_CASE("engine/machine: what came while a late body was cancelled goes to the next state") {
    Rehearsal play{role_of({
        {.name = "a", .late = "b", .enter = function(1), .handlers = {on("GO", "c")}},
        {.name = "b", .handlers = {on("GO", "d")}},
        {.name = "c"},
        {.name = "d"},
    })};
    (void)play.give_all({Start{}, happened("GO"), due(1), happened("GO"), ended(1)});
    CHECK(play.machine.state() == "d");
}

TEST_CASE("engine/machine: of a deadline and an event in one instant the first decides") {
    const auto role = [] {
        return role_of({
            {.name = "a", .late = "b", .handlers = {on("GO", "c")}},
            {.name = "b", .late = "done", .handlers = {on("GO", "d")}},
            {.name = "c", .late = "done"},
            {.name = "d"},
        });
    };
    Rehearsal event_first{role()};
    (void)event_first.give_all({Start{}, happened("GO")});
    CHECK(event_first.give(due(1)).empty());
    CHECK(event_first.machine.state() == "c");

    Rehearsal deadline_first{role()};
    (void)deadline_first.give_all({Start{}, due(1)});
    CHECK(deadline_first.machine.state() == "b");
    (void)deadline_first.give(happened("GO"));
    CHECK(deadline_first.machine.state() == "d");
}

TEST_CASE("engine/machine: a deadline of a state that was left is stale, in each later phase") {
    Rehearsal play = one_state({.next = "b", .handlers = {}});
    (void)play.give_all({Start{}, ended(1)});
    CHECK(play.give(due(1)).empty());
    CHECK(play.give(due(3)).empty());
    CHECK(play.give(due(0)).empty());
    CHECK(play.machine.state() == "b");
}

TEST_CASE("engine/machine: a cancelled body that awaits again is cancelled again") {
    Rehearsal play = one_state({.late = "b"});
    (void)play.give_all({Start{}, awaits(1, "E"), happened("F"), due(1)});
    const Lines again{"cancel body 1: the state 'a' took longer than 10 s (late)"};
    CHECK(play.give(happened("E")).empty());
    CHECK(play.give(awaits(1, "F")) == again);
    CHECK(play.give(awaits(1, "NEVER")) == again);
}

// --- Trouble ----------------------------------------------------------------------------------

TEST_CASE("engine/machine: an edge to abort says where and upon what") {
    ktm::plan::Handler fails = on("MIGRATION", "abort");
    fails.matches = {{"status", std::string("failed")}};
    Rehearsal play{role_of({{.name = "a", .handlers = {fails}}})};
    (void)play.give(Start{});
    const std::string cause =
        "the plan goes to abort: in state 'a' upon MIGRATION status=failed (plan-abort)";
    CHECK(play.give(happened("MIGRATION", R"({"status":"failed"})")) ==
          Lines{"trouble in a: " + cause, "disarm deadline 1", "end aborted in a: " + cause});
    CHECK(trouble_of(play).kind == ktm::Kind::cancelled);
}

TEST_CASE("engine/machine: an edge to abort is followed after its run, and behind next") {
    Rehearsal handled{role_of({{.name = "a", .handlers = {on_run("RUN", 1, "abort")}}})};
    (void)handled.give_all({Start{}, happened("RUN")});
    CHECK(handled.give(ended(1)).back() ==
          "end aborted in a: the plan goes to abort: in state 'a' upon RUN (plan-abort)");
    Rehearsal entered{role_of({{.name = "a", .next = "b"}, {.name = "b", .next = "abort"}})};
    CHECK(entered.give(Start{}).back() ==
          "end aborted in b: the plan goes to abort: in state 'b' after enter (plan-abort)");
}

TEST_CASE("engine/machine: an edge to abort behind next is not blamed on an earlier event") {
    Rehearsal play{
        role_of({{.name = "a", .handlers = {on("GO", "b")}}, {.name = "b", .next = "abort"}})};
    (void)play.give(Start{});
    CHECK(play.give(happened("GO")).back() ==
          "end aborted in b: the plan goes to abort: in state 'b' after enter (plan-abort)");
}

TEST_CASE("engine/machine: an edge to abort behind the commit ends stranded") {
    Rehearsal play{role_of({{.name = "a", .commits = true, .handlers = {on("BAD", "abort")}}})};
    (void)play.give(Start{});
    CHECK(play.give(happened("BAD")).back() ==
          "end stranded in a, after the commit: "
          "the plan goes to abort: in state 'a' upon BAD (plan-abort)");
}

TEST_CASE("engine/machine: an edge to stranded keeps everything, the undos too") {
    Rehearsal play{role_of({{.name = "a", .handlers = {on("BAD", "stranded")}}})};
    (void)play.give_all({Start{}, hold(1, "tunnel"), undo(2, "wake")});
    const std::string cause = "the plan goes to stranded: in state 'a' upon BAD (plan-stranded)";
    CHECK(play.give(happened("BAD")) == Lines{"trouble in a: " + cause, "disarm deadline 1",
                                              "left: tunnel: kept: the end is stranded",
                                              "left: wake: not run: the end is stranded",
                                              "end stranded in a: " + cause});
}

TEST_CASE("engine/machine: trouble while a late body is cancelled takes precedence over late") {
    Rehearsal play = one_state({.late = "b"});
    (void)play.give_all({Start{}, due(1)});
    CHECK(play.give(interrupted()) == Lines{"trouble in a: stop (signal)"});
    CHECK(play.give(failed(1)) == Lines{"end aborted in a: stop (signal)"});
}

TEST_CASE("engine/machine: an interruption of a run cancels it, and a second one is refused") {
    Rehearsal play{role_of({{.name = "a", .handlers = {on_run("RUN", 1, "a")}}})};
    (void)play.give_all({Start{}, happened("RUN")});
    CHECK(play.give(interrupted()) ==
          Lines{"trouble in a: stop (signal)", "cancel body 1: stop (signal)"});
    CHECK(play.give(interrupted()) == Lines{"ignore interruption: the end has begun"});
    CHECK(play.give(ended(1)) == Lines{"disarm deadline 1", "end aborted in a: stop (signal)"});
    CHECK(play.machine.has_ended());
}

TEST_CASE("engine/machine: a thousand moves without waiting are trouble") {
    Rehearsal play{role_of({
        {.name = "start", .next = "a"},
        {.name = "a", .next = "b"},
        {.name = "b", .next = "c"},
        {.name = "c", .next = "a"},
    })};
    const Lines lines = play.give(Start{});
    CHECK(std::count(lines.begin(), lines.end(), "enter a") == 334);
    CHECK(lines.back() ==
          "end aborted in a: 1000 moves in a row without waiting for anything; "
          "states a, b, c (runaway)");
}

TEST_CASE("engine/machine: bodies that never wait do not hide a runaway, one that waits ends it") {
    Rehearsal play{role_of({{.name = "a", .enter = function(1), .next = "a"}})};
    (void)play.give(Start{});
    std::uint64_t body = 1;
    for (; body <= moves_max; ++body) {
        (void)play.give(BodyEnded{BodyId{body}, std::nullopt, body == 500});
    }
    CHECK_FALSE(play.machine.has_ended());
    for (; body <= moves_max + 499; ++body) {
        (void)play.give(BodyEnded{BodyId{body}, std::nullopt, false});
    }
    CHECK_FALSE(play.machine.has_ended());
    (void)play.give(BodyEnded{BodyId{body}, std::nullopt, false});
    CHECK(play.machine.has_ended());
}

TEST_CASE("engine/machine: events and deadlines from outside are no runaway, however many") {
    Rehearsal play{role_of({{.name = "a", .late = "a", .handlers = {on("GO", "a")}}})};
    (void)play.give(Start{});
    for (unsigned i = 0; i < 2 * moves_max; ++i) {
        (void)play.give(happened("GO"));
    }
    for (unsigned i = 0; i < 2 * moves_max; ++i) {
        (void)play.give(due(2 * moves_max + 1 + i));
    }
    CHECK_FALSE(play.machine.has_ended());
}

TEST_CASE("engine/machine: events that are worked off in a row are no runaway") {
    Rehearsal play{role_of({
        {.name = "a", .enter = function(1), .next = "b"},
        {.name = "b", .handlers = {on("GO", "b")}},
    })};
    (void)play.give(Start{});
    for (std::size_t i = 0; i < events_max; ++i) {
        (void)play.give(happened("GO"));
    }
    const Lines lines = play.give(ended(1));
    CHECK(std::count(lines.begin(), lines.end(), "enter b") == events_max + 1);
    CHECK_FALSE(play.machine.has_ended());
}

// --- Lost connections -------------------------------------------------------------------------

TEST_CASE("engine/machine: a lost connection that a handler wants is an event that tells why") {
    ktm::plan::Handler loses = on_run("qmp:lost", 2, "b");
    loses.vm = "w";
    Rehearsal play = one_state({.handlers = {loses}});
    (void)play.give_all({Start{}, ended(1)});
    CHECK(play.give(lost("w")) == Lines{"run body 2: run, function 2, upon qmp:lost vm=w"});
    const auto& run = std::get<RunBody>(play.actions.at(0));
    CHECK(run.event->data->root().find_string("what") == "hung up");
}

TEST_CASE("engine/machine: a lost connection waits for its turn while a body runs") {
    Rehearsal play = one_state({.handlers = {on("qmp:lost", "b")}});
    (void)play.give(Start{});
    CHECK(play.give(lost()).empty());
    CHECK(play.give(ended(1)).at(1) == "enter b");
}

TEST_CASE("engine/machine: a lost connection can be awaited where a handler wants it") {
    Rehearsal play = one_state({.handlers = {on("qmp:lost", "b")}});
    (void)play.give_all({Start{}, awaits(1, "qmp:lost")});
    CHECK(play.give(lost()) == Lines{"deliver to body 1: qmp:lost"});
}

TEST_CASE("engine/machine: a lost connection of another VM, or with another reason, is trouble") {
    ktm::plan::Handler loses = on("qmp:lost", "b");
    loses.matches = {{"what", std::string("replaced")}};
    Rehearsal play{role_of({{.name = "a", .handlers = {loses}}, {.name = "b"}})};
    (void)play.give(Start{});
    CHECK(play.give(lost()).back() == "end aborted in a: hung up (gone)");
    Rehearsal other{role_of({{.name = "a", .handlers = {on("qmp:lost", "b")}}, {.name = "b"}})};
    (void)other.give(Start{});
    CHECK(other.give(lost("w")).back() == "end aborted in a: hung up (gone)");
}

TEST_CASE("engine/machine: a loss that waited until nobody wants it any more is trouble") {
    Rehearsal play = one_state({.next = "b", .handlers = {on("qmp:lost", "b")}});
    (void)play.give_all({Start{}, lost()});
    CHECK(play.give(ended(1)).back() == "end aborted in b: hung up (gone)");
}

TEST_CASE("engine/machine: a loss during a body of a state without handler cancels the body") {
    Rehearsal play = one_state({});
    (void)play.give(Start{});
    CHECK(play.give(lost()) ==
          Lines{"trouble in a: hung up (gone)", "cancel body 1: hung up (gone)"});
}

// --- The other node ---------------------------------------------------------------------------

TEST_CASE("engine/machine: the other node gone is trouble where no handler wants it") {
    Rehearsal play = one_state({});
    (void)play.give(Start{});
    CHECK(play.give(peer_gone()) ==
          Lines{"trouble in a: silent (gone)", "cancel body 1: silent (gone)"});
    Rehearsal early{role_of({{.name = "a", .handlers = {on("peer:lost", "a")}}})};
    CHECK(early.give(peer_gone()).back() == "end aborted before the start: silent (gone)");
}

TEST_CASE("engine/machine: the other node gone is the event that a state waits for") {
    Rehearsal play = one_state({.handlers = {on("peer:lost", "b")}});
    (void)play.give(Start{});
    CHECK(play.give(peer_gone()).empty());
    CHECK(play.give(ended(1)).at(1) == "enter b");
}

TEST_CASE(
    "engine/machine: the other node gone strands behind the commit, and is ignored at the end") {
    Rehearsal play{role_of({{.name = "a", .commits = true, .handlers = {on("E", "a")}}})};
    (void)play.give(Start{});
    CHECK(play.give(peer_gone()).back() == "end stranded in a, after the commit: silent (gone)");
}
