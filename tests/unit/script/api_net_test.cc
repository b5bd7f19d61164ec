// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/api_net_test.cc: what is described of the words of the kernel's side, held
// against a simulated kernel.
#include <catch2/catch.hpp>

#include <cerrno>
#include <string>
#include <variant>
#include <vector>

#include "script/action_stage.hh"

using ktm::net::Request;
using ktm::sim::VirtualWorld;
using ktm::testing::check;
using ktm::testing::Preparing;
using ktm::testing::raised_by;
using ktm::testing::Told;
using ktm::testing::told_by;

namespace {

using Words = std::vector<std::string>;

/// The next request of this type is refused.
template <class Wanted>
Preparing failing(int error) {
    return [error](VirtualWorld& world) {
        world.networks().fail_next(
            [](const Request& request) { return std::holds_alternative<Wanted>(request); }, error);
    };
}

Preparing lacking(const std::string& kind) {
    return [kind](VirtualWorld& world) { world.networks().kernel().lack(kind); };
}

Preparing with_setting(const std::string& name, const std::string& value) {
    return [=](VirtualWorld& world) { world.networks().kernel().set(name, value); };
}

}  // namespace

TEST_CASE("options of the kernel's words are refused as described") {
    check({{"net.tunnel()", "invalid bad-argument"},
           {"net.tunnel('x')", "invalid bad-argument"},
           {"net.tunnel {}", "invalid bad-argument"},
           {"net.tunnel { to = 1 }", "invalid bad-argument"},
           {"net.tunnel { to = 'x' }", "invalid bad-address"},
           {"net.tunnel { to = '192.0.2.7', mod = 'gre' }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', mode = 'sit' }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', ttl = 0 }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', ttl = 1.5 }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', id = -1 }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', wrapped = 1 }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', netns = 'a\\0b' }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', 'x' }", "invalid bad-argument"},
           {"net.tunnel { to = '192.0.2.7', [true] = 1 }", "invalid bad-argument"},
           {"net.divert { into = 'eth1' }", "invalid bad-argument"},
           {"net.divert { '10.1.2.3' }", "invalid bad-argument"},
           {"net.divert { '10.1.2.3', '10.1.2.3', into = 'eth1' }", "invalid bad-argument"},
           {"net.divert { { { '10.1.2.3' } }, into = 'eth1' }", "invalid bad-argument"},
           {"net.divert { '10.1.2.3', into = 'a/b' }", "invalid bad-argument"},
           {"net.divert { '10.1.2.3', into = {} }", "invalid bad-argument"},
           {"net.divert { '10.1.2.3/24', into = 'eth1' }", "invalid bad-address"},
           {"net.divert { '10.1.2.3', on = 'br0', into = 'eth1' }", "invalid bad-argument"},
           {"net.divert { '10.1.2.3', into = 'eth1', incoming = true }", "invalid bad-argument"},
           {"net.divert { on = 'br0', into = 'eth1', mac = 'x' }", "invalid bad-mac"},
           {"net.divert { on = 'br0', into = 'eth1', table = 7 }", "invalid bad-argument"},
           {"net.arrive { '10.1.2.3', tap = 'tap0' }", "invalid bad-argument"},
           {"net.neighbour { mac = '02:aa:00:00:00:01', on = 'tap0' }", "invalid bad-argument"},
           {"net.announce { '10.1.2.3', on = 'eth1' }", "invalid bad-argument"},
           {"net.hold { rate = 1, pause = '1s' }", "invalid bad-argument"},
           {"net.hold { 'tap0', pause = '1s' }", "invalid bad-argument"},
           {"net.hold { 'tap0', rate = 1 }", "invalid bad-argument"},
           {"net.hold { 'tap0', rate = 1, pause = '1' }", "invalid bad-quantity"},
           {"net.hold { 'tap0', rate = 1, pause = 0 }", "invalid bad-argument"},
           {"net.hold { 'tap0', rate = 1, pause = '1s', margin = 0.5 }", "invalid bad-argument"},
           {"net.hold { 'tap0', rate = 1, pause = '1s', at_most = 0 }", "invalid bad-argument"},
           {"net.hold { 'tap0', rate = 1, pause = '1s', limit = '1XB' }", "invalid bad-quantity"},
           {"net.hold { 'tap0', 'tap1', rate = 1, pause = '1s' }", "invalid bad-argument"},
           {"net.hold { 'tap0', rate = 0/0, pause = '1s' }", "invalid bad-argument"},
           {"net.link {}", "invalid bad-argument"},
           {"net.link { 'a', 'b' }", "invalid bad-argument"},
           {"net.links(1)", "invalid bad-argument"},
           {"net.addresses { on = 1 }", "invalid bad-argument"},
           {"net.way {}", "invalid bad-argument"},
           {"net.watch { off = 'tap0' }", "invalid bad-argument"},
           {"net.links { netns = 'blue' }", "io ENOENT"},
           {"net.tunnel { to = '192.0.2.7', netns = 'blue' }", "io ENOENT"},
           {"net.watch { netns = 'blue' }", "io ENOENT"}});
}

