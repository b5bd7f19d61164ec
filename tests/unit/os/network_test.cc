// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/network_test.cc: what is asked of the kernel is what the kernel does.
#include "unit/os/own_namespace.hh"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <fstream>
#include <set>

using namespace ktm;
using namespace std::chrono_literals;
using namespace ktm::os::testing;
using ktm::disk::Descriptor;

namespace {

/// Without the rights of root, of this thread alone, until the end.
class Unprivileged {
public:
    Unprivileged() {
        (void)::syscall(SYS_capget, &head_, before_.data());
        std::array<__user_cap_data_struct, 2> none = before_;
        none[0].effective = none[1].effective = 0;
        REQUIRE(::syscall(SYS_capset, &head_, none.data()) == 0);
    }
    ~Unprivileged() { (void)::syscall(SYS_capset, &head_, before_.data()); }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

private:
    __user_cap_header_struct head_{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> before_{};
};

std::string own_number() {
    struct stat facts {};
    (void)::stat("/proc/thread-self/ns/net", &facts);
    return std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
}

}  // namespace

TEST_CASE("os/network: a namespace is known by its identity, however it is named") {
    TestWorld world;
    const auto own = world.ports.networks.open("");
    const auto again = world.ports.networks.open("/proc/self/ns/net");
    REQUIRE(own);
    REQUIRE(again);
    CHECK((*own)->identity() == (*again)->identity());
    const std::string home = own_number();
    const OwnNamespace space;
    if (!space) {
        return;
    }
    const auto other = world.ports.networks.open(space.place());
    REQUIRE(other);
    CHECK((*other)->identity() != (*own)->identity());
    CHECK(own_number() == home);
}

TEST_CASE("os/network: a later namespace has another identity, whatever its inode") {
    TestWorld world;
    std::set<std::string> identities;
    constexpr int many = 8;
    for (int nth = 0; nth < many; ++nth) {
        const OwnNamespace space;
        if (!space) {
            return;
        }
        const auto opened = world.ports.networks.open(space.place());
        REQUIRE(opened);
        identities.insert((*opened)->identity());
    }
    CHECK(identities.size() == many);
}

TEST_CASE("os/network: what is no namespace is refused, without waiting for it") {
    TestWorld world;
    const auto code = [&](const std::string& place) {
        const auto opened = world.ports.networks.open(place);
        return opened ? std::string{} : opened.error().code;
    };
    REQUIRE(::mkfifo(world.path("fifo").c_str(), 0600) == 0);
    CHECK(code("/proc/0/ns/net") == "ENOENT");
    CHECK(code("no-such-name") == "ENOENT");
    CHECK(code("..") == "EINVAL");
    CHECK(code("/proc/self/ns/mnt") == "EINVAL");
    CHECK(code("/etc/passwd") == "EINVAL");
    CHECK(code(world.path("fifo")) == "EINVAL");
    CHECK(code(world.folder.string()) == "EINVAL");
    const auto opened = world.ports.networks.open("/etc/passwd");
    CHECK(opened.error().sentence() ==
          "could not enter the network namespace /etc/passwd: /etc/passwd is no network namespace "
          "(EINVAL)");
}

TEST_CASE("os/network: a namespace that lost its name goes on as long as it is open") {
    TestWorld world;
    OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.end();
    CHECK_FALSE(world.ports.networks.open(space.place()));
    CHECK(asker.get(net::FindLink{"lo"}).links.size() == 1);
    CHECK(asker.get(net::ReadSetting{"ipv4/ip_forward"}).text == "0");
}

TEST_CASE("os/network: whether the kernel has a kind is asked, and nothing is made for it") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    CHECK(asker.get(net::FindKind{"vxlan"}).text == net::kind_is_there);
    CHECK(asker.get(net::FindKind{"tbf", true}).text == net::kind_is_there);
    CHECK(asker.get(net::FindKind{"ktm-none"}).text == net::kind_is_lacking);
    CHECK(asker.get(net::FindKind{"ktm-none", true}).text == net::kind_is_lacking);
    CHECK(asker.get(net::ListLinks{}).links.size() == 1);
    const auto queues = asker.get(net::ListQdiscs{"lo"}).qdiscs;
    CHECK((queues.empty() || queues.front().kind == "noqueue"));
}

