// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/world.hh: the real ports for a test, which must leave the loop empty.
#pragma once

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "os/loop.hh"

namespace ktm::os::testing {

class TestWorld {
public:
    TestWorld() {
        std::string pattern = std::filesystem::temp_directory_path() / "ktm-test-XXXXXX";
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        folder = pattern;
    }

    /// Every test ends here: no handle is left in the loop, and no file of ours in /tmp.
    ~TestWorld() {
        CHECK(real.loop().close() == std::vector<std::string>{});
        std::filesystem::remove_all(folder);
    }

    TestWorld(const TestWorld&) = delete;
    TestWorld& operator=(const TestWorld&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return folder / name; }

    /// Runs until stop() or until nothing is left; a test that hangs fails after a while.
    void run(std::chrono::milliseconds limit = std::chrono::seconds{10}) {
        bool late = false;
        const auto guard = ports.clock.arm(limit, [&] {
            late = true;
            ports.loop.stop();
        });
        ports.loop.run();
        CHECK_FALSE(late);
    }
    void stop() { ports.loop.stop(); }

    RealWorld real;
    ports::World ports = real.ports();
    std::filesystem::path folder;
};

[[nodiscard]] inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

[[nodiscard]] inline std::string content(const std::string& path) {
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace ktm::os::testing
