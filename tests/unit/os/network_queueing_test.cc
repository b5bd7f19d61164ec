// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/network_queueing_test.cc: plugs, pacers and filters do to packets what they are
// for.
#include "unit/os/own_namespace.hh"

#include <algorithm>

using namespace ktm;
using namespace std::chrono_literals;
using namespace ktm::os::testing;
using ktm::disk::Descriptor;
using net::Direction;

namespace {

const net::MacAddress guest = mac("02:00:00:00:09:05");
const net::MacAddress other = mac("02:00:00:00:09:06");
constexpr std::uint32_t root = 0xffffffff;

void veth_pair(const OwnNamespace& space, const std::string& a, const std::string& b) {
    space.must("ip link add " + a + " type veth peer name " + b + " && ip link set " + a +
               " up && ip link set " + b + " up");
}

void send_frames(Asker& asker, const std::string& link, int count, std::size_t bytes = 60) {
    for (int i = 0; i < count; ++i) {
        CHECK(asker.network->send_frame(link, frame_to(guest, bytes)));
    }
}

const net::QdiscFacts* find(const net::Answer& answer, std::uint32_t handle) {
    for (const net::QdiscFacts& qdisc : answer.qdiscs) {
        if (qdisc.handle == handle) {
            return &qdisc;
        }
    }
    return nullptr;
}

}  // namespace

TEST_CASE("os/queueing: a pacer lets everything pass until it has a pace, and then so much") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    veth_pair(space, "va", "vb");
    if (!has_qdisc(asker, space, "tbf")) {
        return;
    }
    const disk::Descriptor ear = space.ear("vb");
    asker.all({net::AddPacer{"va"}});
    const auto shown = asker.get(net::ListQdiscs{"va"});
    const net::QdiscFacts* pacer = find(shown, net::our_pacer_handle);
    REQUIRE(pacer != nullptr);
    CHECK(pacer->kind == "tbf");
    CHECK(pacer->parent == root);
    send_frames(asker, "va", 200);
    CHECK(count_frames(ear) == 200);
    // Small packets count as full ones: 1000 a second, 43 of them at once.
    asker.all({net::SetPace{"va", 1000}});
    CHECK(contains(space.run("tc -d qdisc show dev va"), "rate 12112Kbit"));
    CHECK(contains(space.run("tc -d qdisc show dev va"), "mpu 1514b"));
    std::this_thread::sleep_for(100ms);
    const Instant begin = world.ports.clock.now();
    send_frames(asker, "va", 250);
    int count = 0;
    while (count < 250 && next_frame(ear, 1000)) {
        ++count;
    }
    CHECK(count == 250);
    const Duration took = world.ports.clock.now() - begin;
    CHECK(took > 150ms);
    CHECK(took < 2s);
    asker.all({net::SetPace{"va", 0}});
    send_frames(asker, "va", 200);
    CHECK(count_frames(ear) == 200);
    asker.all({net::DeleteRootQdisc{"va", net::our_pacer_handle}});
    CHECK(find(asker.get(net::ListQdiscs{"va"}), net::our_pacer_handle) == nullptr);
    CHECK(asker.fault_of(net::SetPace{"va", 5}) == "ENOENT");
}

TEST_CASE("os/queueing: a root that is not ours is not deleted, and is put back as it was") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    veth_pair(space, "va", "vb");
    for (const std::string kind :
         {"bfifo limit 123456", "tbf rate 1mbit burst 32kb limit 10000", "pfifo limit 77"}) {
        if (!space.run("tc qdisc replace dev va root handle 5: " + kind).empty()) {
            WARN("skipped: this kernel has no " + kind);
            continue;
        }
        const std::string before = space.run("tc -d qdisc show dev va");
        CHECK(asker.fault_of(net::DeleteRootQdisc{"va", net::our_pacer_handle}) == "EINVAL");
        const auto there = asker.get(net::ListQdiscs{"va"});
        const net::QdiscFacts* former = find(there, 0x50000);
        REQUIRE(former != nullptr);
        asker.all({net::AddPacer{"va"}});
        CHECK(find(asker.get(net::ListQdiscs{"va"}), 0x50000) == nullptr);
        asker.all({net::PutRootQdisc{
            "va", net::SavedQdisc{former->kind, former->handle, former->options}}});
        CHECK(space.run("tc -d qdisc show dev va") == before);
        space.must("tc qdisc del dev va root");
    }
}

