// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/good_plan.hh: a plan without a fault, and what check() says after a change.
#pragma once

#include "plan/check.hh"

namespace ktm::plan::testing {

using namespace std::chrono_literals;

using Lines = std::vector<std::string>;

inline Place at(int line) {
    return {"move.lua", line};
}

inline Handler on(std::string event, std::string go, int line, std::vector<Match> matches = {}) {
    Handler handler;
    handler.event = std::move(event);
    handler.go = std::move(go);
    handler.matches = std::move(matches);
    handler.place = at(line);
    return handler;
}

inline Match status(const char* wanted) {
    return {"status", std::string(wanted)};
}

inline State state(std::string name, int line, std::vector<Handler> handlers) {
    State state;
    state.name = std::move(name);
    state.within = Within{10s, ""};
    state.handlers = std::move(handlers);
    state.place = at(line);
    return state;
}

inline Var var(std::string name, Type type, int line) {
    Var var;
    var.name = std::move(name);
    var.type = type;
    var.doc = "What it is for.";
    var.place = at(line);
    return var;
}

/// A plan without a fault: vars from line 2, source from line 10 and dest from line 50.
inline Plan good_plan() {
    Plan plan;
    plan.name = "move";
    plan.summary = "Moves a VM.";
    plan.file = "move.lua";
    plan.place = at(1);
    plan.vars = {var("patience", Type::duration, 2), var("dest_ip", Type::ip, 3),
                 var("tunnel", Type::enumeration, 4)};
    plan.vars[0].preset = Value{Type::duration, Duration(1h).count()};
    plan.vars[1].role = "source";
    plan.vars[2].choices = {"ipip", "gre"};
    Role source;
    source.name = "source";
    source.place = at(10);
    source.states = {
        state("prepare", 11, {on("node:ready", "precopy", 12)}),
        state("precopy", 20,
              {on("MIGRATION", "handover", 21, {status("completed")}),
               on("MIGRATION", "abort", 22, {status("failed")})}),
        state("handover", 30, {on("node:resumed", "done", 31)}),
    };
    source.states[1].within = Within{std::nullopt, "patience"};
    source.states[2].commits = true;
    Role dest;
    dest.name = "dest";
    dest.place = at(50);
    dest.states = {state("wait", 51, {on("RESUME", "done", 52)})};
    plan.roles = {source, dest};
    return plan;
}

/// The sentences of all faults, in the order of the source.
inline Lines said(const Plan& plan) {
    Faults faults;
    check(plan, faults);
    sort_faults(faults);
    Lines sentences;
    for (const Fault& fault : faults) {
        sentences.push_back(fault.sentence());
    }
    return sentences;
}

/// The faults of the good plan after one change.
template <class Change>
Lines after(Change change) {
    Plan plan = good_plan();
    change(plan, plan.roles[0].states);
    return said(plan);
}

using States = std::vector<State>;

}  // namespace ktm::plan::testing