TEST_CASE("os/network: a tunnel is made with its tag, is up, and goes again") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    CHECK(asker.get(net::FindLink{"ktm0"}).links.empty());
    const net::TunnelLink tunnel = some_tunnel("ktm0");
    asker.all({net::AddTunnel{tunnel}});
    CHECK(asker.at_once);
    const auto links = asker.get(net::FindLink{"ktm0"}).links;
    REQUIRE(links.size() == 1);
    CHECK(links[0].name == "ktm0");
    CHECK(links[0].kind == "vxlan");
    CHECK(links[0].tag == tunnel.tag);
    CHECK(links[0].mac == tunnel.mac);
    CHECK(links[0].mtu == 1450);
    CHECK(links[0].up);
    CHECK_FALSE(links[0].is_tap);
    const std::string told = space.run("ip -j -d link show ktm0");
    CHECK(contains(told, "\"ifalias\":\"" + tunnel.tag + "\""));
    CHECK(contains(told, "\"id\":77,\"remote\":\"127.0.0.2\",\"local\":\"127.0.0.1\""));
    CHECK(contains(told, "\"port\":4790"));
    CHECK(contains(told, "\"learning\":false"));
    CHECK(contains(told, "\"ttl\":64"));
    CHECK(contains(told, "\"inet6_addr_gen_mode\":\"none\""));
    CHECK_FALSE(contains(space.run("ip -j addr show ktm0"), "inet6"));
    CHECK(asker.fault_of(net::AddTunnel{tunnel}) == "EEXIST");
    asker.all({net::DeleteLink{"ktm0"}});
    CHECK(asker.get(net::FindLink{"ktm0"}).links.empty());
    CHECK(asker.fault_of(net::DeleteLink{"ktm0"}) == "ENODEV");
}

TEST_CASE("os/network: a tunnel whose name is taken leaves the other device as it is") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.must("ip link add ktm0 type veth peer name peer0");
    CHECK(asker.fault_of(net::AddTunnel{some_tunnel("ktm0")}) == "EEXIST");
    const auto links = asker.get(net::FindLink{"ktm0"}).links;
    REQUIRE(links.size() == 1);
    CHECK(links[0].kind == "veth");
    CHECK(links[0].tag == "");
    CHECK_FALSE(links[0].up);
}

TEST_CASE("os/network: a tunnel that could not be set up does not stay") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    disk::Descriptor holder;
    space.inside([&] {
        holder = disk::Descriptor{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_port = htons(4790);
        CHECK(::bind(holder.number(), reinterpret_cast<const sockaddr*>(&place), sizeof place) ==
              0);
    });
    CHECK(asker.fault_of(net::AddTunnel{some_tunnel("ktm0")}) == "EADDRINUSE");
    CHECK(asker.get(net::FindLink{"ktm0"}).links.empty());
}