TEST_CASE("os/queueing: a plug holds what comes and lets it go in order, below a pacer and alone") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    if (!has_qdisc(asker, space, "plug")) {
        return;
    }
    const bool below_pacer = GENERATE(true, false);
    veth_pair(space, "va", "vb");
    const disk::Descriptor ear = space.ear("vb");
    net::Requests requests;
    if (below_pacer) {
        requests.emplace_back(net::AddPacer{"va"});
    }
    requests.emplace_back(net::AddPlug{"va", below_pacer, 40'000});
    requests.emplace_back(net::OpenPlug{"va", below_pacer});
    asker.all(std::move(requests));
    CHECK(asker.at_once);
    send_frames(asker, "va", 10);
    CHECK(count_frames(ear) == 10);
    for (int round = 0; round < 3; ++round) {
        asker.all({net::BlockPlug{"va", below_pacer}});
        send_frames(asker, "va", 50);
        CHECK(count_frames(ear) == 0);
        const auto held = asker.get(net::ListQdiscs{"va"});
        const net::QdiscFacts* plug = find(held, net::our_plug_handle);
        REQUIRE(plug != nullptr);
        CHECK(plug->kind == "plug");
        CHECK(plug->parent == (below_pacer ? net::our_pacer_handle + 1 : root));
        CHECK(plug->queued_packets == 50);
        CHECK(plug->queued_bytes == 50 * 60);
        CHECK(plug->dropped == 0);
        asker.all({net::OpenPlug{"va", below_pacer}});
        CHECK(count_frames(ear) == 50);
    }
    // The limit is in bytes, and what does not fit is counted.
    asker.all({net::BlockPlug{"va", below_pacer}});
    send_frames(asker, "va", 40, 1000);
    for (int i = 0; i < 10; ++i) {
        CHECK(asker.network->send_frame("va", frame_to(guest, 1000)).error().code == "ENOBUFS");
    }
    const auto full = asker.get(net::ListQdiscs{"va"});
    CHECK(find(full, net::our_plug_handle)->queued_packets == 40);
    CHECK(find(full, net::our_plug_handle)->dropped == 10);
    asker.all({net::OpenPlug{"va", below_pacer}});
    CHECK(count_frames(ear) == 40);
    asker.all(
        {net::DeleteRootQdisc{"va", below_pacer ? net::our_pacer_handle : net::our_plug_handle}});
    send_frames(asker, "va", 10);
    CHECK(count_frames(ear) == 10);
}

TEST_CASE("os/queueing: a pacer below which a plug opens lets go at its pace") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    if (!has_qdisc(asker, space, "plug")) {
        return;
    }
    veth_pair(space, "va", "vb");
    const disk::Descriptor ear = space.ear("vb");
    asker.all({net::AddPacer{"va"}, net::AddPlug{"va", true, 1'000'000}});
    send_frames(asker, "va", 250);
    CHECK(count_frames(ear) == 0);
    asker.all({net::SetPace{"va", 1000}, net::OpenPlug{"va", true}});
    const Instant begin = world.ports.clock.now();
    int count = 0;
    while (count < 250 && next_frame(ear, 1000)) {
        ++count;
    }
    CHECK(count == 250);
    CHECK(world.ports.clock.now() - begin > 150ms);
    CHECK(find(asker.get(net::ListQdiscs{"va"}), net::our_plug_handle)->dropped == 0);
}

