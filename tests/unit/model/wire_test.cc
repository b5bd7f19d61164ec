// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/wire_test.cc: claims about the network between the nodes.
#include <catch2/catch.hpp>

#include <string>

#include "model/wire.hh"

namespace ktm::model {
namespace {

TEST_CASE("model/wire: watchers hear each change once, in the order in which they came") {
    sim::VirtualClock clock;
    Wire wire{clock, {}};
    std::string heard;
    const auto first = wire.watch([&](bool cut) { heard += cut ? "a-" : "a+"; });
    const auto second = wire.watch([&](bool cut) { heard += cut ? "b-" : "b+"; });
    wire.cut();
    wire.cut();
    CHECK(wire.is_cut());
    wire.heal();
    CHECK(heard == "a-b-a+b+");
}

TEST_CASE("model/wire: a watcher may leave, and another come, inside a call") {
    sim::VirtualClock clock;
    Wire wire{clock, {}};
    std::string heard;
    std::unique_ptr<ports::Pinned> late;
    std::unique_ptr<ports::Pinned> leaves;
    std::unique_ptr<ports::Pinned> left;
    leaves = wire.watch([&](bool) {
        heard += 'x';
        leaves.reset();
        left.reset();
        late = wire.watch([&](bool) { heard += 'l'; });
        heard += 'y';
    });
    left = wire.watch([&](bool) { heard += '!'; });
    wire.cut();
    CHECK(heard == "xy");
    wire.heal();
    CHECK(heard == "xyl");
}

}  // namespace
}  // namespace ktm::model
