// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/check_test.cc: every way in which a plan can be wrong, one by one.
#include <catch2/catch.hpp>

#include "unit/plan/good_plan.hh"

using namespace ktm;
using namespace ktm::plan;
using namespace ktm::plan::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr const char* spelling =
    "expected a small letter, then small letters, digits, '-' and '_', at most 63 of them";

}  // namespace

TEST_CASE("plan/check: a good plan has no fault") {
    CHECK(said(good_plan()).empty());
}

TEST_CASE("plan/check: a fault has its place, its path, what is wrong, what is right and a hint") {
    Plan plan = good_plan();
    plan.roles[0].states[0].handlers[0].go = "precoyp";
    Faults faults;
    check(plan, faults);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].place == at(12));
    CHECK(faults[0].where == "source.prepare");
    CHECK(faults[0].what == "no state 'precoyp'");
    CHECK(faults[0].expected == "a state of this role, or done, abort, stranded");
    CHECK(faults[0].hint == "precopy");
}

// --- The plan ----------------------------------------------------------------------------------

TEST_CASE("plan/check: a plan has a name of small letters, digits and '-'") {
    const auto named = [](std::string name) {
        return after([&](Plan& plan, States&) { plan.name = name; });
    };
    const std::string rest =
        "; expected a small letter, then small letters, digits and '-', at most 63 of them";
    CHECK(named("") == Lines{"move.lua:1: the plan has no name" + rest});
    CHECK(named("Move") == Lines{"move.lua:1: 'Move' cannot be the name of a plan" + rest});
    CHECK(named("my_plan") == Lines{"move.lua:1: 'my_plan' cannot be the name of a plan" + rest});
    CHECK(named("2x") == Lines{"move.lua:1: '2x' cannot be the name of a plan" + rest});
    CHECK(named("a\x1B[2J") ==
          Lines{"move.lua:1: 'a\\x1b[2J' cannot be the name of a plan" + rest});
    CHECK(named(std::string(64, 'a')) == Lines{"move.lua:1: the plan's name has 64 bytes" + rest});
    CHECK(named(std::string(63, 'a')).empty());
    CHECK(named("a-2").empty());
}

TEST_CASE("plan/check: another api is a fault") {
    CHECK(after([](Plan& plan, States&) { plan.api = 2; }) ==
          Lines{"move.lua:1: api 2 is not known; expected api = 1"});
}

TEST_CASE("plan/check: a plan has a summary and a role") {
    CHECK(after([](Plan& plan, States&) { plan.summary.clear(); }) ==
          Lines{"move.lua:1: the plan has no summary; expected summary = \"one sentence\""});
    Plan plan = good_plan();
    plan.roles.clear();
    plan.vars[1].role.clear();
    CHECK(said(plan) ==
          Lines{"move.lua:1: the plan has no role; expected role \"NAME\" { states }"});
}

TEST_CASE("plan/check: a role has a name and a state") {
    CHECK(after([](Plan& plan, States&) { plan.roles[1].states.clear(); }) ==
          Lines{"move.lua:50: dest: the role has no state; expected state \"NAME\" { … }; the "
                "first is the start"});
    CHECK(after([](Plan& plan, States&) { plan.roles[1].name = ""; }) ==
          Lines{"move.lua:50: the role has no name; "s + spelling});
    CHECK(after([](Plan& plan, States&) { plan.roles[1].name = "Dest"; }) ==
          Lines{"move.lua:50: Dest: 'Dest' cannot be the name of a role; "s + spelling});
    CHECK(after([](Plan& plan, States&) { plan.roles[1].name = "dest_2-b"; }).empty());
}

