// SPDX-License-Identifier: Apache-2.0
// net/undo.cc: what must be asked, and what follows from the answers.
#include "net/undo.hh"

#include <algorithm>

namespace ktm::net {

namespace {

bool is_ours(const RouteFacts& there, const Route& ours) {
    return there.protocol == ours.protocol && there.to == ours.to && there.link == ours.link &&
           there.metric == ours.metric && there.table == ours.table;
}

bool has_clsact(const Answer& qdiscs) {
    return std::any_of(qdiscs.qdiscs.begin(), qdiscs.qdiscs.end(), [](const QdiscFacts& qdisc) {
        return qdisc.parent == filters_parent && qdisc.kind == "clsact";
    });
}

std::string without_end(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    return text;
}

// --- Queries ------------------------------------------------------------------------------------

struct Queries {
    Requests operator()(const UndoTunnel& undo) const { return {FindLink{undo.link}}; }
    Requests operator()(const UndoRoute& undo) const {
        return {FindRoutes{undo.route.to, undo.route.table}};
    }
    Requests operator()(const UndoNeighbour& undo) const {
        return {FindLink{undo.ours.link}, ListNeighbours{undo.ours.link}};
    }
    Requests operator()(const UndoQueueLength& undo) const { return {FindLink{undo.link}}; }
    Requests operator()(const UndoRootQdisc& undo) const {
        return {FindLink{undo.link}, ListQdiscs{undo.link}};
    }
    Requests operator()(const UndoRedirect& undo) const {
        const std::string& link = undo.redirect.link;
        return {FindLink{link}, ListQdiscs{link}, ListFilters{link, Direction::ingress},
                ListFilters{link, Direction::egress}};
    }
    Requests operator()(const UndoSetting& undo) const { return {ReadSetting{undo.name}}; }
};

// --- Requests ------------------------------------------------------------------------------------

struct Decision {
    const Answers& answers;

    Requests operator()(const UndoTunnel& undo) const {
        // The kernel takes no alias at the creation, so one that was just made may lack it still;
        // its name has ten digits of the run.
        const bool ours = !answers[0].links.empty() && (answers[0].links.front().tag == undo.tag ||
                                                        answers[0].links.front().tag.empty());
        return ours ? Requests{DeleteLink{undo.link}} : Requests{};
    }

    Requests operator()(const UndoRoute& undo) const {
        const bool ours =
            std::any_of(answers[0].routes.begin(), answers[0].routes.end(),
                        [&](const RouteFacts& route) { return is_ours(route, undo.route); });
        return ours ? Requests{DeleteRoute{undo.route}} : Requests{};
    }

    Requests operator()(const UndoNeighbour& undo) const {
        const auto& there = answers[1].neighbours;
        const auto found =
            std::find_if(there.begin(), there.end(), [&](const NeighbourFacts& neighbour) {
                return neighbour.address == undo.ours.address && neighbour.permanent;
            });
        // The kernel keeps a neighbour's protocol when that is not told: so ours goes, and then the
        // former comes. A process that is killed in between leaves none.
        const bool absent = found == there.end() && !answers[0].links.empty();
        // The former with our mark: only half of this went well the last time.
        const bool ours = found != there.end() && found->protocol == undo.ours.protocol &&
                          (found->mac == undo.ours.mac || found->mac == undo.former);
        Requests requests;
        if (ours) {
            requests.emplace_back(DeleteNeighbour{undo.ours.address, undo.ours.link});
        }
        if (undo.former && (ours || absent)) {
            requests.emplace_back(SetNeighbour{undo.ours.address, *undo.former, undo.ours.link,
                                               undo.former_protocol});
        }
        return requests;
    }

    Requests operator()(const UndoQueueLength& undo) const {
        const auto& there = answers[0].links;
        if (there.empty()) {
            return {};
        }
        const std::uint32_t length = there.front().queue_length;
        const std::uint32_t joined = there.front().joined_max == 1 ? undo.former_joined_max : 0;
        if (length == undo.ours) {
            return {SetQueueLength{undo.link, undo.former, joined}};
        }
        return joined == 0 ? Requests{} : Requests{SetQueueLength{undo.link, length, joined}};
    }

    Requests operator()(const UndoRootQdisc& undo) const {
        const QdiscFacts* ours = nullptr;
        bool plug = false;
        for (const QdiscFacts& qdisc : answers[1].qdiscs) {
            const bool is_plug = qdisc.handle == our_plug_handle;
            plug = plug || is_plug;
            if (qdisc.parent == root_parent && (is_plug || qdisc.handle == our_pacer_handle)) {
                ours = &qdisc;
            }
        }
        if (ours == nullptr) {
            return {};
        }
        Requests requests;
        if (plug) {
            requests.emplace_back(OpenPlug{undo.link, ours->handle == our_pacer_handle});
        }
        if (undo.former) {
            // ORDER: put in its place by one message: between two we could be killed.
            requests.emplace_back(PutRootQdisc{undo.link, *undo.former});
        } else {
            requests.emplace_back(DeleteRootQdisc{undo.link, ours->handle});
        }
        return requests;
    }

    Requests operator()(const UndoRedirect& undo) const {
        const bool out = undo.redirect.direction == Direction::egress;
        bool ours = false;
        bool others = false;
        unsigned beside = 0;  ///< Of the same priority, ours included.
        for (const Direction direction : {Direction::ingress, Direction::egress}) {
            const Answer& there = answers[direction == Direction::ingress ? 2 : 3];
            for (const FilterFacts& filter : there.filters) {
                const bool is_beside = filter.priority == undo.redirect.priority &&
                                       out == (direction == Direction::egress);
                const bool is_it = filter.ours && is_beside;
                beside += is_beside ? 1 : 0;
                ours = ours || is_it;
                others = others || !is_it;
            }
        }
        Requests requests;
        if (ours) {
            requests.emplace_back(DeleteRedirect{undo.redirect, beside == 1});
        }
        if (undo.made_clsact && !others && has_clsact(answers[1])) {
            requests.emplace_back(DeleteClsact{undo.redirect.link});
        }
        return requests;
    }

    Requests operator()(const UndoSetting& undo) const {
        const bool ours = without_end(answers[0].text) == undo.ours;
        return ours && undo.ours != undo.former ? Requests{WriteSetting{undo.name, undo.former}}
                                                : Requests{};
    }
};

struct UndoWords {
    std::string operator()(const UndoTunnel& undo) const {
        return "delete the tunnel " + undo.link;
    }
    std::string operator()(const UndoRoute& undo) const {
        return describe(Request{DeleteRoute{undo.route}});
    }
    std::string operator()(const UndoNeighbour& undo) const {
        return describe(Request{DeleteNeighbour{undo.ours.address, undo.ours.link}});
    }
    std::string operator()(const UndoQueueLength& undo) const {
        return "put the queue length of " + undo.link + " back to " + std::to_string(undo.former);
    }
    std::string operator()(const UndoRootQdisc& undo) const {
        return describe(Request{DeleteRootQdisc{undo.link}});
    }
    std::string operator()(const UndoRedirect& undo) const {
        return describe(Request{DeleteRedirect{undo.redirect}});
    }
    std::string operator()(const UndoSetting& undo) const {
        return "set " + undo.name + " back to " + undo.former;
    }
};

}  // namespace

std::string describe(const Undo& undo) {
    return std::visit(UndoWords{}, undo);
}

Requests queries_of(const Undo& undo) {
    return std::visit(Queries{}, undo);
}

Requests requests_of(const Undo& undo, const Answers& answers) {
    return std::visit(Decision{answers}, undo);
}

}  // namespace ktm::net
