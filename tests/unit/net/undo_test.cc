// SPDX-License-Identifier: Apache-2.0
// tests/unit/net/undo_test.cc: undos decide by what is there, and survive being written down.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "json/parser.hh"
#include "net/undo.hh"

using namespace ktm::net;
using ktm::IpAddress;
using ktm::IpPrefix;

namespace {

const MacAddress undo_guest = *MacAddress::parse("02:aa:00:00:00:01");
const MacAddress other = *MacAddress::parse("02:aa:00:00:00:02");

Route a_tagged_route() {
    Route route;
    route.to = *IpPrefix::parse("10.1.2.3/32");
    route.link = "ktm0";
    route.via = *IpAddress::parse("192.0.2.1");
    route.table = 100;
    route.metric = 7;
    route.encapsulation =
        Encapsulation{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2"), 9};
    return route;
}

std::vector<Undo> all_undos() {
    Redirect redirect{"tap0", Direction::egress, undo_guest, "ktm0", false, 1};
    Redirect plain{"eth0", Direction::ingress, std::nullopt, "tap0", true, 3};
    return {UndoTunnel{"ktm0", "katamaran/a/b"},
            UndoRoute{a_tagged_route()},
            UndoRoute{Route{*IpPrefix::parse("2001:db8::5/128"), "tap0", {}, 254, 1, {}}},
            UndoNeighbour{{*IpAddress::parse("10.1.2.3"), undo_guest, "tap0"}, std::nullopt, 0},
            UndoNeighbour{
                {*IpAddress::parse("2001:db8::5"), undo_guest, "tap0", arrival_protocol}, other, 9},
            UndoQueueLength{"tap0", 12000, 1000},
            UndoQueueLength{"tap0", 12000, 1000, 65535},
            UndoRootQdisc{"tap0", std::nullopt},
            UndoRootQdisc{"tap0", SavedQdisc{"pfifo", 0x00010000, std::string{"\0\x01\xff", 3}}},
            UndoRedirect{redirect, true},
            UndoRedirect{plain, false},
            UndoSetting{"ipv6/conf/all/forwarding", "1", "0"}};
}

Requests decided(const Undo& undo, Answers answers) {
    answers.resize(queries_of(undo).size());
    return requests_of(undo, answers);
}

Answer with_link(const std::string& tag, std::uint32_t queue_length = 1000) {
    Answer answer;
    LinkFacts link;
    link.name = "ktm0";
    link.tag = tag;
    link.queue_length = queue_length;
    answer.links.push_back(link);
    return answer;
}

RouteFacts facts_of(const Route& route) {
    RouteFacts facts;
    facts.to = route.to;
    facts.link = route.link;
    facts.table = route.table;
    facts.metric = route.metric;
    facts.protocol = our_protocol;
    return facts;
}

}  // namespace

TEST_CASE("net/undo: each undo is the same after it was written and read") {
    for (const Undo& undo : all_undos()) {
        const std::string text = to_json(undo);
        INFO(text);
        const auto document = ktm::json::parse(text);
        REQUIRE(document);
        const auto read = undo_from_json(document->root());
        REQUIRE(read);
        REQUIRE(*read == undo);
        REQUIRE(text.find('\n') == std::string::npos);
    }
}

TEST_CASE("net/undo: an undo that cannot be read is an error that names the field") {
    const std::pair<const char*, const char*> texts[] = {
        {R"([])", "object"},
        {R"({})", "undo"},
        {R"({"undo":"dance"})", "undo"},
        {R"({"undo":"tunnel","link":"ktm0"})", "tag"},
        {R"({"undo":"tunnel","link":"a/b","tag":"t"})", "link"},
        {R"({"undo":"tunnel","link":7,"tag":"t"})", "link"},
        {R"({"undo":"queue-length","link":"t","ours":-1,"former":1})", "ours"},
        {R"({"undo":"queue-length","link":"t","ours":1,"former":4294967296})", "former"},
        {R"({"undo":"route","route":{"to":"10.1.2.3.4","link":"a","table":1,"metric":0}})", "to"},
        {R"({"undo":"route","route":7})", "route"},
        {R"({"undo":"neighbour","address":"10.1.2.3","mac":"x","link":"a"})", "mac"},
        {R"({"undo":"root-qdisc","link":"a","former":{"kind":"x","handle":1,"options":"0"}})",
         "options"},
        {R"({"undo":"root-qdisc","link":"a","former":{"kind":"x","handle":1,"options":"0g"}})",
         "options"},
        {R"({"undo":"redirect","made_clsact":true,"redirect":)"
         R"({"link":"a","direction":"up","to":"b","to_ingress":false,"priority":1}})",
         "direction"},
        {R"({"undo":"setting","name":"../../kernel/core_pattern","ours":"1","former":"0"})",
         "name"},
        {R"({"undo":"setting","name":"/etc/passwd","ours":"1","former":"0"})", "name"},
    };
    for (const auto& [text, field] : texts) {
        INFO(text);
        const auto document = ktm::json::parse(text);
        REQUIRE(document);
        const auto read = undo_from_json(document->root());
        REQUIRE_FALSE(read);
        REQUIRE(read.error().what.find(field) != std::string::npos);
    }
}

TEST_CASE("net/undo: where there is nothing, nothing is done") {
    for (const Undo& undo : all_undos()) {
        INFO(describe(undo));
        REQUIRE(decided(undo, {}).empty());
    }
}

TEST_CASE("net/undo: a device is deleted when it has our tag or none yet, never with another's") {
    const Undo undo = UndoTunnel{"ktm0", "katamaran/a/b"};
    REQUIRE(decided(undo, {with_link("katamaran/a/b")}) == Requests{DeleteLink{"ktm0"}});
    REQUIRE(decided(undo, {with_link("")}) == Requests{DeleteLink{"ktm0"}});
    REQUIRE(decided(undo, {with_link("katamaran/other/b")}).empty());
    REQUIRE(decided(undo, {with_link("the uplink")}).empty());
}

TEST_CASE("net/undo: a route is deleted only when it is ours in each respect") {
    const Route ours = a_tagged_route();
    const auto with = [&](auto change) {
        RouteFacts facts = facts_of(ours);
        change(facts);
        Answer answer;
        answer.routes.push_back(facts);
        return decided(UndoRoute{ours}, {answer});
    };
    REQUIRE(with([](RouteFacts&) {}) == Requests{DeleteRoute{ours}});
    REQUIRE(with([](RouteFacts& facts) { facts.protocol = 4; }).empty());
    REQUIRE(with([](RouteFacts& facts) { facts.link = "eth0"; }).empty());
    REQUIRE(with([](RouteFacts& facts) { facts.metric = 8; }).empty());
    REQUIRE(with([](RouteFacts& facts) { facts.table = 254; }).empty());
}

TEST_CASE("net/undo: a neighbour is deleted or put back, if ours is there still") {
    const SetNeighbour ours{*IpAddress::parse("10.1.2.3"), undo_guest, "tap0"};
    const auto with = [&](const MacAddress& mac, bool permanent, std::optional<MacAddress> former) {
        Answer answer;
        answer.neighbours.push_back({ours.address, mac, "tap0", permanent, our_protocol});
        return decided(UndoNeighbour{ours, former, 7}, {Answer{}, answer});
    };
    REQUIRE(with(undo_guest, true, {}) == Requests{DeleteNeighbour{ours.address, "tap0"}});
    const Request away = DeleteNeighbour{ours.address, "tap0"};
    const Request back = SetNeighbour{ours.address, other, "tap0", 7};
    REQUIRE(with(undo_guest, true, other) == Requests{away, back});
    // Whoever was killed between the two left none.
    Answer link;
    link.links.emplace_back();
    REQUIRE(decided(UndoNeighbour{ours, other, 7}, {link, Answer{}}) == Requests{back});
    REQUIRE(decided(UndoNeighbour{ours, std::nullopt, 0}, {link, Answer{}}).empty());
    REQUIRE(with(other, true, {}).empty());
    REQUIRE(with(undo_guest, false, {}).empty());
}

TEST_CASE("net/undo: a queue length that somebody else has set since is left alone") {
    const Undo parting = UndoQueueLength{"tap0", 12000, 1000, 65535};
    Answer parted = with_link("", 12000);
    parted.links.front().joined_max = 1;
    CHECK(decided(parting, {parted}) == Requests{SetQueueLength{"tap0", 1000, 65535}});
    // Somebody has made it another length; who parts is still we.
    parted.links.front().queue_length = 500;
    CHECK(decided(parting, {parted}) == Requests{SetQueueLength{"tap0", 500, 65535}});
    // Somebody has joined again, or it is another tap of this name.
    CHECK(decided(parting, {with_link("", 12000)}) == Requests{SetQueueLength{"tap0", 1000}});
    CHECK(decided(parting, {with_link("", 500)}).empty());
    CHECK(decided(parting, {Answer{}}).empty());
    const Undo undo = UndoQueueLength{"tap0", 12000, 1000};
    REQUIRE(decided(undo, {with_link("", 12000)}) == Requests{SetQueueLength{"tap0", 1000}});
    REQUIRE(decided(undo, {with_link("", 5000)}).empty());
}

TEST_CASE("net/undo: our plug is opened before it goes, and what was there is put in its place") {
    const auto with = [](std::uint32_t root_handle, bool plug_below,
                         std::optional<SavedQdisc> former) {
        Answer answer;
        QdiscFacts root;
        root.handle = root_handle;
        root.parent = 0xffffffff;
        answer.qdiscs.push_back(root);
        if (plug_below) {
            QdiscFacts plug;
            plug.handle = our_plug_handle;
            plug.parent = our_pacer_handle | 1U;
            answer.qdiscs.push_back(plug);
        }
        return decided(UndoRootQdisc{"tap0", std::move(former)}, {Answer{}, answer});
    };
    const SavedQdisc saved{"pfifo", 0x10000, "options"};
    REQUIRE(with(our_pacer_handle, true, {}) ==
            Requests{OpenPlug{"tap0", true}, DeleteRootQdisc{"tap0", our_pacer_handle}});
    REQUIRE(with(our_plug_handle, false, {}) ==
            Requests{OpenPlug{"tap0", false}, DeleteRootQdisc{"tap0", our_plug_handle}});
    REQUIRE(with(our_pacer_handle, true, saved) ==
            Requests{OpenPlug{"tap0", true}, PutRootQdisc{"tap0", saved}});
    REQUIRE(with(our_pacer_handle, false, {}) ==
            Requests{DeleteRootQdisc{"tap0", our_pacer_handle}});
    REQUIRE(with(0x10000, false, saved).empty());
    REQUIRE(with(0, false, {}).empty());
}

TEST_CASE("net/undo: a filter of another is never deleted, nor the clsact below it") {
    const Redirect redirect{"tap0", Direction::egress, undo_guest, "ktm0", false, 1};
    const auto with = [&](std::vector<FilterFacts> ingress, std::vector<FilterFacts> egress,
                          bool made) {
        Answer qdiscs;
        QdiscFacts clsact;
        clsact.kind = "clsact";
        clsact.parent = 0xfffffff1;
        qdiscs.qdiscs.push_back(clsact);
        Answer in;
        in.filters = std::move(ingress);
        Answer out;
        out.filters = std::move(egress);
        return decided(UndoRedirect{redirect, made}, {Answer{}, qdiscs, in, out});
    };
    const FilterFacts ours{"u32", 1, our_filter_handle, true};
    const FilterFacts theirs{"u32", 49152, 0x800, false};
    const Request away = DeleteRedirect{redirect, true};
    const Request clsact_away = DeleteClsact{"tap0"};
    REQUIRE(with({}, {ours}, true) == Requests{away, clsact_away});
    REQUIRE(with({}, {ours}, false) == Requests{away});
    REQUIRE(with({theirs}, {ours}, true) == Requests{away});
    REQUIRE(with({}, {ours, theirs}, true) == Requests{away});
    const FilterFacts beside{"u32", 1, 0x800, false};
    REQUIRE(with({}, {ours, beside}, true) == Requests{DeleteRedirect{redirect, false}});
    REQUIRE(with({}, {theirs}, true).empty());
    REQUIRE(with({}, {}, true) == Requests{clsact_away});
    REQUIRE(with({}, {FilterFacts{"u32", 1, 1, false}}, false).empty());
}

TEST_CASE("net/undo: a setting that has another value by now is left alone") {
    const Undo undo = UndoSetting{"ipv6/conf/all/forwarding", "1", "0"};
    const auto with = [&](const char* text) {
        Answer answer;
        answer.text = text;
        return decided(undo, {answer});
    };
    REQUIRE(with("1\n") == Requests{WriteSetting{"ipv6/conf/all/forwarding", "0"}});
    REQUIRE(with("2\n").empty());
    REQUIRE(with("0\n").empty());
}
