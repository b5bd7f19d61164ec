// SPDX-License-Identifier: Apache-2.0
// net/divert.cc: routes and filters in front of those that are there.
#include "net/divert.hh"

#include <algorithm>
#include <utility>

namespace ktm::net {

namespace {

/// LIMIT: addresses of one guest; all of them go out in one message.
constexpr std::size_t addresses_max = 64;
/// In IPv6 the lower metric wins; what nobody sets is 1024.
constexpr std::uint32_t first_metric_v6 = 1;
constexpr std::uint32_t usual_metric_v6 = 1024;

Error no_such_link(const std::string& name) {
    return misfit("ENODEV", "there is no interface " + name);
}

IpPrefix host_prefix(const IpAddress& address) {
    return *IpPrefix::parse(address.text());
}

/// One diversion at a time, and none in front of an arrival.
Result<void> refuse_diverted(const IpAddress& address, const Answer& there) {
    for (const RouteFacts& route : there.routes) {
        if (route.protocol == our_protocol) {
            return misfit("diverted", address.text() + " is diverted already, to " + route.link);
        }
    }
    return {};
}

/// The metric with which ours comes first. In IPv4 a route is put before those of the same metric;
/// in IPv6 it must have a lower one. An arrival stays, and leaves room in front of it: a guest that
/// has come is diverted from there one day.
Result<std::uint32_t> metric_in_front(const IpAddress& address, const Answer& there, bool arrives) {
    std::uint32_t lowest = UINT32_MAX;
    for (const RouteFacts& route : there.routes) {
        lowest = std::min(lowest, route.metric);
    }
    if (address.family() == Family::v4) {
        return there.routes.empty() ? 0 : lowest;
    }
    if (lowest <= first_metric_v6) {
        return misfit("no-room", "there is a route to " + address.text() +
                                     " of metric 1, and none can come before it");
    }
    return arrives ? std::min(lowest, usual_metric_v6) / 2 : first_metric_v6;
}

UndoNeighbour undo_of(const SetNeighbour& ours, const Answer& there) {
    for (const NeighbourFacts& neighbour : there.neighbours) {
        if (neighbour.address == ours.address && neighbour.permanent) {
            return UndoNeighbour{ours, neighbour.mac, neighbour.protocol};
        }
    }
    return UndoNeighbour{ours, std::nullopt, 0};
}

/// A guest that has been here before: its way is there still.
bool is_there(const Route& wanted, const Answer& there) {
    return std::any_of(there.routes.begin(), there.routes.end(), [&](const RouteFacts& route) {
        return route.protocol == wanted.protocol && route.link == wanted.link;
    });
}

Result<void> check(const std::vector<IpAddress>& addresses) {
    if (addresses.empty() || addresses.size() > addresses_max) {
        return wrong("expected 1 to " + std::to_string(addresses_max) + " addresses, got " +
                     std::to_string(addresses.size()));
    }
    for (auto address = addresses.begin(); address != addresses.end(); ++address) {
        if (std::find(addresses.begin(), address, *address) != address) {
            return wrong(address->text() + " is there twice");
        }
    }
    return {};
}

Steps neighbour_steps(const std::vector<IpAddress>& addresses, const SetNeighbour& pattern,
                      const Answer& there) {
    Steps steps;
    for (const IpAddress& address : addresses) {
        SetNeighbour ours = pattern;
        ours.address = address;
        steps.push_back({ours, undo_of(ours, there), true});
    }
    return steps;
}

bool has_v6(const std::vector<IpAddress>& addresses) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [](const IpAddress& address) { return address.family() == Family::v6; });
}

/// In IPv4 the tunnel's own device forwards; IPv6 knows one switch for the whole node.
Result<void> check_forwarding(const Answer& all) {
    if (all.text.starts_with('0')) {
        return misfit("no-forwarding",
                      "this node forwards no IPv6 (net.ipv6.conf.all.forwarding is 0), so nothing "
                      "would reach the guest; set it to 1");
    }
    return {};
}

