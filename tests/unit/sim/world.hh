// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/world.hh: a virtual world for a test, which must leave its clock empty.
#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <string>

#include "sim/virtual_world.hh"

namespace ktm::sim::testing {

class TestWorld {
public:
    TestWorld() = default;
    ~TestWorld() {
        if (leak_check) {
            CHECK(sim.loop().close() == 0);
        }
    }
    TestWorld(const TestWorld&) = delete;
    TestWorld& operator=(const TestWorld&) = delete;

    void run() {
        ports.loop.run();
        CHECK_FALSE(sim.loop().fault());
    }
    void stop() { ports.loop.stop(); }

    VirtualWorld sim;
    ports::World ports = sim.ports();
    bool leak_check = true;
    int inside = 0;  ///< Raised by a test while it is inside a call that must not call back.
};

/// The text of a file of tests/data.
inline std::string data(const std::string& name) {
    std::ifstream file{std::string(std::getenv("KTM_DATA")) + "/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace ktm::sim::testing
