// SPDX-License-Identifier: Apache-2.0
// tests/unit/base/wall_time_test.cc: dates that are read.
#include "base/wall_time.hh"

#include <catch2/catch.hpp>

using namespace ktm;

TEST_CASE("a date that was written is read as what it was", "[base/time]") {
    for (const std::int64_t us :
         {0LL, 1LL, 1795227836274241LL, -86400000001LL, 951782400000000LL}) {
        const WallTime time{std::chrono::microseconds{us}};
        const Result<WallTime> read = parse_wall_time(format_wall_time(time));
        REQUIRE(read);
        CHECK(*read == time);
    }
    CHECK(parse_wall_time("1970-01-01T00:00:01Z")->time_since_epoch() == std::chrono::seconds{1});
    CHECK(parse_wall_time("1970-01-01T00:00:00.5Z")->time_since_epoch() ==
          std::chrono::milliseconds{500});
}

TEST_CASE("what is no date is refused", "[base/time]") {
    for (const char* text : {"", "Z", "2026-11-21", "2026-11-21T10:15:30", "2026-13-21T10:15:30Z",
                             "2026-02-30T10:15:30Z", "2026-11-21T24:15:30Z", "2026-11-21 10:15:30Z",
                             "2026-11-21T10:15:30.Z", "2026-11-21T10:15:30.1xZ",
                             "0000-01-01T00:00:00Z", "9999-01-01T00:00:00Z"}) {
        INFO(text);
        CHECK(!parse_wall_time(text));
    }
}
