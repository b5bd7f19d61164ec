// SPDX-License-Identifier: Apache-2.0
// tests/unit/base/base_test.cc: results, errors, units, names and texts.
#include <catch2/catch.hpp>

#include <cerrno>
#include <memory>

#include "base/bytes.hh"
#include "base/id.hh"
#include "base/log.hh"
#include "base/nearest.hh"
#include "base/result.hh"
#include "base/text.hh"
#include "base/time.hh"
#include "base/unique_function.hh"

using ktm::Bytes;
using ktm::Duration;
using ktm::Error;
using ktm::Kind;
using ktm::Result;
using namespace std::chrono_literals;

TEST_CASE("base/error: one line reads like a sentence, with code and cause") {
    const Error plain = ktm::system_error(ECONNREFUSED, "connect to /run/vm.qmp");
    CHECK(plain.sentence() ==
          "could not connect to /run/vm.qmp: connection refused (ECONNREFUSED)");

    Error inner = plain;
    const Error outer =
        std::move(inner).wrapped(Kind::lost, "connection-lost", "QEMU is gone", "run stop");
    CHECK(outer.sentence() ==
          "could not run stop: QEMU is gone (connection-lost), because could "
          "not connect to /run/vm.qmp: connection refused (ECONNREFUSED)");
}

TEST_CASE("base/error: an unknown errno value still makes an error that can be read") {
    CHECK(ktm::system_error(99999, "read").code == "errno-99999");
}

TEST_CASE("base/error: a system text that is a name keeps its capital letters") {
    CHECK(ktm::system_error(EIO, "read").what == "input/output error");
}

TEST_CASE("base/error: the caller's intent is added only where there is none") {
    Error bare{Kind::invalid, "x", "it is wrong", "", nullptr};
    CHECK(std::move(bare).while_trying("read a").during == "read a");
    Error owned{Kind::invalid, "x", "it is wrong", "read b", nullptr};
    CHECK(std::move(owned).while_trying("read a").during == "read b");
}

TEST_CASE("base/result: holds a value or an error, and gives back what it holds") {
    Result<std::unique_ptr<int>> good{std::make_unique<int>(7)};
    REQUIRE(good);
    CHECK(*std::move(good).value_or(nullptr) == 7);

    const Result<int> bad{Error{Kind::io, "EIO", "no", "", nullptr}};
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code == "EIO");
    CHECK(Result<int>{bad}.value_or(3) == 3);
}

TEST_CASE("base/result: KTM_CHECK passes an error on and stops there") {
    int reached = 0;
    const auto attempt = [&](Result<void> first) -> Result<void> {
        KTM_CHECK(first);
        ++reached;
        return {};
    };
    CHECK(attempt({}));
    CHECK_FALSE(attempt(Error{Kind::io, "EIO", "no", "", nullptr}));
    CHECK(reached == 1);
}

TEST_CASE("base/unique_function: owns what cannot be copied and is empty after a move") {
    ktm::UniqueFunction<int(int)> add = [base = std::make_unique<int>(40)](int x) {
        return *base + x;
    };
    ktm::UniqueFunction<int(int)> moved = std::move(add);
    CHECK(moved(2) == 42);
    CHECK(moved);
    CHECK_FALSE(static_cast<bool>(add));
}

TEST_CASE("base/id: ids count from one and differ by their tag") {
    ktm::IdCounter<struct Tag> counter;
    CHECK(counter.next().value == 1);
    CHECK(counter.next().value == 2);
    CHECK(counter.last() == 2);
}

TEST_CASE("base/log: lines are dropped without a sink and reach it with their level") {
    ktm::log::info("nobody listens");
    std::string seen;
    ktm::log::send_to([&](ktm::log::Level level, const std::string& line) {
        seen += level == ktm::log::Level::warning ? "W:" + line : "?";
    });
    ktm::log::warning("it is late");
    ktm::log::send_to(nullptr);
    ktm::log::error("nobody listens");
    CHECK(seen == "W:it is late");
}

TEST_CASE("base/time: durations are read with their unit, exactly") {
    CHECK(*ktm::parse_duration("25ms") == 25ms);
    CHECK(*ktm::parse_duration("1.5s") == 1500ms);
    CHECK(*ktm::parse_duration("0.000000001s") == 1ns);
    CHECK(*ktm::parse_duration("2min") == 120s);
    CHECK(*ktm::parse_duration("1h") == 3600s);
    CHECK(*ktm::parse_duration("0s") == 0s);
    CHECK(*ktm::parse_duration("292d") == 292 * 24h);
}

TEST_CASE("base/time: every malformed duration is refused, with what was expected") {
    for (const char* text : {"", "25", "ms", "-1s", "+1s", " 1s", "1 s", "1s ", "1.s", ".5s",
                             "1e3s", "1.0000000001s", "1S", "1sec", "0x1s", "1,5s", "--", "١s"}) {
        INFO(text);
        const Result<Duration> result = ktm::parse_duration(text);
        REQUIRE_FALSE(result);
        CHECK(result.error().what.find("expected a number with a unit, such as 25ms") !=
              std::string::npos);
    }
}

