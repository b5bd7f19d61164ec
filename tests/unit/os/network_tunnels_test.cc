// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/network_tunnels_test.cc: every kind of tunnel is what was asked for.
#include "unit/os/own_namespace.hh"

using namespace ktm;
using namespace ktm::os::testing;
using net::Carrier;

namespace {

net::TunnelLink tunnel(Carrier carrier, bool v6) {
    net::TunnelLink link = some_tunnel("ktm0");
    link.carrier = carrier;
    link.local = ip(v6 ? "fd00::1" : "10.0.0.1");
    link.remote = ip(v6 ? "fd00::2" : "10.0.0.2");
    link.mtu = 1400;
    link.id = 5;
    return link;
}

/// Makes it; what `ip` says of it, and of the device that was found.
std::string made(Asker& asker, const OwnNamespace& space, const net::TunnelLink& link) {
    asker.all({net::AddTunnel{link}});
    const auto links = asker.get(net::FindLink{link.name}).links;
    REQUIRE(links.size() == 1);
    CHECK(links[0].kind == net::name_of(link.carrier));
    CHECK(links[0].tag == link.tag);
    CHECK(links[0].up);
    CHECK(links[0].mtu == link.mtu);
    CHECK(links[0].mac.has_value() == net::carries_frames(link.carrier));
    return space.run("ip -d link show " + link.name);
}

}  // namespace

TEST_CASE("os/tunnels: a gre lets full packets through that are marked not to be fragmented") {
    TestWorld world;
    const OwnNamespace space;
    if (!space || !has_device(space, "gre local 127.0.0.1 remote 127.0.0.2")) {
        return;
    }
    Asker asker{world, space.place()};
    space.must("ip addr add 10.0.0.1/24 dev lo");
    const Carrier carrier = GENERATE(Carrier::gre, Carrier::gretap);
    const std::string told = made(asker, space, tunnel(carrier, false));
    CHECK(contains(told, "remote 10.0.0.2 local 10.0.0.1"));
    CHECK(contains(told, "nopmtudisc"));
    CHECK(contains(told, "ignore-df"));
    CHECK(contains(told, "ttl 64"));
    CHECK(contains(told, "ikey 0.0.0.5 okey 0.0.0.5"));
}

TEST_CASE("os/tunnels: an ipip has its far end, or gets it by route") {
    TestWorld world;
    const OwnNamespace space;
    if (!space || !has_device(space, "ipip local 127.0.0.1 remote 127.0.0.2")) {
        return;
    }
    Asker asker{world, space.place()};
    space.must("ip addr add 10.0.0.1/24 dev lo");
    net::TunnelLink link = tunnel(Carrier::ipip, false);
    const std::string told = made(asker, space, link);
    CHECK(contains(told, "remote 10.0.0.2 local 10.0.0.1 ttl 64"));
    asker.all({net::DeleteLink{"ktm0"}});
    link.by_route = true;
    CHECK(contains(made(asker, space, link), "external"));
    const net::Route route{
        prefix("10.9.0.5/32"), "ktm0", std::nullopt,
        net::main_table,       0,      net::Encapsulation{link.local, link.remote, 64}};
    asker.all({net::AddRoute{route}});
    CHECK(contains(space.run("ip route show 10.9.0.5"),
                   "encap ip id 0 src 10.0.0.1 dst 10.0.0.2 ttl 64"));
    asker.all({net::DeleteRoute{route}});
}

TEST_CASE("os/tunnels: those over IPv6 carry both families, without options in the header") {
    TestWorld world;
    const OwnNamespace space;
    if (!space || !has_device(space, "ip6tnl mode ip6ip6 local ::1 remote ::2")) {
        return;
    }
    Asker asker{world, space.place()};
    space.use_ipv6(true);
    space.must("ip addr add fd00::1/64 dev lo nodad");
    const Carrier carrier = GENERATE(Carrier::ip6tnl, Carrier::ip6gre, Carrier::ip6gretap);
    const std::string told = made(asker, space, tunnel(carrier, true));
    CHECK(contains(told, "remote fd00::2 local fd00::1"));
    CHECK(contains(told, "encaplimit none"));
    CHECK(contains(told, "hoplimit 64"));
    CHECK((carrier != Carrier::ip6tnl || contains(told, "any remote")));
}

TEST_CASE("os/tunnels: a vxlan over IPv6 has checksums") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.use_ipv6(true);
    space.must("ip addr add fd00::1/64 dev lo nodad");
    const std::string told = made(asker, space, tunnel(Carrier::vxlan, true));
    CHECK(contains(told, "id 5 remote fd00::2 local fd00::1"));
    CHECK(contains(told, "noudp6zerocsumtx noudp6zerocsumrx"));
    CHECK(contains(told, "nolearning"));
}

TEST_CASE("os/tunnels: a kind that the kernel lacks is an error in its own words") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    const std::string said = space.run("ip link add ktmprobe type ipip local 127.0.0.1");
    (void)space.run("ip link del ktmprobe");
    if (said.empty()) {
        WARN("skipped: this kernel has ipip");
        return;
    }
    const auto answer = asker.ask(net::AddTunnel{tunnel(Carrier::ipip, false)});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == "EOPNOTSUPP");
    CHECK(contains(answer.error().what, "nknown device type"));
}
