// SPDX-License-Identifier: Apache-2.0
// net/frames.hh: the frames that say where a guest is now.
#pragma once

#include <string>

#include "base/address.hh"
#include "net/mac_address.hh"

namespace ktm::net {

/// A gratuitous ARP request for an IPv4 address; an unsolicited neighbour advertisement, to all
/// nodes, with the override flag, for an IPv6 one.
[[nodiscard]] std::string announcement(const IpAddress& address, const MacAddress& mac);

/// A RARP request: bridges learn the port from it.
[[nodiscard]] std::string reverse_arp(const MacAddress& mac);

}  // namespace ktm::net
