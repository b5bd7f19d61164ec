// SPDX-License-Identifier: Apache-2.0
// model/packet_path.cc: where two simulated kernels lead a packet for the guest.
#include "model/packet_path.hh"

#include <algorithm>
#include <utility>

#include "net/tunnel.hh"
#include "sim/virtual_routes.hh"

namespace ktm::model {

namespace {

using sim::VirtualLink;
using sim::VirtualRoute;

/// LIMIT: of filters that send a frame to each other.
constexpr unsigned redirects_max = 8;

const VirtualLink* link_of(const PacketNode& node, std::string_view name) {
    const VirtualLink* link = node.kernel->link(name);
    return link != nullptr && link->facts.up ? link : nullptr;
}

bool is_on(const PacketNode& node, const std::string& setting) {
    const auto& settings = node.kernel->state().settings;
    const auto found = settings.find(setting);
    return found != settings.end() && found->second != "0";
}

// --- Tunnels ------------------------------------------------------------------------------------

TunnelEnds ends_of(const net::TunnelLink& tunnel) {
    return {tunnel.carrier, tunnel.local, tunnel.remote, tunnel.id, tunnel.port};
}

/// The wish of which a bare tunnel of this kind would have been made.
net::TunnelWish bare_wish(const net::TunnelLink& tunnel, const TunnelEnds& ends) {
    net::TunnelWish wish;
    using net::Carrier;
    switch (tunnel.carrier) {
        case Carrier::ipip:
        case Carrier::ip6tnl: wish.mode = net::TunnelMode::ipip; break;
        case Carrier::vxlan: wish.mode = net::TunnelMode::vxlan; break;
        case Carrier::gre:
        case Carrier::gretap:
        case Carrier::ip6gre:
        case Carrier::ip6gretap: wish.mode = net::TunnelMode::gre; break;
    }
    wish.frames = net::carries_frames(tunnel.carrier);
    wish.wrapped = false;
    wish.local = ends.local;
    wish.remote = ends.remote;
    wish.mtu = tunnel.mtu;
    wish.id = tunnel.id;
    wish.lower_name = tunnel.name;
    return wish;
}

bool has_address(const PacketNode& node, const IpAddress& address) {
    const auto& addresses = node.kernel->state().addresses;
    return std::any_of(addresses.begin(), addresses.end(), [&](const net::AddressFacts& one) {
        return one.address.address() == address;
    });
}

/// Whether what went into `sent` comes out of `there`.
bool fits(const net::TunnelLink& there, const TunnelEnds& sent) {
    if (there.carrier != sent.carrier || there.id != sent.id || there.port != sent.port) {
        return false;
    }
    return there.by_route || (there.local == sent.remote && there.remote == sent.local);
}

const VirtualLink* far_end(const PacketNode& node, const TunnelEnds& sent) {
    const auto& links = node.kernel->state().links;
    const auto found = std::find_if(links.begin(), links.end(), [&](const VirtualLink& link) {
        return link.facts.up && link.tunnel && fits(*link.tunnel, sent);
    });
    return found == links.end() ? nullptr : &*found;
}

// --- One packet ---------------------------------------------------------------------------------

/// Follows one packet at one node.
class Walk {
public:
    Walk(const PacketNode& node, const PacketNode& far, const Flow& flow)
        : node_(node), far_(far), flow_(flow) {}

    void see(const VirtualLink& link, bool in) {
        if (path_.crossed_count < path_.crossed.size()) {
            path_.crossed[path_.crossed_count++] = Crossed{link.facts.index, in};
        }
    }
    void routed(const VirtualLink& came_in);
    void framed_in(const VirtualLink& link, const std::optional<net::MacAddress>& to);
    void lost(Loss loss) {
        path_.end = PacketPath::End::lost;
        path_.loss = loss;
    }
    [[nodiscard]] PacketPath take() && { return std::move(path_); }

private:
    [[nodiscard]] bool forwards(const VirtualLink& came_in) const;
    [[nodiscard]] std::optional<net::MacAddress> neighbour(const std::string& link) const;
    void framed_out(const VirtualLink& link, const std::optional<net::MacAddress>& to);
    [[nodiscard]] bool redirected(const VirtualLink& link, net::Direction direction,
                                  const std::optional<net::MacAddress>& to);
    void into_tap(const VirtualLink& tap, const std::optional<net::MacAddress>& to);
    void into_tunnel(const VirtualLink& entrance, const VirtualRoute* route,
                     const std::optional<net::MacAddress>& to);
    [[nodiscard]] bool is_carried(const net::Carries& carries) const;
    [[nodiscard]] const VirtualRoute* way_to(const IpAddress& address) const {
        return sim::route_to(node_.kernel->state().routes, address, net::main_table);
    }