TEST_CASE("os/network: a whole diversion goes out in one call, into a device that it makes") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.use_ipv6(true);
    const net::Route route{prefix("10.9.0.5/32"), "ktm0", std::nullopt, net::main_table, 0, {}};
    const net::Route route6{prefix("fd09::5/128"), "ktm0", std::nullopt, net::main_table, 7, {}};
    asker.all({
        net::AddTunnel{some_tunnel("ktm0")},
        net::AddAddress{"ktm0", prefix("169.254.40.2/31")},
        net::AddAddress{"ktm0", prefix("fd44::2/64")},
        net::SetQueueLength{"ktm0", 4321},
        net::SetInput{"ktm0", 2, true},
        net::SetNeighbour{ip("10.9.0.5"), mac("02:00:00:00:09:05"), "ktm0"},
        net::SetNeighbour{ip("fd09::5"), mac("02:00:00:00:09:05"), "ktm0"},
        net::AddRoute{route},
        net::AddRoute{route6},
    });
    CHECK(asker.at_once);
    CHECK(asker.get(net::FindLink{"ktm0"}).links.at(0).queue_length == 4321);
    CHECK(asker.get(net::ReadSetting{"ipv4/conf/ktm0/rp_filter"}).text == "2");
    CHECK(asker.get(net::ReadSetting{"ipv4/conf/ktm0/forwarding"}).text == "1");
    CHECK(asker.get(net::ReadSetting{"ipv4/ip_forward"}).text == "0");
    const auto addresses = asker.get(net::ListAddresses{"ktm0"}).addresses;
    CHECK(std::any_of(addresses.begin(), addresses.end(), [](const net::AddressFacts& facts) {
        return facts.address == prefix("169.254.40.2/31") && facts.link == "ktm0";
    }));
    CHECK(std::any_of(addresses.begin(), addresses.end(), [](const net::AddressFacts& facts) {
        return facts.address == prefix("fd44::2/64");
    }));
    CHECK(asker.get(net::ListAddresses{""}).addresses.size() > addresses.size());
    const auto neighbours = asker.get(net::ListNeighbours{"ktm0"}).neighbours;
    REQUIRE(neighbours.size() == 2);
    CHECK(neighbours[0].mac == mac("02:00:00:00:09:05"));
    CHECK(neighbours[0].permanent);
    CHECK(neighbours[0].protocol == net::our_protocol);
    const auto found = asker.get(net::FindRoutes{route.to, net::main_table}).routes;
    REQUIRE(found.size() == 1);
    CHECK(found[0] == net::RouteFacts{route.to, "ktm0", {}, {}, 254, 0, net::our_protocol, 0});
    CHECK(asker.get(net::RouteTo{ip("10.9.0.5")}).routes.at(0).link == "ktm0");
    CHECK(asker.get(net::RouteTo{ip("fd09::5")}).routes.at(0).link == "ktm0");
    CHECK(asker.get(net::ListOurRoutes{Family::v4}).routes.size() == 1);
    CHECK(asker.get(net::ListOurRoutes{Family::v6}).routes.at(0).metric == 7);
    CHECK(contains(space.run("ip -j route show 10.9.0.5"), "\"protocol\":\"107\""));
    asker.all({net::DeleteRoute{route}, net::DeleteRoute{route6},
               net::DeleteNeighbour{ip("10.9.0.5"), "ktm0"},
               net::DeleteNeighbour{ip("fd09::5"), "ktm0"}});
    CHECK(asker.get(net::ListOurRoutes{Family::v4}).routes.empty());
    CHECK(asker.get(net::ListOurRoutes{Family::v6}).routes.empty());
    CHECK(asker.get(net::ListNeighbours{"ktm0"}).neighbours.empty());
    CHECK(asker.fault_of(net::DeleteRoute{route}) == "ESRCH");
}

TEST_CASE(
    "os/network: a batch that deletes a device and makes one of that name takes the new one") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    const net::Route route{prefix("10.9.0.5/32"), "ktm0", std::nullopt, net::main_table, 0, {}};
    asker.all({net::AddRoute{route}, net::DeleteLink{"ktm0"}, net::AddTunnel{some_tunnel("ktm0")},
               net::AddRoute{route}});
    CHECK(asker.get(net::FindRoutes{route.to, net::main_table}).routes.size() == 1);
    const auto gone =
        asker.send({net::DeleteLink{"ktm0"}, net::AddRoute{route}, net::FindLink{"lo"}});
    CHECK(gone[0]);
    CHECK(gone[1].error().sentence() == "could not " + net::describe(net::AddRoute{route}) +
                                            ": there is no device ktm0 (ENODEV)");
    CHECK(gone[2]);
}