TEST_CASE("os/queueing: a guard opens a plug when we stand still") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    if (!has_qdisc(asker, space, "plug")) {
        return;
    }
    veth_pair(space, "va", "vb");
    const disk::Descriptor ear = space.ear("vb");
    asker.all({net::AddPacer{"va"}, net::AddPlug{"va", true, 1'000'000}});
    auto guard = asker.network->guard({net::SetPace{"va", 0}, net::OpenPlug{"va", true}});
    REQUIRE(guard);
    send_frames(asker, "va", 5);
    CHECK_FALSE(next_frame(ear, 20));
    CHECK((*guard)->arm(30ms));
    CHECK(next_frame(ear, 1000));
    CHECK(count_frames(ear) == 4);
    CHECK_FALSE((*guard)->disarm());
}

TEST_CASE("os/queueing: frames for one address are redirected, and only our filter goes again") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    const bool to_ingress = GENERATE(false, true);
    const Direction direction = GENERATE(Direction::egress, Direction::ingress);
    veth_pair(space, "va", "vb");
    veth_pair(space, "vc", "vd");
    asker.all({net::AddClsact{"va"}});
    CHECK(asker.fault_of(net::AddClsact{"va"}) == "EEXIST");
    space.must("tc filter add dev va egress protocol all pref 9 u32 match u32 0 0 flowid 1:1");
    space.must("tc filter add dev va ingress protocol all pref 8 u32 match u32 0 0 flowid 1:1");
    const net::Redirect redirect{"va", direction, guest, "vc", to_ingress, 3};
    asker.all({net::AddRedirect{redirect}});
    CHECK(asker.fault_of(net::AddRedirect{redirect}) == "ENOSPC");
    const auto filters = asker.get(net::ListFilters{"va", direction}).filters;
    REQUIRE(filters.size() == 2);
    const auto ours = std::find_if(filters.begin(), filters.end(),
                                   [](const auto& filter) { return filter.ours; });
    REQUIRE(ours != filters.end());
    CHECK(ours->priority == 3);
    CHECK(ours->kind == "u32");
    CHECK(std::count_if(filters.begin(), filters.end(),
                        [](const auto& filter) { return filter.ours; }) == 1);
    // What is redirected to c leaves by it, so d has it; as if it had come in, c itself hears it.
    const disk::Descriptor there = space.ear(to_ingress ? "vc" : "vd");
    const disk::Descriptor here = space.ear(direction == Direction::egress ? "vb" : "lo");
    const std::string source = direction == Direction::egress ? "va" : "vb";
    CHECK(asker.network->send_frame(source, frame_to(other)));
    CHECK(asker.network->send_frame(source, frame_to(guest)));
    CHECK(next_frame(there, 1000) == frame_to(guest));
    CHECK(count_frames(there) == 0);
    CHECK(count_frames(here) == (direction == Direction::egress ? 1 : 0));
    net::Redirect not_there = redirect;
    not_there.mac = other;
    CHECK(asker.fault_of(net::DeleteRedirect{not_there}) == "ENOENT");
    not_there = redirect;
    not_there.priority = 7;
    CHECK(asker.fault_of(net::DeleteRedirect{not_there}) == "ENOENT");
    asker.all({net::DeleteRedirect{redirect}});
    CHECK(asker.fault_of(net::DeleteRedirect{redirect}) == "ENOENT");
    CHECK(asker.get(net::ListFilters{"va", direction}).filters.size() == 1);
    CHECK(asker.network->send_frame(source, frame_to(guest)));
    CHECK_FALSE(next_frame(there, 50));
    asker.all({net::DeleteClsact{"va"}});
    CHECK(asker.get(net::ListFilters{"va", direction}).filters.empty());
}

