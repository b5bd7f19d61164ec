// SPDX-License-Identifier: Apache-2.0
// tests/unit/net/account_test.cc: what two accounts prove, and what they do not.
#include <catch2/catch.hpp>

#include "json/parser.hh"
#include "net/account.hh"

namespace {

using ktm::net::Account;
using ktm::net::Point;
using ktm::net::Proof;
using ktm::net::Seen;
using Says = Proof::Says;

Point device(std::string_view part, const char* link, Seen after = {}) {
    Point point;
    point.part = part;
    point.link = link;
    point.before.emplace();
    point.after = after;
    return point;
}

/// What a tunnel counts: each packet, and to the device those that travel as one are one.
Seen went(std::uint64_t packets, std::uint64_t joined = 0) {
    Seen seen;
    seen.counters.tx_packets = packets - joined;
    seen.let_go = packets;
    seen.counts = true;
    return seen;
}
Seen came(std::uint64_t packets, std::uint64_t joined = 0) {
    Seen seen = went(packets, joined);
    std::swap(seen.counters.rx_packets, seen.counters.tx_packets);
    return seen;
}
/// A tap with a queue that counts: what was let go, and what the guest took of it.
Seen tap(std::uint64_t let_go, std::uint64_t taken) {
    Seen seen;
    seen.let_go = let_go;
    seen.counters.tx_packets = taken;
    seen.counts = true;
    return seen;
}

/// A migration in which 5,123 packets were diverted, and all of them came.
struct Move {
    Account source;
    Account dest;

    Move() {
        source.role = "source";
        source.diverts = true;
        source.diverted_at = 100;
        source.stopped_at = 200;
        Point home = device(ktm::net::part_home, "tap0", tap(900, 900));
        home.before = tap(10, 10);
        home.amid = tap(900, 899);
        source.points = {device(ktm::net::part_tunnel, "up0", went(5123)),
                         device(ktm::net::part_carrier, "low0", went(6000)),
                         device(ktm::net::part_wire, "eth0", went(9000)), home};
        dest.role = "dest";
        dest.holds = true;
        dest.resumed_at = 1000;
        Point hold = device(ktm::net::part_hold, "tap0", tap(5123, 5123));
        hold.before->counts = true;
        hold.amid = tap(400, 380);
        Point tunnel = device(ktm::net::part_tunnel, "up1", came(5123));
        tunnel.amid = came(400);
        tunnel.again = came(400);
        dest.points = {tunnel, device(ktm::net::part_carrier, "low1", came(6000)),
                       device(ktm::net::part_wire, "eth1", came(9000)), hold};
    }

    Point& at_source(std::size_t at) { return source.points.at(at); }
    Point& at_dest(std::size_t at) { return dest.points.at(at); }
    [[nodiscard]] Proof proof() const {
        return ktm::net::prove(source, &dest, false, ktm::net::ClockDifference{});
    }
    [[nodiscard]] std::string said() const {
        // Both nodes say the same.
        const std::string here = ktm::net::sentence(proof());
        CHECK(here == ktm::net::sentence(ktm::net::prove(dest, &source, false, {})));
        return here;
    }
};

}  // namespace

TEST_CASE("net/account: zero is proven when all that went in came out, arrived and was taken") {
    const Move move;
    CHECK(move.said() == "zero lost of 5,123 diverted");
    CHECK(move.proof().sent == 5123);
    CHECK(move.proof().held == 400);
    CHECK(move.proof().notes.empty());
}

TEST_CASE("net/account: what the kernel itself says in the tunnel is no packet of the guest's") {
    Move move;
    move.at_source(0).after = went(5126);
    move.at_source(0).after->counters.tx_words = 3;
    move.at_dest(0).after = came(5125);
    move.at_dest(0).after->counters.rx_words = 2;
    move.at_dest(0).amid = came(402);
    move.at_dest(0).amid->counters.rx_words = 2;
    move.at_dest(0).again = move.at_dest(0).amid;
    CHECK(move.said() == "zero lost of 5,123 diverted");
}

TEST_CASE("net/account: what did not come out of the tunnel is lost on the wire") {
    Move move;
    move.at_dest(0).after = came(5111);
    CHECK(move.said() == "LOST 12 packets: the wire between the nodes");
}