TEST_CASE("plan/check: roles, states, vars and choices are there once") {
    CHECK(after([](Plan& plan, States&) { plan.roles[1].name = "source"; }) ==
          Lines{"move.lua:50: source: a second role 'source'; expected another name; the first "
                "is at move.lua:10"});
    CHECK(after([](Plan&, States& states) { states.push_back(states[1]); }) ==
          Lines{"move.lua:20: source.precopy: a second state 'precopy'; expected another name; "
                "the first is at move.lua:20"});
    CHECK(after([](Plan& plan, States&) { plan.vars.push_back(plan.vars[1]); }) ==
          Lines{"move.lua:3: vars.dest_ip: a second var 'dest_ip'; expected another name; the "
                "first is at move.lua:3"});
    CHECK(after([](Plan& plan, States&) { plan.vars[2].choices.push_back("gre"); }) ==
          Lines{"move.lua:4: vars.tunnel: the choice 'gre' is there twice; expected each choice "
                "once"});
}

// --- A state by itself -------------------------------------------------------------------------

TEST_CASE("plan/check: a state's name is spelled like a name, and not like an end") {
    const auto called = [](std::string name) {
        return after([&](Plan& plan, States&) { plan.roles[1].states[0].name = name; });
    };
    CHECK(called("Wait") ==
          Lines{"move.lua:51: dest.Wait: 'Wait' cannot be the name of a state; "s + spelling});
    CHECK(called("") == Lines{"move.lua:51: dest.: the state has no name; "s + spelling});
    for (const std::string end : {"done", "abort", "stranded"}) {
        CHECK(called(end) == Lines{"move.lua:51: dest." + end + ": a state cannot be called '" +
                                   end + "', like an end; expected another name"});
    }
    CHECK(called("wait_2-x").empty());
}

TEST_CASE("plan/check: every state has a deadline, more than nothing and at most 30 days") {
    const auto within = [](std::optional<Within> given) {
        return after([&](Plan&, States& states) { states[0].within = given; });
    };
    const std::string none =
        "move.lua:11: source.prepare: the state has no deadline; expected within = \"10s\" or "
        "within = var \"NAME\"";
    CHECK(within(std::nullopt) == Lines{none});
    CHECK(within(Within{}) == Lines{none});
    const std::string rest = "; expected more than 0 s and at most 30 d";
    CHECK(within(Within{0s, ""}) ==
          Lines{"move.lua:11: source.prepare: the deadline is 0 s" + rest});
    CHECK(within(Within{-5s, ""}) ==
          Lines{"move.lua:11: source.prepare: the deadline is -5 s" + rest});
    CHECK(within(Within{721h, ""}) ==
          Lines{"move.lua:11: source.prepare: the deadline is 721 h" + rest});
    CHECK(within(Within{720h, ""}).empty());
    CHECK(within(Within{1ns, ""}).empty());
}

TEST_CASE("plan/check: the var of a deadline is a duration that this role always has") {
    const std::string where = "move.lua:20: source.precopy: ";
    CHECK(after([](Plan&, States& states) { states[1].within->var = "patienec"; }) ==
          Lines{where + "no var 'patienec' for the deadline; expected a duration among the vars; "
                        "did you mean 'patience'?"});
    CHECK(after([](Plan&, States& states) { states[1].within->var = "tunnel"; }) ==
          Lines{where + "the deadline's var 'tunnel' is of type enum; expected a duration"});
    CHECK(after([](Plan& plan, States&) { plan.vars[0].role = "dest"; }) ==
          Lines{where + "the deadline's var 'patience' belongs to role 'dest'; expected a var of "
                        "this role or of all"});
    CHECK(after([](Plan& plan, States&) { plan.vars[0].role = "source"; }).empty());
    CHECK(after([](Plan& plan, States&) { plan.vars[0].preset.reset(); }).empty());
    CHECK(after([](Plan& plan, States&) {
              plan.vars[0].preset.reset();
              plan.vars[0].optional = true;
          }) == Lines{where + "the deadline's var 'patience' may be without a value; expected a "
                              "var that is required or has a default"});
    CHECK(after([](Plan& plan, States&) {
              plan.vars[0].preset = Value{Type::duration, 0};
          }) ==
          Lines{where + "the deadline's default, of var 'patience', is 0 s; expected more than "
                        "0 s and at most 30 d"});
}

