// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/network_test.cc: the simulated kernel's answers, and the port in front of it.
#include <cerrno>

#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::testing::TestWorld;

namespace {

const net::MacAddress mac = *net::MacAddress::parse("02:aa:00:00:00:01");

IpPrefix prefix(const std::string& text) {
    return *IpPrefix::parse(text);
}

net::TunnelLink tunnel(const std::string& name, const std::string& remote = "192.0.2.7") {
    net::TunnelLink link;
    link.name = name;
    link.tag = "katamaran/aa/bb";
    link.carrier = net::Carrier::ipip;
    link.local = *IpAddress::parse("192.0.2.1");
    link.remote = *IpAddress::parse(remote);
    return link;
}

net::Route route(const std::string& to, const std::string& link, std::uint32_t metric = 0) {
    return net::Route{prefix(to), link, std::nullopt, net::main_table, metric, std::nullopt};
}

struct Kernel : sim::VirtualKernel {
    Kernel() {
        add_link("eth0", "");
        add_tap("tap0");
    }
    /// "" or the code of the error.
    std::string does(const net::Request& request) {
        const Result<net::Answer> answer = apply(request);
        return answer ? "" : answer.error().code;
    }
    std::vector<std::string> ways(const std::string& to) {
        std::vector<std::string> links;
        const std::vector<net::RouteFacts> routes = apply(net::FindRoutes{prefix(to)})->routes;
        for (const net::RouteFacts& facts : routes) {
            links.push_back(facts.link + " " + std::to_string(facts.metric));
        }
        return links;
    }
};

using Texts = std::vector<std::string>;

/// Sends, and collects what is answered, when it is.
struct Sender {
    explicit Sender(TestWorld& world) : network(*world.ports.networks.open("")) {}
    void send(const net::Requests& requests) {
        network->send(requests, [this](ports::Network::Outcome outcome) {
            for (const Result<net::Answer>& one : outcome) {
                codes.push_back(one ? "" : one.error().code);
            }
            codes.emplace_back("|");
        });
    }
    std::shared_ptr<ports::Network> network;
    Texts codes;
};

}  // namespace

TEST_CASE("sim/kernel: a tunnel is there with its tag, and cannot be made twice") {
    Kernel kernel;
    CHECK(kernel.does(net::AddTunnel{tunnel("ktm0")}).empty());
    const net::LinkFacts facts = kernel.apply(net::FindLink{"ktm0"})->links.front();
    CHECK(facts.kind == "ipip");
    CHECK(facts.tag == "katamaran/aa/bb");
    CHECK(facts.up);
    CHECK(kernel.does(net::AddTunnel{tunnel("ktm0", "192.0.2.8")}) == "EEXIST");
    CHECK(kernel.does(net::AddTunnel{tunnel("ktm1")}) == "EEXIST");
    CHECK(kernel.does(net::AddTunnel{tunnel("a/b", "192.0.2.8")}) == "EINVAL");
    kernel.lack("ipip");
    CHECK(kernel.apply(net::FindKind{"ipip"})->text == net::kind_is_lacking);
    CHECK(kernel.apply(net::FindKind{"gre"})->text == net::kind_is_there);
    CHECK(kernel.does(net::AddTunnel{tunnel("ktm1", "192.0.2.8")}) == "EOPNOTSUPP");
}

TEST_CASE("sim/kernel: with a device goes everything that was its") {
    Kernel kernel;
    const std::string before = kernel.dump();
    CHECK(kernel.does(net::AddTunnel{tunnel("ktm0")}).empty());
    CHECK(kernel.does(net::AddAddress{"ktm0", prefix("169.254.1.1/30")}).empty());
    CHECK(kernel.does(net::AddAddress{"ktm0", prefix("169.254.1.1/30")}) == "EEXIST");
    CHECK(kernel.does(net::AddRoute{route("10.1.2.3/32", "ktm0")}).empty());
    CHECK(kernel.does(net::SetNeighbour{*IpAddress::parse("10.1.2.3"), mac, "ktm0"}).empty());
    CHECK(kernel.does(net::SetInput{"ktm0", 2, true}).empty());
    CHECK(kernel.does(net::AddClsact{"ktm0"}) == "EEXIST");  // It counts by it.
    CHECK(kernel.dump() != before);
    CHECK(kernel.does(net::DeleteLink{"ktm0"}).empty());
    CHECK(kernel.dump() == before);
    CHECK(kernel.does(net::DeleteLink{"ktm0"}) == "ENODEV");
    CHECK(kernel.does(net::DeleteLink{"lo"}) == "EOPNOTSUPP");
    CHECK(kernel.apply(net::FindLink{"ktm0"})->links.empty());
}

