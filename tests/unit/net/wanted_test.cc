// SPDX-License-Identifier: Apache-2.0
// tests/unit/net/wanted_test.cc: what is wanted, and the steps that lead there.
#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "net/divert.hh"
#include "net/hold.hh"
#include "net/tunnel.hh"

using namespace ktm::net;
using ktm::Family;
using ktm::IpAddress;
using ktm::IpPrefix;
using ktm::Result;

namespace {

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

TunnelWish tunnel_wish(TunnelMode mode, const char* local, const char* remote) {
    TunnelWish wish;
    wish.mode = mode;
    wish.local = ip(local);
    wish.remote = ip(remote);
    wish.lower_name = "low";
    wish.upper_name = "up";
    wish.tag = "katamaran/a/b";
    return wish;
}

constexpr const char* v4_local = "192.0.2.1";
constexpr const char* v4_remote = "192.0.2.2";
constexpr const char* v6_local = "2001:db8::1";
constexpr const char* v6_remote = "2001:db8::2";

LinkFacts link_facts(const std::string& name) {
    LinkFacts facts;
    facts.name = name;
    facts.mtu = 1500;
    return facts;
}

LinkFacts tap_facts() {
    LinkFacts facts = link_facts("tap0");
    facts.is_tap = true;
    facts.up = true;
    facts.carrier = true;
    facts.queue_length = 1000;
    return facts;
}

Answer answer_of(LinkFacts link) {
    Answer answer;
    answer.links.push_back(std::move(link));
    return answer;
}

RouteFacts route_facts(const char* to, std::uint32_t metric, std::uint8_t protocol = 4) {
    RouteFacts facts;
    facts.to = *IpPrefix::parse(to);
    facts.link = "tap0";
    facts.metric = metric;
    facts.protocol = protocol;
    return facts;
}

Answer routes(std::vector<RouteFacts> facts) {
    Answer answer;
    answer.routes = std::move(facts);
    return answer;
}

HoldWish hold_wish() {
    HoldWish wish;
    wish.tap = "tap0";
    wish.packets_per_second = 20000;
    wish.pause = std::chrono::milliseconds{250};
    wish.margin = 2;
    return wish;
}

}  // namespace

// --- Tunnels
// --------------------------------------------------------------------------------------

TEST_CASE("net/tunnel: a gre over IPv4 fragments itself, everything else is wrapped in one") {
    struct Case {
        TunnelMode mode;
        bool over_v6;
        Carrier lower;
        std::uint32_t lower_mtu;
        bool wrapped;
    };
    const Case cases[] = {
        {TunnelMode::gre, false, Carrier::gre, 1500, false},
        {TunnelMode::ipip, false, Carrier::ipip, 1480, true},
        {TunnelMode::vxlan, false, Carrier::vxlan, 1450, true},
        {TunnelMode::ipip, true, Carrier::ip6tnl, 1460, true},
        {TunnelMode::gre, true, Carrier::ip6gre, 1456, true},
        {TunnelMode::vxlan, true, Carrier::vxlan, 1430, true},
    };
    for (const Case& each : cases) {
        INFO(name_of(each.mode) << (each.over_v6 ? " over v6" : " over v4"));
        const auto form = form_of(tunnel_wish(each.mode, each.over_v6 ? v6_local : v4_local,
                                              each.over_v6 ? v6_remote : v4_remote),
                                  1500);
        REQUIRE(form);
        REQUIRE(form->lower.carrier == each.lower);
        REQUIRE(form->lower.mtu == each.lower_mtu);
        REQUIRE(form->upper.has_value() == each.wrapped);
        REQUIRE(form->entrance().carrier == Carrier::gre);
        REQUIRE(form->entrance().mtu == 1500);
        REQUIRE(form->carries == Carries{1500, 1500});
        REQUIRE_FALSE(form->encapsulation());
    }
}

