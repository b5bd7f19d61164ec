// SPDX-License-Identifier: Apache-2.0
// net/answer.hh: what the kernel says of a network namespace, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hh"
#include "net/mac_address.hh"
#include "net/request.hh"

namespace ktm::net {

/// As the device counts: for a tap, "tx" is what its reader took, and "tx dropped" what did not
/// fit into its ring.
struct Counters {
    std::uint64_t rx_packets = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t rx_dropped = 0;
    std::uint64_t rx_errors = 0;
    std::uint64_t tx_packets = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t tx_dropped = 0;
    std::uint64_t tx_errors = 0;
    /// Of these, what IPv6 says to all that are there, and hears of them: the kernel's own words,
    /// never a packet for a guest.
    std::uint64_t rx_words = 0;
    std::uint64_t tx_words = 0;
    friend bool operator==(const Counters&, const Counters&) = default;
};

struct LinkFacts {
    std::uint32_t index = 0;
    std::string name;
    std::string kind;  ///< "vxlan", "tun", "veth"; empty for hardware and loopback.
    std::string tag;   ///< Its alias.
    std::optional<MacAddress> mac;
    bool is_tap = false;
    bool joins = false;  ///< A tap whose reader may take packets that were joined to one.
    bool up = false;
    bool carrier = false;  ///< Of a tap: somebody has it open.
    std::uint32_t mtu = 0;
    std::uint32_t queue_length = 0;
    std::uint32_t joined_max = 0;  ///< Packets that may come to it joined to one; 0: not told.
    std::uint32_t master = 0;      ///< The index of the bridge that it belongs to; 0: none.
    Counters counters;
    friend bool operator==(const LinkFacts&, const LinkFacts&) = default;
};

struct RouteFacts {
    IpPrefix to;
    std::string link;
    std::optional<IpAddress> via;
    std::optional<IpAddress> source;  ///< Preferred source address.
    std::uint32_t table = main_table;
    std::uint32_t metric = 0;
    std::uint8_t protocol = 0;
    std::uint32_t mtu = 0;  ///< 0: none of its own.
    friend bool operator==(const RouteFacts&, const RouteFacts&) = default;
};

/// Where a qdisc can sit that belongs to no other: it takes what leaves, or it is `ingress` or
/// `clsact`, where filters are.
inline constexpr std::uint32_t root_parent = 0xffffffff;
inline constexpr std::uint32_t filters_parent = 0xfffffff1;

struct QdiscFacts {
    std::string kind;
    std::uint32_t handle = 0;
    std::uint32_t parent = 0;   ///< root_parent, filters_parent, or another's class.
    std::string options;        ///< The kernel's own bytes.
    std::uint64_t packets = 0;  ///< That were let go.
    std::uint64_t bytes = 0;
    std::uint32_t queued_packets = 0;
    std::uint32_t queued_bytes = 0;
    std::uint32_t dropped = 0;
    friend bool operator==(const QdiscFacts&, const QdiscFacts&) = default;
};

struct FilterFacts {
    std::string kind;
    std::uint16_t priority = 0;
    std::uint32_t handle = 0;
    bool ours = false;  ///< Its action carries our mark.
    friend bool operator==(const FilterFacts&, const FilterFacts&) = default;
};

struct NeighbourFacts {
    IpAddress address;
    std::optional<MacAddress> mac;
    std::string link;
    bool permanent = false;
    std::uint8_t protocol = 0;
    friend bool operator==(const NeighbourFacts&, const NeighbourFacts&) = default;
};

struct AddressFacts {
    IpPrefix address;
    std::string link;
    friend bool operator==(const AddressFacts&, const AddressFacts&) = default;
};

/// The answer to one request; a change has an empty one, a query fills the part that it asked for.
struct Answer {
    std::vector<LinkFacts> links;
    std::vector<RouteFacts> routes;
    std::vector<QdiscFacts> qdiscs;
    std::vector<FilterFacts> filters;
    std::vector<NeighbourFacts> neighbours;
    std::vector<AddressFacts> addresses;
    std::string text;  ///< Of a setting.
};
using Answers = std::vector<Answer>;

/// Something in the namespace changed, whoever did it.
struct Change {
    enum class Of : std::uint8_t { link, route, qdisc, neighbour };
    Of of = Of::link;
    bool gone = false;
    LinkFacts link;     ///< Of a link.
    RouteFacts route;   ///< Of a route.
    std::string name;   ///< The device of a qdisc or a neighbour.
    std::string kind;   ///< Of a qdisc.
    IpAddress address;  ///< Of a neighbour.
};

}  // namespace ktm::net