TEST_CASE("os/network: our route stands before the others, which stay, and goes alone") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.must("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
    space.must("ip addr add 10.1.0.1/24 dev va && ip addr add 10.2.0.1/24 dev vb");
    space.must("ip route add 10.9.0.5/32 via 10.1.0.2 dev va metric 5");
    const net::Route ours{prefix("10.9.0.5/32"), "vb", ip("10.2.0.2"), net::main_table, 5, {}};
    asker.all({net::AddRoute{ours}});
    const auto both = asker.get(net::FindRoutes{ours.to, net::main_table}).routes;
    REQUIRE(both.size() == 2);
    CHECK(both[0].protocol == net::our_protocol);
    CHECK(both[0].via == ip("10.2.0.2"));
    CHECK(both[1].link == "va");
    const auto way = asker.get(net::RouteTo{ip("10.9.0.5")}).routes;
    REQUIRE(way.size() == 1);
    CHECK(way[0].link == "vb");
    CHECK(way[0].via == ip("10.2.0.2"));
    CHECK(way[0].source == ip("10.2.0.1"));
    CHECK(asker.fault_of(net::AddRoute{ours}) == "EEXIST");
    // The other one looks the same but for who made it.
    const net::Route foreign{prefix("10.9.0.5/32"), "va", ip("10.1.0.2"), net::main_table, 5, {}};
    CHECK(asker.fault_of(net::DeleteRoute{foreign}) == "ESRCH");
    asker.all({net::DeleteRoute{ours}});
    CHECK(asker.get(net::RouteTo{ip("10.9.0.5")}).routes.at(0).link == "va");
    CHECK(asker.fault_of(net::RouteTo{ip("192.0.2.1")}) == "ENETUNREACH");
    CHECK(asker.get(net::FindRoutes{ours.to, 4711}).routes.empty());
    space.must("ip route add 10.8.0.0/16 via 10.1.0.2 mtu 1400 table 4711");
    const auto table = asker.get(net::FindRoutes{prefix("10.8.0.0/16"), 4711}).routes;
    REQUIRE(table.size() == 1);
    CHECK(table[0].mtu == 1400);
    CHECK(table[0].table == 4711);
}

TEST_CASE("os/network: a route of IPv6 with a lower metric comes first, and goes alone") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.use_ipv6(true);
    space.must("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
    space.must("ip -6 route add fd09::5/128 dev va");
    const net::Route ours{prefix("fd09::5/128"), "vb", std::nullopt, net::main_table, 1, {}};
    asker.all({net::AddRoute{ours}});
    CHECK(asker.get(net::FindRoutes{ours.to, net::main_table}).routes.size() == 2);
    CHECK(asker.get(net::RouteTo{ip("fd09::5")}).routes.at(0).link == "vb");
    const net::Route foreign{prefix("fd09::5/128"), "va", std::nullopt, net::main_table, 0, {}};
    CHECK(asker.fault_of(net::DeleteRoute{foreign}) == "ESRCH");
    asker.all({net::DeleteRoute{ours}});
    CHECK(asker.get(net::RouteTo{ip("fd09::5")}).routes.at(0).link == "va");
}

TEST_CASE("os/network: settings are those of the namespace, and nothing else is reached") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    Asker own{world, ""};
    const std::string home = own_number();
    const std::string outside = own.get(net::ReadSetting{"ipv4/conf/lo/rp_filter"}).text;
    const std::string other = outside == "2" ? "1" : "2";
    asker.all({net::WriteSetting{"ipv4/conf/lo/rp_filter", other}});
    CHECK(asker.get(net::ReadSetting{"ipv4/conf/lo/rp_filter"}).text == other);
    CHECK(own.get(net::ReadSetting{"ipv4/conf/lo/rp_filter"}).text == outside);
    for (const std::string name : {"", "/", "../kernel/ostype", "ipv4/../../kernel/ostype",
                                   "ipv4//ip_forward", "/etc/passwd", "./ipv4/ip_forward"}) {
        CHECK(asker.fault_of(net::ReadSetting{name}) == "EINVAL");
    }
    CHECK(asker.fault_of(net::ReadSetting{"ipv4/no_such"}) == "ENOENT");
    CHECK(asker.fault_of(net::WriteSetting{"ipv4/ip_forward", "many"}) == "EINVAL");
    CHECK(own_number() == home);
}