TEST_CASE("sim/kernel: nothing can be done to a device that is not there") {
    Kernel kernel;
    const net::Redirect redirect{"none", net::Direction::egress, mac, "tap0", false, 1};
    for (const net::Request& request :
         net::Requests{net::AddAddress{"none", prefix("10.0.0.1/24")},
                       net::SetQueueLength{"none", 1},
                       net::SetInput{"none", 0, true},
                       net::AddRoute{route("10.1.2.3/32", "none")},
                       net::DeleteRoute{route("10.1.2.3/32", "none")},
                       net::SetNeighbour{*IpAddress::parse("10.1.2.3"), mac, "none"},
                       net::DeleteNeighbour{*IpAddress::parse("10.1.2.3"), "none"},
                       net::AddPacer{"none"},
                       net::SetPace{"none", 1},
                       net::AddPlug{"none", false, 1},
                       net::BlockPlug{"none", false},
                       net::OpenPlug{"none", false},
                       net::DeleteRootQdisc{"none"},
                       net::PutRootQdisc{"none", {"sfq", 0x10000, ""}},
                       net::AddClsact{"none"},
                       net::DeleteClsact{"none"},
                       net::AddRedirect{redirect},
                       net::DeleteRedirect{redirect},
                       net::ListQdiscs{"none"},
                       net::ListFilters{"none", net::Direction::egress},
                       net::ListNeighbours{"none"},
                       net::ListAddresses{"none"}}) {
        INFO(net::describe(request));
        CHECK(kernel.does(request) == "ENODEV");
    }
}

TEST_CASE("sim/kernel: in IPv4 our route comes first, in IPv6 the one of the lower metric") {
    Kernel kernel;
    kernel.add_route("10.1.2.3/32", "tap0");
    kernel.add_route("10.1.2.3/32", "eth0", 50);
    CHECK(kernel.does(net::AddRoute{route("10.1.2.3/32", "eth0")}).empty());
    CHECK(kernel.ways("10.1.2.3/32") == Texts{"eth0 0", "tap0 0", "eth0 50"});
    CHECK(kernel.does(net::AddRoute{route("10.1.2.3/32", "eth0")}) == "EEXIST");
    CHECK(kernel.does(net::AddRoute{route("10.1.2.3/24", "eth0")}) == "EINVAL");
    kernel.add_route("2001:db8::3/128", "tap0");
    CHECK(kernel.does(net::AddRoute{route("2001:db8::3/128", "eth0")}).empty());
    CHECK(kernel.does(net::AddRoute{route("2001:db8::3/128", "eth0", 1)}).empty());
    CHECK(kernel.ways("2001:db8::3/128") == Texts{"eth0 1", "tap0 1024", "eth0 1024"});
    CHECK(kernel.apply(net::ListOurRoutes{Family::v6})->routes.size() == 2);
    CHECK(kernel.apply(net::RouteTo{*IpAddress::parse("10.1.2.3")})->routes.front().link == "eth0");
    CHECK(kernel.does(net::RouteTo{*IpAddress::parse("10.7.7.7")}) == "ENETUNREACH");
    kernel.link("eth0")->facts.up = false;
    CHECK(kernel.does(net::AddRoute{route("10.1.2.4/32", "eth0")}) == "ENETDOWN");
}

TEST_CASE("sim/kernel: only our route is deleted, once") {
    Kernel kernel;
    kernel.add_route("10.1.2.3/32", "eth0");
    const std::string before = kernel.dump();
    CHECK(kernel.does(net::AddRoute{route("10.1.2.3/32", "eth0")}).empty());
    CHECK(kernel.does(net::DeleteRoute{route("10.1.2.3/32", "eth0")}).empty());
    CHECK(kernel.dump() == before);
    CHECK(kernel.does(net::DeleteRoute{route("10.1.2.3/32", "eth0")}) == "ESRCH");
}

