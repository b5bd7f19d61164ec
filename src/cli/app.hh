// SPDX-License-Identifier: Apache-2.0
// cli/app.hh: the command line.
#pragma once

#include <functional>

#include "ports/loop.hh"

namespace ktm::cli {

/// Reads the command line and runs what it asks for. Returns the exit code.
[[nodiscard]] int run_app(const ports::World& world, int argc, const char* const* argv);

/// What a command needs that reaches into nothing.
struct Desk {
    ports::Files& files;
    std::function<Instant()> now;
};

/// The same with the commands alone that need no more than that.
[[nodiscard]] int run_simulator(const Desk& desk, int argc, const char* const* argv);

}  // namespace ktm::cli