TEST_CASE("os/network: facts of a tap say whether somebody has it open") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.must("ip tuntap add dev tap0 mode tap && ip tuntap add dev tun0 mode tun");
    space.must("ip link add br0 type bridge && ip link set tap0 master br0");
    disk::Descriptor reader = space.tap("tap0");
    const auto open = asker.get(net::FindLink{"tap0"}).links.at(0);
    CHECK(open.is_tap);
    CHECK(open.kind == "tun");
    CHECK(open.carrier);
    CHECK(open.master == asker.get(net::FindLink{"br0"}).links.at(0).index);
    reader.reset();
    CHECK_FALSE(asker.get(net::FindLink{"tap0"}).links.at(0).carrier);
    CHECK_FALSE(asker.get(net::FindLink{"tun0"}).links.at(0).is_tap);
    const auto all = asker.get(net::ListLinks{}).links;
    CHECK(std::count_if(all.begin(), all.end(), [](const net::LinkFacts& facts) {
              return facts.name == "tap0" || facts.name == "tun0" || facts.name == "br0" ||
                     facts.name == "lo";
          }) == 4);
}

TEST_CASE("os/network: the ring of a tap counts what it took and what it dropped") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    const disk::Descriptor reader = space.tap("tap0");
    asker.all({net::SetQueueLength{"tap0", 5}});
    const auto before = asker.get(net::FindLink{"tap0"}).links.at(0).counters;
    for (int i = 0; i < 8; ++i) {
        CHECK(asker.network->send_frame("tap0", frame_to(mac("02:00:00:00:00:01"))));
    }
    CHECK(count_frames(reader) == 5);
    const auto after = asker.get(net::FindLink{"tap0"}).links.at(0).counters;
    CHECK(after.tx_packets - before.tx_packets == 5);
    CHECK(after.tx_dropped - before.tx_dropped == 3);
}

TEST_CASE("os/network: a frame goes out through the device as it is") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    space.must(
        "ip link add va type veth peer name vb && ip link set va up && "
        "ip link set vb up");
    const disk::Descriptor ear = space.ear("vb");
    const std::string frame = frame_to(mac("ff:ff:ff:ff:ff:ff"));
    CHECK(asker.network->send_frame("va", frame));
    CHECK(next_frame(ear, 1000) == frame);
    CHECK(asker.network->send_frame("none", frame).error().code == "ENODEV");
    CHECK(asker.network->send_frame("va", "short").error().code == "EINVAL");
    space.must("ip link set va down");
    CHECK(asker.network->send_frame("va", frame).error().sentence() ==
          "could not send a frame through va: network is down (ENETDOWN)");
}

TEST_CASE("os/network: without the rights each change is refused, and questions are answered") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    const net::Route route{prefix("10.9.0.5/32"), "ktm0", std::nullopt, net::main_table, 0, {}};
    const Unprivileged now;
    CHECK(asker.fault_of(net::AddRoute{route}) == "EPERM");
    CHECK(asker.fault_of(net::DeleteLink{"ktm0"}) == "EPERM");
    CHECK(asker.get(net::FindLink{"ktm0"}).links.size() == 1);
    const auto entered = world.ports.networks.open(space.place());
    REQUIRE_FALSE(entered);
    CHECK(entered.error().code == "EPERM");
    const auto own = world.ports.networks.open("");
    REQUIRE(own);
    CHECK((*own)->send_frame("lo", frame_to(mac("02:00:00:00:00:01"))).error().code == "EPERM");
}

TEST_CASE("os/network: the kernel's own words come with an error") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    const net::PutRootQdisc unknown{"lo", net::SavedQdisc{"nosuch", 0x10000, ""}};
    const auto answer = asker.ask(unknown);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == Kind::io);
    CHECK(answer.error().code == "ENOENT");
    CHECK(answer.error().during == net::describe(unknown));
    CHECK(contains(answer.error().what, "ualified qdisc kind") !=
          contains(answer.error().what, "pecified qdisc kind"));
    CHECK(contains(answer.error().what, "no such file or directory"));
}