TEST_CASE("base/time: a duration beyond 292 years is refused, not wrapped") {
    for (const char* text : {"9223372037s", "9223372036.9s", "99999999999999999999ns", "106752d"}) {
        INFO(text);
        REQUIRE_FALSE(ktm::parse_duration(text));
        CHECK(ktm::parse_duration(text).error().code == "too-large");
    }
    CHECK(ktm::parse_duration("9223372036854775807ns"));
}

TEST_CASE("base/time: durations are shown in the unit that a person would choose") {
    CHECK(ktm::format_duration(0ns) == "0 ns");
    CHECK(ktm::format_duration(999ns) == "999 ns");
    CHECK(ktm::format_duration(35100us) == "35.1 ms");
    CHECK(ktm::format_duration(1500ms) == "1.5 s");
    CHECK(ktm::format_duration(125s) == "2 min 5 s");
    CHECK(ktm::format_duration(3660s) == "1 h 1 min");
    CHECK(ktm::format_duration(-5ms) == "-5 ms");
    CHECK(ktm::format_duration(Duration::min()) == "-292 years");
}

TEST_CASE("base/time: civil time is RFC 3339 in UTC with microseconds") {
    CHECK(ktm::format_wall_time(ktm::WallTime{1795227836s + 274241us}) ==
          "2026-11-21T02:23:56.274241Z");
    CHECK(ktm::format_wall_time(ktm::WallTime{0s}) == "1970-01-01T00:00:00.000000Z");
}

TEST_CASE("base/bytes: amounts are read with their unit and shown in three digits") {
    CHECK(ktm::parse_bytes("16MiB")->count == 16U << 20U);
    CHECK(ktm::parse_bytes("1.5kB")->count == 1500);
    CHECK(ktm::parse_bytes("4096B")->count == 4096);
    CHECK_FALSE(ktm::parse_bytes("16"));
    CHECK_FALSE(ktm::parse_bytes("16M"));
    CHECK_FALSE(ktm::parse_bytes("16mb"));
    CHECK(ktm::parse_bytes("99999999TB").error().code == "too-large");
    CHECK(ktm::format_bytes(Bytes{0}) == "0 B");
    CHECK(ktm::format_bytes(Bytes{999}) == "999 B");
    CHECK(ktm::format_bytes(Bytes{134758400}) == "135 MB");
    CHECK(ktm::format_bytes(Bytes{2250000000}) == "2.25 GB");
    CHECK(ktm::format_bytes(Bytes{99960000}) == "100 MB");
    CHECK(ktm::format_bytes(Bytes{UINT64_MAX}) == "18.4 EB");
}

TEST_CASE("base/nearest: slips of the finger find the name, far words find none") {
    const std::vector<std::string> names{"migrate",       "migrate_cancel", "migrate-continue",
                                         "query-migrate", "query-status",   "stop"};
    CHECK(ktm::nearest("migrat", names).front() == "migrate");
    CHECK(ktm::nearest("migrate-cancel", names).front() == "migrate_cancel");
    CHECK(ktm::nearest("query-staus", names).front() == "query-status");
    CHECK(ktm::nearest("sotp", names).front() == "stop");
    CHECK(ktm::nearest("xyzzy", names).empty());
    CHECK(ktm::nearest("", names).empty());
    CHECK(ktm::nearest(std::string(100000, 'a'), names).empty());
    CHECK(ktm::did_you_mean("migrate-cancle", names) == "; did you mean 'migrate_cancel'?");
    CHECK(ktm::did_you_mean("zzz", names).empty());
}

TEST_CASE("base/text: control characters, terminal escapes and bad UTF-8 become visible") {
    CHECK(ktm::printable("plain Ünïcödé ✓") == "plain Ünïcödé ✓");
    CHECK(ktm::printable("\x1b[31mred\n") == "\\x1b[31mred\\x0a");
    CHECK(ktm::printable("a\xff"
                         "b") == "a\\xffb");
    CHECK(ktm::printable("\xc2\x9b"
                         "2J") == "\\xc2\\x9b2J");
    CHECK(ktm::printable("\xe2\x80\xae"
                         "abc") == "\\xe2\\x80\\xaeabc");
    CHECK(ktm::printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
    CHECK(ktm::printable("\xc0\xaf") == "\\xc0\\xaf");
    CHECK(ktm::printable("\xf0\x9f\x98") == "\\xf0\\x9f\\x98");
}

TEST_CASE("base/text: an excerpt never cuts a character in two") {
    CHECK(ktm::excerpt("äöü", 3) == "ä…");
    CHECK(ktm::excerpt("abc", 3) == "abc");
}

TEST_CASE("base/text: parts go behind what is there, one after the other") {
    std::string text = "a";
    ktm::append(text, {"b", std::string{"c"}, "", "d"});
    CHECK(text == "abcd");
}
