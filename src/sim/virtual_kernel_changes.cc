// SPDX-License-Identifier: Apache-2.0
// sim/virtual_kernel_changes.cc: the requests that change the simulated kernel.
#include <algorithm>
#include <cerrno>
#include <type_traits>
#include <utility>
#include <variant>

#include "sim/virtual_kernel.hh"
#include "sim/virtual_routes.hh"

namespace ktm::sim {

namespace {

constexpr std::uint8_t protocol_kernel = 2;
constexpr std::uint32_t queue_length_max = 1U << 24U;

bool is_ours(const VirtualRoot& root) noexcept {
    return root.handle == net::our_pacer_handle || root.handle == net::our_plug_handle;
}

/// The tunnels that the kernel could not tell apart.
bool collide(const net::TunnelLink& there, const net::TunnelLink& wanted) noexcept {
    if (there.carrier != wanted.carrier || there.by_route != wanted.by_route) {
        return false;
    }
    if (wanted.carrier == net::Carrier::vxlan) {
        return there.id == wanted.id && there.port == wanted.port &&
               (wanted.by_route || there.remote == wanted.remote);
    }
    return wanted.by_route ||
           (there.local == wanted.local && there.remote == wanted.remote && there.id == wanted.id);
}

/// The names below `conf` that a write to "all" changes as well: every device, and the default.
bool is_forwarding_of(const std::string& name, const std::string& family) {
    return name.starts_with(family + "/conf/") && name.ends_with("/forwarding");
}

}  // namespace

/// Each gives 0, or the errno with which Linux refuses.
struct VirtualKernel::Changes {
    VirtualKernel& kernel;
    VirtualKernelState& state = kernel.state_;

    int operator()(const net::AddTunnel& wanted) const {
        const net::TunnelLink& tunnel = wanted.link;
        if (!kernel.has(net::name_of(tunnel.carrier))) {
            return EOPNOTSUPP;
        }
        if (!net::is_link_name(tunnel.name)) {
            return EINVAL;
        }
        const bool there =
            std::any_of(state.links.begin(), state.links.end(), [&](const VirtualLink& link) {
                return link.facts.name == tunnel.name ||
                       (link.tunnel && collide(*link.tunnel, tunnel));
            });
        if (there) {
            return EEXIST;
        }
        VirtualLink& made = kernel.add_link(tunnel.name, std::string{net::name_of(tunnel.carrier)});
        made.tunnel = tunnel;
        made.facts.tag = tunnel.tag;
        made.facts.mtu = tunnel.mtu;
        if (net::carries_frames(tunnel.carrier)) {
            made.facts.mac = tunnel.mac;
        }
        if (kernel.has("clsact") && kernel.has("u32")) {
            made.filter_room = "clsact";
        }
        return 0;
    }

    int operator()(const net::DeleteLink& wanted) const {
        const VirtualLink* link = kernel.link(wanted.name);
        if (link == nullptr) {
            return ENODEV;
        }
        if (link->facts.kind.empty()) {
            return EOPNOTSUPP;
        }
        kernel.delete_link(wanted.name);
        return 0;
    }

    int operator()(const net::AddAddress& wanted) const {
        if (kernel.link(wanted.link) == nullptr) {
            return ENODEV;
        }
        const net::AddressFacts facts{wanted.address, wanted.link};
        if (std::find(state.addresses.begin(), state.addresses.end(), facts) !=
            state.addresses.end()) {
            return EEXIST;
        }
        state.addresses.push_back(facts);
        if (wanted.address.length() < wanted.address.address().bits()) {
            VirtualRoute route;
            route.facts.to = wanted.address.network();
            route.facts.link = wanted.link;
            route.facts.source = wanted.address.address();
            route.facts.protocol = protocol_kernel;
            route.facts.metric = effective_metric(wanted.address.address().family(), 0);
            insert_route(state.routes, route, false);
            kernel.tell_route(route, false);
        }
        return 0;
    }

    int operator()(const net::SetQueueLength& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr) {
            return ENODEV;
        }
        if (wanted.packets > queue_length_max) {
            return ENOMEM;
        }
        link->facts.queue_length = wanted.packets;
        if (wanted.joined_max != 0) {
            link->facts.joined_max = wanted.joined_max;
        }
        kernel.tell_link(*link, false);
        return 0;
    }

    int operator()(const net::SetInput& wanted) const {
        if (kernel.link(wanted.link) == nullptr) {
            return ENODEV;
        }
        const std::string folder = "ipv4/conf/" + wanted.link;
        state.settings[folder + "/rp_filter"] = std::to_string(wanted.reverse_path_filter);
        state.settings[folder + "/forwarding"] = wanted.forwarding ? "1" : "0";
        return 0;
    }

    // --- Routes and neighbours ------------------------------------------------------------------