TEST_CASE("plan/check: late does not lead to the state itself") {
    CHECK(after([](Plan&, States& states) { states[0].late = "prepare"; }) ==
          Lines{"move.lua:11: source.prepare: 'late' leads to the state itself; expected another "
                "state or an end"});
    CHECK(after([](Plan&, States& states) { states[0].late = "precopy"; }).empty());
}

TEST_CASE("plan/check: a state waits or goes on") {
    const auto emptied = [](std::string next, std::string late) {
        return after([&](Plan& plan, States&) {
            State& state = plan.roles[1].states[0];
            state.handlers.clear();
            state.next = next;
            state.late = late;
        });
    };
    CHECK(emptied("", "") == Lines{"move.lua:51: dest.wait: the state neither waits nor goes on; "
                                   "expected next, an event to wait for, or a written 'late'"});
    CHECK(emptied("", "done").empty());
    CHECK(emptied("done", "").empty());
}

TEST_CASE("plan/check: next and handlers exclude each other") {
    CHECK(after([](Plan&, States& states) { states[1].next = "handover"; }) ==
          Lines{"move.lua:21: source.precopy: handlers that never run, because next leaves the "
                "state after enter; expected either next or handlers"});
}

TEST_CASE("plan/check: an event has the form of a QMP event or of a word of ours") {
    const auto waits_for = [](const std::string& event) {
        return after(
            [&](Plan& plan, States&) { plan.roles[1].states[0].handlers[0].event = event; });
    };
    for (const char* good : {"RESUME", "BLOCK_JOB_READY", "A", "X86_2", "node:ready", "copy:nearly",
                             "a-b_c2:d.e-f_g", "x:1"}) {
        INFO(good);
        CHECK(waits_for(good).empty());
    }
    const std::string rest =
        "' is not the name of an event; expected a QMP event such as MIGRATION, or a word such "
        "as peer:ready";
    for (const char* bad : {"", "_X", "2X", ":", "peer:", ":ready", "peer:-x", "2:x", "a:b:c",
                            "a b", "a:b c", "Ä", "-:x", "_:x", "a.b:c"}) {
        INFO(bad);
        CHECK(waits_for(bad) == Lines{"move.lua:52: dest.wait: '"s + bad + rest});
    }
    CHECK(waits_for("resume") ==
          Lines{"move.lua:52: dest.wait: 'resume" + rest + "; did you mean 'RESUME'?"});
    CHECK(waits_for("block-job-ready") == Lines{"move.lua:52: dest.wait: 'block-job-ready" + rest +
                                                "; did you mean 'BLOCK_JOB_READY'?"});
    CHECK(waits_for("Peer:Ready") ==
          Lines{"move.lua:52: dest.wait: 'Peer:Ready" + rest + "; did you mean 'peer:ready'?"});
}

TEST_CASE("plan/check: a handler behind one that takes all its events is useless") {
    const auto second = [](Handler handler) {
        return after([&](Plan&, States& states) {
            states[1].handlers = {on("MIGRATION", "handover", 21, {status("completed")}),
                                  std::move(handler)};
        });
    };
    Handler same = on("MIGRATION", "abort", 22, {status("completed")});
    CHECK(second(same) == Lines{"move.lua:22: source.precopy: the handler of 'MIGRATION "
                                "status=completed' never runs: 'MIGRATION status=completed' stands "
                                "before it; expected the narrower of two handlers first"});
    Handler narrower = same;
    narrower.matches.push_back({"up", true});
    CHECK(second(narrower).size() == 1);
    Handler wider = same;
    wider.matches.clear();
    CHECK(second(wider).empty());
    Handler other_value = same;
    other_value.matches = {status("failed")};
    CHECK(second(other_value).empty());
    Handler other_kind = same;
    other_kind.matches = {{"status", true}};
    CHECK(second(other_kind).empty());
    Handler other_vm = same;
    other_vm.vm = "backup";
    CHECK(second(other_vm).empty());
    Handler other_event = same;
    other_event.event = "STOP";
    CHECK(second(other_event).empty());
}