TEST_CASE("sim/kernel: neighbours are replaced, and deleted once") {
    Kernel kernel;
    const IpAddress address = *IpAddress::parse("10.1.2.3");
    CHECK(kernel.does(net::SetNeighbour{address, mac, "eth0"}).empty());
    CHECK(kernel.does(net::SetNeighbour{address, mac, "eth0"}).empty());
    CHECK(kernel.apply(net::ListNeighbours{"eth0"})->neighbours.size() == 1);
    CHECK(kernel.does(net::DeleteNeighbour{address, "eth0"}).empty());
    CHECK(kernel.does(net::DeleteNeighbour{address, "eth0"}) == "ENOENT");
}

TEST_CASE("sim/kernel: a plug holds from its first instant until it is opened") {
    Kernel kernel;
    const std::string before = kernel.dump();
    CHECK(kernel.does(net::SetPace{"tap0", 1}) == "ENOENT");
    CHECK(kernel.does(net::AddPlug{"tap0", true, 1}) == "ENOENT");
    CHECK(kernel.does(net::AddPacer{"tap0"}).empty());
    CHECK(kernel.does(net::AddPacer{"tap0"}) == "EEXIST");
    CHECK(kernel.does(net::OpenPlug{"tap0", true}) == "ENOENT");
    CHECK(kernel.does(net::AddPlug{"tap0", true, 4096}).empty());
    CHECK(kernel.does(net::AddPlug{"tap0", true, 4096}) == "EEXIST");
    CHECK(kernel.does(net::OpenPlug{"tap0", false}) == "ENOENT");
    sim::VirtualPlug& plug = *kernel.link("tap0")->root.plug;
    CHECK(plug.blocked);
    plug.queued_packets = 7;
    const auto qdiscs = kernel.apply(net::ListQdiscs{"tap0"})->qdiscs;
    REQUIRE(qdiscs.size() == 2);
    CHECK(qdiscs[0].handle == net::our_pacer_handle);
    CHECK(qdiscs[0].parent == 0xffffffff);
    CHECK(qdiscs[1].handle == net::our_plug_handle);
    CHECK(qdiscs[1].queued_packets == 7);
    CHECK(kernel.does(net::OpenPlug{"tap0", true}).empty());
    CHECK_FALSE(plug.blocked);
    CHECK(plug.queued_packets == 0);
    CHECK(kernel.does(net::BlockPlug{"tap0", true}).empty());
    CHECK(plug.blocked);
    CHECK(kernel.does(net::DeleteRootQdisc{"tap0", net::our_plug_handle}) == "EINVAL");
    CHECK(kernel.does(net::DeleteRootQdisc{"tap0", net::our_pacer_handle}).empty());
    CHECK(kernel.dump() == before);
    CHECK(kernel.does(net::DeleteRootQdisc{"tap0", net::our_pacer_handle}) == "ENOENT");
    CHECK(kernel.does(net::AddPlug{"tap0", false, 1}).empty());
    CHECK(kernel.does(net::PutRootQdisc{"tap0", {"sfq", 0x10000, "x"}}).empty());
    CHECK(kernel.link("tap0")->root.kind == "sfq");
    kernel.lack("plug");
    kernel.lack("tbf");
    CHECK(kernel.does(net::AddPlug{"tap0", false, 1}) == "ENOENT");
    CHECK(kernel.does(net::AddPacer{"tap0"}) == "ENOENT");
}

