// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/derive_test.cc: a plan from another plan.
#include "plan/derive.hh"

#include <catch2/catch.hpp>

#include "json/parser.hh"
#include "unit/plan/good_plan.hh"

using namespace ktm;
using namespace ktm::plan;
using namespace ktm::plan::testing;
using namespace std::chrono_literals;

namespace {

using How = StateChange::Kind;

Place here(int line) {
    return {"child.lua", line};
}

State fresh(std::string name, std::string next, int line = 100) {
    State state;
    state.name = std::move(name);
    state.next = std::move(next);
    state.within = Within{1s, ""};
    state.place = here(line);
    return state;
}

StateChange put(How kind, std::string target, State state, int line = 100) {
    StateChange change;
    change.kind = kind;
    change.target = std::move(target);
    change.state = std::move(state);
    change.place = here(line);
    return change;
}

/// `change "target" {…}`, with nothing given yet.
StateChange change_of(std::string target) {
    return put(How::change, std::move(target), State{});
}

Changes changes_of(std::vector<StateChange> changes) {
    Changes all;
    all.name = "child";
    all.file = "child.lua";
    all.place = here(1);
    all.roles.push_back({"source", std::move(changes), here(10)});
    return all;
}

NewDefault preset(std::string var, const char* json, int line) {
    Result<json::Document> value = json::parse(json);
    REQUIRE(value);
    return {std::move(var), std::move(*value), here(line)};
}

/// The child, which must be without a fault.
Plan derived(const Changes& changes, const Plan& parent = good_plan()) {
    Faults faults;
    Plan plan = derive(parent, changes, faults);
    for (const Fault& fault : faults) {
        FAIL_CHECK(fault.sentence());
    }
    return plan;
}

Lines faults_of(const Changes& changes, const Plan& parent = good_plan()) {
    Faults faults;
    static_cast<void>(derive(parent, changes, faults));
    Lines sentences;
    for (const Fault& fault : faults) {
        sentences.push_back(fault.sentence());
    }
    return sentences;
}

Lines refused(StateChange change) {
    return faults_of(changes_of({std::move(change)}));
}

/// The edges of the source that somebody wrote.
Lines edges(const Plan& plan) {
    Lines lines;
    for (const Edge& edge : edges_of(plan.roles[0])) {
        const bool is_late = edge.kind == Edge::Kind::late;
        if (!is_late || !plan.roles[0].find(edge.from)->late.empty()) {
            lines.push_back(edge.from + " > " + edge.to + (is_late ? " when late" : ""));
        }
    }
    return lines;
}

Lines names(const Plan& plan) {
    return plan.roles[0].state_names();
}

}  // namespace

TEST_CASE("plan/derive: without changes the child is the parent under another name") {
    const Plan parent = good_plan();
    const Plan child = derived(changes_of({}));
    CHECK(child.name == "child");
    CHECK(child.parent == "move");
    CHECK(child.file == "child.lua");
    CHECK(child.place == here(1));
    CHECK(child.summary == parent.summary);
    CHECK(child.role_names() == parent.role_names());
    CHECK(child.var_names() == parent.var_names());
    CHECK(edges(child) == edges(parent));
    CHECK(said(child).empty());
}

TEST_CASE("plan/derive: a summary of its own replaces the parent's") {
    Changes changes = changes_of({});
    changes.summary = "Moves it otherwise.";
    CHECK(derived(changes).summary == "Moves it otherwise.");
}

TEST_CASE("plan/derive: the parent of a child is the plan it was derived from, not the first one") {
    Changes changes = changes_of({});
    changes.name = "grandchild";
    CHECK(derived(changes, derived(changes_of({}))).parent == "child");
}

// --- Vars ----------------------------------------------------------------------------------------

TEST_CASE("plan/derive: a new default is read as its var's type, and stands where it is given") {
    Changes changes = changes_of({});
    changes.defaults.push_back(preset("patience", R"("2h")", 4));
    const Plan child = derived(changes);
    const Var* var = child.find_var("patience");
    REQUIRE(var->preset);
    CHECK(var->preset->as_duration() == 2h);
    CHECK(var->place == here(4));
}

