// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/network_watch_test.cc: changes are told, whoever makes them.
#include "unit/os/own_namespace.hh"

#include <algorithm>

using namespace ktm;
using namespace std::chrono_literals;
using namespace ktm::os::testing;
using Of = net::Change::Of;

namespace {

/// Collects what is told until nothing comes for a while.
struct Listener {
    std::vector<net::Change> changes;
    int overruns = 0;

    ports::Network::Handlers handlers() {
        return {[this](const net::Change& change) { changes.push_back(change); },
                [this] { ++overruns; }, [](const Error&) { FAIL("it can still be watched"); }};
    }
    void listen(TestWorld& world, Duration time = 100ms) {
        const auto end = world.ports.clock.arm(time, [&] { world.stop(); });
        world.run();
    }
    template <class Fits>
    bool heard(Fits fits) const {
        return std::any_of(changes.begin(), changes.end(), fits);
    }
};

}  // namespace

TEST_CASE("os/watch: devices, routes, qdiscs and neighbours are told as they come and go") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.use_ipv6(true);
    space.must(
        "ip link add old type veth peer name peer && ip link set old up && "
        "ip addr add 10.1.0.1/24 dev old");
    Listener listener;
    const auto watch = asker.network->watch(listener.handlers());
    REQUIRE(watch);
    asker.all({net::AddTunnel{some_tunnel("ktm0")},
               net::SetNeighbour{ip("10.9.0.5"), mac("02:00:00:00:09:05"), "ktm0"},
               net::AddRoute{net::Route{prefix("10.9.0.5/32"), "ktm0", {}, 254, 0, {}}},
               net::AddPacer{"ktm0"}});
    CHECK(listener.changes.empty());
    listener.listen(world);
    CHECK(listener.heard([](const net::Change& change) {
        return change.of == Of::link && !change.gone && change.link.name == "ktm0" &&
               change.link.up && change.link.tag == "katamaran test ktm0";
    }));
    CHECK(listener.heard([](const net::Change& change) {
        return change.of == Of::route && !change.gone && change.route.link == "ktm0" &&
               change.route.to == prefix("10.9.0.5/32") &&
               change.route.protocol == net::our_protocol;
    }));
    CHECK(listener.heard([](const net::Change& change) {
        return change.of == Of::qdisc && !change.gone && change.name == "ktm0" &&
               change.kind == "tbf";
    }));
    CHECK(listener.heard([](const net::Change& change) {
        return change.of == Of::neighbour && change.name == "ktm0" &&
               change.address == ip("10.9.0.5");
    }));
    listener.changes.clear();
    asker.all({net::DeleteRoute{net::Route{prefix("10.9.0.5/32"), "ktm0", {}, 254, 0, {}}}});
    space.must("ip -6 route add fd09::5/128 dev old; ip link del old");
    asker.all({net::DeleteLink{"ktm0"}});
    listener.listen(world);
    CHECK(listener.heard([](const net::Change& change) {
        return change.of == Of::route && change.gone && change.route.link == "ktm0";
    }));
    CHECK(listener.heard([](const net::Change& change) {
        return change.of == Of::link && change.gone && change.link.name == "ktm0";
    }));
    // Told when the device was gone already, under the name that it had.
    CHECK(listener.heard([](const net::Change& change) {
        return change.of == Of::route && change.gone && change.route.link == "old" &&
               change.route.to == prefix("fd09::5/128");
    }));
    CHECK(listener.overruns == 0);
}

TEST_CASE("os/watch: what did not fit is told as an overrun, and watching goes on") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    Listener listener;
    const auto watch = asker.network->watch(listener.handlers());
    REQUIRE(watch);
    starve_netlink_sockets();
    for (int i = 0; i < 10; ++i) {
        space.must("ip link add name" + std::to_string(i) + " type veth peer name peer");
        space.must("ip link del peer");
    }
    listener.listen(world);
    CHECK(listener.overruns >= 1);
    CHECK(listener.changes.size() < 40);
    listener.changes.clear();
    space.must("ip link add late type veth peer name peer");
    listener.listen(world);
    CHECK_FALSE(listener.changes.empty());
}

TEST_CASE("os/watch: it may be destroyed by what it tells, and is no reason to go on") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    std::unique_ptr<ports::Pinned> watch;
    int told = 0;
    auto made = asker.network->watch({[&](const net::Change&) {
                                          ++told;
                                          watch.reset();
                                      },
                                      nullptr, nullptr});
    REQUIRE(made);
    watch = std::move(*made);
    space.must("ip link add va type veth peer name vb");
    const auto end = world.ports.clock.arm(100ms, [&] { world.stop(); });
    world.run();
    CHECK(told == 1);
    CHECK(watch == nullptr);
    // Nobody stops this loop: it ends because nothing is left to do.
    const auto idle = asker.network->watch({});
    REQUIRE(idle);
    world.ports.loop.run();
}