TEST_CASE("tunnels are refused as described") {
    check({{"net.tunnel { to = '198.51.100.7' }", "refused no-route"},
           {"net.tunnel { to = '192.0.2.7', from = '2001:db8::1' }", "refused mixed-families"},
           {"net.tunnel { to = '192.0.2.7', from = '192.0.2.7' }", "refused bad-ends"},
           {"net.tunnel { to = '192.0.2.7', mtu = 900 }", "refused bad-mtu"},
           {"net.tunnel { to = '192.0.2.7', mode = 'ipip', frames = true, wrapped = false }",
            "refused no-frames"},
           {"net.tunnel { to = '192.0.2.7' }", "nothing"}});
    CHECK(raised_by("net.tunnel { to = '192.0.2.7', mode = 'ipip' }", lacking("ipip")) ==
          "io EOPNOTSUPP");
    CHECK(raised_by("net.tunnel { to = '10.1.2.9' }") == "refused no-source");
}

TEST_CASE("diversions and ways are refused as described") {
    check({{"net.divert { '10.1.2.3', into = 'eth7' }", "refused ENODEV"},
           {"net.divert { '10.1.2.3', into = 'eth1' }.turn() "
            "net.divert { '10.1.2.3', into = 'br0' }",
            "refused diverted"},
           {"local d = net.divert { '10.1.2.3', into = 'eth1' } d.turn() d.release() "
            "net.divert { '10.1.2.3', into = 'br0' }",
            "nothing"},
           {"local d = net.divert { '10.1.2.3', into = 'eth1' } d.release() d.turn()",
            "usage given-back"},
           {"net.divert { on = 'br0', into = 'eth7' }", "refused ENODEV"},
           {"net.divert { on = 'br0', into = 'eth1', mac = '02:aa:00:00:00:01' }", "nothing"},
           {"local t = net.tunnel { to = '192.0.2.7', mode = 'ipip', wrapped = false } "
            "net.divert { '10.1.2.3', into = t }",
            "nothing"},
           {"local t = net.tunnel { to = '192.0.2.7', mode = 'ipip', wrapped = false } "
            "net.divert { '2001:db8:1::3', into = t }",
            "invalid bad-argument"},
           {"local t = net.tunnel { to = '192.0.2.7', mode = 'ipip', wrapped = false } "
            "net.divert { '2001:db8:1::3', into = t.name }",
            "invalid bad-argument"},
           {"net.arrive { '10.1.2.3', tap = 'tap7', mac = '02:aa:00:00:00:01' }", "refused ENODEV"},
           {"net.neighbour { '10.1.2.3', on = 'tap7', mac = '02:aa:00:00:00:01' }",
            "refused ENODEV"}});
    const char* arrive = "net.arrive { '2001:db8:1::3', tap = 'tap0', mac = '02:aa:00:00:00:01' }";
    CHECK(raised_by(arrive) == "refused no-forwarding");
    CHECK(raised_by(arrive, with_setting("ipv6/conf/all/forwarding", "1")) == "nothing");
    CHECK(raised_by("net.divert { '10.1.2.3', into = 'eth1' }.turn()",
                    failing<ktm::net::AddRoute>(EPERM)) == "io EPERM");
}

