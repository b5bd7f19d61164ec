// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/difference_test.cc: what one plan has that another has not.
#include "plan/difference.hh"

#include <catch2/catch.hpp>

#include "unit/plan/good_plan.hh"

using namespace ktm::plan;
using namespace ktm::plan::testing;
using namespace std::chrono_literals;

namespace {

std::string line_of(const Difference& difference) {
    switch (difference.kind) {
        case Difference::Kind::added: return "+ " + difference.where + ": " + difference.after;
        case Difference::Kind::removed: return "- " + difference.where + ": " + difference.before;
        case Difference::Kind::changed: break;
    }
    return "~ " + difference.where + ": " + difference.before + " > " + difference.after;
}

Lines lines(const Plan& older, const Plan& newer) {
    Lines all;
    for (const Difference& difference : differences(older, newer)) {
        all.push_back(line_of(difference));
    }
    return all;
}

/// What differs after one change to the good plan.
template <class Change>
Lines changed(Change change) {
    Plan newer = good_plan();
    change(newer, newer.roles[0].states);
    return lines(good_plan(), newer);
}

/// The other way round, which must say the same of the same things.
template <class Change>
Lines undone(Change change) {
    Plan older = good_plan();
    change(older, older.roles[0].states);
    return lines(older, good_plan());
}

FunctionRef function(std::uint64_t digest, int line) {
    return {0, digest, at(line), {}};
}

}  // namespace

TEST_CASE("plan/difference: a plan does not differ from itself") {
    CHECK(lines(good_plan(), good_plan()).empty());
}

TEST_CASE("plan/difference: names, files and lines are no difference") {
    CHECK(changed([](Plan& plan, States& states) {
              plan.name = "other";
              plan.file = "other.lua";
              plan.parent = "move";
              plan.place = {"other.lua", 9};
              plan.vars[0].place = {"other.lua", 10};
              states[0].place = {"other.lua", 12};
              states[0].handlers[0].place = {"other.lua", 13};
          }).empty());
}

TEST_CASE("plan/difference: another summary") {
    CHECK(changed([](Plan& plan, States&) { plan.summary = "Moves it."; }) ==
          Lines{"~ summary: Moves a VM. > Moves it."});
}

// --- Vars and relations --------------------------------------------------------------------------

TEST_CASE("plan/difference: vars that are new or gone") {
    const auto change = [](Plan& plan, States&) {
        Var tap = var("tap", Type::list, 9);
        tap.element = Type::ifname;
        tap.optional = true;
        plan.vars.insert(plan.vars.begin(), tap);
    };
    CHECK(changed(change) == Lines{"+ vars.tap: list of ifname, optional"});
    CHECK(undone(change) == Lines{"- vars.tap: list of ifname, optional"});
    CHECK(changed([](Plan& plan, States&) { plan.vars.erase(plan.vars.begin()); }) ==
          Lines{"- vars.patience: duration, default 1h"});
}

TEST_CASE("plan/difference: each key of a var") {
    CHECK(changed([](Plan& plan, States&) {
              Var& var = plan.vars[0];
              var.preset = Value{Type::duration, ktm::Duration(2h).count()};
              var.min = ktm::Duration(1ms).count();
              var.max = ktm::Duration(3h).count();
              var.doc = "Another doc.";
              var.role = "dest";
          }) == Lines{"~ vars.patience.default: 1h > 2h", "+ vars.patience.min: 1ms",
                      "+ vars.patience.max: 3h", "+ vars.patience.role: dest",
                      "~ vars.patience.doc: What it is for. > Another doc."});
    CHECK(changed([](Plan& plan, States&) {
              plan.vars[1].type = Type::text;
              plan.vars[1].role = "";
              plan.vars[1].optional = true;
              plan.vars[1].max = 15;
              plan.vars[2].choices = {"gre", "vxlan"};
          }) == Lines{"~ vars.dest_ip.type: ip > string", "+ vars.dest_ip.max: 15",
                      "+ vars.dest_ip.optional: yes", "- vars.dest_ip.role: source",
                      "~ vars.tunnel.choices: ipip, gre > gre, vxlan"});
}

TEST_CASE("plan/difference: a default that is new or gone, even the empty text") {
    const auto change = [](Plan& plan, States&) {
        plan.vars[2] = var("tunnel", Type::text, 4);
        plan.vars[2].choices = {"ipip", "gre"};
        plan.vars[2].preset = Value{Type::text, std::string()};
    };
    CHECK(changed(change) == Lines{"~ vars.tunnel.type: enum > string", "+ vars.tunnel.default: "});
    CHECK(undone(change) == Lines{"~ vars.tunnel.type: string > enum", "- vars.tunnel.default: "});
}

TEST_CASE("plan/difference: that two secrets differ is said, but not how") {
    Plan older = good_plan();
    older.vars[1] = var("key", Type::secret, 3);
    older.vars[1].preset = Value{Type::secret, std::string("correct horse")};
    Plan newer = older;
    newer.vars[1].preset = Value{Type::secret, std::string("battery staple")};
    CHECK(lines(older, newer) == Lines{"~ vars.key.default: (secret) > (secret)"});
}

TEST_CASE("plan/difference: relations that are new or gone") {
    const auto change = [](Plan& plan, States&) {
        plan.relations = {{Relation::Kind::together, {"dest_ip", "tunnel"}, at(7)}};
    };
    CHECK(changed(change) == Lines{"+ relations.together: dest_ip, tunnel"});
    CHECK(undone(change) == Lines{"- relations.together: dest_ip, tunnel"});
}