Result<Steps> route_steps(const RouteWish& wish, const Answers& answers) {
    const std::size_t count = wish.addresses.size();
    if (wish.arrives && has_v6(wish.addresses)) {
        KTM_CHECK(check_forwarding(answers.back()));
    }
    if (answers[count].links.empty()) {
        return no_such_link(wish.link);
    }
    Steps steps;
    const std::uint8_t protocol = wish.arrives ? arrival_protocol : our_protocol;
    if (wish.mac) {
        steps = neighbour_steps(wish.addresses, SetNeighbour{{}, *wish.mac, wish.link, protocol},
                                answers[count + 1]);
    }
    for (std::size_t at = 0; at < count; ++at) {
        const IpAddress& address = wish.addresses[at];
        KTM_CHECK(refuse_diverted(address, answers[at]));
        Route route{host_prefix(address), wish.link, std::nullopt, wish.table, 0,
                    wish.encapsulation,   protocol};
        if (wish.arrives && is_there(route, answers[at])) {
            continue;
        }
        Result<std::uint32_t> metric = metric_in_front(address, answers[at], wish.arrives);
        if (!metric) {
            return std::move(metric).error();
        }
        route.metric = *metric;
        steps.push_back({AddRoute{route}, UndoRoute{route}, true});
    }
    if (!steps.empty()) {
        steps.back().with_next = false;
    }
    return steps;
}

bool has_kind(const Answer& qdiscs, std::string_view kind) {
    return std::any_of(qdiscs.qdiscs.begin(), qdiscs.qdiscs.end(), [&](const QdiscFacts& qdisc) {
        return qdisc.parent == filters_parent && qdisc.kind == kind;
    });
}

Result<Steps> redirect_steps(const Redirect& wish, const Answers& answers) {
    if (answers[0].links.empty() || answers[1].links.empty()) {
        return no_such_link(answers[0].links.empty() ? wish.link : wish.to);
    }
    const bool clsact = has_kind(answers[2], "clsact");
    const bool ingress = has_kind(answers[2], "ingress");
    if (ingress && wish.direction == Direction::egress) {
        return misfit("no-room", wish.link +
                                     " has a qdisc `ingress`, and beside that none for "
                                     "what leaves; redirect where the frames come in");
    }
    for (const FilterFacts& filter : answers[3].filters) {
        if (filter.ours) {
            return misfit("diverted", "frames at " + wish.link + " are redirected already");
        }
        if (filter.priority <= wish.priority) {
            return misfit("no-room", "a filter of " + wish.link + " has the priority " +
                                         std::to_string(filter.priority) +
                                         ", and ours must come before it");
        }
    }
    const bool make_clsact = !clsact && !ingress;
    // Two undos: a clsact that somebody makes before ours does not become ours.
    Steps steps;
    if (make_clsact) {
        steps.push_back({AddClsact{wish.link}, UndoRedirect{wish, true}, true});
    }
    steps.push_back({AddRedirect{wish}, UndoRedirect{wish, false}, false});
    return steps;
}

}  // namespace

Result<Wanted> want(const RouteWish& wish) {
    KTM_CHECK(check(wish.addresses));
    Wanted wanted;
    wanted.what = "the way of " + wish.addresses.front().text() +
                  (wish.addresses.size() > 1 ? " and others" : "") + " to " + wish.link;
    for (const IpAddress& address : wish.addresses) {
        wanted.queries.emplace_back(FindRoutes{host_prefix(address), wish.table});
    }
    wanted.queries.emplace_back(FindLink{wish.link});
    if (wish.mac) {
        wanted.queries.emplace_back(ListNeighbours{wish.link});
    }
    if (wish.arrives && has_v6(wish.addresses)) {
        wanted.queries.emplace_back(ReadSetting{"ipv6/conf/all/forwarding"});
    }
    wanted.steps = [wish](const Answers& answers) { return route_steps(wish, answers); };
    return wanted;
}

Result<Wanted> want_neighbours(const std::vector<IpAddress>& addresses, const MacAddress& mac,
                               const std::string& link) {
    KTM_CHECK(check(addresses));
    Wanted wanted;
    wanted.what = "the neighbour " + addresses.front().text() + " on " + link;
    wanted.queries = {FindLink{link}, ListNeighbours{link}};
    wanted.steps = [=](const Answers& answers) -> Result<Steps> {
        if (answers[0].links.empty()) {
            return no_such_link(link);
        }
        Steps steps = neighbour_steps(addresses, SetNeighbour{{}, mac, link}, answers[1]);
        steps.back().with_next = false;
        return steps;
    };
    return wanted;
}

Result<Wanted> want(const Redirect& wish) {
    Wanted wanted;
    wanted.what = describe(AddRedirect{wish});
    wanted.queries = {FindLink{wish.link}, FindLink{wish.to}, ListQdiscs{wish.link},
                      ListFilters{wish.link, wish.direction}};
    wanted.steps = [wish](const Answers& answers) { return redirect_steps(wish, answers); };
    return wanted;
}

}  // namespace ktm::net