TEST_CASE("net/tunnel: both ends find the same inner pair without talking, and it is a /31") {
    for (const std::uint32_t id : {0U, 1U, 77U}) {
        TunnelWish here = tunnel_wish(TunnelMode::ipip, v6_local, v6_remote);
        TunnelWish there = tunnel_wish(TunnelMode::ipip, v6_remote, v6_local);
        here.id = there.id = id;
        const auto source = form_of(here, 1500);
        const auto dest = form_of(there, 1500);
        REQUIRE(source);
        REQUIRE(dest);
        REQUIRE(source->upper->local == dest->upper->remote);
        REQUIRE(source->upper->remote == dest->upper->local);
        REQUIRE(source->upper->local != source->upper->remote);
        REQUIRE(source->lower_address->length() == 31);
        REQUIRE(source->lower_address->contains(dest->upper->local));
        REQUIRE(source->upper->local.text().starts_with("169.254."));
        REQUIRE_FALSE(source->lower_address->contains(ip("169.254.169.254")));
    }
}

TEST_CASE("net/tunnel: tunnels of other nodes or ids have other inner pairs") {
    TunnelWish wish = tunnel_wish(TunnelMode::ipip, v6_local, v6_remote);
    const IpAddress one = form_of(wish, 1500)->upper->local;
    wish.id = 1;
    const IpAddress two = form_of(wish, 1500)->upper->local;
    wish.id = 0;
    wish.remote = ip("2001:db8::3");
    const IpAddress three = form_of(wish, 1500)->upper->local;
    REQUIRE(one != two);
    REQUIRE(one != three);
}

TEST_CASE("net/tunnel: a bare tunnel says what it cannot carry") {
    const auto carries = [](TunnelMode mode, bool over_v6) {
        TunnelWish wish =
            tunnel_wish(mode, over_v6 ? v6_local : v4_local, over_v6 ? v6_remote : v4_remote);
        wish.wrapped = false;
        const auto form = form_of(wish, 1500);
        REQUIRE(form);
        REQUIRE_FALSE(form->upper);
        return form->carries;
    };
    REQUIRE(carries(TunnelMode::ipip, false) == Carries{1500, 0});
    REQUIRE(carries(TunnelMode::gre, false) == Carries{1500, 1500});
    REQUIRE(carries(TunnelMode::vxlan, false) == Carries{1500, 1450});
    REQUIRE(carries(TunnelMode::ipip, true) == Carries{1460, 1460});
    REQUIRE(carries(TunnelMode::gre, true) == Carries{1456, 1456});
    REQUIRE(carries(TunnelMode::vxlan, true) == Carries{1430, 1430});
}

TEST_CASE(
    "net/tunnel: a bare ipip gets its far end by route, so that the outer packet may be cut") {
    TunnelWish wish = tunnel_wish(TunnelMode::ipip, v4_local, v4_remote);
    wish.wrapped = false;
    const auto form = form_of(wish, 1500);
    REQUIRE(form->lower.by_route);
    REQUIRE(form->encapsulation() == Encapsulation{ip(v4_local), ip(v4_remote), 64});
}

TEST_CASE("net/tunnel: ends that do not fit are refused, with both named") {
    TunnelWish mixed = tunnel_wish(TunnelMode::gre, v4_local, v6_remote);
    REQUIRE(form_of(mixed, 1500).error().code == "mixed-families");
    REQUIRE(form_of(mixed, 1500).error().what.find(v6_remote) != std::string::npos);
    REQUIRE(form_of(tunnel_wish(TunnelMode::gre, v4_local, v4_local), 1500).error().code ==
            "bad-ends");
    REQUIRE(form_of(tunnel_wish(TunnelMode::gre, v4_local, "0.0.0.0"), 1500).error().code ==
            "bad-ends");
    REQUIRE(form_of(tunnel_wish(TunnelMode::gre, v4_local, v4_remote), 1000).error().code ==
            "bad-mtu");
    TunnelWish small = tunnel_wish(TunnelMode::gre, v4_local, v4_remote);
    small.mtu = 576;
    REQUIRE(form_of(small, 1500).error().code == "bad-mtu");
    TunnelWish frames = tunnel_wish(TunnelMode::ipip, v4_local, v4_remote);
    frames.frames = true;
    frames.wrapped = false;
    REQUIRE(form_of(frames, 1500).error().code == "no-frames");
}

