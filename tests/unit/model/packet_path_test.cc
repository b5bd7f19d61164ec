// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/packet_path_test.cc: claims about the ways of packets through two kernels.
#include <catch2/catch.hpp>

#include "two_nodes.hh"

namespace ktm::model {
namespace {

using namespace std::chrono_literals;
using test::TwoNodes;

/// What becomes of ten packets, by name: "delivered", or where all of them were lost.
std::string fate(TwoNodes& nodes, Flow flow) {
    flow.packets = 10;
    flow.from = nodes.clock.now();
    const std::size_t number = nodes.traffic->add(flow);
    nodes.wait(1s);
    const FlowAccount account = nodes.traffic->account(number);
    if (account.delivered == 10) {
        return "delivered";
    }
    return account.lost.size() == 1 && account.lost_in_all() == 10 ? account.lost.begin()->first
                                                                   : "several things";
}

Flow flow_to(const IpAddress& address, std::uint32_t bytes) {
    Flow flow;
    flow.to = address;
    flow.bytes = bytes;
    return flow;
}

/// With everything there: the guest has moved, and its packets go through the tunnel.
void move(TwoNodes& nodes, const net::TunnelWish& wish = {}, bool v6 = false) {
    nodes.make_tunnel(wish, v6);
    nodes.arrive();
    nodes.divert();
    nodes.traffic->guest_runs(Side::source, false);
    nodes.traffic->guest_runs(Side::dest, true);
}

TEST_CASE("model/path: each tunnel carries what net says that it carries, and no byte more") {
    for (const net::TunnelMode mode :
         {net::TunnelMode::ipip, net::TunnelMode::gre, net::TunnelMode::vxlan}) {
        for (const bool wrapped : {true, false}) {
            for (const bool over_v6 : {false, true}) {
                for (const std::uint32_t id : {0U, 7U}) {
                    net::TunnelWish wish;
                    wish.mode = mode;
                    wish.wrapped = wrapped;
                    wish.id = id;
                    TwoNodes nodes;
                    move(nodes, wish, over_v6);
                    const net::Carries carries = nodes.source_form->carries;
                    INFO(net::name_of(mode) << (wrapped ? " wrapped" : " bare")
                                            << (over_v6 ? " over v6" : " over v4"));
                    for (const auto& [address, carried] :
                         {std::pair{nodes.guest[0], carries.v4}, {nodes.guest[1], carries.v6}}) {
                        if (carried > 0) {
                            CHECK(fate(nodes, flow_to(address, carried)) == "delivered");
                        }
                        CHECK(fate(nodes, flow_to(address, carried + 1)) ==
                              "too big for the tunnel at the source");
                    }
                    Flow fragments = flow_to(nodes.guest[0], 3000);
                    fragments.dont_fragment = false;
                    CHECK(fate(nodes, fragments) == "delivered");
                }
            }
        }
    }
}

TEST_CASE("model/path: frames go through a filter into the tunnel, and out of it to the tap") {
    TwoNodes nodes{{}, {200'000, *net::MacAddress::parse("02:aa:00:00:00:01")}};
    for (sim::VirtualKernel* kernel : {&nodes.source, &nodes.dest}) {
        for (const char* port : {"eth0", "tap0"}) {
            nodes.traffic->expect_change();
            kernel->link(port)->facts.master = 99;
        }
    }
    Flow flow = flow_to(nodes.guest[0], 1500);
    flow.frames = true;
    CHECK(fate(nodes, flow) == "delivered");
    net::TunnelWish wish;
    wish.frames = true;
    nodes.make_tunnel(wish);
    net::Redirect redirect;
    redirect.link = "tap0";
    redirect.mac = nodes.mac;
    redirect.to = "ktm1";
    nodes.carry_out(nodes.source, *net::want(redirect));
    CHECK(fate(nodes, flow) == "led elsewhere at the dest");
    nodes.traffic->expect_change();
    nodes.dest.link("ktm1")->facts.master = 99;
    nodes.traffic->guest_runs(Side::source, false);
    nodes.traffic->guest_runs(Side::dest, true);
    CHECK(fate(nodes, flow) == "delivered");
    CHECK(nodes.dest.link("tap0")->facts.counters.tx_packets == 10);
}

TEST_CASE("model/path: what is missing on the way loses packets where it is missing") {
    const auto without = [](auto take_away) {
        TwoNodes nodes;
        move(nodes);
        take_away(nodes);
        return fate(nodes, flow_to(nodes.guest[0], 1000));
    };
    CHECK(without([](TwoNodes&) {}) == "delivered");
    CHECK(without([](TwoNodes& nodes) { nodes.wire.cut(); }) ==
          "the wire was cut, sent by the source");
    CHECK(without([](TwoNodes& nodes) { nodes.apply(nodes.dest, net::DeleteLink{"ktm1"}); }) ==
          "no tunnel at the dest");
    CHECK(without([](TwoNodes& nodes) { nodes.apply(nodes.dest, net::DeleteLink{"ktm0"}); }) ==
          "no tunnel at the dest");
    CHECK(without([](TwoNodes& nodes) {
              nodes.apply(nodes.dest, net::SetInput{"ktm1", 0, false});
          }) == "no forwarding at the dest");
    CHECK(without([](TwoNodes& nodes) { nodes.source.set("ipv4/conf/eth0/forwarding", "0"); }) ==
          "no forwarding at the source");
    CHECK(without([](TwoNodes& nodes) { nodes.traffic->close_tap(Side::dest, "tap0"); }) ==
          "the tap is open in no program at the dest");
    CHECK(without([](TwoNodes& nodes) { nodes.apply(nodes.dest, net::DeleteLink{"tap0"}); }) ==
          "no route at the dest");
    CHECK(without([](TwoNodes& nodes) {
              nodes.dest.add_route("10.1.2.3/32", "eth0");
              nodes.apply(nodes.dest, net::DeleteLink{"tap0"});
          }) == "led elsewhere at the dest");
}

TEST_CASE("model/path: before the guest ran at a node, it is known there by its neighbour alone") {
    TwoNodes nodes;
    nodes.make_tunnel();
    nodes.arrive();
    nodes.divert();
    nodes.apply(nodes.dest, net::DeleteNeighbour{nodes.guest[0], "tap0"});
    CHECK(fate(nodes, flow_to(nodes.guest[0], 1000)) == "no neighbour at the dest");
    nodes.traffic->guest_runs(Side::dest, true);
    CHECK(fate(nodes, flow_to(nodes.guest[0], 1000)) == "delivered");
}

TEST_CASE("model/path: a tunnel with another id is another tunnel") {
    TwoNodes nodes;
    nodes.make_tunnel();
    net::TunnelWish wish;
    nodes.apply(nodes.dest, net::DeleteLink{"ktm1"});
    nodes.apply(nodes.dest, net::DeleteLink{"ktm0"});
    wish.id = 8;
    wish.remote = *IpAddress::parse("192.0.2.1");
    wish.lower_name = "ktm0";
    wish.upper_name = "ktm1";
    nodes.carry_out(nodes.dest, net::want_tunnel(wish, nodes.dest_form));
    nodes.arrive();
    nodes.divert();
    CHECK(fate(nodes, flow_to(nodes.guest[0], 1000)) == "no tunnel at the dest");
}

TEST_CASE("model/path: when the fabric moves, packets come in at the other node from then on") {
    TwoNodes nodes;
    nodes.arrive();
    nodes.traffic->guest_runs(Side::dest, true);
    nodes.send(1000);
    nodes.wait(100ms);
    nodes.traffic->fabric_moves(Side::dest, nodes.clock.now() + 50ms);
    nodes.wait(100ms);
    CHECK(nodes.traffic->account(0).delivered == 200);
    CHECK(nodes.source.apply(net::FindLink{"tap0"})->links.front().counters.tx_packets == 150);
    CHECK(nodes.dest.apply(net::FindLink{"tap0"})->links.front().counters.tx_packets == 50);
}

/// The dest sends back what comes to it.
void send_back(TwoNodes& nodes) {
    net::Route back;
    back.to = *IpPrefix::parse("10.1.2.3");
    back.link = nodes.dest_form->entrance().name;
    nodes.apply(nodes.dest, net::AddRoute{back});
}

TEST_CASE("model/path: what two nodes send to each other ends with its hops") {
    TwoNodes nodes;
    nodes.make_tunnel();
    nodes.divert();
    send_back(nodes);
    CHECK(fate(nodes, flow_to(nodes.guest[0], 1000)).starts_with("went round and round"));
}

TEST_CASE("model/path: what comes back over the wire behind its successors counts as reordered") {
    TwoNodes nodes{{1ms, 1'000'000'000}};
    nodes.make_tunnel();
    send_back(nodes);
    nodes.send(20'000);
    nodes.wait(100ms);
    net::Route away;
    away.to = *IpPrefix::parse("10.1.2.3");
    away.link = nodes.source_form->entrance().name;
    // From here on packets go over and come back, again and again, until the way is direct again.
    nodes.apply(nodes.source, net::AddRoute{away});
    nodes.wait(10ms);
    nodes.apply(nodes.source, net::DeleteRoute{away});
    nodes.wait(100ms);
    const FlowAccount account = nodes.traffic->account(0);
    CHECK(account.sent == 4200);
    CHECK(account.delivered == 4200);
    CHECK(account.duplicated == 0);
    // 200 were away, and the first direct one is there before them; but for those that come back at
    // its instant, of which there is one in each round trip.
    CHECK(account.reordered == 195);
}

}  // namespace
}  // namespace ktm::model
