// SPDX-License-Identifier: Apache-2.0
// sim/virtual_kernel.cc: devices, addresses and settings of the simulated kernel; its text.
#include "sim/virtual_kernel.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.hh"
#include "base/text.hh"
#include "sim/virtual_routes.hh"

namespace ktm::sim {

namespace {

constexpr std::uint32_t ethernet_mtu = 1500;
constexpr std::uint32_t loopback_mtu = 65536;

/// What a namespace and each of its devices has, for both families alike.
const std::map<std::string, std::string>& first_settings() {
    static const std::map<std::string, std::string> settings{
        {"ipv4/ip_forward", "0"},
        {"ipv4/conf/all/forwarding", "0"},
        {"ipv4/conf/all/rp_filter", "0"},
        {"ipv4/conf/default/forwarding", "0"},
        {"ipv4/conf/default/rp_filter", "0"},
        {"ipv6/conf/all/forwarding", "0"},
        {"ipv6/conf/default/forwarding", "0"},
    };
    return settings;
}

std::string_view yes_or_no(bool yes) {
    return yes ? "yes" : "no";
}

}  // namespace

VirtualKernel::VirtualKernel() {
    state_.settings = first_settings();
    VirtualLink& loopback = add_link("lo", "");
    loopback.facts.mtu = loopback_mtu;
    changes_.clear();
}

bool VirtualKernel::has(std::string_view kind) const {
    return !state_.lacking.contains(std::string{kind});
}

std::vector<net::Change> VirtualKernel::take_changes() {
    return std::exchange(changes_, {});
}

// --- What others than us do ---------------------------------------------------------------------

VirtualLink& VirtualKernel::add_link(const std::string& name, const std::string& kind) {
    KTM_ASSERT(link(name) == nullptr);
    tell_listener(nullptr);
    VirtualLink made;
    made.facts.index = ++state_.last_index;
    made.facts.name = name;
    made.facts.kind = kind;
    made.facts.up = true;
    made.facts.carrier = true;
    made.facts.mtu = ethernet_mtu;
    made.facts.queue_length = 1000;
    made.root.kind = made.default_qdisc;
    for (const auto& [setting, what] :
         {std::pair{"ipv4/conf/", "/forwarding"}, std::pair{"ipv4/conf/", "/rp_filter"},
          std::pair{"ipv6/conf/", "/forwarding"}}) {
        state_.settings[setting + name + what] =
            state_.settings[std::string{setting} + "default" + what];
    }
    state_.links.push_back(std::move(made));
    tell_link(state_.links.back(), false);
    return state_.links.back();
}

VirtualLink& VirtualKernel::add_tap(const std::string& name, std::uint32_t queue_length) {
    VirtualLink& tap = add_link(name, "tun");
    tap.facts.is_tap = true;
    tap.facts.queue_length = queue_length;
    tap.default_qdisc = "fq_codel";
    tap.root.kind = tap.default_qdisc;
    return tap;
}

const VirtualLink* VirtualKernel::link(std::string_view name) const {
    const auto found = std::find_if(state_.links.begin(), state_.links.end(),
                                    [&](const VirtualLink& one) { return one.facts.name == name; });
    return found == state_.links.end() ? nullptr : &*found;
}

VirtualLink* VirtualKernel::link(std::string_view name) {
    return const_cast<VirtualLink*>(std::as_const(*this).link(name));
}

void VirtualKernel::add_address(const std::string& link_name, const std::string& prefix) {
    KTM_ASSERT(link(link_name) != nullptr);
    Result<IpPrefix> parsed = IpPrefix::parse(prefix);
    KTM_ASSERT(parsed.has_value());
    const Result<net::Answer> added = apply(net::AddAddress{link_name, *parsed});
    KTM_ASSERT(added.has_value());
}

void VirtualKernel::add_route(const std::string& to, const std::string& link_name,
                              std::uint32_t metric, std::uint32_t table) {
    Result<IpPrefix> prefix = IpPrefix::parse(to);
    KTM_ASSERT(prefix.has_value() && link(link_name) != nullptr);
    tell_listener(nullptr);
    constexpr std::uint8_t protocol_static = 4;
    VirtualRoute route;
    route.facts.to = *prefix;
    route.facts.link = link_name;
    route.facts.table = table;
    route.facts.metric = effective_metric(prefix->address().family(), metric);
    route.facts.protocol = protocol_static;
    insert_route(state_.routes, route, false);
    tell_route(route, false);
}

void VirtualKernel::set(const std::string& setting, const std::string& value) {
    tell_listener(nullptr);
    state_.settings[setting] = value;
}

void VirtualKernel::lack(const std::string& kind) {
    state_.lacking.insert(kind);
}

// --- What goes with a device --------------------------------------------------------------------

void VirtualKernel::delete_link(const std::string& name) {
    std::erase_if(state_.routes, [&](const VirtualRoute& route) {
        const bool goes = route.facts.link == name;
        if (goes) {
            tell_route(route, true);
        }
        return goes;
    });
    std::erase_if(state_.neighbours, [&](const net::NeighbourFacts& neighbour) {
        const bool goes = neighbour.link == name;
        if (goes) {
            tell_neighbour(neighbour, true);
        }
        return goes;
    });
    std::erase_if(state_.addresses,
                  [&](const net::AddressFacts& address) { return address.link == name; });
    std::erase_if(state_.settings, [&](const auto& setting) {
        return setting.first.starts_with("ipv4/conf/" + name + "/") ||
               setting.first.starts_with("ipv6/conf/" + name + "/");
    });
    std::erase_if(state_.links, [&](const VirtualLink& link) {
        const bool goes = link.facts.name == name;
        if (goes) {
            tell_link(link, true);
        }
        return goes;
    });
}

void VirtualKernel::tell_listener(const net::Request* request) {
    if (before_) {
        before_(request);
    }
}

void VirtualKernel::tell_link(const VirtualLink& link, bool gone) {
    net::Change change;
    change.of = net::Change::Of::link;
    change.gone = gone;
    change.link = link.facts;
    change.name = link.facts.name;
    changes_.push_back(std::move(change));
}

void VirtualKernel::tell_route(const VirtualRoute& route, bool gone) {
    net::Change change;
    change.of = net::Change::Of::route;
    change.gone = gone;
    change.route = route.facts;
    changes_.push_back(std::move(change));
}

void VirtualKernel::tell_qdisc(const std::string& link, const std::string& kind, bool gone) {
    net::Change change;
    change.of = net::Change::Of::qdisc;
    change.gone = gone;
    change.name = link;
    change.kind = kind;
    changes_.push_back(std::move(change));
}

void VirtualKernel::tell_neighbour(const net::NeighbourFacts& neighbour, bool gone) {
    net::Change change;
    change.of = net::Change::Of::neighbour;
    change.gone = gone;
    change.name = neighbour.link;
    change.address = neighbour.address;
    changes_.push_back(std::move(change));
}

Result<void> VirtualKernel::send_frame(const std::string& name, std::string_view frame) {
    const VirtualLink* out = link(name);
    if (out == nullptr || !out->facts.up) {
        return system_error(out == nullptr ? ENODEV : ENETDOWN, "send a frame out of " + name);
    }
    state_.sent.push_back(SentFrame{name, std::string{frame}});
    return {};
}

// --- Text ---------------------------------------------------------------------------------------

namespace {

std::string hex(std::uint32_t number) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (int shift = 28; shift >= 0; shift -= 4) {
        text += digits[(number >> static_cast<unsigned>(shift)) & 0xfU];
    }
    return text;
}

void dump_root(std::string& out, const VirtualRoot& root) {
    append(out, {"  root ", root.kind, " ", hex(root.handle), ":"});
    for (const char byte : root.options) {
        append(out, {" ", hex(static_cast<unsigned char>(byte)).substr(6)});
    }
    if (root.pacer) {
        append(out, {" pace ", std::to_string(root.pacer->packets_per_second)});
    }
    if (root.plug) {
        append(out, {root.plug->blocked ? " blocked" : " open", " limit ",
                     std::to_string(root.plug->limit_bytes), " queued ",
                     std::to_string(root.plug->queued_packets), "/",
                     std::to_string(root.plug->queued_bytes)});
    }
    out += "\n";
    for (const net::QdiscFacts& part : root.parts) {
        append(out,
               {"  part ", part.kind, " ", hex(part.handle), ": below ", hex(part.parent), "\n"});
    }
}

void dump_link(std::string& out, const VirtualLink& link) {
    const net::LinkFacts& facts = link.facts;
    append(out, {"link ",     facts.name,
                 " kind '",   facts.kind,
                 "' tag '",   facts.tag,
                 "' mac ",    facts.mac ? facts.mac->text() : "none",
                 " tap ",     yes_or_no(facts.is_tap),
                 " up ",      yes_or_no(facts.up),
                 " carrier ", yes_or_no(facts.carrier),
                 " mtu ",     std::to_string(facts.mtu),
                 " queue ",   std::to_string(facts.queue_length),
                 " joined ",  std::to_string(facts.joined_max),
                 " master ",  std::to_string(facts.master),
                 "\n"});
    if (link.tunnel) {
        append(out, {"  tunnel ", link.tunnel->local.text(), " to ", link.tunnel->remote.text(),
                     " id ", std::to_string(link.tunnel->id), " by route ",
                     yes_or_no(link.tunnel->by_route), "\n"});
    }
    dump_root(out, link.root);
    if (!link.filter_room.empty()) {
        append(out, {"  ", link.filter_room, "\n"});
    }
    for (const VirtualFilter& filter : link.filters) {
        append(out, {"  filter ", net::name_of(filter.direction), " ", filter.facts.kind,
                     " priority ", std::to_string(filter.facts.priority), " handle ",
                     hex(filter.facts.handle), " ours ", yes_or_no(filter.facts.ours)});
        append(out,
               {filter.redirect ? " to " : "", filter.redirect ? filter.redirect->to : "", "\n"});
    }
}

}  // namespace

