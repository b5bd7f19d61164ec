// SPDX-License-Identifier: Apache-2.0
// net/request.cc: requests in words.
#include "net/request.hh"

#include <algorithm>
#include <array>

namespace ktm::net {

namespace {

constexpr std::size_t link_name_max = 15;

struct NamedCarrier {
    std::string_view name;
    bool frames;
};
constexpr std::array<NamedCarrier, 7> carriers{{{"ipip", false},
                                                {"gre", false},
                                                {"gretap", true},
                                                {"ip6tnl", false},
                                                {"ip6gre", false},
                                                {"ip6gretap", true},
                                                {"vxlan", true}}};

const NamedCarrier& named(Carrier carrier) noexcept {
    return carriers[static_cast<std::size_t>(carrier)];
}

std::string in_table(std::uint32_t table) {
    return table == main_table ? "" : " of table " + std::to_string(table);
}

std::string frames_for(const Redirect& redirect) {
    if (redirect.handle != 0) {
        return "some frames" +
               std::string{redirect.direction == Direction::ingress ? " that come in at "
                                                                    : " that leave at "} +
               redirect.link;
    }
    const std::string whose = redirect.mac ? "frames for " + redirect.mac->text() : "all frames";
    const bool comes_in = redirect.direction == Direction::ingress;
    return whose + (comes_in ? " that come in at " : " that leave at ") + redirect.link + " to " +
           redirect.to;
}

struct Words {
    std::string operator()(const AddTunnel& wanted) const {
        return "make the " + std::string{name_of(wanted.link.carrier)} + " tunnel " +
               wanted.link.name;
    }
    std::string operator()(const DeleteLink& wanted) const { return "delete " + wanted.name; }
    std::string operator()(const AddAddress& wanted) const {
        return "give " + wanted.link + " the address " + wanted.address.text();
    }
    std::string operator()(const SetQueueLength& wanted) const {
        return "set the queue length of " + wanted.link + " to " + std::to_string(wanted.packets) +
               (wanted.joined_max == 0   ? ""
                : wanted.joined_max == 1 ? ", and part what comes joined to one"
                                         : ", and let packets come joined to one again");
    }
    std::string operator()(const SetInput& wanted) const {
        return "let in what comes through " + wanted.link;
    }
    std::string operator()(const AddRoute& wanted) const {
        return "route " + wanted.route.to.text() + " to " + wanted.route.link;
    }
    std::string operator()(const DeleteRoute& wanted) const {
        return "delete the route of " + wanted.route.to.text() + " to " + wanted.route.link;
    }
    std::string operator()(const SetNeighbour& wanted) const {
        return "make " + wanted.address.text() + " a neighbour on " + wanted.link;
    }
    std::string operator()(const DeleteNeighbour& wanted) const {
        return "forget the neighbour " + wanted.address.text() + " on " + wanted.link;
    }
    std::string operator()(const AddPacer& wanted) const {
        return "put a pacer (tbf) on " + wanted.link;
    }
    std::string operator()(const SetPace& wanted) const { return "set the pace of " + wanted.link; }
    std::string operator()(const AddPlug& wanted) const {
        return "put a plug (sch_plug) on " + wanted.link;
    }
    std::string operator()(const BlockPlug& wanted) const {
        return "block the plug of " + wanted.link;
    }
    std::string operator()(const OpenPlug& wanted) const {
        return "open the plug of " + wanted.link;
    }
    std::string operator()(const DeleteRootQdisc& wanted) const {
        return "take the hold off " + wanted.link;
    }
    std::string operator()(const PutRootQdisc& wanted) const {
        return "put the qdisc " + wanted.saved.kind + " back on " + wanted.link;
    }
    std::string operator()(const AddClsact& wanted) const {
        return "make room for filters (clsact) on " + wanted.link;
    }
    std::string operator()(const DeleteClsact& wanted) const {
        return "take clsact off " + wanted.link;
    }
    std::string operator()(const AddRedirect& wanted) const {
        return "redirect " + frames_for(wanted.redirect);
    }
    std::string operator()(const DeleteRedirect& wanted) const {
        return "end the redirection of " + frames_for(wanted.redirect);
    }
    std::string operator()(const WriteSetting& wanted) const {
        return "set " + wanted.name + " to " + wanted.value;
    }
    std::string operator()(const FindLink& wanted) const { return "look at " + wanted.name; }
    std::string operator()(const ListLinks&) const { return "list the interfaces"; }
    std::string operator()(const FindRoutes& wanted) const {
        return "list the routes of " + wanted.to.text() + in_table(wanted.table);
    }
    std::string operator()(const RouteTo& wanted) const {
        return "find the way to " + wanted.address.text();
    }
    std::string operator()(const ListOurRoutes&) const { return "list our routes"; }
    std::string operator()(const ListQdiscs& wanted) const {
        return "list the qdiscs of " + wanted.link;
    }
    std::string operator()(const ListFilters& wanted) const {
        return "list the " + std::string{name_of(wanted.direction)} + " filters of " + wanted.link;
    }
    std::string operator()(const ListNeighbours& wanted) const {
        return "list the neighbours on " + wanted.link;
    }
    std::string operator()(const ListAddresses& wanted) const {
        return wanted.link.empty() ? "list the addresses" : "list the addresses of " + wanted.link;
    }
    std::string operator()(const ReadSetting& wanted) const { return "read " + wanted.name; }
    std::string operator()(const FindKind& wanted) const {
        return "look for the kind " + wanted.name + (wanted.queues ? " of qdiscs" : " of devices");
    }
};

}  // namespace

bool is_link_name(std::string_view name) noexcept {
    const auto is_odd = [](char character) {
        return character == '/' || character == ':' || character == '\x7f' || character <= ' ';
    };
    if (name.empty() || name.size() > link_name_max || name == "." || name == "..") {
        return false;
    }
    for (const char character : name) {
        if (is_odd(character)) {
            return false;
        }
    }
    return true;
}

bool is_tunnel_kind(std::string_view kind) noexcept {
    return std::any_of(carriers.begin(), carriers.end(),
                       [kind](const auto& carrier) { return carrier.name == kind; });
}

std::string_view name_of(Carrier carrier) noexcept {
    return named(carrier).name;
}

bool carries_frames(Carrier carrier) noexcept {
    return named(carrier).frames;
}

std::string_view name_of(Direction direction) noexcept {
    return direction == Direction::ingress ? "ingress" : "egress";
}

std::string describe(const Request& request) {
    return std::visit(Words{}, request);
}

}  // namespace ktm::net