TEST_CASE("sim/kernel: a filter needs its room, and goes with it") {
    Kernel kernel;
    const std::string before = kernel.dump();
    const net::Redirect out{"eth0", net::Direction::egress, mac, "tap0", false, 1};
    net::Redirect nowhere = out;
    nowhere.to = "none";
    CHECK(kernel.does(net::AddRedirect{out}) == "EINVAL");
    CHECK(kernel.does(net::DeleteRedirect{out}) == "EINVAL");
    CHECK(kernel.does(net::DeleteClsact{"eth0"}) == "ENOENT");
    CHECK(kernel.does(net::AddClsact{"eth0"}).empty());
    CHECK(kernel.does(net::AddClsact{"eth0"}) == "EEXIST");
    CHECK(kernel.does(net::AddRedirect{nowhere}) == "ENODEV");
    CHECK(kernel.does(net::AddRedirect{out}).empty());
    CHECK(kernel.does(net::AddRedirect{out}) == "EEXIST");
    CHECK(kernel.apply(net::ListFilters{"eth0", net::Direction::egress})->filters.size() == 1);
    CHECK(kernel.apply(net::ListFilters{"eth0", net::Direction::ingress})->filters.empty());
    CHECK(kernel.does(net::DeleteRedirect{out}).empty());
    CHECK(kernel.does(net::DeleteRedirect{out}) == "ENOENT");
    CHECK(kernel.does(net::AddRedirect{out}).empty());
    CHECK(kernel.does(net::DeleteClsact{"eth0"}).empty());
    CHECK(kernel.dump() == before);
    kernel.lack("clsact");
    CHECK(kernel.does(net::AddClsact{"eth0"}) == "ENOENT");
}

TEST_CASE("sim/kernel: whoever writes to all devices writes to each") {
    Kernel kernel;
    CHECK(kernel.does(net::WriteSetting{"ipv6/conf/all/forwarding", "1"}).empty());
    CHECK(kernel.apply(net::ReadSetting{"ipv6/conf/eth0/forwarding"})->text == "1");
    CHECK(kernel.apply(net::ReadSetting{"ipv4/conf/eth0/forwarding"})->text == "0");
    CHECK(kernel.does(net::WriteSetting{"ipv4/conf/tap0/forwarding", "1"}).empty());
    CHECK(kernel.does(net::WriteSetting{"ipv4/ip_forward", "0"}).empty());
    CHECK(kernel.apply(net::ReadSetting{"ipv4/conf/tap0/forwarding"})->text == "1");
    CHECK(kernel.does(net::WriteSetting{"ipv4/ip_forward", "1"}).empty());
    CHECK(kernel.apply(net::ReadSetting{"ipv4/conf/eth0/forwarding"})->text == "1");
    CHECK(kernel.does(net::ReadSetting{"ipv9"}) == "ENOENT");
    CHECK(kernel.does(net::WriteSetting{"ipv9", "1"}) == "ENOENT");
}

TEST_CASE("sim/kernel: who listens hears of a change before it is made, and of those by others") {
    Kernel kernel;
    std::string heard;
    kernel.listen([&](const net::Request* request) {
        const std::uint32_t length = kernel.link("tap0")->facts.queue_length;
        heard += (request == nullptr ? "others" : net::describe(*request)) + " at " +
                 std::to_string(length) + "; ";
    });
    CHECK(kernel.does(net::SetQueueLength{"tap0", 5}).empty());
    kernel.add_route("10.0.0.0/8", "eth0");
    CHECK(heard == "set the queue length of tap0 to 5 at 1000; others at 5; ");
    kernel.listen(nullptr);
    CHECK(kernel.does(net::SetQueueLength{"tap0", 6}).empty());
    CHECK(heard.ends_with("others at 5; "));
}

TEST_CASE("sim/network: all requests are carried out in order, and answered at once") {
    TestWorld world;
    Sender sender{world};
    sender.send({net::AddTunnel{tunnel("ktm0")}, net::DeleteLink{"none"}, net::DeleteLink{"ktm0"}});
    CHECK(sender.codes == Texts{"", "ENODEV", "", "|"});
    CHECK(world.sim.networks().heard().size() == 3);
    CHECK(world.ports.networks.open("red").error().code == "ENOENT");
}