TEST_CASE("plan/check: a handler without conditions makes each later one useless, once") {
    CHECK(after([](Plan&, States& states) {
              states[1].handlers = {on("STOP", "handover", 21), on("STOP", "", 22, {status("a")}),
                                    on("STOP", "", 23, {status("a")})};
          }) == Lines{"move.lua:22: source.precopy: the handler of 'STOP status=a' never runs: "
                      "'STOP' stands before it; expected the narrower of two handlers first",
                      "move.lua:23: source.precopy: the handler of 'STOP status=a' never runs: "
                      "'STOP' stands before it; expected the narrower of two handlers first"});
}

// --- The states together -----------------------------------------------------------------------

TEST_CASE("plan/check: go, next and late lead to a state or an end") {
    const std::string rest =
        "; expected a state of this role, or done, abort, stranded; did you mean 'precopy'?";
    CHECK(after([](Plan&, States& states) { states[0].handlers[0].go = "precoy"; }) ==
          Lines{"move.lua:12: source.prepare: no state 'precoy'" + rest});
    CHECK(after([](Plan&, States& states) { states[0].late = "precop"; }) ==
          Lines{"move.lua:11: source.prepare: no state 'precop'" + rest});
    CHECK(after([](Plan&, States& states) {
              states[0].handlers.clear();
              states[0].next = "pre-copy";
          }) == Lines{"move.lua:11: source.prepare: no state 'pre-copy'" + rest});
    CHECK(after([](Plan& plan, States&) { plan.roles[1].states[0].handlers[0].go = "dnoe"; }) ==
          Lines{"move.lua:52: dest.wait: no state 'dnoe'; expected a state of this role, or done, "
                "abort, stranded; did you mean 'done'?"});
}

TEST_CASE("plan/check: a state of another role is no target") {
    CHECK(after([](Plan& plan, States&) { plan.roles[1].states[0].late = "handover"; }) ==
          Lines{"move.lua:51: dest.wait: no state 'handover'; expected a state of this role, or "
                "done, abort, stranded"});
}

TEST_CASE("plan/check: a misspelled target does not make its state unreached as well") {
    CHECK(after([](Plan&, States& states) {
              states[1].handlers[0].go = "hanover";
              states[0].handlers[0].go = "nowhere-near";
          }) ==
          Lines{"move.lua:12: source.prepare: no state 'nowhere-near'; expected a state of this "
                "role, or done, abort, stranded",
                "move.lua:20: source.precopy: the state is never reached from 'prepare'; expected "
                "an edge that leads to it",
                "move.lua:21: source.precopy: no state 'hanover'; expected a state of this role, "
                "or done, abort, stranded; did you mean 'handover'?",
                "move.lua:30: source.handover: the state is never reached from 'prepare'; "
                "expected an edge that leads to it"});
}

TEST_CASE("plan/check: every state is reached from the first") {
    CHECK(after([](Plan&, States& states) {
              states.push_back(state("island", 40, {on("STOP", "peninsula", 41)}));
              states.push_back(state("peninsula", 42, {on("STOP", "done", 43)}));
          }) == Lines{"move.lua:40: source.island: the state is never reached from 'prepare'; "
                      "expected an edge that leads to it",
                      "move.lua:42: source.peninsula: the state is never reached from 'prepare'; "
                      "expected an edge that leads to it"});
}

TEST_CASE("plan/check: a state may be reached by next, by an event or by a deadline") {
    CHECK(after([](Plan&, States& states) {
              states[0].late = "by-deadline";
              states.push_back(state("by-deadline", 40, {}));
              states[3].next = "by-next";
              states.push_back(state("by-next", 41, {on("STOP", "done", 42)}));
          }).empty());
}