TEST_CASE("net/tunnel: frames go through a gretap, wrapped or by itself") {
    TunnelWish wish = tunnel_wish(TunnelMode::gre, v4_local, v4_remote);
    wish.frames = true;
    REQUIRE(form_of(wish, 1500)->entrance().carrier == Carrier::gretap);
    REQUIRE_FALSE(form_of(wish, 1500)->upper);
    wish.mode = TunnelMode::ipip;
    REQUIRE(form_of(wish, 1500)->entrance().carrier == Carrier::gretap);
    REQUIRE(form_of(wish, 1500)->lower.carrier == Carrier::ipip);
}

TEST_CASE("net/tunnel: the undo of each device comes before it, and filtering decides the input") {
    const auto steps_with = [](const char* filter) {
        auto form = std::make_shared<TunnelForm>();
        TunnelWish wish = tunnel_wish(TunnelMode::ipip, v4_local, v4_remote);
        wish.local.reset();
        Wanted wanted = want_tunnel(wish, form);
        RouteFacts way;
        way.link = "eth0";
        way.source = ip(v4_local);
        Answer setting;
        setting.text = filter;
        auto steps = wanted.steps({routes({way}), answer_of(link_facts("eth0")), setting});
        REQUIRE(steps);
        REQUIRE(form->lower.local == ip(v4_local));
        return *steps;
    };
    const Steps open = steps_with("0\n");
    REQUIRE(open.size() == 5);
    REQUIRE(std::get<AddTunnel>(open[0].request).link.name == "low");
    REQUIRE(open[0].undo == Undo{UndoTunnel{"low", "katamaran/a/b"}});
    REQUIRE(open[2].undo == Undo{UndoTunnel{"up", "katamaran/a/b"}});
    REQUIRE(std::get<SetInput>(open[4].request) == SetInput{"up", 0, true});
    const Steps strict = steps_with("1\n");
    REQUIRE(strict.size() == 6);
    REQUIRE(std::get<SetInput>(strict[4].request) == SetInput{"up", 2, true});
    REQUIRE(std::get<AddAddress>(strict[5].request).link == "up");
}

TEST_CASE("net/tunnel: without a way, or an address of ours on it, it is refused") {
    const auto refused = [](Answer way) {
        auto form = std::make_shared<TunnelForm>();
        TunnelWish wish = tunnel_wish(TunnelMode::gre, v4_local, v4_remote);
        wish.local.reset();
        Wanted wanted = want_tunnel(wish, form);
        auto steps = wanted.steps({std::move(way), answer_of(link_facts("eth0")), Answer{}});
        REQUIRE_FALSE(steps);
        return steps.error().code;
    };
    REQUIRE(refused(Answer{}) == "no-route");
    RouteFacts way;
    way.link = "eth0";
    REQUIRE(refused(routes({way})) == "no-source");
    way.link = "eth7";
    REQUIRE(refused(routes({way})) == "no-route");
}

// --- Diversions
// -----------------------------------------------------------------------------------

TEST_CASE("net/divert: ours comes before what is there: same metric in IPv4, a lower one in IPv6") {
    RouteWish wish;
    wish.addresses = {ip("10.1.2.3"), ip("10.1.2.4"), ip("2001:db8::5")};
    wish.link = "ktm0";
    auto wanted = want(wish);
    REQUIRE(wanted);
    REQUIRE(wanted->queries.size() == 4);
    auto steps = wanted->steps(
        {routes({route_facts("10.1.2.3/32", 50), route_facts("10.1.2.3/32", 20)}), routes({}),
         routes({route_facts("2001:db8::5/128", 1024)}), answer_of(link_facts("ktm0"))});
    REQUIRE(steps);
    REQUIRE(steps->size() == 3);
    REQUIRE(std::get<AddRoute>((*steps)[0].request).route.metric == 20);
    REQUIRE(std::get<AddRoute>((*steps)[1].request).route.metric == 0);
    REQUIRE(std::get<AddRoute>((*steps)[2].request).route.metric == 1);
    REQUIRE((*steps)[0].with_next);
    REQUIRE((*steps)[1].with_next);
    REQUIRE_FALSE((*steps)[2].with_next);
}

