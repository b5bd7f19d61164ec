// SPDX-License-Identifier: Apache-2.0
// model/packet_path.hh: where two simulated kernels lead a packet for the guest.
//
// Theory of operation. A packet is somewhere at a node: it came in through a device, from the
// fabric or out of a tunnel. A routed one goes where the routing table says, where the node
// forwards what comes in through that device. A frame goes where the first filter that fits sends
// it, else over the bridge to the tap. Both end at a tap, on the wire, or lost. What goes into a
// tunnel needs the same tunnel at the other node, with the ends, the key and the port that fit; out
// of a device that carries frames comes a packet for the device itself, or a frame for the guest.
//
// LIMIT: rules and tables other than the main one are not followed, nor reverse-path filters; of
// the filters of others those alone of which it is known where they lead.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "model/flow_account.hh"
#include "sim/virtual_kernel.hh"

namespace ktm::model {

/// Packets for the guest that somebody sends.
struct Flow {
    std::string name = "guest";
    IpAddress to;
    std::uint64_t packets_per_second = 1000;
    std::uint32_t bytes = 1500;  ///< Of the packet, without an Ethernet header.
    bool dont_fragment = true;
    bool frames = false;  ///< It comes as a frame for the guest, over a bridge, and is not routed.
    Instant from{};
    std::optional<std::uint64_t> packets;  ///< Nothing: without end.
};

/// A node as packets see it.
struct PacketNode {
    const sim::VirtualKernel* kernel = nullptr;
    std::string underlay = "eth0";       ///< The device to the fabric.
    std::optional<net::MacAddress> mac;  ///< Of the guest.
    bool knows_guest = false;            ///< It ran here, and has answered.
};

/// What tells a tunnel from others, seen from where a packet goes into it.
struct TunnelEnds {
    net::Carrier carrier = net::Carrier::ipip;
    IpAddress local;
    IpAddress remote;
    std::uint32_t id = 0;
    std::uint16_t port = 0;
    friend bool operator==(const TunnelEnds&, const TunnelEnds&) = default;
};

/// How a packet went into a tunnel.
struct TunnelEntry {
    TunnelEnds lower;
    std::optional<TunnelEnds> upper;
    std::optional<net::MacAddress> to;  ///< Of a frame.
    friend bool operator==(const TunnelEntry&, const TunnelEntry&) = default;
};

/// A device that counts the packet, by its index.
struct Crossed {
    std::uint32_t link = 0;
    bool in = false;
};

struct PacketPath {
    enum class End : std::uint8_t { tap, wire, lost };
    End end = End::lost;
    Loss loss = Loss::no_route;        ///< Of one that is lost.
    std::uint32_t tap = 0;             ///< The index of the device.
    std::optional<TunnelEntry> entry;  ///< Of one that goes over the wire.
    /// LIMIT: the first ones.
    std::array<Crossed, 6> crossed{};
    std::uint8_t crossed_count = 0;
};

/// From the fabric into this node.
[[nodiscard]] PacketPath path_in(const PacketNode& node, const PacketNode& far, const Flow& flow);
/// Over the wire to this node, out of the tunnel into which it went at the other one.
[[nodiscard]] PacketPath path_out_of(const TunnelEntry& entry, const PacketNode& node,
                                     const PacketNode& far, const Flow& flow);

}  // namespace ktm::model