TEST_CASE("plan/derive: with a default an optional var has a value, and is optional no more") {
    Plan parent = good_plan();
    parent.vars[1].optional = true;
    Changes changes = changes_of({});
    changes.defaults.push_back(preset("dest_ip", R"("192.0.2.1")", 4));
    const Plan child = derived(changes, parent);
    CHECK_FALSE(child.find_var("dest_ip")->optional);
    CHECK_FALSE(child.find_var("dest_ip")->required());
}

TEST_CASE("plan/derive: a default that its var does not allow is a fault at its place") {
    Changes changes = changes_of({});
    changes.defaults.push_back(preset("patience", R"("5")", 4));
    changes.defaults.push_back(preset("tunnel", R"("tcp")", 5));
    Faults faults;
    const Plan child = derive(good_plan(), changes, faults);
    REQUIRE(faults.size() == 2);
    CHECK(faults[0].place == here(4));
    CHECK(faults[0].where == "vars.patience");
    CHECK(faults[0].what.find("duration") != std::string::npos);
    CHECK(faults[1].place == here(5));
    CHECK(child.find_var("patience")->preset->as_duration() == 1h);
}

TEST_CASE("plan/derive: a default for a var that is not there names the nearest one") {
    Changes changes = changes_of({});
    changes.defaults.push_back(preset("patiense", R"("2h")", 4));
    CHECK(faults_of(changes) ==
          Lines{"child.lua:4: vars.patiense: no var 'patiense'; expected a var of plan 'move'; "
                "did you mean 'patience'?"});
}

TEST_CASE("plan/derive: a var with the parent's name takes its place, another one is added") {
    Changes changes = changes_of({});
    changes.vars = {var("tap", Type::ifname, 7), var("dest_ip", Type::text, 8)};
    const Plan child = derived(changes);
    CHECK(child.var_names() == Lines{"patience", "dest_ip", "tunnel", "tap"});
    CHECK(child.find_var("dest_ip")->type == Type::text);
}

TEST_CASE("plan/derive: a default may be given to a var that the child brings along") {
    Changes changes = changes_of({});
    changes.vars = {var("tap", Type::ifname, 7)};
    changes.defaults.push_back(preset("tap", R"("tap0")", 9));
    CHECK(derived(changes).find_var("tap")->preset->as_text() == "tap0");
}

TEST_CASE("plan/derive: a var that the child gives twice is there twice, for check to say") {
    Changes changes = changes_of({});
    changes.vars = {var("tunnel", Type::text, 7), var("tunnel", Type::text, 8)};
    CHECK(derived(changes).var_names() == Lines{"patience", "dest_ip", "tunnel", "tunnel"});
}

TEST_CASE("plan/derive: relations are added to the parent's") {
    Plan parent = good_plan();
    parent.relations.push_back({Relation::Kind::together, {"dest_ip", "tunnel"}, at(5)});
    Changes changes = changes_of({});
    changes.relations.push_back({Relation::Kind::different, {"dest_ip", "tunnel"}, here(5)});
    const Plan child = derived(changes, parent);
    REQUIRE(child.relations.size() == 2);
    CHECK(child.relations[0].kind == Relation::Kind::together);
    CHECK(child.relations[1].kind == Relation::Kind::different);
}

// --- A whole state -------------------------------------------------------------------------------

TEST_CASE("plan/derive: a state that is given takes the place of the parent's") {
    const Plan child =
        derived(changes_of({put(How::replace, "precopy", fresh("precopy", "handover", 33))}));
    CHECK(names(child) == Lines{"prepare", "precopy", "handover"});
    CHECK(edges(child) == Lines{"prepare > precopy", "precopy > handover", "handover > done"});
    CHECK(child.roles[0].states[1].place == here(33));
}

TEST_CASE("plan/derive: a state that the parent lacks cannot be replaced") {
    CHECK(refused(put(How::replace, "precoppy", fresh("precoppy", "done"), 40)) ==
          Lines{"child.lua:40: source.precoppy: no state 'precoppy'; expected a state of role "
                "'source' of plan 'move'; a new state is put 'before' or 'after' one of them; did "
                "you mean 'precopy'?"});
}