TEST_CASE("net/divert: where a guest has arrived there is room to divert it again") {
    RouteWish wish;
    wish.addresses = {ip("2001:db8::5")};
    wish.link = "tap0";
    wish.mac = *MacAddress::parse("02:00:00:00:00:05");
    wish.arrives = true;
    Answer forwards;
    forwards.text = "1";
    const auto metric_behind = [&](Answer there) {
        auto steps =
            want(wish)->steps({std::move(there), answer_of(tap_facts()), Answer{}, forwards});
        REQUIRE(steps);
        REQUIRE(steps->size() == 2);
        return std::get<AddRoute>((*steps)[1].request).route.metric;
    };
    CHECK(metric_behind(routes({})) == 512);
    CHECK(metric_behind(routes({route_facts("2001:db8::5/128", 1024)})) == 512);
    CHECK(metric_behind(routes({route_facts("2001:db8::5/128", 4000)})) == 512);
    CHECK(metric_behind(routes({route_facts("2001:db8::5/128", 20)})) == 10);
    CHECK(metric_behind(routes({route_facts("2001:db8::5/128", 2)})) == 1);
    // It has been here before, and nothing is to be put in front of that.
    RouteFacts ours = route_facts("2001:db8::5/128", 1, arrival_protocol);
    ours.link = "tap0";
    auto steps = want(wish)->steps({routes({ours}), answer_of(tap_facts()), Answer{}, forwards});
    REQUIRE(steps);
    CHECK(steps->size() == 1);  // Its neighbour.
    // But a diversion that somebody left in front of it would lead its packets away.
    auto left = want(wish)->steps({routes({ours, route_facts("2001:db8::5/128", 1, our_protocol)}),
                                   answer_of(tap_facts()), Answer{}, forwards});
    REQUIRE_FALSE(left);
    CHECK(left.error().code == "diverted");
    RouteWish away;
    away.addresses = wish.addresses;
    away.link = "ktm0";
    ours.metric = 512;
    steps = want(away)->steps({routes({ours}), answer_of(link_facts("ktm0"))});
    REQUIRE(steps);
    CHECK(std::get<AddRoute>((*steps)[0].request).route.metric == 1);
}

TEST_CASE("net/divert: what is diverted already, or cannot be preceded, is refused") {
    const auto refused = [](const char* address, Answer there, Answer link) {
        RouteWish wish;
        wish.addresses = {ip(address)};
        wish.link = "ktm0";
        auto steps = want(wish)->steps({std::move(there), std::move(link)});
        REQUIRE_FALSE(steps);
        return steps.error().code;
    };
    const Answer link = answer_of(link_facts("ktm0"));
    REQUIRE(refused("10.1.2.3", routes({route_facts("10.1.2.3/32", 0, our_protocol)}), link) ==
            "diverted");
    REQUIRE(refused("2001:db8::5", routes({route_facts("2001:db8::5/128", 1)}), link) == "no-room");
    REQUIRE(refused("10.1.2.3", Answer{}, Answer{}) == "ENODEV");
    RouteWish none;
    none.link = "ktm0";
    REQUIRE(want(none).error().code == "bad-argument");
    none.addresses = {ip("10.1.2.3"), ip("10.1.2.3")};
    REQUIRE(want(none).error().code == "bad-argument");
}

TEST_CASE("net/divert: an arriving guest is a neighbour first; IPv6 needs a node that forwards") {
    RouteWish wish;
    wish.addresses = {ip("2001:db8::5")};
    wish.link = "tap0";
    wish.mac = *MacAddress::parse("02:aa:00:00:00:01");
    wish.arrives = true;
    Answer forwards;
    forwards.text = "1\n";
    auto steps = want(wish)->steps({Answer{}, answer_of(tap_facts()), Answer{}, forwards});
    REQUIRE(steps);
    REQUIRE(std::holds_alternative<SetNeighbour>((*steps)[0].request));
    REQUIRE(std::holds_alternative<AddRoute>((*steps)[1].request));
    Answer not_so;
    not_so.text = "0\n";
    auto refused = want(wish)->steps({Answer{}, answer_of(tap_facts()), Answer{}, not_so});
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().code == "no-forwarding");
}