    int operator()(const net::AddRoute& wanted) const {
        const VirtualLink* link = kernel.link(wanted.route.link);
        if (link == nullptr) {
            return ENODEV;
        }
        if (!link->facts.up) {
            return ENETDOWN;
        }
        if (wanted.route.to.network() != wanted.route.to) {
            return EINVAL;
        }
        VirtualRoute route;
        route.facts.to = wanted.route.to;
        route.facts.link = wanted.route.link;
        route.facts.via = wanted.route.via;
        route.facts.table = wanted.route.table;
        route.facts.metric =
            effective_metric(wanted.route.to.address().family(), wanted.route.metric);
        route.facts.protocol = wanted.route.protocol;
        route.encapsulation = wanted.route.encapsulation;
        const bool there =
            std::any_of(state.routes.begin(), state.routes.end(),
                        [&](const VirtualRoute& one) { return is_duplicate(one, route); });
        if (there) {
            return EEXIST;
        }
        insert_route(state.routes, route, true);
        kernel.tell_route(route, false);
        return 0;
    }

    int operator()(const net::DeleteRoute& wanted) const {
        if (kernel.link(wanted.route.link) == nullptr) {
            return ENODEV;
        }
        const auto found =
            std::find_if(state.routes.begin(), state.routes.end(), [&](const VirtualRoute& route) {
                // As the kernel compares: a metric of 0 is any.
                return route.facts.to == wanted.route.to &&
                       route.facts.table == wanted.route.table &&
                       route.facts.link == wanted.route.link &&
                       route.facts.protocol == wanted.route.protocol &&
                       (wanted.route.metric == 0 || route.facts.metric == wanted.route.metric) &&
                       (!wanted.route.via || route.facts.via == wanted.route.via);
            });
        if (found == state.routes.end()) {
            return ESRCH;
        }
        kernel.tell_route(*found, true);
        state.routes.erase(found);
        return 0;
    }

    auto neighbour(const IpAddress& address, const std::string& link) const {
        return std::find_if(state.neighbours.begin(), state.neighbours.end(),
                            [&](const net::NeighbourFacts& one) {
                                return one.address == address && one.link == link;
                            });
    }

    int operator()(const net::SetNeighbour& wanted) const {
        if (kernel.link(wanted.link) == nullptr) {
            return ENODEV;
        }
        auto place = neighbour(wanted.address, wanted.link);
        if (place == state.neighbours.end()) {
            place = state.neighbours.insert(place, net::NeighbourFacts{});
        }
        *place =
            net::NeighbourFacts{wanted.address, wanted.mac, wanted.link, true, wanted.protocol};
        kernel.tell_neighbour(*place, false);
        return 0;
    }

    int operator()(const net::DeleteNeighbour& wanted) const {
        if (kernel.link(wanted.link) == nullptr) {
            return ENODEV;
        }
        const auto place = neighbour(wanted.address, wanted.link);
        if (place == state.neighbours.end()) {
            return ENOENT;
        }
        kernel.tell_neighbour(*place, true);
        state.neighbours.erase(place);
        return 0;
    }

    // --- Root qdiscs ----------------------------------------------------------------------------

