// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/traffic_test.cc: claims about packets of a flow, and the measured tables.
#include <catch2/catch.hpp>

#include "two_nodes.hh"

namespace ktm::model {
namespace {

using namespace std::chrono_literals;
using test::TwoNodes;

TEST_CASE("model/traffic: a guest that runs gets every packet, and the tap counts them") {
    TwoNodes nodes;
    nodes.send(20'000, 1000);
    nodes.wait(1s);
    const FlowAccount account = nodes.traffic->account(0);
    CHECK(account.sent == 1000);
    CHECK(account.delivered == 1000);
    CHECK(account.lost.empty());
    CHECK(account.longest_gap == 50us);
    const auto counters = nodes.source.apply(net::FindLink{"tap0"})->links.front().counters;
    CHECK(counters.tx_packets == 1000);
    CHECK(counters.tx_dropped == 0);
}

TEST_CASE("model/traffic: a ring of 1000 in front of a QEMU that waits keeps 1001 of 10130") {
    // Measured: 1003 of 10130, and 505 with a ring of 500; some came while QEMU began to read.
    for (const std::uint32_t ring : {1000U, 500U, 8000U}) {
        TwoNodes nodes;
        nodes.apply(nodes.dest, net::SetQueueLength{"tap0", ring});
        nodes.traffic->guest_runs(Side::source, false);
        nodes.make_tunnel();
        nodes.arrive();
        nodes.divert();
        nodes.send(10'000, 10'130, 64);
        nodes.wait(2s);
        CHECK(nodes.dest.apply(net::FindLink{"tap0"})->links.front().counters.tx_packets == 1);
        nodes.traffic->guest_runs(Side::dest, true);
        nodes.wait(1s);
        const FlowAccount account = nodes.traffic->account(0);
        CHECK(account.delivered == ring + 1);
        CHECK(account.lost_in_all() == 10'130 - ring - 1);
        CHECK(nodes.lost("no room in the dest's ring") == 10'130 - ring - 1);
        CHECK(account.reordered == 0);
        CHECK(nodes.dest.link("tap0")->facts.counters.tx_dropped == 10'130 - ring - 1);
    }
}

struct PlugCase {
    std::uint64_t packets;
    std::uint32_t limit;
    std::uint32_t ring;
    std::uint64_t dropped_plug;
    std::uint64_t dropped_ring;
};

TEST_CASE("model/traffic: a plug drops what was measured: by its bytes, and into a short ring") {
    // Measured with a reader that had taken nothing yet; a QEMU takes one more.
    for (const PlugCase& one :
         {PlugCase{1000, 32'768, 1000, 978, 0}, PlugCase{900, 20'000'000, 1000, 0, 0},
          PlugCase{5000, 20'000'000, 1000, 0, 3999}, PlugCase{5000, 20'000'000, 6000, 0, 0}}) {
        TwoNodes nodes;
        nodes.apply(nodes.dest, net::SetQueueLength{"tap0", one.ring});
        nodes.plug(nodes.dest, one.limit);
        nodes.make_tunnel();
        nodes.arrive();
        nodes.divert();
        nodes.send(10'000, one.packets);
        nodes.wait(1s);
        const auto held = nodes.dest.apply(net::ListQdiscs{"tap0"})->qdiscs.front();
        CHECK(held.queued_packets == one.packets - one.dropped_plug);
        CHECK(held.dropped == one.dropped_plug);
        nodes.apply(nodes.dest, net::OpenPlug{"tap0", false});
        nodes.wait(300ms);
        nodes.traffic->guest_runs(Side::source, false);
        nodes.traffic->guest_runs(Side::dest, true);
        nodes.wait(1s);
        const FlowAccount account = nodes.traffic->account(0);
        CHECK(nodes.lost("no room in the dest's plug") == one.dropped_plug);
        CHECK(nodes.lost("no room in the dest's ring") == one.dropped_ring);
        CHECK(account.delivered == one.packets - one.dropped_plug - one.dropped_ring);
        CHECK(account.reordered == 0);
        CHECK(account.waiting.empty());
    }
}

TEST_CASE("model/traffic: a pacer lets a plug's packets into a short ring without a loss") {
    TwoNodes nodes;
    nodes.plug(nodes.dest, 20'000'000, true);
    nodes.make_tunnel();
    nodes.arrive();
    nodes.divert();
    nodes.send(20'000, 5000);
    nodes.wait(250ms);
    nodes.traffic->guest_runs(Side::source, false);
    nodes.traffic->guest_runs(Side::dest, true);
    nodes.apply(nodes.dest, net::SetPace{"tap0", 80'000});
    nodes.apply(nodes.dest, net::OpenPlug{"tap0", true});
    nodes.wait(1s);
    const FlowAccount account = nodes.traffic->account(0);
    CHECK(account.delivered == 5000);
    CHECK(nodes.traffic->held_most(Side::dest).plug > 4900);
    CHECK(nodes.traffic->held_most(Side::dest).ring <= 2);
}

/// What is lost of a flow when the guest's packets are diverted so long after it stops.
std::uint64_t lost_with(Duration divert_after_stop, std::uint64_t rate) {
    TwoNodes nodes;
    nodes.apply(nodes.dest, net::SetQueueLength{"tap0", 4000});
    nodes.make_tunnel();
    nodes.arrive();
    nodes.send(rate);
    nodes.wait(1s);
    if (divert_after_stop < 0ms) {
        nodes.divert();
        nodes.wait(-divert_after_stop);
        nodes.traffic->guest_runs(Side::source, false);
    } else {
        nodes.traffic->guest_runs(Side::source, false);
        nodes.wait(divert_after_stop);
        nodes.divert();
    }
    nodes.wait(20ms);
    nodes.traffic->guest_runs(Side::dest, true);
    nodes.wait(1s);
    const FlowAccount account = nodes.traffic->account(0);
    CHECK(account.reordered == 0);
    CHECK(account.duplicated == 0);
    return account.lost_in_all();
}

TEST_CASE("model/traffic: diverting after STOP loses rate by window, before STOP nothing") {
    CHECK(lost_with(10ms, 5000) == 50);
    CHECK(lost_with(23ms, 1000) == 23);
    CHECK(lost_with(0ms, 5000) == 0);
    CHECK(lost_with(-5ms, 5000) == 0);
    CHECK(lost_with(-100ms, 20'000) == 0);
}

TEST_CASE("model/traffic: what waits for a source that goes on is delivered there") {
    TwoNodes nodes;
    nodes.send(5000);
    nodes.wait(100ms);
    nodes.traffic->guest_runs(Side::source, false);
    nodes.wait(20ms);
    CHECK(nodes.traffic->account(0).waiting ==
          std::map<std::string, std::uint64_t>{{"in the source's QEMU", 1},
                                               {"in the source's ring", 99}});
    nodes.traffic->guest_runs(Side::source, true);
    nodes.wait(20ms);
    CHECK(nodes.traffic->account(0).delivered == 700);
    CHECK(nodes.traffic->account(0).longest_gap == 20200us);
}

TEST_CASE(
    "model/traffic: what waits in a ring is lost with its QEMU, or when the guest has moved") {
    TwoNodes nodes;
    nodes.send(5000);
    nodes.wait(100ms);
    nodes.traffic->guest_runs(Side::source, false);
    nodes.wait(20ms);
    const std::map<std::string, std::uint64_t> left{{"left in the source's QEMU", 1},
                                                    {"left in the source's ring", 99}};
    nodes.traffic->guest_runs(Side::dest, true);
    CHECK(nodes.traffic->account(0).lost == left);
    nodes.traffic->close_tap(Side::source, "tap0");
    CHECK(nodes.traffic->account(0).lost == left);
    nodes.wait(10ms);
    CHECK(nodes.lost("the tap is open in no program at the source") == 50);
    CHECK_FALSE(nodes.source.link("tap0")->facts.carrier);
}

TEST_CASE("model/traffic: what a plug holds dies with it, and a pacer's with the pacer") {
    TwoNodes nodes;
    nodes.plug(nodes.source, 20'000'000, true);
    nodes.send(5000, 100);
    nodes.wait(50ms);
    nodes.apply(nodes.source, net::SetPace{"tap0", 1000});
    nodes.apply(nodes.source, net::OpenPlug{"tap0", true});
    nodes.wait(40ms);
    nodes.apply(nodes.source, net::DeleteRootQdisc{"tap0", net::our_pacer_handle});
    CHECK(nodes.traffic->account(0).delivered == 40);
    CHECK(nodes.lost("left in the source's plug") == 60);
    CHECK_FALSE(nodes.traffic->is_on_its_way());
}

TEST_CASE("model/traffic: packets under way when the wire is cut arrive, those behind are lost") {
    TwoNodes nodes{{10ms, 1'000'000'000}};
    nodes.make_tunnel();
    nodes.arrive();
    nodes.divert();
    nodes.traffic->guest_runs(Side::dest, true);
    nodes.send(1000);
    nodes.wait(100ms);
    CHECK(nodes.traffic->account(0).waiting ==
          std::map<std::string, std::uint64_t>{{"on the wire to the dest", 10}});
    nodes.wire.cut();
    nodes.wait(50ms);
    nodes.wire.heal();
    nodes.wait(100ms);
    const FlowAccount account = nodes.traffic->account(0);
    CHECK(account.delivered == 100 + 90);
    CHECK(nodes.lost("the wire was cut, sent by the source") == 50);
    CHECK(account.longest_gap == 51ms);
}

}  // namespace
}  // namespace ktm::model