TEST_CASE("sim/network: a fault has its effect on the request that it fits, once") {
    TestWorld world;
    Sender sender{world};
    auto& networks = world.sim.networks();
    const auto is_deletion = [](const net::Request& request) {
        return std::holds_alternative<net::DeleteLink>(request);
    };
    networks.fail_next(is_deletion, EPERM);
    networks.fail_nth(4, EBUSY);
    sender.send({net::ListLinks{}, net::DeleteLink{"none"}, net::DeleteLink{"none"},
                 net::ListLinks{}, net::ListLinks{}});
    CHECK(sender.codes == Texts{"", "EPERM", "ENODEV", "EBUSY", "", "|"});
    CHECK(networks.faults_left() == 0);
}

TEST_CASE("sim/network: a lost answer is none, and a lost request is not carried out") {
    using Effect = sim::NetworkFault::Effect;
    for (const Effect effect : {Effect::lose_answer, Effect::lose_request}) {
        TestWorld world;
        Sender sender{world};
        world.sim.networks().nth(1, {.effect = effect});
        sender.send({net::AddTunnel{tunnel("ktm0")}});
        world.run();
        CHECK(sender.codes.empty());
        const bool made = world.sim.networks().kernel().link("ktm0") != nullptr;
        CHECK(made == (effect == Effect::lose_answer));
    }
}

TEST_CASE("sim/network: answers come later when they are told to, and not to who is gone") {
    TestWorld world;
    Sender sender{world};
    Sender gone{world};
    world.sim.networks().answers_after(3ms);
    sender.send({net::ListLinks{}});
    gone.send({net::ListLinks{}});
    gone.network.reset();
    CHECK(sender.codes.empty());
    world.run();
    CHECK(sender.codes == Texts{"", "|"});
    CHECK(gone.codes.empty());
    CHECK(world.ports.clock.now().time_since_epoch() == 3ms);
    world.sim.networks().answers_after(std::nullopt);
    world.sim.networks().nth(
        1, {.effect = sim::NetworkFault::Effect::delay_answer, .error = 0, .delay = 2ms});
    sender.send({net::ListLinks{}});
    CHECK(sender.codes.size() == 2);
    world.run();
    CHECK(sender.codes.size() == 4);
}

TEST_CASE("sim/network: changes are told later, to who watches, as long as they watch") {
    TestWorld world;
    Sender sender{world};
    Texts told;
    auto watch = sender.network->watch({[&](const net::Change& change) {
                                            CHECK(world.inside == 0);
                                            told.push_back((change.gone ? "-" : "+") + change.name);
                                        },
                                        [&] { told.emplace_back("overrun"); },
                                        [&](const Error& error) { told.push_back(error.code); }});
    REQUIRE(watch);
    ++world.inside;
    sender.send({net::AddTunnel{tunnel("ktm0")}, net::AddPacer{"ktm0"}});
    --world.inside;
    CHECK(told.empty());
    world.run();
    CHECK(told == Texts{"+ktm0", "+ktm0"});
    world.sim.networks().kernel().add_link("eth1", "");
    world.sim.networks().tell_changes();
    world.sim.networks().overrun("");
    world.run();
    CHECK(told.back() == "overrun");
    CHECK(told.size() == 4);
    sender.send({net::DeleteLink{"ktm0"}});
    watch->reset();
    world.run();
    CHECK(told.size() == 4);
    auto again =
        sender.network->watch({{}, {}, [&](const Error& error) { told.push_back(error.code); }});
    world.sim.networks().end_watches("", system_error(ENOBUFS, "watch"));
    world.run();
    CHECK(told.back() == "ENOBUFS");
}

TEST_CASE("sim/network: frames go out through a device that is up") {
    TestWorld world;
    Sender sender{world};
    world.sim.networks().kernel().add_link("eth0", "");
    CHECK(sender.network->send_frame("eth0", "frame"));
    CHECK(world.sim.networks().kernel().state().sent.front().bytes == "frame");
    CHECK(sender.network->send_frame("none", "frame").error().code == "ENODEV");
    world.sim.networks().kernel().link("eth0")->facts.up = false;
    CHECK(sender.network->send_frame("eth0", "frame").error().code == "ENETDOWN");
}