TEST_CASE("os/queueing: the same redirect in both directions is told apart") {
    // The kernel lists filters of one priority for both directions, whichever was asked for.
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    veth_pair(space, "va", "vb");
    veth_pair(space, "vc", "vd");
    const net::Redirect out{"va", Direction::egress, guest, "vc"};
    const net::Redirect in{"va", Direction::ingress, guest, "vc"};
    asker.all({net::AddClsact{"va"}, net::AddRedirect{out}, net::AddRedirect{in}});
    CHECK(asker.get(net::ListFilters{"va", Direction::egress}).filters.size() == 1);
    CHECK(asker.get(net::ListFilters{"va", Direction::ingress}).filters.size() == 1);
    asker.all({net::DeleteRedirect{in}});
    CHECK(asker.get(net::ListFilters{"va", Direction::ingress}).filters.empty());
    CHECK(asker.get(net::ListFilters{"va", Direction::egress}).filters.size() == 1);
    const disk::Descriptor ear = space.ear("vd");
    CHECK(asker.network->send_frame("vb", frame_to(guest)));
    CHECK(count_frames(ear) == 0);
    CHECK(asker.network->send_frame("va", frame_to(guest)));
    CHECK(count_frames(ear) == 1);
    asker.all({net::DeleteRedirect{out}});
    CHECK(asker.get(net::ListFilters{"va", Direction::egress}).filters.empty());
}

TEST_CASE("os/queueing: without an address all frames are redirected") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    veth_pair(space, "va", "vb");
    veth_pair(space, "vc", "vd");
    const net::Redirect redirect{"va", Direction::egress, std::nullopt, "vc"};
    asker.all({net::AddClsact{"va"}, net::AddRedirect{redirect}});
    const disk::Descriptor ear = space.ear("vd");
    CHECK(asker.network->send_frame("va", frame_to(guest)));
    CHECK(asker.network->send_frame("va", frame_to(other)));
    CHECK(count_frames(ear) == 2);
    asker.all({net::DeleteRedirect{redirect}});
    CHECK(asker.fault_of(net::AddRedirect{net::Redirect{"va", Direction::egress, {}, "none"}}) ==
          "ENODEV");
}

TEST_CASE("os/queueing: many redirects stand beside each other, each deleted alone") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    veth_pair(space, "va", "vb");
    veth_pair(space, "vc", "vd");
    asker.all({net::AddClsact{"va"}});
    std::vector<net::Redirect> all;
    net::Requests additions;
    net::Requests deletions;
    for (int i = 1; i <= 40; ++i) {
        const std::string digits = (i < 10 ? "0" : "") + std::to_string(i);
        all.push_back({"va", Direction::egress, mac("02:00:00:00:00:" + digits), "vc"});
        additions.emplace_back(net::AddRedirect{all.back()});
        deletions.emplace_back(net::DeleteRedirect{all.back()});
    }
    asker.all(additions);
    CHECK(asker.get(net::ListFilters{"va", Direction::egress}).filters.size() == 40);
    asker.all(deletions);
    CHECK(asker.get(net::ListFilters{"va", Direction::egress}).filters.empty());
}

TEST_CASE("os/queueing: an ingress qdisc of somebody else stays, and is no clsact") {
    TestWorld world;
    const OwnNamespace space;
    if (!space) {
        return;
    }
    Asker asker{world, space.place()};
    veth_pair(space, "va", "vb");
    veth_pair(space, "vc", "vd");
    space.must("tc qdisc add dev va ingress");
    const auto qdiscs = asker.get(net::ListQdiscs{"va"}).qdiscs;
    CHECK(std::any_of(qdiscs.begin(), qdiscs.end(), [](const net::QdiscFacts& qdisc) {
        return qdisc.kind == "ingress" && qdisc.parent == 0xfffffff1;
    }));
    CHECK(asker.fault_of(net::AddClsact{"va"}) != "");
    CHECK(asker.fault_of(net::DeleteClsact{"va"}) == "EINVAL");
    const net::Redirect redirect{"va", Direction::ingress, guest, "vc"};
    asker.all({net::AddRedirect{redirect}});
    const disk::Descriptor ear = space.ear("vd");
    CHECK(asker.network->send_frame("vb", frame_to(guest)));
    CHECK(next_frame(ear, 1000) == frame_to(guest));
    asker.all({net::DeleteRedirect{redirect}});
    CHECK(asker.get(net::ListFilters{"va", Direction::ingress}).filters.empty());
}