TEST_CASE("net/account: of a tunnel that stays nobody knows what came out of it behind the end") {
    Move move;
    move.dest.stays = true;
    CHECK(move.said() == "zero lost of 5,123 diverted");
    move.at_dest(0).after = came(5111);
    CHECK(move.said() ==
          "not proven: 12 had not come out of the tunnel at the dest when that was counted last, "
          "and it stays");
    move.at_source(0).after->counters.tx_dropped = 2;
    CHECK(move.said().starts_with("LOST 2 packets: the tunnel "));
}

TEST_CASE("net/account: packets that travel as one are counted one by one") {
    Move move;
    SECTION("joined by the guest's peer, parted by a network card, joined by another") {
        move.at_source(0).after = went(5123, 4000);
        move.at_dest(0).after = came(5123, 4900);
        CHECK(move.said() == "zero lost of 5,123 diverted");
        move.at_dest(0).after = came(5120, 4000);
        CHECK(move.said() == "LOST 3 packets: the wire between the nodes");
    }
    SECTION("what goes the other way is none of them") {
        move.at_source(0).after->counters.rx_packets = 7;
        move.at_source(0).after->let_go += 7;
        CHECK(move.said() == "zero lost of 5,123 diverted");
    }
    SECTION("a kernel that does not proves nothing") {
        move.at_dest(0).after->counts = false;
        CHECK(move.said() ==
              "not proven: of what is joined on the way not each is counted; 5,123 went into the "
              "tunnel and 5,123 came out");
    }
    SECTION("a look between device and filters has no count, and spoils none") {
        move.at_dest(0).again->counts = false;
        CHECK(move.said() == "zero lost of 5,123 diverted");
    }
}

TEST_CASE("net/account: what comes between two readings is no loss") {
    Move move;
    // Five came out of the tunnel when it had been read and the tap had not.
    move.at_dest(0).again = came(405);
    move.at_dest(3).amid = tap(405, 380);
    CHECK(move.said() == "zero lost of 5,123 diverted");
    move.at_dest(3).after = tap(5122, 5122);
    CHECK(move.said() == "LOST 1 packet: the way from the tunnel to tap0 at the dest");
}

TEST_CASE("net/account: what waits joined in a plug is no loss") {
    Move move;
    // 400 had come out of the tunnel, 40 to a packet.
    move.at_dest(3).amid = tap(0, 0);
    move.at_dest(3).amid->queued = 10;
    CHECK(move.said() == "zero lost of 5,123 diverted");
    move.at_dest(3).after = tap(5122, 5122);
    CHECK(move.said() == "LOST 1 packet: the way from the tunnel to tap0 at the dest");
}

TEST_CASE("net/account: a filter that is not there counts nothing") {
    ktm::net::LinkFacts link;
    link.counters.tx_packets = 3;
    ktm::net::QdiscFacts filters;
    filters.parent = ktm::net::filters_parent;
    CHECK_FALSE(ktm::net::seen_of_tunnel(link, {filters}).counts);
    CHECK_FALSE(ktm::net::seen_of_tunnel(link, {}).counts);
    filters.packets = 30;
    CHECK(ktm::net::seen_of_tunnel(link, {filters}).counts);
    CHECK(ktm::net::seen_of_tunnel(link, {filters}).let_go == 30);
}

TEST_CASE("net/account: drops of a device that others use explain a loss, and are none") {
    Move move;
    move.at_source(2).after->counters.tx_dropped = 50;
    CHECK(move.said() == "zero lost of 5,123 diverted");
    move.at_dest(0).after = came(5122);
    CHECK(move.said() ==
          "LOST 1 packet: the wire between the nodes (eth0 at the source dropped 50, those of "
          "others among them)");
}

TEST_CASE("net/account: a device of the tunnel that drops is named") {
    Move move;
    SECTION("the one into which packets are sent") {
        move.at_source(0).after->counters.tx_errors = 3;
        CHECK(move.said() == "LOST 3 packets: the tunnel up0 at the source");
    }
    SECTION("the one below it") {
        move.at_dest(0).after = came(5120);
        move.at_source(1).after->counters.tx_dropped = 3;
        CHECK(move.said() == "LOST 3 packets: the tunnel's low0 at the source");
    }
    SECTION("the one at the other node") {
        move.at_dest(0).after = came(5120);
        move.at_dest(1).after->counters.rx_errors = 3;
        CHECK(move.said() == "LOST 3 packets: the tunnel's low1 at the dest");
    }
}

