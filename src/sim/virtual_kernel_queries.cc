// SPDX-License-Identifier: Apache-2.0
// sim/virtual_kernel_queries.cc: the requests that ask the simulated kernel.
#include <algorithm>
#include <cerrno>
#include <type_traits>
#include <variant>

#include "sim/virtual_kernel.hh"
#include "sim/virtual_routes.hh"

namespace ktm::sim {

namespace {

constexpr std::uint32_t handle_ingress = 0xffff0000;
constexpr std::uint32_t local_table = 255;

void add_plug(const VirtualPlug& plug, std::uint32_t parent, std::vector<net::QdiscFacts>& qdiscs) {
    net::QdiscFacts facts;
    facts.kind = "plug";
    facts.handle = net::our_plug_handle;
    facts.parent = parent;
    facts.queued_packets = plug.queued_packets;
    facts.queued_bytes = plug.queued_bytes;
    facts.dropped = plug.dropped;
    qdiscs.push_back(std::move(facts));
}

std::vector<net::QdiscFacts> qdiscs_of(const VirtualLink& link) {
    std::vector<net::QdiscFacts> qdiscs;
    const VirtualRoot& root = link.root;
    if (root.plug && !root.pacer) {
        add_plug(*root.plug, net::root_parent, qdiscs);
    } else {
        net::QdiscFacts facts;
        facts.kind = root.kind;
        facts.handle = root.handle;
        facts.parent = net::root_parent;
        facts.options = root.options;
        qdiscs.push_back(std::move(facts));
    }
    qdiscs.back().packets = root.packets;
    qdiscs.back().bytes = root.bytes;
    if (root.plug && root.pacer) {
        add_plug(*root.plug, net::our_pacer_handle + 1, qdiscs);
    }
    qdiscs.insert(qdiscs.end(), root.parts.begin(), root.parts.end());
    if (!link.filter_room.empty()) {
        net::QdiscFacts facts;
        facts.kind = link.filter_room;
        facts.handle = handle_ingress;
        facts.parent = net::filters_parent;
        if (link.tunnel) {
            facts.packets = link.facts.counters.rx_packets + link.facts.counters.tx_packets;
        }
        qdiscs.push_back(std::move(facts));
    }
    return qdiscs;
}

}  // namespace

/// Each fills the answer and gives 0, or the errno.
struct VirtualKernel::Queries {
    const VirtualKernel& kernel;
    net::Answer& answer;
    const VirtualKernelState& state = kernel.state_;

    int operator()(const net::FindLink& wanted) const {
        const VirtualLink* link = kernel.link(wanted.name);
        if (link != nullptr) {
            answer.links.push_back(link->facts);
        }
        return 0;
    }

    int operator()(const net::ListLinks&) const {
        for (const VirtualLink& link : state.links) {
            answer.links.push_back(link.facts);
        }
        return 0;
    }

    int operator()(const net::FindRoutes& wanted) const {
        for (const VirtualRoute& route : state.routes) {
            if (route.facts.to == wanted.to && route.facts.table == wanted.table) {
                answer.routes.push_back(route.facts);
            }
        }
        return 0;
    }

    int operator()(const net::RouteTo& wanted) const {
        net::RouteFacts facts;
        const auto local = std::find_if(state.addresses.begin(), state.addresses.end(),
                                        [&](const net::AddressFacts& address) {
                                            return address.address.address() == wanted.address;
                                        });
        if (local != state.addresses.end()) {
            facts.link = "lo";
            facts.table = local_table;
            facts.source = wanted.address;
        } else {
            const VirtualRoute* taken = route_to(state.routes, wanted.address, net::main_table);
            if (taken == nullptr) {
                return ENETUNREACH;
            }
            facts = taken->facts;
            for (const net::AddressFacts& address : state.addresses) {
                const bool fits = address.link == facts.link &&
                                  address.address.address().family() == wanted.address.family();
                if (!facts.source && fits) {
                    facts.source = address.address.address();
                }
            }
        }
        facts.to = *IpPrefix::parse(wanted.address.text());
        answer.routes.push_back(std::move(facts));
        return 0;
    }

    int operator()(const net::ListOurRoutes& wanted) const {
        for (const VirtualRoute& route : state.routes) {
            if (route.facts.protocol == net::our_protocol &&
                route.facts.to.address().family() == wanted.family) {
                answer.routes.push_back(route.facts);
            }
        }
        return 0;
    }

    int operator()(const net::ListQdiscs& wanted) const {
        const VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr) {
            return ENODEV;
        }
        answer.qdiscs = qdiscs_of(*link);
        return 0;
    }

    int operator()(const net::ListFilters& wanted) const {
        const VirtualLink* link = kernel.link(wanted.link);
        if (link == nullptr) {
            return ENODEV;
        }
        for (const VirtualFilter& filter : link->filters) {
            if (filter.direction == wanted.direction) {
                answer.filters.push_back(filter.facts);
            }
        }
        return 0;
    }

    int operator()(const net::ListNeighbours& wanted) const {
        if (kernel.link(wanted.link) == nullptr) {
            return ENODEV;
        }
        for (const net::NeighbourFacts& neighbour : state.neighbours) {
            if (neighbour.link == wanted.link) {
                answer.neighbours.push_back(neighbour);
            }
        }
        return 0;
    }

    int operator()(const net::ListAddresses& wanted) const {
        if (!wanted.link.empty() && kernel.link(wanted.link) == nullptr) {
            return ENODEV;
        }
        for (const net::AddressFacts& address : state.addresses) {
            if (wanted.link.empty() || address.link == wanted.link) {
                answer.addresses.push_back(address);
            }
        }
        return 0;
    }

    int operator()(const net::ReadSetting& wanted) const {
        const auto setting = state.settings.find(wanted.name);
        if (setting == state.settings.end()) {
            return ENOENT;
        }
        answer.text = setting->second;
        return 0;
    }

    int operator()(const net::FindKind& wanted) const {
        answer.text =
            state.lacking.contains(wanted.name) ? net::kind_is_lacking : net::kind_is_there;
        return 0;
    }
};

int VirtualKernel::query(const net::Request& request, net::Answer& answer) const {
    return std::visit(
        [&](const auto& one) -> int {
            if constexpr (std::is_invocable_v<Queries, decltype(one)>) {
                return Queries{*this, answer}(one);
            } else {
                return EINVAL;
            }
        },
        request);
}

}  // namespace ktm::sim
