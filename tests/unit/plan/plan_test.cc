// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/plan_test.cc: finding in a plan, its edges, and how its parts are written.
#include <catch2/catch.hpp>

#include "unit/plan/good_plan.hh"

using namespace ktm;
using namespace ktm::plan;
using namespace ktm::plan::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("plan/plan: the edges of a role in reading order, with the default of late") {
    const Plan plan = good_plan();
    Lines lines;
    for (const Edge& edge : edges_of(plan.roles[0])) {
        lines.push_back(edge.from + " -> " + edge.to + " (" + edge.label + ")");
    }
    CHECK(lines == Lines{"prepare -> precopy (node:ready)", "prepare -> abort (after 10 s)",
                         "precopy -> handover (MIGRATION status=completed)",
                         "precopy -> abort (MIGRATION status=failed)",
                         "precopy -> abort (after patience)", "handover -> done (node:resumed)",
                         "handover -> stranded (after 10 s)"});
    CHECK(committed_states(plan.roles[0]) == Lines{"handover"});
    CHECK(committed_states(plan.roles[1]).empty());
}

TEST_CASE("plan/plan: the commit lies behind in all that is reached from it") {
    Plan plan = good_plan();
    States& states = plan.roles[0].states;
    states[2].late = "late";
    states[2].handlers[0].go = "went";
    states.insert(states.begin() + 1, state("late", 40, {}));
    states.push_back(state("went", 41, {}));
    states.back().next = "next";
    states.push_back(state("next", 42, {}));
    CHECK(committed_states(plan.roles[0]) == Lines{"late", "handover", "went", "next"});
}

TEST_CASE("plan/plan: a handler's label is what stands in the plan") {
    Handler handler = on("MIGRATION", "", 1, {status("failed"), {"n", 2.0}, {"x", 0.5}});
    CHECK(handler.label() == "MIGRATION status=failed n=2 x=0.5");
    handler.vm = "backup";
    handler.matches = {{"a", true}, {"b", "true"s}, {"c", "two words"s}, {"d", ""s}, {"e", 1e300}};
    CHECK(handler.label() ==
          "MIGRATION vm=backup a=true b=\"true\" c=\"two words\" d=\"\" e=1e+300");
}

TEST_CASE("plan/plan: a deadline is exact, or the name of its var") {
    CHECK(Within{25ms, ""}.text() == "25 ms");
    CHECK(Within{3601s, ""}.text() == "3601 s");
    CHECK(Within{1500ms, ""}.text() == "1500 ms");
    CHECK(Within{std::nullopt, "patience"}.text() == "patience");
}

TEST_CASE("plan/plan: names are found, and the first of two counts") {
    const Plan plan = good_plan();
    CHECK(plan.find("dest") == &plan.roles[1]);
    CHECK(plan.find("nobody") == nullptr);
    CHECK(plan.find_var("tunnel") == &plan.vars[2]);
    CHECK(plan.find_var("") == nullptr);
    CHECK(plan.roles[0].find("precopy") == &plan.roles[0].states[1]);
    CHECK(plan.role_names() == Lines{"source", "dest"});
    CHECK(plan.var_names() == Lines{"patience", "dest_ip", "tunnel"});
    CHECK(plan.roles[0].state_names() == Lines{"prepare", "precopy", "handover"});
    CHECK((is_end("done") && is_end("abort") && is_end("stranded") && !is_end("prepare")));
}