// --- Roles and states ----------------------------------------------------------------------------

TEST_CASE("plan/difference: roles that are new or gone, with their states") {
    const auto change = [](Plan& plan, States&) {
        plan.roles.push_back({"witness", {state("look", 90, {}), state("tell", 91, {})}, at(89)});
    };
    CHECK(changed(change) == Lines{"+ witness: states look, tell"});
    CHECK(undone(change) == Lines{"- witness: states look, tell"});
}

TEST_CASE("plan/difference: states that are new or gone, in reading order of the newer plan") {
    const auto change = [](Plan&, States& states) {
        State extra = state("extra", 40, {on("A", "done", 41), on("B", "done", 42)});
        extra.next = "handover";
        extra.late = "abort";
        extra.commits = true;
        states.insert(states.begin() + 2, extra);
        states[1].late = "extra";
        states[3].late = "done";
    };
    const std::string extra = "source.extra: within 10 s, commits, leads to handover, done, abort";
    CHECK(changed(change) ==
          Lines{"+ source.precopy.late: extra", "+ " + extra, "+ source.handover.late: done"});
    CHECK(undone(change) ==
          Lines{"- source.precopy.late: extra", "- source.handover.late: done", "- " + extra});
}

TEST_CASE("plan/difference: another start") {
    CHECK(changed([](Plan&, States& states) { std::swap(states[0], states[1]); }) ==
          Lines{"~ source.start: prepare > precopy"});
}

TEST_CASE("plan/difference: each key of a state") {
    const auto change = [](Plan&, States& states) {
        states[0].within = Within{20s, ""};
        states[0].late = "precopy";
        states[0].enter = function(7, 44);
        states[0].next = "precopy";
        states[0].commits = true;
        states[1].within.reset();
    };
    CHECK(changed(change) ==
          Lines{"~ source.prepare.within: 10 s > 20 s", "+ source.prepare.late: precopy",
                "+ source.prepare.enter: enter at move.lua:44", "+ source.prepare.next: precopy",
                "+ source.prepare.commits: yes", "- source.precopy.within: patience"});
    CHECK(undone(change) ==
          Lines{"~ source.prepare.within: 20 s > 10 s", "- source.prepare.late: precopy",
                "- source.prepare.enter: enter at move.lua:44", "- source.prepare.next: precopy",
                "- source.prepare.commits: yes", "+ source.precopy.within: patience"});
}

TEST_CASE("plan/difference: a function is the same when its text is, wherever it stands") {
    Plan older = good_plan();
    older.roles[0].states[0].enter = function(7, 44);
    Plan newer = older;
    newer.roles[0].states[0].enter = function(7, 99);
    CHECK(lines(older, newer).empty());
    newer.roles[0].states[0].enter = function(8, 44);
    CHECK(lines(older, newer) ==
          Lines{"~ source.prepare.enter: enter at move.lua:44 > enter at move.lua:44"});
}

// --- Handlers ------------------------------------------------------------------------------------

TEST_CASE("plan/difference: handlers are found again by their event, VM and matches") {
    CHECK(changed([](Plan&, States& states) {
              states[1].handlers[0].matches = {status("colo")};
              states[1].handlers[1].vm = "mirror";
          }) == Lines{"+ source.precopy.on MIGRATION status=colo: go handover",
                      "+ source.precopy.on MIGRATION vm=mirror status=failed: go abort",
                      "- source.precopy.on MIGRATION status=completed: go handover",
                      "- source.precopy.on MIGRATION status=failed: go abort"});
}

TEST_CASE("plan/difference: a handler that leads elsewhere or does something else") {
    CHECK(changed([](Plan&, States& states) {
              states[1].handlers[0].go = "done";
              states[1].handlers[1].go = "";
              states[2].handlers[0].run = function(5, 31);
          }) == Lines{"~ source.precopy.on MIGRATION status=completed: go handover > go done",
                      "~ source.precopy.on MIGRATION status=failed: go abort > nothing",
                      "~ source.handover.on node:resumed: go done > run at move.lua:31, go done"});
}

TEST_CASE("plan/difference: the order of handlers counts, because the first that fits does") {
    CHECK(changed([](Plan&, States& states) {
              std::swap(states[1].handlers[0], states[1].handlers[1]);
          }) == Lines{"~ source.precopy.order: MIGRATION status=completed, MIGRATION status=failed "
                      "> MIGRATION status=failed, MIGRATION status=completed"});
    CHECK(changed([](Plan&, States& states) {
              states[1].handlers.insert(states[1].handlers.begin(), on("STOP", "abort", 9));
          }) == Lines{"+ source.precopy.on STOP: go abort"});
}

// --- Places --------------------------------------------------------------------------------------

TEST_CASE("plan/difference: the place is in the newer plan, or where the removed thing stood") {
    Plan newer = good_plan();
    newer.vars[0].preset.reset();
    newer.vars[0].place = {"new.lua", 1};
    newer.roles[0].states[1].handlers[0].go = "done";
    newer.roles[0].states[1].handlers[0].place = {"new.lua", 2};
    newer.roles[0].states[1].handlers.pop_back();
    newer.roles[0].states[2].late = "done";
    newer.roles[0].states[2].place = {"new.lua", 3};
    newer.roles[1].states.push_back(state("extra", 60, {}));
    Lines places;
    for (const Difference& difference : differences(good_plan(), newer)) {
        places.push_back(difference.place.text());
    }
    CHECK(places == Lines{"new.lua:1", "new.lua:2", "move.lua:22", "new.lua:3", "move.lua:60"});
}