TEST_CASE("plan/check: from each state an end is reached without the default deadline") {
    const std::string rest =
        ": from here no end can be reached but by its deadline; expected a way to done, abort or "
        "stranded by next, go or a written 'late'";
    // Two states that lead to each other, and the one that leads only to them.
    const auto trap = [](States& states) {
        states[0].handlers = {on("STOP", "precopy", 12)};
        states[1].handlers = {on("STOP", "handover", 21)};
        states[2].handlers = {on("STOP", "precopy", 31)};
    };
    CHECK(after([&](Plan&, States& states) { trap(states); }) ==
          Lines{"move.lua:11: source.prepare" + rest, "move.lua:20: source.precopy" + rest,
                "move.lua:30: source.handover" + rest});
    CHECK(after([&](Plan&, States& states) {
              trap(states);
              states[2].late = "done";
          }).empty());
    CHECK(after([](Plan&, States& states) { states[2].handlers[0].go = ""; }) ==
          Lines{"move.lua:30: source.handover" + rest});
    CHECK(after([](Plan&, States& states) {
              states[2].handlers.clear();
              states[2].next = "handover";
          }) == Lines{"move.lua:30: source.handover" + rest});
}

TEST_CASE("plan/check: on each way a role commits once") {
    CHECK(after([](Plan&, States& states) {
              states[1].handlers.pop_back();
              states[0].commits = states[1].commits = true;
          }) ==
          Lines{"move.lua:20: source.precopy: a second commit: 'prepare' has committed "
                "already; expected one commit on each way; the first is at move.lua:11",
                "move.lua:30: source.handover: a second commit: 'prepare' has committed already; "
                "expected one commit on each way; the first is at move.lua:11"});
    // Either of two ways may have one.
    CHECK(after([](Plan&, States& states) {
              states[1].commits = states[2].commits = true;
              states[0].late = states[2].name;
              states[1].handlers.clear();
              states[1].next = "done";
          }).empty());
}

TEST_CASE("plan/check: no edge leads to abort after the commit") {
    const std::string rest =
        ": abort after the commit: nothing can be undone any more; expected stranded";
    CHECK(after([](Plan&, States& states) { states[2].handlers[0].go = "abort"; }) ==
          Lines{"move.lua:31: source.handover" + rest});
    CHECK(after([](Plan&, States& states) { states[2].late = "abort"; }) ==
          Lines{"move.lua:30: source.handover" + rest});
    CHECK(after([](Plan&, States& states) {
              states[2].handlers[0].go = "drain";
              states.push_back(state("drain", 40, {}));
              states[3].next = "abort";
          }) == Lines{"move.lua:40: source.drain" + rest});
    CHECK(after([](Plan&, States& states) { states[2].late = "stranded"; }).empty());
    CHECK(after([](Plan&, States& states) { states[0].late = "abort"; }).empty());
}

// --- All at once -------------------------------------------------------------------------------

TEST_CASE("plan/check: one fault does not hide another") {
    Plan plan;
    plan.file = "bad.lua";
    plan.api = 7;
    plan.place = {"bad.lua", 1};
    Var bad = var("Bad", Type::enumeration, 2);
    bad.doc.clear();
    bad.role = "nobody";
    plan.vars = {bad};
    Role role;
    role.name = "x";
    State first = state("done", 5, {on("what?", "nowhere", 6)});
    first.within.reset();
    role.states = {first};
    plan.roles = {role};
    Faults faults;
    check(plan, faults);
    Lines whats;
    for (const Fault& fault : faults) {
        whats.push_back(fault.what);
    }
    CHECK(whats == Lines{"the plan has no name", "api 7 is not known", "the plan has no summary",
                         "'Bad' cannot be the name of a var", "the var has no doc",
                         "no role 'nobody'", "an enum without choices",
                         "a state cannot be called 'done', like an end",
                         "the state has no deadline", "'what?' is not the name of an event",
                         "no state 'nowhere'"});
}

TEST_CASE("plan/check: a plan of one thousand states in a row is checked at once") {
    Plan plan = good_plan();
    States& states = plan.roles[1].states;
    states.clear();
    for (int i = 0; i < 1000; ++i) {
        states.push_back(state("s" + std::to_string(i), 51 + i, {}));
        states.back().next = "s" + std::to_string(i + 1);
    }
    states.back().next = "done";
    CHECK(said(plan).empty());
    std::reverse(states.begin() + 1, states.end());
    CHECK(said(plan).empty());
}
