// SPDX-License-Identifier: Apache-2.0
// tests/unit/net/exchange_json_test.cc: requests and answers as JSON, and answers back.
#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

#include "json/parser.hh"
#include "json/writer.hh"
#include "net/exchange_json.hh"

using namespace ktm::net;
using ktm::Family;
using ktm::IpAddress;
using ktm::IpPrefix;
using ktm::Result;

namespace {

const MacAddress mac = *MacAddress::parse("02:aa:00:00:00:01");

LinkFacts a_link() {
    LinkFacts link{3,    "tap0", "tun", "katamaran/a/b", mac, true, true, true, true, 1500,
                   1000, 7,      {}};
    link.counters = {1, 2, 3, 4, 5, 6, 7, UINT64_MAX};
    return link;
}

RouteFacts a_route() {
    return {*IpPrefix::parse("10.1.0.0/16"),
            "eth0",
            *IpAddress::parse("192.0.2.1"),
            *IpAddress::parse("192.0.2.9"),
            0,
            7,
            107,
            1400};
}

Answer an_answer() {
    Answer answer;
    answer.links = {a_link(), LinkFacts{}};
    answer.routes = {a_route(), RouteFacts{}};
    answer.qdiscs = {
        {"plug", 0x6b610000, root_parent, std::string{"\0\xff\x01", 3}, 9, 8, 7, 6, 5}};
    answer.filters = {{"flower", 1, our_filter_handle, true}};
    answer.neighbours = {{*IpAddress::parse("2001:db8::1"), mac, "eth0", true, 3}, {}};
    answer.addresses = {{*IpPrefix::parse("192.0.2.9/24"), "eth0"}};
    answer.text = "1\n\"two\"";
    return answer;
}

/// One of each, and some that differ in one field alone.
Requests requests() {
    const IpPrefix to = *IpPrefix::parse("10.1.2.3/32");
    const IpAddress address = to.address();
    const Route route{to, "ktm0", std::nullopt, 254, 0, std::nullopt};
    Route outer = route;
    outer.encapsulation = Encapsulation{address, *IpAddress::parse("192.0.2.2"), 9};
    TunnelLink tunnel;
    tunnel.name = "ktm0";
    TunnelLink longer = tunnel;
    longer.mtu = 9000;
    const Redirect redirect{"tap0", Direction::egress, mac, "ktm0"};
    Redirect inwards = redirect;
    inwards.direction = Direction::ingress;
    return {AddTunnel{tunnel},
            AddTunnel{longer},
            DeleteLink{"ktm0"},
            AddAddress{"ktm0", to},
            SetQueueLength{"tap0", 5},
            SetQueueLength{"tap0", 5, 1},
            SetQueueLength{"tap0", 0},
            SetInput{"tap0", 0, true},
            SetInput{"tap0", 0, false},
            AddRoute{route},
            AddRoute{outer},
            DeleteRoute{route},
            SetNeighbour{address, mac, "tap0"},
            DeleteNeighbour{address, "tap0"},
            AddPacer{"tap0"},
            SetPace{"tap0", 4},
            AddPlug{"tap0", true, 9},
            AddPlug{"tap0", false, 9},
            BlockPlug{"tap0"},
            OpenPlug{"tap0"},
            DeleteRootQdisc{"tap0"},
            PutRootQdisc{"tap0", {"pfifo", 1, "\x01"}},
            PutRootQdisc{"tap0", {"pfifo", 1, "\x02"}},
            AddClsact{"tap0"},
            DeleteClsact{"tap0"},
            AddRedirect{redirect},
            AddRedirect{inwards},
            DeleteRedirect{redirect, true},
            DeleteRedirect{redirect, false},
            WriteSetting{"a", "1"},
            FindLink{"tap0"},
            ListLinks{},
            FindRoutes{to},
            RouteTo{address},
            ListOurRoutes{Family::v4},
            ListOurRoutes{Family::v6},
            ListQdiscs{"tap0"},
            ListFilters{"tap0"},
            ListNeighbours{"tap0"},
            ListAddresses{"tap0"},
            ListAddresses{""},
            ReadSetting{"a"},
            FindKind{"gre"},
            FindKind{"plug", true}};
}

Result<Answer> read(const std::string& text) {
    const auto document = ktm::json::parse(text);
    return answer_from_json(document->root());
}

}  // namespace

TEST_CASE("net/exchange: an answer of every kind is read as it was written") {
    const Answer before = an_answer();
    const Result<Answer> after = read(to_json(before));
    REQUIRE(after.has_value());
    CHECK(after->links == before.links);
    CHECK(after->routes == before.routes);
    CHECK(after->qdiscs == before.qdiscs);
    CHECK(after->filters == before.filters);
    CHECK(after->neighbours == before.neighbours);
    CHECK(after->addresses == before.addresses);
    CHECK(after->text == before.text);
}

TEST_CASE("net/exchange: an empty answer is an empty object") {
    CHECK(to_json(Answer{}) == "{}");
    CHECK(read("{}")->links.empty());
}

TEST_CASE("net/exchange: a change of every kind is read as it was written") {
    const auto again = [](const Change& change) {
        const auto text = ktm::json::parse(to_json(change));
        return *change_from_json(text->root());
    };
    Change change;
    change.link = a_link();
    CHECK(again(change).link == change.link);
    change = Change{Change::Of::route, true, {}, a_route(), "", "", {}};
    CHECK(again(change).gone);
    CHECK(again(change).of == Change::Of::route);
    CHECK(again(change).route == change.route);
    change = Change{Change::Of::qdisc, false, {}, {}, "tap0", "plug", {}};
    CHECK(again(change).name == "tap0");
    CHECK(again(change).kind == "plug");
    change =
        Change{Change::Of::neighbour, false, {}, {}, "tap0", "", *IpAddress::parse("10.1.2.3")};
    CHECK(again(change).address == change.address);
}

TEST_CASE("net/exchange: no two requests that differ have one text, and the changes are known") {
    std::set<std::string> texts;
    std::set<std::size_t> kinds;
    for (const Request& request : requests()) {
        const std::string text = to_json(request);
        CAPTURE(text);
        CHECK(texts.insert(text).second);
        kinds.insert(request.index());
        const bool asks = text.starts_with("{\"what\":\"list-") ||
                          text.starts_with("{\"what\":\"find-") ||
                          text.starts_with("{\"what\":\"r");
        CHECK(is_change(request) != asks);
    }
    CHECK(kinds.size() == std::variant_size_v<Request>);
}

TEST_CASE("net/exchange: an answer with a field that does not fit is refused, and says which") {
    for (const std::string& text :
         {std::string{"[]"}, std::string{R"({"links":{}})"}, std::string{R"({"links":[7]})"},
          std::string{R"({"links":[{"mtu":-1}]})"},
          std::string{R"({"links":[{"mtu":4294967296}]})"},
          std::string{R"({"links":[{"mac":"02:aa"}]})"}, std::string{R"({"routes":[{"to":"x"}]})"},
          std::string{R"({"qdiscs":[{"options":"0"}]})"}, std::string{R"({"links":[{"up":1}]})"}}) {
        CAPTURE(text);
        CHECK_FALSE(read(text).has_value());
    }
    CHECK(read(R"({"links":[{"mtu":-1}]})").error().what.find("mtu") != std::string::npos);
}
