// SPDX-License-Identifier: Apache-2.0
// net/tunnel.hh: the tunnel between two nodes: which devices carry it, and what they need.
//
// Theory of operation. A guest sends packets as large as its network allows, and marks them "do not
// fragment". In a tunnel they do not fit any more, so the outer packet must be fragmented, which
// Linux does for gre over IPv4 alone (ignore-df), not for ipip with its own addresses, not over
// IPv6. So every other tunnel is wrapped: the device that the network sees is the lower one, and on
// it lies a gre of the two nodes, with addresses that only the tunnel knows; what is too large is
// fragmented there, and put together at the far end.
//
//     guest's packet → upper: gre, 169.254.x.y, fragments → lower: ipip, gre, vxlan, v4 or v6
//
// Without the wrapping (bare) a kernel needs no gre, and the tunnel carries less: see carries().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/wanted.hh"

namespace ktm::net {

enum class TunnelMode : std::uint8_t { ipip, gre, vxlan };
[[nodiscard]] std::optional<TunnelMode> tunnel_mode(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(TunnelMode mode) noexcept;

struct TunnelWish {
    TunnelMode mode = TunnelMode::ipip;
    bool frames = false;             ///< It carries Ethernet frames, for a bridged guest.
    bool wrapped = true;             ///< Both ends must agree.
    std::optional<IpAddress> local;  ///< Without it the one that the kernel would take.
    IpAddress remote;
    std::uint8_t ttl = 64;
    std::uint32_t mtu = 1500;  ///< The largest packet of the guest.
    std::uint32_t id = 0;      ///< Tells tunnels of the same two nodes apart; both ends must agree.
    std::uint16_t port = 4789;  ///< Of a vxlan.
    std::string lower_name;
    std::string upper_name;
    std::string tag;
};

/// The largest packet of a guest that gets through, whatever its marks; 0: none of this family.
struct Carries {
    std::uint32_t v4 = 0;
    std::uint32_t v6 = 0;
    friend bool operator==(const Carries&, const Carries&) = default;
};

/// The devices of a tunnel.
struct TunnelForm {
    TunnelLink lower;
    std::optional<TunnelLink> upper;
    std::optional<IpPrefix> lower_address;
    Carries carries;
    LinkFacts underlay;  ///< The device that carries it, as it was before.

    /// The device into which packets are sent, and out of which they come.
    [[nodiscard]] const TunnelLink& entrance() const noexcept { return upper ? *upper : lower; }
    /// What a route into it must say.
    [[nodiscard]] std::optional<Encapsulation> encapsulation() const;
    /// Whom a route into it must name as the neighbour: a device that carries frames asks for the
    /// address of everybody, and at the far end nobody answers for a guest.
    [[nodiscard]] std::optional<MacAddress> far_mac() const;
    friend bool operator==(const TunnelForm&, const TunnelForm&) = default;
};

/// Decides. `local` is set; `underlay_mtu` is that of the way to the far end. An error says what
/// does not fit.
[[nodiscard]] Result<TunnelForm> form_of(const TunnelWish& wish, std::uint32_t underlay_mtu);

/// Makes the devices and lets in what comes out of them. `form` is filled when it is decided.
[[nodiscard]] Wanted want_tunnel(TunnelWish wish, std::shared_ptr<TunnelForm> form);

}  // namespace ktm::net
