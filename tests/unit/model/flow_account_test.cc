// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/flow_account_test.cc: claims about counting what a guest gets.
#include <catch2/catch.hpp>

#include <random>
#include <set>

#include "model/flow_account.hh"

namespace ktm::model {
namespace {

using namespace std::chrono_literals;

PacketTrain train(std::uint64_t first, std::uint64_t count, Duration at, Duration every = 0ns) {
    return {0, 1000, first, count, Instant{at}, every};
}

TEST_CASE("model/account: what comes once more is duplicated, what comes late is reordered") {
    FlowTally tally;
    tally.deliver(train(0, 10, 1ms, 1ms));
    tally.deliver(train(5, 3, 20ms));
    tally.deliver(train(20, 5, 21ms));
    tally.deliver(train(15, 10, 22ms));
    const FlowAccount account = tally.account();
    CHECK(account.delivered == 10 + 5 + 5);
    CHECK(account.duplicated == 3 + 5);
    CHECK(account.reordered == 3 + 10);
    CHECK(account.longest_gap == 10ms);
}

TEST_CASE("model/account: ranges in any order count as packets one at a time do") {
    std::mt19937 chance{1};
    for (int round = 0; round < 300; ++round) {
        FlowTally tally;
        std::set<std::uint64_t> got;
        std::uint64_t again = 0;
        std::uint64_t late = 0;
        for (int part = 0; part < 30; ++part) {
            const PacketTrain one = train(chance() % 200, 1 + chance() % 20, 1ms);
            const std::uint64_t newest = got.empty() ? 0 : *got.rbegin() + 1;
            for (std::uint64_t number = one.first; number < one.first + one.count; ++number) {
                late += number < newest ? 1 : 0;
                again += got.insert(number).second ? 0 : 1;
            }
            tally.deliver(one);
        }
        const FlowAccount account = tally.account();
        CHECK(account.delivered == got.size());
        CHECK(account.duplicated == again);
        CHECK(account.reordered == late);
    }
}

TEST_CASE("model/account: losses have a name and a node, and are summed") {
    FlowTally tally;
    tally.lose(Loss::ring_full, Side::dest, 3);
    tally.lose(Loss::ring_full, Side::source, 2);
    tally.lose(Loss::left_in_ring, Side::source, 1);
    const FlowAccount account = tally.account();
    CHECK(account.lost.at("no room in the dest's ring") == 3);
    CHECK(account.lost.at("left in the source's ring") == 1);
    CHECK(account.lost_in_all() == 6);
}

}  // namespace
}  // namespace ktm::model