TEST_CASE("something that must not be moved leaves no room for a diversion") {
    const Preparing v6 = [](VirtualWorld& world) {
        world.networks().kernel().add_route("2001:db8:1::3/128", "tap0", 1);
    };
    CHECK(raised_by("net.divert { '2001:db8:1::3', into = 'eth1' }", v6) == "refused no-room");
    const Preparing ingress = [](VirtualWorld& world) {
        world.networks().kernel().link("br0")->filter_room = "ingress";
    };
    CHECK(raised_by("net.divert { on = 'br0', into = 'eth1' }", ingress) == "refused no-room");
    CHECK(raised_by("net.divert { on = 'br0', into = 'eth1', incoming = true }", ingress) ==
          "nothing");
}

TEST_CASE("holds are refused as described") {
    check({{"net.hold { 'tap7', rate = 1, pause = '1s' }", "refused ENODEV"},
           {"net.hold { 'eth1', rate = 1, pause = '1s' }", "refused no-tap"},
           {"net.hold { 'closed0', rate = 1, pause = '1s' }", "refused no-reader"},
           {"net.hold { 'tap0', rate = 1000000, pause = '10s' }", "refused too-large"},
           {"net.hold { 'tap0', rate = 20000, pause = '300ms', limit = '1MB' }",
            "refused too-little"},
           {"net.hold { 'tap0', rate = 20000, pause = '300ms', limit = '1MB', small = true }",
            "nothing"},
           {"net.hold { 'tap0', rate = 20000, pause = '300ms', mode = 'ring', ring = 100 }",
            "refused too-little"},
           {"net.hold { 'tap0', rate = 1, pause = '1s' } "
            "net.hold { 'tap0', rate = 1, pause = '1s' }",
            "refused held"}});
    const char* plain = "net.hold { 'tap0', rate = 1, pause = '1s' }";
    const char* plug = "net.hold { 'tap0', rate = 1, pause = '1s', mode = 'plug+ring' }";
    const Preparing parts = [](VirtualWorld& world) {
        auto& root = world.networks().kernel().link("tap0")->root;
        root.kind = "htb";
        root.handle = 0x10000;
        root.parts.push_back({"fq_codel", 0x20000, 0x10001, "", 0, 0, 0, 0, 0});
    };
    CHECK(raised_by(plug, parts) == "refused no-way-back");
    CHECK(raised_by(plain, parts) == "nothing");
    CHECK(raised_by(plug, lacking("plug")) == "io ENOENT");
    CHECK(raised_by(plain, lacking("plug")) == "nothing");
    CHECK(raised_by(plug, lacking("tbf")) == "nothing");
    CHECK(raised_by(plain, failing<ktm::net::AddPacer>(EPERM)) == "io EPERM");
}

TEST_CASE("what is refused leaves nothing behind, in the kernel and in the ledger") {
    for (const char* code : {
             "net.tunnel { to = '192.0.2.7', ttl = 0 }",
             "net.hold { 'tap0', rate = 20000, pause = '300ms', limit = '1MB' }",
             "net.divert { '10.1.2.3', into = 'eth7' }",
         }) {
        const Told told =
            told_by("log.info(tried(function() " + std::string{code} + " end)) error('enough')");
        INFO(code);
        CHECK(told.changed.empty());
        CHECK(told.journals.empty());
        CHECK(told.outcome.journal.empty());
        CHECK(told.outcome.ended.left.empty());
    }
}