std::string VirtualKernel::dump() const {
    std::string text;
    for (const VirtualLink& link : state_.links) {
        dump_link(text, link);
    }
    for (const net::AddressFacts& address : state_.addresses) {
        append(text, {"address ", address.address.text(), " on ", address.link, "\n"});
    }
    for (const auto& [facts, encapsulation] : state_.routes) {
        append(text, {"route ", facts.to.text(), " table ", std::to_string(facts.table), " metric ",
                      std::to_string(facts.metric), " to ", facts.link, facts.via ? " via " : "",
                      facts.via ? facts.via->text() : "", " protocol ",
                      std::to_string(facts.protocol), encapsulation ? " into " : "",
                      encapsulation ? encapsulation->remote.text() : "", "\n"});
    }
    for (const net::NeighbourFacts& neighbour : state_.neighbours) {
        append(text, {"neighbour ", neighbour.address.text(), " on ", neighbour.link, " mac ",
                      neighbour.mac ? neighbour.mac->text() : "none",
                      neighbour.permanent ? " permanent" : "", " protocol ",
                      std::to_string(neighbour.protocol), "\n"});
    }
    for (const auto& [name, value] : state_.settings) {
        append(text, {"setting ", name, " = ", value, "\n"});
    }
    return text;
}

// --- Requests -----------------------------------------------------------------------------------

Result<net::Answer> VirtualKernel::apply(const net::Request& request) {
    tell_listener(&request);
    net::Answer answer;
    const std::optional<int> changed = change(request);
    const int fault = changed ? *changed : query(request, answer);
    if (fault != 0) {
        return system_error(fault, net::describe(request));
    }
    return answer;
}

}  // namespace ktm::sim
