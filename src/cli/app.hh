// SPDX-License-Identifier: Apache-2.0
// cli/app.hh: the command line.
#pragma once

#include "ports/loop.hh"

namespace ktm::cli {

/// Reads the command line and runs what it asks for. Returns the exit code.
[[nodiscard]] int run_app(const ports::World& world, int argc, const char* const* argv);

/// The same with the commands alone that need nothing but files.
[[nodiscard]] int run_simulator(ports::Files& files, int argc, const char* const* argv);

}  // namespace ktm::cli