TEST_CASE("what is asked of the kernel is told as described") {
    check({{"assert(net.link { 'tap7' } == nil)", "nothing"},
           {"assert(net.way { to = '198.51.100.7' } == nil)", "nothing"},
           {"assert(net.way { to = '192.0.2.7' }.from == '192.0.2.1')", "nothing"},
           {"assert(net.way { to = '192.0.2.7' }.on == 'eth1')", "nothing"},
           {"local tap = net.link { 'tap0' } "
            "assert(tap.tap and tap.carrier and tap.queue_length == 1000 and tap.kind == 'tun')",
            "nothing"},
           {"assert(#net.taps() == 2 and #net.links() == 5)", "nothing"},
           {"assert(net.addresses { on = 'eth1' }[1].address == '192.0.2.1/24')", "nothing"},
           {"assert(#net.addresses { on = 'tap0' } == 0)", "nothing"},
           {"net.addresses { on = 'tap7' }", "io ENODEV"},
           {"net.announce { '10.1.2.3', on = 'tap7', mac = '02:aa:00:00:00:01' }", "io ENODEV"}});
    CHECK(raised_by("net.links()", failing<ktm::net::ListLinks>(EPERM)) == "io EPERM");
}

TEST_CASE("a handle is released once, wherever that is said") {
    const Told told = told_by(R"(
        local tunnel = net.tunnel { to = "192.0.2.7" }
        local hold = m:hold(net.hold { "tap0", rate = 1, pause = "1s" })
        local first, second = hold.release(), hold.release()
        log.info("%s %d", tostring(first == second), first.taken)
        m:undo("all", function() tunnel.release() tunnel.release() log.info("undone") end)
        error("enough"))");
    CHECK(told.words == Words{"true 0", "undone"});
    CHECK(told.changed.empty());
    CHECK(told.journals.empty());
    CHECK(told.outcome.ended.left.empty());
}

TEST_CASE("a handle that is made inside of an undo is given back, too") {
    const Told told = told_by(R"(
        m:undo("more", function() m.note.tunnel = net.tunnel { to = "192.0.2.7" } end)
        error("enough"))");
    CHECK(told.changed.empty());
    CHECK(told.outcome.ended.left.empty());
    CHECK(told.outcome.journal.empty());
}

TEST_CASE("a loop of calls that the kernel answers at once is a runaway") {
    const Told told = told_by("while true do net.links() end");
    REQUIRE(told.outcome.ended.cause);
    CHECK_THAT(told.outcome.ended.cause->what, Catch::Contains("more than 10 million"));
}

TEST_CASE("a thousand handles are acquired and given back; one more is refused") {
    const Told told = told_by(R"(
        for number = 1, 1001 do
          if number % 100 == 0 then sleep("1ms") end
          local address = string.format("10.9.%d.%d", math.floor(number / 250), number % 250)
          local ok, problem = pcall(net.neighbour,
            { address, mac = "02:aa:00:00:00:01", on = "tap0" })
          if not ok then log.info("%d %s", number, problem.code) end
        end)");
    CHECK(told.words == Words{"1001 bad-argument"});
    CHECK(told.changed.empty());
    CHECK(told.journals.empty());
    CHECK(told.outcome.ended.left.empty());
}

TEST_CASE("a plan cannot lead a handle astray") {
    const Told told = told_by(R"(
        local one = net.tunnel { to = "192.0.2.7" }
        one.id, one.name, one.registered = -1, "eth1", nil
        m:hold(one)
        one.release = function() log.info("mine") end)");
    CHECK(told.words.empty());
    CHECK(told.changed.empty());
}

TEST_CASE("watches tell what changes, and nothing behind the end") {
    const Told told = told_by(R"(
        local watch = net.watch { on = "tap0" }
        net.neighbour { "10.1.2.3", mac = "02:aa:00:00:00:01", on = "tap0" }
        log.info(wait { "net:neighbour", "1s" }.data.address)
        watch.release()
        watch.release()
        net.hold { "tap0", rate = 5000, pause = "1s" }
        log.info(tried(function() wait { "net:link", "1s" } end)))");
    CHECK(told.words == Words{"10.1.2.3", "timeout no-event"});
    CHECK(raised_by("for _ = 1, 17 do net.watch() end") == "invalid bad-argument");
}