    int operator()(const net::AddPacer& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr || !kernel.has("tbf") || is_ours(link->root)) {
            return link == nullptr ? ENODEV : kernel.has("tbf") ? EEXIST : ENOENT;
        }
        link->root = VirtualRoot{};
        link->root.kind = "tbf";
        link->root.handle = net::our_pacer_handle;
        link->root.pacer = VirtualPacer{};
        kernel.tell_qdisc(wanted.link, "tbf", false);
        return 0;
    }

    int operator()(const net::SetPace& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr || !link->root.pacer) {
            return link == nullptr ? ENODEV : ENOENT;
        }
        link->root.pacer->packets_per_second = wanted.packets_per_second;
        return 0;
    }

    int operator()(const net::AddPlug& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr || !kernel.has("plug")) {
            return link == nullptr ? ENODEV : ENOENT;
        }
        if (wanted.below_pacer && !link->root.pacer) {
            return ENOENT;
        }
        if (link->root.plug || (!wanted.below_pacer && is_ours(link->root))) {
            return EEXIST;
        }
        if (!wanted.below_pacer) {
            link->root = VirtualRoot{};
            link->root.kind = "plug";
            link->root.handle = net::our_plug_handle;
        }
        link->root.plug = VirtualPlug{};
        link->root.plug->limit_bytes = wanted.limit_bytes;
        kernel.tell_qdisc(wanted.link, "plug", false);
        return 0;
    }

    /// The plug where it is said to be, or an errno.
    int plug(const std::string& name, bool below_pacer, VirtualPlug*& found) const {
        VirtualLink* link = kernel.link(name);
        if (link == nullptr) {
            return ENODEV;
        }
        if (!link->root.plug || link->root.pacer.has_value() != below_pacer) {
            return ENOENT;
        }
        found = &*link->root.plug;
        return 0;
    }

    int operator()(const net::BlockPlug& wanted) const {
        VirtualPlug* found = nullptr;
        const int fault = plug(wanted.link, wanted.below_pacer, found);
        if (fault == 0) {
            found->blocked = true;
        }
        return fault;
    }

    int operator()(const net::OpenPlug& wanted) const {
        VirtualPlug* found = nullptr;
        const int fault = plug(wanted.link, wanted.below_pacer, found);
        if (fault == 0) {
            found->blocked = false;
            found->queued_packets = 0;
            found->queued_bytes = 0;
        }
        return fault;
    }

    int operator()(const net::DeleteRootQdisc& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr || link->root.handle == 0) {
            return link == nullptr ? ENODEV : ENOENT;
        }
        if (link->root.handle != wanted.handle) {
            return EINVAL;
        }
        kernel.tell_qdisc(wanted.link, link->root.kind, true);
        link->root = VirtualRoot{};
        link->root.kind = link->default_qdisc;
        return 0;
    }

    int operator()(const net::PutRootQdisc& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr || !kernel.has(wanted.saved.kind)) {
            return link == nullptr ? ENODEV : ENOENT;
        }
        link->root = VirtualRoot{};
        link->root.kind = wanted.saved.kind;
        link->root.handle = wanted.saved.handle;
        link->root.options = wanted.saved.options;
        kernel.tell_qdisc(wanted.link, wanted.saved.kind, false);
        return 0;
    }

    // --- Filters --------------------------------------------------------------------------------

    int operator()(const net::AddClsact& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr || !kernel.has("clsact")) {
            return link == nullptr ? ENODEV : ENOENT;
        }
        if (!link->filter_room.empty()) {
            return EEXIST;
        }
        link->filter_room = "clsact";
        kernel.tell_qdisc(wanted.link, "clsact", false);
        return 0;
    }

    int operator()(const net::DeleteClsact& wanted) const {
        VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr || link->filter_room.empty()) {
            return link == nullptr ? ENODEV : ENOENT;
        }
        kernel.tell_qdisc(wanted.link, link->filter_room, true);
        link->filter_room.clear();
        link->filters.clear();
        return 0;
    }

    int operator()(const net::AddRedirect& wanted) const {
        const net::Redirect& redirect = wanted.redirect;
        VirtualLink* link = kernel.link(redirect.link);
        if (link == nullptr || kernel.link(redirect.to) == nullptr) {
            return ENODEV;
        }
        if (!kernel.has("u32")) {
            return ENOENT;
        }
        const bool has_room =
            link->filter_room == "clsact" ||
            (link->filter_room == "ingress" && redirect.direction == net::Direction::ingress);
        if (!has_room) {
            return EINVAL;
        }
        for (const VirtualFilter& there : link->filters) {
            const bool same_place =
                there.direction == redirect.direction && there.facts.priority == redirect.priority;
            if (same_place && there.facts.kind != "u32") {
                return EINVAL;
            }
            if (same_place && there.facts.handle == net::our_filter_handle) {
                return EEXIST;
            }
        }
        VirtualFilter filter;
        filter.direction = redirect.direction;
        filter.facts = net::FilterFacts{"u32", redirect.priority, net::our_filter_handle, true};
        filter.redirect = redirect;
        const auto place = std::find_if(
            link->filters.begin(), link->filters.end(),
            [&](const VirtualFilter& there) { return there.facts.priority > redirect.priority; });
        link->filters.insert(place, std::move(filter));
        return 0;
    }

    int operator()(const net::DeleteRedirect& wanted) const {
        VirtualLink* link = kernel.link(wanted.redirect.link);
        if (link == nullptr || link->filter_room.empty()) {
            return link == nullptr ? ENODEV : EINVAL;
        }
        const auto gone = std::erase_if(link->filters, [&](const VirtualFilter& there) {
            return there.direction == wanted.redirect.direction &&
                   there.facts.priority == wanted.redirect.priority &&
                   there.facts.handle == net::our_filter_handle;
        });
        return gone == 0 ? ENOENT : 0;
    }

    // --- Settings -------------------------------------------------------------------------------

    int operator()(const net::WriteSetting& wanted) const {
        const auto setting = state.settings.find(wanted.name);
        if (setting == state.settings.end()) {
            return ENOENT;
        }
        const bool changed = std::exchange(setting->second, wanted.value) != wanted.value;
        const bool of_v4 =
            wanted.name == "ipv4/ip_forward" || wanted.name == "ipv4/conf/all/forwarding";
        const bool of_v6 = wanted.name == "ipv6/conf/all/forwarding";
        if (!changed || (!of_v4 && !of_v6)) {
            return 0;
        }
        // Whoever writes to "all" writes to every device.
        for (auto& [name, value] : state.settings) {
            if (is_forwarding_of(name, of_v4 ? "ipv4" : "ipv6") ||
                (of_v4 && name == "ipv4/ip_forward")) {
                value = wanted.value;
            }
        }
        return 0;
    }
};

std::optional<int> VirtualKernel::change(const net::Request& request) {
    return std::visit(
        [this](const auto& one) -> std::optional<int> {
            if constexpr (std::is_invocable_v<Changes, decltype(one)>) {
                return Changes{*this}(one);
            } else {
                return std::nullopt;
            }
        },
        request);
}

}  // namespace ktm::sim
