// SPDX-License-Identifier: Apache-2.0
// tests/unit/trial/harm_test.cc: faults as people write them, and the world as they describe it.
#include "trial/harm.hh"

#include <catch2/catch.hpp>
#include <string>

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
        CHECK(read.error().what.find("NUMBER:HARM") != std::string::npos);
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
    for (const char* text : {"ram", "=", "ram=", "ram=8", "rum=8G", "ram=8G,,", "dirty=3",
                             "link=10", "storage=both", "plug=maybe", "link=0G", "reads=0",
                             "ram=1K", "ram=1G,working=2G", "packet=1", "packet=70000", "pps=-1"}) {
        CAPTURE(text);
        WorldSettings world;
        CHECK_FALSE(read_world(text, world));
    }
    WorldSettings world;
    CHECK(read_world("rum=8G", world).error().sentence().find("'ram'") != std::string::npos);
}
