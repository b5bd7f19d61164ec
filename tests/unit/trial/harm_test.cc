// SPDX-License-Identifier: Apache-2.0
// tests/unit/trial/harm_test.cc: faults as people write them, and the world as they describe it.
#include "trial/harm.hh"

#include <catch2/catch.hpp>
#include <string>

#include "trial/crossings.hh"
#include "trial/world_settings.hh"

using namespace ktm;
using namespace ktm::trial;
using namespace std::chrono_literals;

TEST_CASE("trial/harm: a fault is read as it is written") {
    for (auto harm = static_cast<int>(Harm::refused); harm <= static_cast<int>(Harm::stop_dest);
         ++harm) {
        const Fault fault{41, static_cast<Harm>(harm)};
        const Result<Fault> read = parse_fault(text_of(fault));
        REQUIRE(read);
        CHECK(*read == fault);
    }
}

TEST_CASE("trial/harm: what is no fault is refused, with what was expected") {
    for (const char* text : {"", ":", "41", "41:", ":lost", "0:lost", "-1:lost", "41:none",
                             "4 1:lost", "41:lost ", "99999999999999999999:lost", "41:Lost"}) {
        CAPTURE(text);
        const Result<Fault> read = parse_fault(text);
        REQUIRE_FALSE(read);
        const std::string& what = read.error().what;
        const bool has_form = what.find("NUMBER:HARM") != std::string::npos;
        CHECK(has_form != (what.find("is no harm; expected refused, ") != std::string::npos));
    }
    CHECK(parse_fault("41:los").error().what.find("'lost'") != std::string::npos);
}

TEST_CASE("trial/harm: each crossing has harms of its own, and those of the world") {
    const auto has = [](Channel channel, bool two_nodes, Harm harm) {
        const std::vector<Harm> harms = harms_at({Side::source, channel, false, ""}, two_nodes);
        return std::find(harms.begin(), harms.end(), harm) != harms.end();
    };
    CHECK(has(Channel::command, true, Harm::refused));
    CHECK_FALSE(has(Channel::reply, true, Harm::refused));
    CHECK(has(Channel::journal, true, Harm::full));
    CHECK(has(Channel::event, false, Harm::kill_source));
    CHECK_FALSE(has(Channel::event, false, Harm::kill_dest));
    CHECK(has(Channel::line, true, Harm::cut));
    for (const Channel channel :
         {Channel::reply, Channel::event, Channel::request, Channel::line}) {
        CHECK(has(channel, true, Harm::too_late));
    }
    CHECK_FALSE(has(Channel::command, true, Harm::too_late));
    CHECK(has(Channel::event, true, Harm::closed));
}

TEST_CASE("trial/harm: what cannot be harmed so is told with what can happen to it") {
    const Crossing stop{Side::source, Channel::command, false, "stop"};
    CHECK(why_unfit(Harm::full, stop, false) ==
          "that is no harm to source, command stop; what can happen there: refused, lost, "
          "kill-source-qemu, kill-source, stop-source");
    CHECK(why_unfit(Harm::kill_dest, stop, false) ==
          "the plan has one role, and there is no destination");
    Crossing late = stop;
    late.moot = bit_of(Harm::kill_dest);
    CHECK(fits(Harm::kill_dest, stop, true));
    CHECK_FALSE(fits(Harm::kill_dest, late, true));
    CHECK(fits(Harm::kill_dest_qemu, late, true));
    CHECK(why_unfit(Harm::kill_dest, late, true) ==
          "the katamaran at the dest is not at work then");
}

namespace {

/// A network that is there once.
class OneNetwork final : public Victims {
public:
    [[nodiscard]] bool can_suffer(Harm harm) const override {
        return harm == Harm::cut && !is_cut_;
    }
    void suffer(Harm) override { is_cut_ = true; }
    void on_struck(Harm harm, const Crossing& crossing) override {
        struck.push_back(std::string{name_of(harm)} + " at " + crossing.text);
    }
    std::vector<std::string> struck;

private:
    bool is_cut_ = false;
};

}  // namespace

