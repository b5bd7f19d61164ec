// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/told_ports.hh: ports of a simulated world, each of whose uses is told.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ports/loop.hh"

namespace ktm::testing {

/// Hears one line for each thing that goes out.
using Tell = std::function<void(const std::string& line)>;

/// Programs: "exec ip link".
[[nodiscard]] std::unique_ptr<ports::Processes> told_processes(ports::Processes& processes,
                                                               Tell tell);

/// Requests to the kernel with their outcomes, guards and frames: "net: look at tap0: ok". What is
/// not answered at once is told twice. LIFETIME: the ports and who hears outlive it.
[[nodiscard]] std::unique_ptr<ports::Networks> told_networks(ports::Networks& networks, Tell tell);

/// What is written into journals: "journal: hold 1: delete the tunnel ktm0". Everything else of the
/// files is not told.
[[nodiscard]] std::unique_ptr<ports::Files> told_files(ports::Files& files, Tell tell);

}  // namespace ktm::testing