TEST_CASE("plan/derive: what was changed above cannot be replaced as a whole below") {
    const StateChange whole = put(How::replace, "precopy", fresh("precopy", "done"), 41);
    const Lines twice{
        "child.lua:41: source.precopy: state 'precopy' is given twice; expected one that has "
        "everything"};
    CHECK(faults_of(changes_of({change_of("precopy"), whole})) == twice);
    CHECK(faults_of(changes_of(
              {put(How::replace, "precopy", fresh("precopy", "done"), 40), whole})) == twice);
    CHECK(faults_of(changes_of({put(How::before, "handover", fresh("extra", "handover"), 40),
                                put(How::replace, "extra", fresh("extra", "done"), 41)})) ==
          Lines{"child.lua:41: source.extra: state 'extra' is given twice; expected one that has "
                "everything"});
}

// --- Keys of a state -----------------------------------------------------------------------------

TEST_CASE("plan/derive: of a changed state the given keys are new and the others the parent's") {
    Plan parent = good_plan();
    State& old = parent.roles[0].states[1];
    old.late = "abort";
    old.next = "handover";
    old.enter = FunctionRef{1, 11, at(23), {}};
    SECTION("nothing given") {
        const State state = derived(changes_of({change_of("precopy")}), parent).roles[0].states[1];
        CHECK(state.within == old.within);
        CHECK(state.late == "abort");
        CHECK(state.next == "handover");
        CHECK(state.enter->digest == 11);
        CHECK_FALSE(state.commits);
        CHECK(state.handlers.size() == 2);
        CHECK(state.place == here(100));
    }
    SECTION("all given") {
        StateChange change = change_of("precopy");
        change.state.within = Within{2s, ""};
        change.state.late = "handover";
        change.state.next = "prepare";
        change.state.enter = FunctionRef{2, 22, here(24), {}};
        change.state.commits = true;
        change.gives_commits = true;
        const State state = derived(changes_of({change}), parent).roles[0].states[1];
        CHECK(state.within == change.state.within);
        CHECK(state.late == "handover");
        CHECK(state.next == "prepare");
        CHECK(state.enter->digest == 22);
        CHECK(state.commits);
    }
}

TEST_CASE("plan/derive: a commit stays unless the change says something about it") {
    StateChange change = change_of("handover");
    CHECK(derived(changes_of({change})).roles[0].states[2].commits);
    change.gives_commits = true;
    CHECK_FALSE(derived(changes_of({change})).roles[0].states[2].commits);
}

TEST_CASE("plan/derive: new handlers stand before the parent's, in their own order") {
    StateChange change = change_of("precopy");
    change.state.handlers = {on("copy:nearly", "handover", 1), on("copy:stalled", "abort", 2)};
    Lines labels;
    const Plan child = derived(changes_of({change}));
    for (const Handler& handler : child.roles[0].states[1].handlers) {
        labels.push_back(handler.label());
    }
    CHECK(labels == Lines{"copy:nearly", "copy:stalled", "MIGRATION status=completed",
                          "MIGRATION status=failed"});
}

TEST_CASE(
    "plan/derive: a handler of the same event, VM and matches replaces the parent's in place") {
    StateChange change = change_of("precopy");
    Handler other_vm = on("MIGRATION", "prepare", 2, {status("failed")});
    other_vm.vm = "mirror";
    change.state.handlers = {on("MIGRATION", "prepare", 1, {status("failed")}), other_vm};
    const Plan child = derived(changes_of({change}));
    const std::vector<Handler>& handlers = child.roles[0].states[1].handlers;
    REQUIRE(handlers.size() == 3);
    CHECK(handlers[0].vm == "mirror");
    CHECK(handlers[1].go == "handover");
    CHECK(handlers[2].go == "prepare");
}

TEST_CASE("plan/derive: a handler that is given twice is there twice, for check to say") {
    StateChange change = change_of("precopy");
    change.state.handlers = {on("MIGRATION", "prepare", 1, {status("failed")}),
                             on("MIGRATION", "done", 2, {status("failed")})};
    CHECK(derived(changes_of({change})).roles[0].states[1].handlers.size() == 3);
}