TEST_CASE("net/account: ring, plug and what nobody took are named") {
    Move move;
    SECTION("ring") {
        move.at_dest(3).after->counters.tx_dropped = 7;
        CHECK(move.said() == "LOST 7 packets: the ring of tap0 at the dest");
    }
    SECTION("plug") {
        move.at_dest(3).after->dropped = 7;
        CHECK(move.said() == "LOST 7 packets: the plug of tap0 at the dest");
    }
    SECTION("left") {
        move.at_dest(3).left = 7;
        CHECK(move.said() == "LOST 7 packets: tap0 at the dest, where nobody took them");
    }
    SECTION("several") {
        move.at_dest(3).after->counters.tx_dropped = 7;
        move.at_dest(3).left = 1000;
        CHECK(move.said() ==
              "LOST 1,007 packets: 1,000 in tap0 at the dest, where nobody took them, 7 in the "
              "ring of tap0 at the dest");
    }
}

TEST_CASE("net/account: where the guest did not come to run, all that came for it is lost") {
    Move move;
    move.source.resumed_at = 300;
    move.dest.resumed_at = 0;
    move.dest.gave_up = true;
    SECTION("whatever the tap says: its QEMU took it along") {
        CHECK(move.said() ==
              "LOST 5,123 packets: tap0 at the dest, where the guest did not come to run");
    }
    SECTION("and each of them once") {
        move.at_dest(0).after = came(5000);
        move.at_dest(3).after->counters.tx_dropped = 4000;
        move.at_dest(3).left = 1000;
        CHECK(move.said() ==
              "LOST 5,123 packets: 123 in the wire between the nodes, 5,000 in tap0 at the dest, "
              "where the guest did not come to run");
    }
    SECTION("but nothing of the guest's came where nothing was diverted") {
        move.source.diverts = false;
        move.at_dest(3).after->counters.tx_dropped = 1;
        CHECK(move.said().empty());
        CHECK(move.proof().is_idle);
    }
}

TEST_CASE("net/account: a tap that is closed may have had something in it") {
    Move move;
    move.at_dest(3).after->closed = true;
    CHECK(move.said() ==
          "not proven: nobody has tap0 at the dest open any more, and what it held is gone");
}

TEST_CASE("net/account: packets that were joined to one are no loss, and hide none") {
    Move move;
    Seen& after = *move.at_source(3).after;
    // 1,000 packets of 1,514 bytes came as 23, and the queue counted a header for each.
    after = tap(1900, 923);
    after.joins = true;
    after.let_go_bytes = 1'514'000;
    after.counters.tx_bytes = 1'514'000 - 977 * 66;
    CHECK(move.said() ==
          "not proven: 977 may wait in tap0 at the source, or were joined to others and taken "
          "with them");
    // The guest still ran, and took nothing: so nothing was there, and nothing has come since.
    move.at_source(3).again = after;
    move.at_source(3).still_at = 200;
    move.source.stopped_at = 200 + 20'000'000;
    CHECK(move.said() == "zero lost of 5,123 diverted");
    after.let_go += 3;
    after.let_go_bytes += 3 * 1514;
    CHECK(move.said().find("not proven: ") == 0);
    after.let_go -= 3;
    after.let_go_bytes -= 3 * 1514;
    // It may have stood by then.
    move.source.stopped_at -= 1;
    CHECK(move.said().find("not proven: 977 may wait") == 0);
    after.let_go_bytes += 10'000'000;
    CHECK(ktm::net::in_ring(tap(900, 900), after).sure == 151);
    after.joins = false;
    CHECK(ktm::net::in_ring(tap(900, 900), after).sure == 977);
}

TEST_CASE("net/account: what a tap drops that it never let go is lost once") {
    Move move;
    move.at_dest(3).after = tap(3123, 3123);
    move.at_dest(3).after->counters.tx_dropped = 2000;
    CHECK(move.said() == "LOST 2,000 packets: the ring of tap0 at the dest");
}

TEST_CASE("net/account: what others send to the tap hides no loss in front of it") {
    Move move;
    // All that came until the opening never arrived; later others send thousands.
    move.at_dest(3).amid = tap(0, 0);
    move.at_dest(3).after = tap(90'000, 90'000);
    CHECK(move.said() == "LOST 400 packets: the way from the tunnel to tap0 at the dest");
}

