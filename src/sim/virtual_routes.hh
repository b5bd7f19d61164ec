// SPDX-License-Identifier: Apache-2.0
// sim/virtual_routes.hh: the order of the simulated kernel's routes, and which one is taken.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/virtual_kernel.hh"

namespace ktm::sim {

/// In IPv6 a route of no metric has 1024.
[[nodiscard]] std::uint32_t effective_metric(Family family, std::uint32_t metric) noexcept;

/// Whether the kernel would call the second one a duplicate of the first.
[[nodiscard]] bool is_duplicate(const VirtualRoute& there, const VirtualRoute& wanted) noexcept;

/// Puts it among those of its prefix and table, by metric. Among those of its own metric it comes
/// first or last; in IPv6 always last.
void insert_route(std::vector<VirtualRoute>& routes, VirtualRoute route, bool first);

/// What a packet takes: the longest prefix, then the lowest metric, then the order.
[[nodiscard]] const VirtualRoute* route_to(const std::vector<VirtualRoute>& routes,
                                           const IpAddress& address, std::uint32_t table);

}  // namespace ktm::sim