TEST_CASE("plan/derive: changes of one state are applied one after another") {
    StateChange first = change_of("precopy");
    first.state.late = "done";
    StateChange second = change_of("precopy");
    second.state.within = Within{3s, ""};
    const State state = derived(changes_of({first, second})).roles[0].states[1];
    CHECK(state.late == "done");
    CHECK(state.within->fixed == 3s);
}

// --- A state before another ----------------------------------------------------------------------

TEST_CASE("plan/derive: all edges to a state lead to the one that is put before it") {
    Plan parent = good_plan();
    std::vector<State>& states = parent.roles[0].states;
    states[1].next = "handover";
    states[1].late = "handover";
    states[0].handlers.push_back(on("shortcut", "handover", 13));
    const Plan child =
        derived(changes_of({put(How::before, "handover", fresh("extra", "handover"))}), parent);
    CHECK(names(child) == Lines{"prepare", "precopy", "extra", "handover"});
    CHECK(edges(child) == Lines{"prepare > precopy", "prepare > extra", "precopy > extra",
                                "precopy > extra", "precopy > abort", "precopy > extra when late",
                                "extra > handover", "handover > done"});
}

TEST_CASE("plan/derive: a state's edges to itself stay when another is put before it") {
    Plan parent = good_plan();
    parent.roles[0].states[1].late = "precopy";
    parent.roles[0].states[1].handlers.push_back(on("again", "precopy", 24));
    const Plan child =
        derived(changes_of({put(How::before, "precopy", fresh("extra", "precopy"))}), parent);
    CHECK(edges(child) == Lines{"prepare > extra", "extra > precopy", "precopy > handover",
                                "precopy > abort", "precopy > precopy",
                                "precopy > precopy when late", "handover > done"});
}

TEST_CASE("plan/derive: the edges of the new state are its own, whatever they lead to") {
    State extra = fresh("extra", "precopy");
    extra.late = "precopy";
    extra.handlers = {on("again", "extra", 2), on("skip", "precopy", 3)};
    CHECK(edges(derived(changes_of({put(How::before, "precopy", extra)}))) ==
          Lines{"prepare > extra", "extra > precopy", "extra > extra", "extra > precopy",
                "extra > precopy when late", "precopy > handover", "precopy > abort",
                "handover > done"});
}

TEST_CASE("plan/derive: a state before the first one becomes the start") {
    const Plan child =
        derived(changes_of({put(How::before, "prepare", fresh("check", "prepare"))}));
    CHECK(names(child).front() == "check");
    CHECK(said(child).empty());
}

TEST_CASE("plan/derive: of several states before one the first given is run first") {
    const Plan child = derived(changes_of({put(How::before, "handover", fresh("a", "handover")),
                                           put(How::before, "handover", fresh("b", "handover")),
                                           put(How::before, "handover", fresh("c", "handover"))}));
    CHECK(names(child) == Lines{"prepare", "precopy", "a", "b", "c", "handover"});
    CHECK(edges(child) == Lines{"prepare > precopy", "precopy > a", "precopy > abort", "a > b",
                                "b > c", "c > handover", "handover > done"});
    CHECK(said(child).empty());
}

TEST_CASE("plan/derive: a state can be put before one that was added above") {
    const Plan child = derived(changes_of({put(How::before, "handover", fresh("b", "handover")),
                                           put(How::before, "b", fresh("a", "b"))}));
    CHECK(edges(child) == Lines{"prepare > precopy", "precopy > a", "precopy > abort", "a > b",
                                "b > handover", "handover > done"});
}

// --- A state after another -----------------------------------------------------------------------