TEST_CASE(
    "net/account: what the guest has left in its tap is lost, unless others may have sent it") {
    Move move;
    move.at_source(3).amid = tap(900, 900);
    SECTION("it came before") {
        move.at_source(3).amid = tap(905, 900);
        move.at_source(3).before = tap(10, 10);
        move.at_source(3).after = tap(905, 900);
        CHECK(move.said() == "LOST 5 packets: tap0 at the source, which the guest had left");
    }
    SECTION("it came behind the diversion") {
        move.at_source(3).after = tap(902, 900);
        CHECK(move.said() ==
              "not proven: 2 wait in tap0 at the source that came when others "
              "were diverted");
    }
    SECTION("the guest is awake there again") {
        move.at_source(3).after = tap(905, 900);
        move.source.resumed_at = 300;
        CHECK(move.said() == "zero lost of 5,123 diverted");
    }
}

TEST_CASE("net/account: what a guest's own ring drops while it stands at home is lost") {
    Move move;
    move.at_source(3).late = move.at_source(3).after;
    move.at_source(3).late->counters.tx_dropped = 40;
    CHECK(move.said() == "LOST 40 packets: the ring of tap0 at the source");
    move.at_source(3).late = tap(904, 900);
    CHECK(move.said() ==
          "not proven: 4 came to tap0 at the source when nothing diverted them any more");
}

TEST_CASE("net/account: a guest that stood before the diversion may have lost one") {
    Move move;
    move.source.stopped_at = 50;
    CHECK(move.said().starts_with("not proven: the guest stood at the source before"));
}

TEST_CASE("net/account: what could not be read is said, and proves nothing") {
    Move move;
    move.at_dest(0).after.reset();
    move.at_dest(0).unread = "up1 is gone";
    CHECK(move.said() ==
          "not proven: the counters of up1 at the dest could not be read: up1 is gone");
    const Proof alone = ktm::net::prove(move.source, nullptr, false, {});
    CHECK(ktm::net::sentence(alone) == "not proven: the other node's counters are unknown");
    const Proof single = ktm::net::prove(move.source, nullptr, true, {});
    CHECK(ktm::net::sentence(single).starts_with("not proven: this run has no other node"));
}

TEST_CASE("net/account: more than went in is no proof, either") {
    Move move;
    move.at_dest(0).after = came(5124);
    move.at_dest(3).after = tap(5124, 5124);
    CHECK(move.said() ==
          "not proven: 1 more came out of the tunnel at the dest than went into it "
          "at the source");
}

TEST_CASE("net/account: where nothing was diverted or held there is nothing to say") {
    Move move;
    move.source.diverts = false;
    CHECK(move.said().empty());
    const Account nothing;
    CHECK(ktm::net::prove(nothing, nullptr, false, {}).says == Says::nothing);
    // But a loss is one.
    move.at_dest(3).left = 1;
    CHECK(move.said() == "LOST 1 packet: tap0 at the dest, where nobody took them");
}

TEST_CASE("net/account: the dark window is on one clock, with its error") {
    using std::chrono::milliseconds;
    Move move;
    move.source.stopped_at = 1'000'000'000;
    move.dest.resumed_at = 5'034'200'000;
    const ktm::net::ClockDifference ahead{milliseconds{4000}, milliseconds{1}};
    const Proof at_source = ktm::net::prove(move.source, &move.dest, false, ahead);
    REQUIRE(at_source.dark);
    CHECK(ktm::net::text_of(*at_source.dark) == "34.2 ms ± 1 ms");
    const ktm::net::ClockDifference behind{milliseconds{-4000}, milliseconds{1}};
    const Proof at_dest = ktm::net::prove(move.dest, &move.source, false, behind);
    REQUIRE(at_dest.dark);
    CHECK(at_dest.dark->length == at_source.dark->length);
    CHECK_FALSE(ktm::net::prove(move.source, &move.dest, false, std::nullopt).dark);
    move.source.resumed_at = 1'000'500'000;
    CHECK(ktm::net::text_of(*ktm::net::prove(move.source, nullptr, false, ahead).dark) == "500 us");
}

TEST_CASE("net/account: an account crosses as JSON, and comes out as it was") {
    const Move move;
    for (const Account& account : {move.source, move.dest, Account{}}) {
        const auto document = ktm::json::parse(ktm::net::to_json(account));
        REQUIRE(document);
        const auto read = ktm::net::account_from_json(document->root());
        REQUIRE(read);
        CHECK(*read == account);
    }
    CHECK_FALSE(ktm::net::account_from_json(ktm::json::parse(R"({"points":3})")->root()));
    CHECK_FALSE(ktm::net::account_from_json(ktm::json::parse("[]")->root()));
}