    const PacketNode& node_;
    const PacketNode& far_;
    const Flow& flow_;
    unsigned redirects_ = 0;
    PacketPath path_;
};

bool Walk::forwards(const VirtualLink& came_in) const {
    if (flow_.to.family() == Family::v6) {
        return is_on(node_, "ipv6/conf/all/forwarding");
    }
    return is_on(node_, "ipv4/conf/" + came_in.facts.name + "/forwarding");
}

std::optional<net::MacAddress> Walk::neighbour(const std::string& link) const {
    for (const net::NeighbourFacts& one : node_.kernel->state().neighbours) {
        if (one.link == link && one.address == flow_.to) {
            return one.mac;
        }
    }
    return std::nullopt;
}

void Walk::routed(const VirtualLink& came_in) {
    if (!forwards(came_in)) {
        lost(Loss::no_forwarding);
        return;
    }
    const VirtualRoute* route = way_to(flow_.to);
    const VirtualLink* link = route == nullptr ? nullptr : link_of(node_, route->facts.link);
    if (link == nullptr) {
        lost(Loss::no_route);
        return;
    }
    if (!link->facts.is_tap && !link->tunnel) {
        lost(Loss::led_elsewhere);
        return;
    }
    const bool needs_neighbour = link->facts.is_tap || net::carries_frames(link->tunnel->carrier);
    std::optional<net::MacAddress> to;
    if (needs_neighbour) {
        to = neighbour(link->facts.name);
        const bool answers = link->facts.is_tap && node_.knows_guest;
        if (!to && !answers) {
            lost(Loss::no_neighbour);
            return;
        }
    }
    if (link->facts.is_tap) {
        // What the stack sends out passes the filters of the device as well.
        framed_out(*link, to ? to : node_.mac);
    } else {
        into_tunnel(*link, route, to);
    }
}

void Walk::framed_in(const VirtualLink& link, const std::optional<net::MacAddress>& to) {
    if (redirected(link, net::Direction::ingress, to)) {
        return;
    }
    if (to && link.facts.mac == to) {
        routed(link);
        return;
    }
    for (const VirtualLink& port : node_.kernel->state().links) {
        if (link.facts.master != 0 && port.facts.master == link.facts.master && port.facts.is_tap &&
            port.facts.up) {
            framed_out(port, to);
            return;
        }
    }
    lost(Loss::led_elsewhere);
}

void Walk::framed_out(const VirtualLink& link, const std::optional<net::MacAddress>& to) {
    if (redirected(link, net::Direction::egress, to)) {
        return;
    }
    if (link.facts.is_tap) {
        into_tap(link, to);
    } else if (link.tunnel) {
        into_tunnel(link, nullptr, to);
    } else {
        lost(Loss::led_elsewhere);
    }
}

bool Walk::redirected(const VirtualLink& link, net::Direction direction,
                      const std::optional<net::MacAddress>& to) {
    for (const sim::VirtualFilter& filter : link.filters) {
        const bool takes = filter.direction == direction && filter.redirect &&
                           (!filter.redirect->mac || filter.redirect->mac == to);
        if (!takes) {
            continue;
        }
        const VirtualLink* target = link_of(node_, filter.redirect->to);
        if (target == nullptr || ++redirects_ > redirects_max) {
            lost(target == nullptr ? Loss::no_route : Loss::went_round);
        } else if (filter.redirect->to_ingress) {
            framed_in(*target, to);
        } else {
            framed_out(*target, to);
        }
        return true;
    }
    return false;
}

void Walk::into_tap(const VirtualLink& tap, const std::optional<net::MacAddress>& to) {
    if (to && node_.mac && to != node_.mac) {
        lost(Loss::no_neighbour);  // Its NIC takes no frames of others.
        return;
    }
    path_.end = PacketPath::End::tap;
    path_.tap = tap.facts.index;
}

bool Walk::is_carried(const net::Carries& carries) const {
    const bool v6 = flow_.to.family() == Family::v6;
    const std::uint32_t carried = v6 ? carries.v6 : carries.v4;
    const bool can_be_cut = !v6 && !flow_.dont_fragment && carried > 0;
    return flow_.bytes <= carried || can_be_cut;
}

/// What is wrapped is found by its outer packet, which goes into another tunnel.
void Walk::into_tunnel(const VirtualLink& entrance, const VirtualRoute* route,
                       const std::optional<net::MacAddress>& to) {
    const net::TunnelLink& tunnel = *entrance.tunnel;
    TunnelEntry entry{ends_of(tunnel), std::nullopt, to};
    if (tunnel.by_route) {
        if (route == nullptr || !route->encapsulation) {
            lost(Loss::no_way_across);
            return;
        }
        entry.lower.local = route->encapsulation->local;
        entry.lower.remote = route->encapsulation->remote;
    }
    net::Carries carries{tunnel.mtu, tunnel.mtu};
    const VirtualLink* lower = nullptr;
    const VirtualRoute* way = way_to(entry.lower.remote);
    const VirtualLink* out = way == nullptr ? nullptr : link_of(node_, way->facts.link);
    if (out != nullptr && out->tunnel) {
        entry.upper = std::exchange(entry.lower, ends_of(*out->tunnel));
        lower = out;
        way = way_to(entry.lower.remote);
        out = way == nullptr ? nullptr : link_of(node_, way->facts.link);
    } else if (out != nullptr) {
        const std::uint32_t mtu = way->facts.mtu == 0 ? out->facts.mtu : way->facts.mtu;
        const Result<net::TunnelForm> form = net::form_of(bare_wish(tunnel, entry.lower), mtu);
        carries = form ? form->carries : net::Carries{};
    }
    const bool crosses = out != nullptr && !out->tunnel && has_address(far_, entry.lower.remote);
    if (!crosses) {
        lost(Loss::no_way_across);
    } else if (!is_carried(carries)) {
        lost(Loss::too_big);
    } else {
        see(entrance, false);
        if (lower != nullptr) {
            see(*lower, false);
        }
        see(*out, false);
        path_.end = PacketPath::End::wire;
        path_.entry = std::move(entry);
    }
}

}  // namespace

PacketPath path_in(const PacketNode& node, const PacketNode& far, const Flow& flow) {
    Walk walk{node, far, flow};
    const VirtualLink* underlay = link_of(node, node.underlay);
    if (underlay == nullptr) {
        walk.lost(Loss::no_route);
    } else if (flow.frames) {
        walk.see(*underlay, true);
        walk.framed_in(*underlay, node.mac);
    } else {
        walk.see(*underlay, true);
        walk.routed(*underlay);
    }
    return std::move(walk).take();
}

PacketPath path_out_of(const TunnelEntry& entry, const PacketNode& node, const PacketNode& far,
                       const Flow& flow) {
    Walk walk{node, far, flow};
    const VirtualLink* exit = far_end(node, entry.lower);
    if (exit != nullptr && entry.upper) {
        const VirtualLink* upper = far_end(node, *entry.upper);
        if (upper != nullptr) {
            walk.see(*exit, true);
        }
        exit = upper;
    }
    if (exit == nullptr) {
        walk.lost(Loss::no_tunnel);
        return std::move(walk).take();
    }
    walk.see(*exit, true);
    if (net::carries_frames(exit->tunnel->carrier)) {
        walk.framed_in(*exit, entry.to);
    } else {
        walk.routed(*exit);
    }
    return std::move(walk).take();
}

}  // namespace ktm::model