TEST_CASE("net/divert: an arrival has a mark of its own, and is not made twice") {
    RouteWish wish;
    wish.addresses = {ip("10.1.2.3")};
    wish.link = "tap0";
    wish.mac = *MacAddress::parse("02:aa:00:00:00:01");
    wish.arrives = true;
    auto first = want(wish)->steps({Answer{}, answer_of(tap_facts()), Answer{}});
    REQUIRE(first->size() == 2);
    REQUIRE(std::get<SetNeighbour>((*first)[0].request).protocol == arrival_protocol);
    REQUIRE(std::get<AddRoute>((*first)[1].request).route.protocol == arrival_protocol);
    const Answer there = routes({route_facts("10.1.2.3/32", 0, arrival_protocol)});
    auto again = want(wish)->steps({there, answer_of(tap_facts()), Answer{}});
    REQUIRE(again->size() == 1);
    REQUIRE_FALSE((*again)[0].with_next);
}

TEST_CASE(
    "net/divert: a redirection makes clsact where there is none, and goes before all filters") {
    Redirect wish{"tap0", Direction::egress, *MacAddress::parse("02:aa:00:00:00:01"), "ktm0", false,
                  1};
    const auto steps_with = [&](const char* kind, std::vector<FilterFacts> filters) {
        Answer qdiscs;
        if (*kind != '\0') {
            QdiscFacts facts;
            facts.kind = kind;
            facts.parent = 0xfffffff1;
            qdiscs.qdiscs.push_back(facts);
        }
        Answer there;
        there.filters = std::move(filters);
        return want(wish)->steps(
            {answer_of(tap_facts()), answer_of(link_facts("ktm0")), qdiscs, there});
    };
    auto fresh = steps_with("", {});
    REQUIRE(fresh->size() == 2);
    REQUIRE(std::holds_alternative<AddClsact>((*fresh)[0].request));
    REQUIRE((*fresh)[0].undo == Undo{UndoRedirect{wish, true}});
    REQUIRE((*fresh)[1].undo == Undo{UndoRedirect{wish, false}});
    auto beside = steps_with("clsact", {FilterFacts{"u32", 49152, 0x800, false}});
    REQUIRE(beside->size() == 1);
    REQUIRE((*beside)[0].undo == Undo{UndoRedirect{wish, false}});
    REQUIRE(steps_with("clsact", {FilterFacts{"u32", 1, 0x800, false}}).error().code == "no-room");
    REQUIRE(steps_with("clsact", {FilterFacts{"u32", 1, 1, true}}).error().code == "diverted");
    REQUIRE(steps_with("ingress", {}).error().code == "no-room");
    wish.direction = Direction::ingress;
    REQUIRE(steps_with("ingress", {})->size() == 1);
}

// --- Holds
// ----------------------------------------------------------------------------------------

TEST_CASE("net/hold: what must fit is rate times pause times margin, rounded up") {
    HoldWish wish = hold_wish();
    REQUIRE(*packets_needed(wish) == 10000);
    wish.packets_per_second = 3;
    wish.pause = std::chrono::milliseconds{500};
    wish.margin = 1;
    REQUIRE(*packets_needed(wish) == 2);
    wish.margin = 0.5;
    REQUIRE(packets_needed(wish).error().code == "bad-argument");
    wish = hold_wish();
    wish.pause = std::chrono::seconds{60};
    REQUIRE(packets_needed(wish).error().code == "too-large");
    wish.packets_per_second = 0;
    REQUIRE(packets_needed(wish).error().code == "bad-argument");
}

TEST_CASE("net/hold: the ring is as long as needed and never shorter than it was") {
    const auto ring = form_of(hold_wish(), 1000, false, false);
    REQUIRE(ring->ring == 10000);
    REQUIRE(ring->capacity == 10000);
    REQUIRE_FALSE(ring->plug);
    REQUIRE(form_of(hold_wish(), 20000, false, false)->ring == 20000);
}

TEST_CASE("net/hold: a plug is limited in bytes of the largest frames, and let go at a pace") {
    const auto form = form_of(hold_wish(), 1000, true, true);
    REQUIRE(form->plug);
    REQUIRE(form->limit_bytes == 10000 * 1514);
    REQUIRE(form->capacity == 10000);
    REQUIRE(form->pace == 80000);
    HoldWish slow = hold_wish();
    slow.pace = 5000;
    REQUIRE(form_of(slow, 1000, true, true)->pace == 5000);
}

