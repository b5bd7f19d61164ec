// SPDX-License-Identifier: Apache-2.0
// sim/virtual_routes.cc: the order of the simulated kernel's routes, and which one is taken.
#include "sim/virtual_routes.hh"

#include <utility>

namespace ktm::sim {

namespace {

constexpr std::uint32_t metric_default_v6 = 1024;

bool is_beside(const net::RouteFacts& left, const net::RouteFacts& right) noexcept {
    return left.to == right.to && left.table == right.table;
}

}  // namespace

std::uint32_t effective_metric(Family family, std::uint32_t metric) noexcept {
    return family == Family::v6 && metric == 0 ? metric_default_v6 : metric;
}

bool is_duplicate(const VirtualRoute& there, const VirtualRoute& wanted) noexcept {
    const bool same_way =
        is_beside(there.facts, wanted.facts) && there.facts.metric == wanted.facts.metric &&
        there.facts.link == wanted.facts.link && there.facts.via == wanted.facts.via &&
        there.encapsulation == wanted.encapsulation;
    const bool is_v6 = wanted.facts.to.address().family() == Family::v6;
    return same_way && (is_v6 || there.facts.protocol == wanted.facts.protocol);
}

void insert_route(std::vector<VirtualRoute>& routes, VirtualRoute route, bool first) {
    first = first && route.facts.to.address().family() == Family::v4;
    auto place = routes.end();
    for (auto there = routes.begin(); there != routes.end(); ++there) {
        if (!is_beside(there->facts, route.facts)) {
            continue;
        }
        const bool before = there->facts.metric > route.facts.metric ||
                            (first && there->facts.metric == route.facts.metric);
        if (before) {
            place = there;
            break;
        }
        place = there + 1;
    }
    routes.insert(place, std::move(route));
}

const VirtualRoute* route_to(const std::vector<VirtualRoute>& routes, const IpAddress& address,
                             std::uint32_t table) {
    const VirtualRoute* best = nullptr;
    for (const VirtualRoute& route : routes) {
        const bool fits = route.facts.table == table && route.facts.to.contains(address);
        if (!fits) {
            continue;
        }
        const bool better = best == nullptr || route.facts.to.length() > best->facts.to.length() ||
                            (route.facts.to.length() == best->facts.to.length() &&
                             route.facts.metric < best->facts.metric);
        if (better) {
            best = &route;
        }
    }
    return best;
}

}  // namespace ktm::sim