TEST_CASE("sim/network: an armed guard acts when it is late, left alone or the process dies") {
    enum class Fate { armed_and_dead, late, disarmed, home, never_armed };
    for (const Fate fate :
         {Fate::armed_and_dead, Fate::late, Fate::disarmed, Fate::home, Fate::never_armed}) {
        INFO(static_cast<int>(fate));
        TestWorld world;
        Sender sender{world};
        sender.send({net::AddTunnel{tunnel("ktm0")}});
        auto guard = sender.network->guard({net::DeleteLink{"ktm0"}});
        REQUIRE(guard);
        if (fate != Fate::never_armed) {
            REQUIRE((*guard)->arm(10ms));
        }
        if (fate == Fate::disarmed) {
            CHECK((*guard)->disarm());
        }
        if (fate == Fate::home) {
            guard->reset();
        }
        if (fate == Fate::armed_and_dead) {
            world.sim.life().end_after(0);
            guard->reset();
        }
        if (fate == Fate::late) {
            world.run();
            CHECK_FALSE((*guard)->disarm());
            CHECK_FALSE((*guard)->arm(1ms));
        } else {
            world.sim.bury();
        }
        world.run();
        const bool acted = world.sim.networks().kernel().link("ktm0") == nullptr;
        CHECK(acted == (fate != Fate::disarmed && fate != Fate::never_armed));
    }
    TestWorld world;
    Sender sender{world};
    CHECK_FALSE(sender.network->guard({}));
    CHECK_FALSE(sender.network->guard(net::Requests(17, net::DeleteLink{"ktm0"})));
}

TEST_CASE("sim/network: who dies in the middle of a message has done its first part") {
    TestWorld world;
    Sender sender{world};
    world.sim.life().end_after(1);
    sender.send({net::AddTunnel{tunnel("ktm0")}, net::AddTunnel{tunnel("ktm1", "192.0.2.8")}});
    sender.send({net::DeleteLink{"ktm0"}});
    world.run();
    CHECK(sender.codes.empty());
    world.sim.bury();
    CHECK(world.sim.networks().kernel().link("ktm0") != nullptr);
    CHECK(world.sim.networks().kernel().link("ktm1") == nullptr);
}

TEST_CASE("sim/files: an owned file has one owner, who can be killed") {
    TestWorld world;
    ports::Files& files = world.ports.files;
    auto mine = files.make_owned("/run/x/a");
    REQUIRE(mine);
    CHECK((*mine)->append("one\n"));
    CHECK(files.make_owned("/run/x/a").error().code == "EEXIST");
    CHECK(files.take_over("/run/x/a").error().code == "busy");
    CHECK(files.take_over("/run/x/b").error().code == "ENOENT");
    world.sim.bury();
    auto heir = files.take_over("/run/x/a");
    REQUIRE(heir);
    mine->reset();
    CHECK(files.take_over("/run/x/a").error().code == "busy");
    CHECK(*(*heir)->read(Bytes{100}) == "one\n");
    CHECK((*heir)->remove());
    CHECK((*heir)->append("into the void"));
    CHECK(world.sim.files().all().empty());
}

TEST_CASE("sim/files: a write is refused whole, and torn only by death") {
    TestWorld world;
    auto file = world.ports.files.make_owned("/run/x/a");
    world.sim.files().refuse_writes(2, ENOSPC);
    CHECK((*file)->append("one "));
    CHECK((*file)->append("two ").error().code == "ENOSPC");
    CHECK(world.ports.files.make_owned("/run/x/b").error().code == "ENOSPC");
    world.sim.files().take_writes();
    world.sim.files().tear_last_write(true);
    world.sim.life().end_after(1);
    CHECK((*file)->append("four"));
    CHECK_FALSE((*file)->append("five"));
    CHECK_FALSE((*file)->remove());
    CHECK(*world.ports.files.read("/run/x/a", Bytes{100}) == "one fo");
}

TEST_CASE("sim/files: everything lies in memory, but what was put on a disk") {
    TestWorld world;
    world.sim.files().put_on_disk("/var");
    CHECK(*world.ports.files.is_in_memory("/run/x"));
    CHECK_FALSE(*world.ports.files.is_in_memory("/var"));
    CHECK_FALSE(*world.ports.files.is_in_memory("/var/lib"));
    CHECK(*world.ports.files.is_in_memory("/variable"));
}