TEST_CASE("plan/derive: a state after another takes its edges to the one behind it") {
    Plan parent = good_plan();
    std::vector<State>& states = parent.roles[0].states;
    states[1].next = "handover";
    states[1].late = "handover";
    states[0].handlers.push_back(on("shortcut", "handover", 13));
    const Plan child =
        derived(changes_of({put(How::after, "precopy", fresh("extra", "handover"))}), parent);
    CHECK(names(child) == Lines{"prepare", "precopy", "extra", "handover"});
    CHECK(edges(child) == Lines{"prepare > precopy", "prepare > handover", "precopy > extra",
                                "precopy > extra", "precopy > abort", "precopy > extra when late",
                                "extra > handover", "handover > done"});
}

TEST_CASE("plan/derive: a state is not put where no edge leads") {
    Plan parent = good_plan();
    std::vector<State>& states = parent.roles[0].states;
    states[0].handlers = {on("x", "handover", 12), on("y", "handover", 13), on("z", "abort", 14)};
    const Changes changes = changes_of({put(How::after, "prepare", fresh("extra", "precopy"), 60)});
    CHECK(faults_of(changes, parent) ==
          Lines{"child.lua:60: source.prepare: no edge to 'precopy', the state behind it; expected "
                "an edge for the new state; it leads to handover and abort"});
    Faults faults;
    CHECK(names(derive(parent, changes, faults)) == names(parent));
    states[0].handlers.clear();
    CHECK(faults_of(changes, parent) ==
          Lines{"child.lua:60: source.prepare: no edge to 'precopy', the state behind it; expected "
                "an edge for the new state; it leads nowhere"});
}

TEST_CASE("plan/derive: behind the last state there is nothing to lead to") {
    CHECK(refused(put(How::after, "handover", fresh("extra", "done"), 61)) ==
          Lines{"child.lua:61: source.handover: no state stands behind 'handover'; expected an "
                "edge for the new state; it leads to done"});
}

// --- What cannot be applied ----------------------------------------------------------------------

TEST_CASE("plan/derive: an unknown target is named with the nearest state") {
    for (const How kind : {How::change, How::before, How::after}) {
        CHECK(
            refused(put(kind, "hand-over", fresh("extra", "done"), 70)) ==
            Lines{"child.lua:70: source.hand-over: no state 'hand-over'; expected a state of role "
                  "'source' of plan 'move'; did you mean 'handover'?"});
    }
}

TEST_CASE("plan/derive: an end is no state to change, or to put something before or after") {
    for (const How kind : {How::replace, How::change, How::before, How::after}) {
        CHECK(refused(put(kind, "done", fresh("extra", "done"), 71)) ==
              Lines{"child.lua:71: source.done: 'done' is an end and no state; expected a state of "
                    "role 'source' of plan 'move'"});
    }
}

TEST_CASE("plan/derive: a new state needs a name that is free") {
    for (const How kind : {How::before, How::after}) {
        CHECK(refused(put(kind, "precopy", fresh("prepare", "handover", 72))) ==
              Lines{"child.lua:72: source.prepare: state 'prepare' exists already; the first is at "
                    "move.lua:11; expected a new name"});
    }
    CHECK(faults_of(changes_of({put(How::before, "handover", fresh("a", "handover", 73)),
                                put(How::before, "handover", fresh("a", "handover", 74))})) ==
          Lines{"child.lua:74: source.a: state 'a' exists already; the first is at child.lua:73; "
                "expected a new name"});
}

TEST_CASE("plan/derive: an unknown role is named with those that there are") {
    Changes changes = changes_of({});
    changes.roles = {{"sorce", {}, here(80)}};
    CHECK(faults_of(changes) ==
          Lines{"child.lua:80: sorce: no role 'sorce'; expected a role of plan 'move': source or "
                "dest; did you mean 'source'?"});
}

TEST_CASE("plan/derive: one fault does not hide the others, nor stop what can be done") {
    Changes changes = changes_of(
        {change_of("nothing-like-it"), put(How::before, "handover", fresh("extra", "handover"))});
    changes.roles.push_back({"nobody", {}, here(80)});
    changes.defaults.push_back(preset("nothing", "1", 4));
    Faults faults;
    const Plan child = derive(good_plan(), changes, faults);
    CHECK(faults.size() == 3);
    CHECK(names(child) == Lines{"prepare", "precopy", "extra", "handover"});
}