TEST_CASE("os/network: answers that did not fit are lost, and later ones come again") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    starve_netlink_sockets();
    const auto answers = asker.send(net::Requests(50, net::FindLink{"lo"}));
    REQUIRE(answers.size() == 50);
    const auto lost = std::count_if(answers.begin(), answers.end(), [](const auto& answer) {
        return !answer && answer.error().kind == Kind::lost && answer.error().code == "ENOBUFS";
    });
    const auto came = std::count_if(answers.begin(), answers.end(),
                                    [](const auto& answer) { return answer.has_value(); });
    CHECK(lost > 40);
    CHECK(lost + came == 50);
    CHECK(contains(answers.back().error().what, "it is not known whether it was carried out"));
    for (const auto& answer : asker.send(net::Requests(50, net::FindLink{"lo"}))) {
        CHECK(answer);
    }
}

TEST_CASE("os/network: a long list goes on in the loop, and other requests wait for it") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    constexpr std::size_t count = 15000;
    {
        std::ofstream batch{world.path("routes")};
        for (std::size_t i = 0; i < count; ++i) {
            batch << "route add 10." << i / 250 << '.' << i % 250 << ".1 dev lo proto 107\n";
        }
    }
    space.must("ip -batch " + world.path("routes"));
    std::vector<std::string> order;
    std::size_t listed = 0;
    asker.network->send({net::ListOurRoutes{Family::v4}}, [&](ports::Network::Outcome outcome) {
        listed = outcome.at(0)->routes.size();
        order.emplace_back("list");
    });
    CHECK(order.empty());
    asker.network->send({net::FindLink{"lo"}}, [&](const ports::Network::Outcome&) {
        order.emplace_back("link");
        world.stop();
    });
    CHECK(order.empty());
    world.run();
    CHECK(listed == count);
    CHECK(order == std::vector<std::string>{"list", "link"});
}

TEST_CASE("os/network: more requests than fit into one message are all answered, in order") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    asker.all({net::AddTunnel{some_tunnel("ktm0")}});
    net::Requests requests;
    for (int i = 0; i < 700; ++i) {
        const std::string address =
            "10.3." + std::to_string(i / 250) + "." + std::to_string(i % 250);
        requests.emplace_back(net::AddRoute{
            net::Route{prefix(address), "ktm0", std::nullopt, net::main_table, 0, {}}});
    }
    asker.all(requests);
    CHECK(asker.at_once);
    CHECK(asker.get(net::ListOurRoutes{Family::v4}).routes.size() == 700);
    for (const auto& answer : asker.send(requests)) {
        CHECK(answer.error().code == "EEXIST");
    }
    CHECK(asker.send({}).empty());
}

TEST_CASE("os/network: who is called may send again, and may destroy the network") {
    TestWorld world;
    auto network = *world.ports.networks.open("");
    std::vector<int> order;
    network->send({net::FindLink{"lo"}}, [&](const ports::Network::Outcome&) {
        order.push_back(1);
        network->send({net::FindLink{"lo"}, net::ListLinks{}},
                      [&](const ports::Network::Outcome& outcome) {
                          order.push_back(static_cast<int>(outcome.size()));
                          network.reset();
                      });
    });
    CHECK(order == std::vector<int>{1, 2});
    CHECK(network == nullptr);
}

TEST_CASE("os/network: a network that is destroyed forgets who waits") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    auto network = *world.ports.networks.open(space.place());
    network->send({net::ListLinks{}}, [&](const ports::Network::Outcome&) {
        network->send({net::ListLinks{}}, [&](const ports::Network::Outcome&) { network.reset(); });
        if (network != nullptr) {
            network->send({net::ListLinks{}},
                          [](const ports::Network::Outcome&) { FAIL("it is gone"); });
        }
    });
    CHECK(network == nullptr);
}
