// SPDX-License-Identifier: Apache-2.0
// host/leftovers.cc: what is ours in a namespace, told by its marks alone.
#include "host/leftovers.hh"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

namespace ktm::host {

namespace {

/// How many queries each device gets.
constexpr std::size_t queries_of_link = 4;

/// Which thing an undo takes back; of two kinds it is never the same.
struct Same {
    bool operator()(const net::UndoTunnel& left, const net::UndoTunnel& right) const {
        return left.link == right.link && left.tag == right.tag;
    }
    bool operator()(const net::UndoRoute& left, const net::UndoRoute& right) const {
        return left.route.to == right.route.to && left.route.link == right.route.link &&
               left.route.table == right.route.table && left.route.metric == right.route.metric;
    }
    bool operator()(const net::UndoNeighbour& left, const net::UndoNeighbour& right) const {
        return left.ours.address == right.ours.address && left.ours.link == right.ours.link;
    }
    bool operator()(const net::UndoQueueLength& left, const net::UndoQueueLength& right) const {
        return left.link == right.link;
    }
    bool operator()(const net::UndoRootQdisc& left, const net::UndoRootQdisc& right) const {
        return left.link == right.link;
    }
    bool operator()(const net::UndoRedirect& left, const net::UndoRedirect& right) const {
        return left.redirect.link == right.redirect.link &&
               left.redirect.direction == right.redirect.direction &&
               left.redirect.priority == right.redirect.priority;
    }
    bool operator()(const net::UndoSetting& left, const net::UndoSetting& right) const {
        return left.name == right.name;
    }
    template <class Left, class Right>
    bool operator()(const Left&, const Right&) const {
        return false;
    }
};

/// Collects what bears our marks, device by device.
class Search {
public:
    Search(const std::vector<Found>& journals, const std::string& identity) {
        for (const Found& found : journals) {
            if (found.alive) {
                living_runs_.insert(tag_of(found.remains.header).run);
            }
            for (const Entry& entry : found.remains.entries) {
                if (entry.space == identity) {
                    written_.push_back(&entry.undo);
                }
            }
        }
    }

    void look_at(const net::LinkFacts& link) {
        const std::optional<net::Tag> tag = net::Tag::parse(link.tag);
        // An alias can be anybody's: we make nothing but tunnels.
        if (!tag || !net::is_tunnel_kind(link.kind)) {
            return;
        }
        tagged_.insert(link.name);
        if (!living_runs_.contains(tag->run)) {
            add({tag->run, net::UndoTunnel{link.name, link.tag}, ""});
        }
    }

    void look_at(const net::RouteFacts& facts) {
        // What leads into a device of ours goes with it, or is its run's.
        if (facts.protocol != net::our_protocol || tagged_.contains(facts.link)) {
            return;
        }
        net::Route route;
        route.to = facts.to;
        route.link = facts.link;
        route.via = facts.via;
        route.table = facts.table;
        route.metric = facts.metric;
        add({"", net::UndoRoute{std::move(route)}, ""});
    }

    /// The answers to the queries of one device.
    void look_at(const std::string& link, const net::Answer* answers) {
        if (tagged_.contains(link)) {
            return;
        }
        for (const net::QdiscFacts& qdisc : answers[0].qdiscs) {
            const bool ours =
                qdisc.parent == net::root_parent &&
                (qdisc.handle == net::our_pacer_handle || qdisc.handle == net::our_plug_handle);
            if (ours) {
                add({"", net::UndoRootQdisc{link, std::nullopt},
                     "which qdisc was there before is not known; the kernel's default is now"});
            }
        }
        look_at(link, net::Direction::ingress, answers[1].filters);
        look_at(link, net::Direction::egress, answers[2].filters);
        for (const net::NeighbourFacts& neighbour : answers[3].neighbours) {
            if (neighbour.protocol == net::our_protocol && neighbour.mac) {
                add({"",
                     net::UndoNeighbour{{neighbour.address, *neighbour.mac, link}, std::nullopt},
                     "which neighbour was there before is not known"});
            }
        }
    }

    [[nodiscard]] std::vector<Leftover> take() && { return std::move(leftovers_); }

private:
    void look_at(const std::string& link, net::Direction direction,
                 const std::vector<net::FilterFacts>& filters) {
        for (const net::FilterFacts& filter : filters) {
            if (filter.ours) {
                net::Redirect redirect;
                redirect.link = link;
                redirect.direction = direction;
                redirect.priority = filter.priority;
                redirect.handle = filter.handle;
                add({"", net::UndoRedirect{std::move(redirect), false},
                     "whether its clsact was there before is not known; that stays"});
            }
        }
    }

    void add(Leftover leftover) {
        const bool is_written =
            std::any_of(written_.begin(), written_.end(),
                        [&](const net::Undo* undo) { return is_same_thing(*undo, leftover.undo); });
        if (!is_written) {
            leftovers_.push_back(std::move(leftover));
        }
    }

    std::set<std::string> living_runs_;
    std::vector<const net::Undo*> written_;  ///< LIFETIME: in the journals.
    std::set<std::string> tagged_;
    std::vector<Leftover> leftovers_;
};

}  // namespace

bool is_same_thing(const net::Undo& left, const net::Undo& right) {
    return std::visit(Same{}, left, right);
}

net::Requests first_queries() {
    return {net::ListLinks{}, net::ListOurRoutes{Family::v4}, net::ListOurRoutes{Family::v6}};
}

net::Requests queries_of_links(const std::vector<net::LinkFacts>& links) {
    net::Requests queries;
    for (const net::LinkFacts& link : links) {
        queries.emplace_back(net::ListQdiscs{link.name});
        queries.emplace_back(net::ListFilters{link.name, net::Direction::ingress});
        queries.emplace_back(net::ListFilters{link.name, net::Direction::egress});
        queries.emplace_back(net::ListNeighbours{link.name});
    }
    return queries;
}

std::vector<Leftover> leftovers_of(const net::Answers& first, const net::Answers& links,
                                   const std::vector<Found>& journals,
                                   const std::string& identity) {
    Search search{journals, identity};
    for (const net::LinkFacts& link : first[0].links) {
        search.look_at(link);
    }
    for (const std::size_t family : {1U, 2U}) {
        for (const net::RouteFacts& route : first[family].routes) {
            search.look_at(route);
        }
    }
    for (std::size_t at = 0; at < first[0].links.size(); ++at) {
        search.look_at(first[0].links[at].name, links.data() + at * queries_of_link);
    }
    return std::move(search).take();
}

}  // namespace ktm::host
