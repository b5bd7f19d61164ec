// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/peer_test.cc: the other node of a role: checked, derived, compared.
#include <catch2/catch.hpp>

#include "plan/derive.hh"
#include "plan/difference.hh"
#include "unit/plan/good_plan.hh"

using namespace ktm::plan;
using namespace ktm::plan::testing;

namespace {

/// The good plan, with another node for each of its roles.
Plan two_nodes() {
    Plan plan = good_plan();
    plan.vars.push_back(var("listen_ip", Type::ip, 5));
    plan.vars.back().role = "dest";
    plan.roles[0].peer = {"dest_ip", "", "", at(10)};
    plan.roles[0].states[0].handlers[0].event = "peer:ready";
    plan.roles[1].peer = {"", "listen_ip", "", at(50)};
    return plan;
}

/// The faults after one change.
template <class Change>
Lines faults_after(Change change) {
    Plan plan = two_nodes();
    change(plan);
    return said(plan);
}

/// The faults after the other node of the source is another.
Lines with_peer(PeerKeys keys) {
    keys.place = at(10);
    return faults_after([&](Plan& plan) { plan.roles[0].peer = keys; });
}

Lines with_port(const Var& port) {
    return faults_after([&](Plan& plan) {
        plan.vars.push_back(port);
        plan.roles[0].peer.port = port.name;
    });
}

Var port_var(std::optional<std::int64_t> min, std::optional<std::int64_t> max) {
    Var port = var("port", Type::integer, 6);
    port.min = min;
    port.max = max;
    return port;
}

PeerKeys keys_after(const PeerKeys& parent, const PeerKeys& given) {
    Plan plan = two_nodes();
    plan.roles[0].peer = parent;
    Changes changes;
    changes.name = "child";
    changes.roles.push_back({"source", {}, at(10), given});
    Faults faults;
    const Plan child = derive(plan, changes, faults);
    CHECK(faults.empty());
    return child.roles[0].peer;
}

}  // namespace

TEST_CASE("plan/peer: a plan for two nodes has no fault") {
    CHECK(said(two_nodes()).empty());
}

TEST_CASE("plan/peer: the address is a var of type ip that this role has and that has a value") {
    CHECK(with_peer({"nothing", "", "", {}}) ==
          Lines{"move.lua:10: source: no var 'nothing' for peer_to; expected ip among the vars"});
    CHECK(with_peer({"tunnel", "", "", {}}) ==
          Lines{"move.lua:10: source: peer_to's var 'tunnel' is of type enum; expected ip among "
                "the vars"});
    CHECK(with_peer({"listen_ip", "", "", {}}) ==
          Lines{"move.lua:10: source: peer_to's var 'listen_ip' belongs to role 'dest'; expected a "
                "var of this role or of all"});
    CHECK(faults_after([](Plan& plan) { plan.vars[1].optional = true; }) ==
          Lines{"move.lua:10: source: peer_to's var 'dest_ip' may be without a value; expected a "
                "var that is required or has a default"});
}

TEST_CASE("plan/peer: the port is a var that can be nothing but a port") {
    CHECK(with_port(port_var(1, 65535)).empty());
    CHECK(with_port(port_var(1024, 5000)).empty());
    const Lines refused{
        "move.lua:10: source: peer_port's var 'port' may be no port; expected min = 1 and max = "
        "65535, or narrower"};
    CHECK(with_port(port_var(0, 65535)) == refused);
    CHECK(with_port(port_var(1, 65536)) == refused);
    CHECK(with_port(port_var(1, std::nullopt)) == refused);
    CHECK(with_port(port_var(std::nullopt, 65535)) == refused);
    CHECK(with_port(var("port", Type::text, 6)) ==
          Lines{"move.lua:10: source: peer_port's var 'port' is of type string; expected int among "
                "the vars"});
}

TEST_CASE("plan/peer: a role connects or listens, and another one does the other") {
    CHECK(with_peer({"dest_ip", "dest_ip", "", {}}) ==
          Lines{"move.lua:10: source: both peer_to and peer_from; expected one of the two"});
    CHECK(with_peer({"", "dest_ip", "", {}}) ==
          Lines{"move.lua:10: source: this role listens, and no other connects; expected a role "
                "with peer_to",
                "move.lua:50: dest: this role listens, and no other connects; expected a role with "
                "peer_to"});
}

TEST_CASE("plan/peer: events of another node need one, and so does a port") {
    const Lines faults = with_peer({});
    REQUIRE(faults.size() == 2);
    CHECK(faults[0] ==
          "move.lua:12: source.prepare: 'peer:ready' is an event of the other node, and this role "
          "has none; expected peer_to = var \"NAME\" or peer_from = var \"NAME\" in the role");
    CHECK(with_peer({"", "", "port", {}}).front() ==
          "move.lua:10: source: peer_port without another node; expected peer_to = var \"NAME\" or "
          "peer_from = var \"NAME\"");
}

TEST_CASE("plan/peer: a var agrees between two nodes that both have it") {
    CHECK(faults_after([](Plan& plan) { plan.vars[0].agree = true; }).empty());
    CHECK(faults_after([](Plan& plan) { plan.vars[1].agree = true; }) ==
          Lines{"move.lua:3: vars.dest_ip: agree = true, and only role 'source' has it; expected a "
                "var of all roles"});
    Plan alone = two_nodes();
    alone.vars[0].agree = true;
    alone.roles[0].peer = {};
    alone.roles[1].peer = {};
    CHECK(said(alone).front() ==
          "move.lua:2: vars.patience: agree = true, and no role has another node; expected peer_to "
          "and peer_from in the roles that are to agree");
}

TEST_CASE("plan/peer: a derived role keeps its other node, or gets another one") {
    const PeerKeys parent{"dest_ip", "", "port", {}};
    CHECK(keys_after(parent, {}) == parent);
    CHECK(keys_after(parent, {"a", "", "", {}}) == PeerKeys{"a", "", "port", {}});
    CHECK(keys_after(parent, {"", "b", "", {}}) == PeerKeys{"", "b", "port", {}});
    CHECK(keys_after(parent, {"", "", "c", {}}) == PeerKeys{"dest_ip", "", "c", {}});
}

TEST_CASE("plan/peer: another other node is a difference, and so is an agreement") {
    Plan newer = two_nodes();
    newer.roles[0].peer = {"", "listen_ip", "port", {}};
    newer.vars[0].agree = true;
    Lines lines;
    for (const Difference& difference : differences(two_nodes(), newer)) {
        lines.push_back(difference.where + ": " + difference.before + " > " + difference.after);
    }
    CHECK(lines == Lines{"vars.patience.agree:  > yes", "source.peer_to: dest_ip > ",
                         "source.peer_from:  > listen_ip", "source.peer_port:  > port"});
}
