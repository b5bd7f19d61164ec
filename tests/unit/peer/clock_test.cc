// SPDX-License-Identifier: Apache-2.0
// tests/unit/peer/clock_test.cc: how far the other clock is ahead.
#include <catch2/catch.hpp>

#include "peer/clock_estimate.hh"

using ktm::Duration;
using ktm::Instant;
using ktm::peer::ClockEstimate;
using std::chrono::milliseconds;

namespace {

Instant at(int ms) {
    return Instant{milliseconds{ms}};
}

}  // namespace

TEST_CASE("peer/clock: an exchange gives the round trip and the offset") {
    ClockEstimate estimate;
    CHECK(!estimate.best());
    // 1000 ms ahead; 4 ms there, 10 ms there, 6 ms back.
    estimate.add({at(0), at(1004), at(1014), at(20)});
    REQUIRE(estimate.best());
    CHECK(estimate.best()->round_trip == milliseconds{10});
    CHECK(estimate.best()->offset == milliseconds{999});
}

TEST_CASE("peer/clock: the quickest of the last sixteen counts") {
    ClockEstimate estimate;
    estimate.add({at(0), at(1001), at(1001), at(2)});
    for (int i = 1; i <= 15; ++i) {
        estimate.add({at(i * 100), at(i * 100 + 1040), at(i * 100 + 1040), at(i * 100 + 50)});
    }
    CHECK(estimate.best()->round_trip == milliseconds{2});
    estimate.add({at(2000), at(3040), at(3040), at(2050)});
    CHECK(estimate.best()->round_trip == milliseconds{50});
    estimate.add({at(3000), at(4001), at(4001), at(3002)});
    CHECK(estimate.best()->offset == milliseconds{1000});
}

TEST_CASE("peer/clock: an exchange that cannot have been is passed over") {
    ClockEstimate estimate;
    estimate.add({at(0), at(10), at(5), at(20)});
    estimate.add({at(0), at(10), at(50), at(20)});
    CHECK(!estimate.best());
}
