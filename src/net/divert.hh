// SPDX-License-Identifier: Apache-2.0
// net/divert.hh: the guest's packets sent elsewhere: into the tunnel, or to the tap.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/wanted.hh"

namespace ktm::net {

/// Routes for the addresses of a guest, in front of those that are there.
struct RouteWish {
    std::vector<IpAddress> addresses;
    std::string link;  ///< Where they lead.
    std::uint32_t table = main_table;
    std::optional<Encapsulation> encapsulation;  ///< Of a tunnel that gets its far end by route.
    std::optional<MacAddress> mac;  ///< Of the guest: it is known as a neighbour from then on.
    bool arrives = false;  ///< Packets of others come through this node: it must forward them.
};
[[nodiscard]] Result<Wanted> want(const RouteWish& wish);

/// Neighbours that are known for good.
[[nodiscard]] Result<Wanted> want_neighbours(const std::vector<IpAddress>& addresses,
                                             const MacAddress& mac, const std::string& link);

/// Frames that are redirected by a filter of ours in front of all others.
[[nodiscard]] Result<Wanted> want(const Redirect& wish);

}  // namespace ktm::net