TEST_CASE("trial/crossings: what fits strikes once; what became of each fault is known") {
    OneNetwork network;
    Crossings crossings{{{1, Harm::full},
                         {2, Harm::lost},
                         {2, Harm::refused},
                         {2, Harm::cut},
                         {3, Harm::cut},
                         {9, Harm::lost}},
                        true,
                        network};
    crossings.keep(Keep::kinds);
    const auto pass = [&] {
        return crossings.pass(Side::source, Channel::command, false, [] { return "stop"; });
    };
    CHECK(pass() == Harm::none);
    CHECK(pass() == Harm::lost);
    CHECK(pass() == Harm::none);
    CHECK(crossings.turns() == std::vector<Turn>{Turn::missed, Turn::struck, Turn::missed,
                                                 Turn::struck, Turn::missed, Turn::none});
    const std::vector<Crossing> list = crossings.take_list();
    CHECK(fits(Harm::cut, list[1], true));
    CHECK_FALSE(fits(Harm::cut, list[2], true));
    CHECK(list[0].text.empty());
    CHECK(network.struck == std::vector<std::string>{"lost at stop"});
}

TEST_CASE("trial/world: a world is read upon what is there") {
    WorldSettings world;
    REQUIRE(
        read_world("ram=8G,dirty=300M/s,link=10G,pps=20k,rtt=1ms,storage=shared,plug=no", world));
    CHECK(world.ram_bytes == 8ULL << 30U);
    CHECK(world.dirty_bytes_per_second == 300'000'000);
    CHECK(world.link_bytes_per_second == 1'250'000'000);
    CHECK(world.packets_per_second == 20'000);
    CHECK(world.latency == 500us);
    CHECK(world.shared_disks == true);
    CHECK_FALSE(world.has_plug);
    REQUIRE(read_world("", world));
    CHECK(world.ram_bytes == 8ULL << 30U);
}

TEST_CASE("trial/world: what no world can be is refused, with its key") {
    for (const char* text : {"ram",
                             "=",
                             "ram=",
                             "ram=8",
                             "rum=8G",
                             "ram=8G,,",
                             "dirty=3",
                             "link=10",
                             "storage=both",
                             "plug=maybe",
                             "link=0G",
                             "reads=0",
                             "ram=1K",
                             "ram=1G,working=2G",
                             "working=512M,ram=256M",
                             "ram=2G,ram=2G",
                             "latency=1ms,rtt=2ms",
                             "dirty=0k",
                             "packet=1",
                             "packet=70000",
                             "pps=-1"}) {
        CAPTURE(text);
        WorldSettings world;
        CHECK_FALSE(read_world(text, world));
    }
    WorldSettings world;
    CHECK(read_world("rum=8G", world).error().sentence().find("'ram'") != std::string::npos);
}

TEST_CASE("trial/world: the order of the keys is nothing, and a guest may write nothing") {
    WorldSettings one;
    WorldSettings other;
    REQUIRE(read_world("working=512M,ram=1G,dirty=0", one));
    REQUIRE(read_world("dirty=0,ram=1G,working=512M", other));
    CHECK(one == other);
    CHECK(one.working_set_bytes == 512ULL << 20U);
    CHECK(one.dirty_bytes_per_second == 0);
    WorldSettings small;
    REQUIRE(read_world("ram=128M", small));
    CHECK(small.working_set_bytes == small.ram_bytes);
    CHECK(read_world("ram=2G,ram=2G", small).error().what == "ram is given twice");
}

TEST_CASE("trial/world: the help of each key names what it is without a word") {
    const std::string help = describe_world_keys();
    for (const auto& [name, preset] : world_presets()) {
        CAPTURE(name);
        WorldSettings world;
        REQUIRE(read_world(name + "=" + preset, world));
        CHECK(world == WorldSettings{});
        CHECK(help.find("  " + name + " ") != std::string::npos);
    }
}
