// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/hold_test.cc: what a hold of host counts is what became of the packets.
#include <catch2/catch.hpp>

#include "host/hold.hh"
#include "model/traffic.hh"
#include "sim/virtual_world.hh"

namespace ktm::model {
namespace {

using namespace std::chrono_literals;

/// The destination's host; packets come in there, and its guest does not run yet.
class HoldStage {
public:
    HoldStage() {
        sim::VirtualKernel& dest = sim.networks().kernel();
        for (sim::VirtualKernel* kernel : {&source, &dest}) {
            kernel->add_link("eth0", "");
            kernel->add_tap("tap0");
            kernel->set("ipv4/conf/eth0/forwarding", "1");
        }
        dest.add_route("10.1.2.3/32", "tap0");
        (void)dest.apply(net::SetNeighbour{*IpAddress::parse("10.1.2.3"), {}, "tap0"});
        host = std::make_unique<host::Host>(world, host::Settings{"/run/katamaran", {}});
        traffic = std::make_unique<Traffic>(sim.virtual_clock(), wire, Traffic::Node{&source},
                                            Traffic::Node{&dest}, Traffic::Settings{});
        traffic->fabric_moves(Side::dest, world.clock.now());
    }
    ~HoldStage() {
        hold.reset();
        host.reset();
        CHECK(sim.loop().close() == 0);
    }

    void wait(Duration duration) {
        const auto timer = world.clock.arm(duration, [this] { world.loop.stop(); });
        world.loop.run();
    }
    void install(const net::HoldWish& wish) {
        hold = std::make_unique<host::Hold>(*host, world.clock, **host->enter(""), wish, 30s);
        hold->install(expect_done());
        Flow flow;
        flow.to = *IpAddress::parse("10.1.2.3");
        flow.packets_per_second = 20'000;
        flow.bytes = 1428;
        flow.from = world.clock.now();
        (void)traffic->add(flow);
    }
    static host::Hold::Done expect_done() {
        return [](const Result<void>& done) { REQUIRE(done); };
    }
    /// Blocks, lets the guest begin to run behind a pause, opens and gives back.
    host::HoldCounts hold_for(Duration pause) {
        hold->block(expect_done());
        wait(pause);
        traffic->guest_runs(Side::dest, true);
        hold->open(expect_done());
        std::optional<host::HoldCounts> counts;
        hold->give_back([&](Result<host::HoldCounts> counted) {
            REQUIRE(counted);
            counts = *counted;
        });
        wait(5s);
        REQUIRE(counts);
        return *counts;
    }
    [[nodiscard]] FlowAccount account() { return traffic->account(0); }
    [[nodiscard]] std::uint64_t lost(const std::string& where) {
        const FlowAccount all = account();
        const auto found = all.lost.find(where);
        return found == all.lost.end() ? 0 : found->second;
    }

    sim::VirtualWorld sim;
    ports::World world = sim.ports();
    Wire wire{sim.virtual_clock(), {}};
    sim::VirtualKernel source;
    std::unique_ptr<host::Host> host;
    std::unique_ptr<Traffic> traffic;
    std::unique_ptr<host::Hold> hold;
};

net::HoldWish wish_for(Duration pause) {
    net::HoldWish wish;
    wish.tap = "tap0";
    wish.packets_per_second = 20'000;
    wish.pause = pause;
    return wish;
}

TEST_CASE("model/hold: a hold that is large enough loses nothing, and waits until all is taken") {
    for (const net::HoldMode mode : {net::HoldMode::plug_and_ring, net::HoldMode::ring}) {
        HoldStage stage;
        net::HoldWish wish = wish_for(300ms);
        wish.mode = mode;
        stage.install(wish);
        const host::HoldCounts counts = stage.hold_for(250ms);
        CHECK(counts.lost() == 0);
        CHECK(stage.account().lost_in_all() == 0);
        CHECK(stage.account().delivered == 105'000);
        const bool plugged = mode == net::HoldMode::plug_and_ring;
        CHECK(stage.traffic->held_most(Side::dest).plug == (plugged ? 5000 : 0));
        CHECK(stage.traffic->held_most(Side::dest).ring == (plugged ? 0 : 4999));
    }
}

TEST_CASE("model/hold: what a hold says that it lost is what was lost, and where") {
    HoldStage plug;
    net::HoldWish small = wish_for(300ms);
    small.limit_bytes = 1'000'000;
    plug.install(small);
    const host::HoldCounts dropped = plug.hold_for(250ms);
    CHECK(dropped.dropped_plug == 5000 - 1'000'000 / 1442);
    CHECK(plug.lost("no room in the dest's plug") == dropped.dropped_plug);
    CHECK(plug.account().lost_in_all() == dropped.lost());

    HoldStage ring;
    net::HoldWish short_ring = wish_for(300ms);
    short_ring.mode = net::HoldMode::ring;
    short_ring.ring = 1000;
    ring.install(short_ring);
    const host::HoldCounts overflown = ring.hold_for(250ms);
    CHECK(overflown.dropped_ring == 3999);
    CHECK(ring.lost("no room in the dest's ring") == 3999);
    CHECK(ring.account().lost_in_all() == overflown.lost());
}

}  // namespace
}  // namespace ktm::model