TEST_CASE("net/hold: the ancestor's limit of 32,768 bytes holds 21 packets, and that is said") {
    HoldWish wish = hold_wish();
    wish.limit_bytes = 32768;
    const auto form = form_of(wish, 1000, true, true);
    REQUIRE(form->capacity == 21);
    REQUIRE(form->capacity < form->needed);
}

TEST_CASE("net/hold: without a pacer a plug holds no more than the ring below it takes at once") {
    HoldWish wish = hold_wish();
    wish.ring = 1000;
    REQUIRE(form_of(wish, 1000, true, false)->capacity == 1000);
    REQUIRE(form_of(wish, 1000, true, true)->capacity == 10000);
}

TEST_CASE("net/hold: a device that cannot hold is refused, with the reason") {
    const HoldWish wish = hold_wish();
    const HoldForm form = *form_of(wish, 1000, false, false);
    const auto refused = [&](LinkFacts link) {
        auto steps = want_ring(wish, form).steps({answer_of(std::move(link))});
        REQUIRE_FALSE(steps);
        return steps.error().code;
    };
    LinkFacts down = tap_facts();
    down.up = false;
    LinkFacts unread = tap_facts();
    unread.carrier = false;
    REQUIRE(refused(link_facts("tap0")) == "no-tap");
    REQUIRE(refused(down) == "no-reader");
    REQUIRE(refused(unread) == "no-reader");
    REQUIRE(want_ring(wish, form).steps({Answer{}}).error().code == "ENODEV");
    auto steps = want_ring(wish, form).steps({answer_of(tap_facts())});
    REQUIRE((*steps)[0].undo == Undo{UndoQueueLength{"tap0", 10000, 1000}});
    LinkFacts joins = tap_facts();
    joins.joins = true;
    joins.joined_max = 65535;
    steps = want_ring(wish, form).steps({answer_of(joins)});
    REQUIRE((*steps)[0].request == Request{SetQueueLength{"tap0", 10000, 1}});
    REQUIRE((*steps)[0].undo == Undo{UndoQueueLength{"tap0", 10000, 1000, 65535}});
    joins.joined_max = 1;
    joins.queue_length = 10000;
    REQUIRE(want_ring(wish, form).steps({answer_of(joins)})->empty());
}

TEST_CASE("net/hold: pacer, plug and its opening go out in one piece, with one undo for all") {
    const HoldWish wish = hold_wish();
    const HoldForm form = *form_of(wish, 1000, true, true);
    auto steps = want_plug(wish, form).steps({Answer{}});
    REQUIRE(steps->size() == 3);
    REQUIRE((*steps)[0].undo == Undo{UndoRootQdisc{"tap0", std::nullopt}});
    REQUIRE((*steps)[0].with_next);
    REQUIRE((*steps)[1].with_next);
    REQUIRE(std::get<AddPlug>((*steps)[1].request).limit_bytes == form.limit_bytes);
    REQUIRE(std::holds_alternative<OpenPlug>((*steps)[2].request));
}

TEST_CASE("net/hold: a root qdisc that was set by somebody is kept for later, with its options") {
    const HoldWish wish = hold_wish();
    const HoldForm form = *form_of(wish, 1000, true, true);
    QdiscFacts root;
    root.kind = "pfifo";
    root.handle = 0x10000;
    root.parent = 0xffffffff;
    root.options = "bytes";
    Answer there;
    there.qdiscs.push_back(root);
    auto steps = want_plug(wish, form).steps({there});
    REQUIRE((*steps)[0].undo == Undo{UndoRootQdisc{"tap0", SavedQdisc{"pfifo", 0x10000, "bytes"}}});
    QdiscFacts part;
    part.kind = "sfq";
    part.handle = 0x20000;
    part.parent = 0x10001;
    there.qdiscs.push_back(part);
    REQUIRE(want_plug(wish, form).steps({there}).error().code == "no-way-back");
    there.qdiscs = {root};
    there.qdiscs[0].handle = our_pacer_handle;
    REQUIRE(want_plug(wish, form).steps({there}).error().code == "held");
}
