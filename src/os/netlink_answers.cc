// SPDX-License-Identifier: Apache-2.0
// os/netlink_answers.cc: messages of the kernel as facts.
#include "os/netlink_answers.hh"

#include <linux/gen_stats.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "os/netlink_message.hh"
#include "os/netlink_requests.hh"

namespace ktm::os {

namespace {

/// libnl's enumerations end earlier than the kernel's; these are the last ones that are read here.
constexpr int link_attribute_max = IFLA_GSO_MAX_SEGS;
constexpr int tun_attribute_max = IFLA_TUN_VNET_HDR;

Family family_of(int kernel_family) {
    return kernel_family == AF_INET6 ? Family::v6 : Family::v4;
}

std::optional<IpAddress> address_of(Family family, std::string_view bytes) {
    std::array<std::uint8_t, 16> octets{};
    const std::size_t size = family == Family::v4 ? 4 : 16;
    if (bytes.size() != size) {
        return std::nullopt;
    }
    std::memcpy(octets.data(), bytes.data(), size);
    return IpAddress{family, octets};
}

std::optional<net::MacAddress> mac_of(std::string_view bytes) {
    net::MacAddress::Octets octets{};
    if (bytes.size() != octets.size()) {
        return std::nullopt;
    }
    std::memcpy(octets.data(), bytes.data(), octets.size());
    return net::MacAddress{octets};
}

/// The kernel leaves out an address that is all zero.
IpPrefix prefix_of(Family family, std::string_view bytes, unsigned length) {
    const IpAddress any{family, {}};
    const IpAddress address = address_of(family, bytes).value_or(any);
    Result<IpPrefix> prefix = IpPrefix::parse(address.text() + "/" + std::to_string(length));
    return prefix ? *prefix : IpPrefix{};
}

net::Counters counters_of(std::string_view bytes) {
    rtnl_link_stats64 stats{};
    std::memcpy(&stats, bytes.data(), std::min(bytes.size(), sizeof stats));
    return net::Counters{stats.rx_packets, stats.rx_bytes, stats.rx_dropped, stats.rx_errors,
                         stats.tx_packets, stats.tx_bytes, stats.tx_dropped, stats.tx_errors};
}

/// Where the kernel counts multicast in what IPv6 counts of a device: its order changed with 6.8,
/// and the length of the row does not tell which one it is.
struct WordsAt {
    std::size_t in;
    std::size_t out;
    std::size_t in_bytes;
    std::size_t out_bytes;
};
constexpr std::array<WordsAt, 2> words_at{{{28, 29, 32, 33}, {23, 24, 27, 28}}};
constexpr std::uint64_t ipv6_header_bytes = 40;

/// What IPv6 counts of a device is a row of numbers, behind how many there are. An order is the
/// kernel's if its bytes can be those of its packets.
void add_words(const nlattr* families, net::Counters& counters) {
    const Attributes<AF_INET6> by_family{families};
    const std::string_view row =
        Attributes<IFLA_INET6_STATS>{by_family[AF_INET6]}.bytes(IFLA_INET6_STATS);
    const auto number = [&](std::size_t at) {
        std::uint64_t value = 0;
        if (row.size() >= (at + 1) * sizeof value) {
            std::memcpy(&value, row.data() + at * sizeof value, sizeof value);
        }
        return value;
    };
    const auto fits = [](std::uint64_t packets, std::uint64_t bytes) {
        return packets == 0 ? bytes == 0 : bytes / packets >= ipv6_header_bytes;
    };
    const auto* const at = std::find_if(words_at.begin(), words_at.end(), [&](const WordsAt& one) {
        return fits(number(one.in), number(one.in_bytes)) &&
               fits(number(one.out), number(one.out_bytes));
    });
    if (at != words_at.end()) {
        counters.rx_words = number(at->in);
        counters.tx_words = number(at->out);
    }
}

net::RouteFacts route_facts(const nlmsghdr* message, const NameOf& name_of) {
    const auto head = head_of<rtmsg>(message);
    const Attributes<RTA_MAX> given{message, sizeof head};
    const Family family = family_of(head.rtm_family);
    net::RouteFacts facts;
    facts.to = prefix_of(family, given.bytes(RTA_DST), head.rtm_dst_len);
    facts.table = given[RTA_TABLE] != nullptr ? given.u32(RTA_TABLE) : head.rtm_table;
    facts.metric = given.u32(RTA_PRIORITY);
    facts.protocol = head.rtm_protocol;
    facts.source = address_of(family, given.bytes(RTA_PREFSRC));
    facts.mtu = Attributes<RTAX_MAX>{given[RTA_METRICS]}.u32(RTAX_MTU);
    facts.via = address_of(family, given.bytes(RTA_GATEWAY));
    std::uint32_t link = given.u32(RTA_OIF);
    if (const std::string_view via = given.bytes(RTA_VIA); via.size() > sizeof(rtvia)) {
        std::uint16_t via_family = 0;
        std::memcpy(&via_family, via.data(), sizeof via_family);
        facts.via = address_of(family_of(via_family), via.substr(sizeof(rtvia)));
    }
    // Of several ways that are used in turn the first one is told.
    const std::string_view ways = given.bytes(RTA_MULTIPATH);
    if (rtnexthop way{}; link == 0 && ways.size() >= sizeof way) {
        std::memcpy(&way, ways.data(), sizeof way);
        link = static_cast<std::uint32_t>(way.rtnh_ifindex);
    }
    facts.link = link == 0 ? "" : name_of(link);
    return facts;
}

net::QdiscFacts qdisc_facts(const nlmsghdr* message) {
    const auto head = head_of<tcmsg>(message);
    const Attributes<TCA_MAX> given{message, sizeof head};
    net::QdiscFacts facts;
    facts.kind = given.text(TCA_KIND);
    facts.handle = head.tcm_handle;
    facts.parent = head.tcm_parent;
    facts.options = std::string(given.bytes(TCA_OPTIONS));
    const Attributes<TCA_STATS_MAX> stats{given[TCA_STATS2]};
    // Not gnet_stats_basic as it is in memory: that one is padded at its end.
    const std::string_view basic = stats.bytes(TCA_STATS_BASIC);
    std::uint32_t packets = 0;
    if (basic.size() >= sizeof facts.bytes + sizeof packets) {
        std::memcpy(&facts.bytes, basic.data(), sizeof facts.bytes);
        std::memcpy(&packets, basic.data() + sizeof facts.bytes, sizeof packets);
    }
    facts.packets =
        stats[TCA_STATS_PKT64] != nullptr ? stats.value<std::uint64_t>(TCA_STATS_PKT64) : packets;
    const auto queue = stats.value<gnet_stats_queue>(TCA_STATS_QUEUE);
    facts.queued_packets = queue.qlen;
    facts.queued_bytes = queue.backlog;
    facts.dropped = queue.drops;
    return facts;
}

/// Whether the action of a u32 bears our mark.
bool has_our_cookie(const nlattr* options) {
    const Attributes<1> actions{Attributes<TCA_U32_MAX>{options}[TCA_U32_ACT]};
    return Attributes<TCA_ACT_COOKIE>{actions[1]}.bytes(TCA_ACT_COOKIE) == our_cookie;
}

std::optional<net::NeighbourFacts> neighbour_facts(const nlmsghdr* message, const NameOf& name_of) {
    const auto head = head_of<ndmsg>(message);
    const Attributes<NDA_PROTOCOL> given{message, sizeof head};
    const std::optional<IpAddress> address =
        address_of(family_of(head.ndm_family), given.bytes(NDA_DST));
    const bool of_ip = head.ndm_family == AF_INET || head.ndm_family == AF_INET6;
    // What needs no resolving is nobody's neighbour: loopback, multicast.
    if (!of_ip || !address || (head.ndm_state & NUD_NOARP) != 0) {
        return std::nullopt;
    }
    net::NeighbourFacts facts;
    facts.address = *address;
    facts.mac = mac_of(given.bytes(NDA_LLADDR));
    facts.link = name_of(static_cast<std::uint32_t>(head.ndm_ifindex));
    facts.permanent = (head.ndm_state & NUD_PERMANENT) != 0;
    facts.protocol = given.u8(NDA_PROTOCOL);
    return facts;
}

net::AddressFacts address_facts(const nlmsghdr* message, const NameOf& name_of) {
    const auto head = head_of<ifaddrmsg>(message);
    const Attributes<IFA_FLAGS> given{message, sizeof head};
    const bool has_local = given[IFA_LOCAL] != nullptr;
    net::AddressFacts facts;
    facts.address = prefix_of(family_of(head.ifa_family),
                              given.bytes(has_local ? IFA_LOCAL : IFA_ADDRESS), head.ifa_prefixlen);
    facts.link = name_of(head.ifa_index);
    return facts;
}

/// Takes one message for each kind of query; what a query did not ask for is passed over.
struct Taker {
    const nlmsghdr* message;
    std::uint32_t link;
    const NameOf& name_of;
    net::Answer& answer;

    void operator()(const net::FindLink&) const { add_link(); }
    void operator()(const net::ListLinks&) const { add_link(); }
    void operator()(const net::FindRoutes& query) const {
        const auto head = head_of<rtmsg>(message);
        if (message->nlmsg_type == RTM_NEWROUTE && head.rtm_dst_len == query.to.length()) {
            net::RouteFacts facts = route_facts(message, name_of);
            if (facts.to == query.to.network() && facts.table == query.table) {
                answer.routes.push_back(std::move(facts));
            }
        }
    }
    void operator()(const net::RouteTo&) const {
        if (message->nlmsg_type == RTM_NEWROUTE) {
            answer.routes.push_back(route_facts(message, name_of));
        }
    }
    void operator()(const net::ListOurRoutes&) const {
        const auto head = head_of<rtmsg>(message);
        if (message->nlmsg_type == RTM_NEWROUTE && head.rtm_protocol == net::our_protocol) {
            answer.routes.push_back(route_facts(message, name_of));
        }
    }
    void operator()(const net::ListQdiscs&) const {
        if (message->nlmsg_type == RTM_NEWQDISC && is_of(head_of<tcmsg>(message).tcm_ifindex)) {
            answer.qdiscs.push_back(qdisc_facts(message));
        }
    }
    void operator()(const net::ListFilters& query) const {
        if (message->nlmsg_type == RTM_NEWTFILTER && is_of(head_of<tcmsg>(message).tcm_ifindex)) {
            net::FilterFacts facts = filter_facts(message);
            const bool elsewhere =
                facts.ours && (facts.handle & ingress_node) != direction_bit(query.direction);
            if (!is_filter_table(facts) && !elsewhere) {
                answer.filters.push_back(std::move(facts));
            }
        }
    }
    void operator()(const net::ListNeighbours&) const {
        if (message->nlmsg_type == RTM_NEWNEIGH && is_of(head_of<ndmsg>(message).ndm_ifindex)) {
            if (auto facts = neighbour_facts(message, name_of)) {
                answer.neighbours.push_back(std::move(*facts));
            }
        }
    }
    void operator()(const net::ListAddresses&) const {
        const auto head = head_of<ifaddrmsg>(message);
        if (message->nlmsg_type == RTM_NEWADDR && is_of(static_cast<int>(head.ifa_index))) {
            answer.addresses.push_back(address_facts(message, name_of));
        }
    }
    template <class Change>
    void operator()(const Change&) const {}

private:
    [[nodiscard]] bool is_of(int number) const {
        return link == 0 || link == static_cast<std::uint32_t>(number);
    }
    void add_link() const {
        if (message->nlmsg_type == RTM_NEWLINK) {
            answer.links.push_back(link_facts(message));
        }
    }
};

}  // namespace

void take_answer(const net::Request& request, const nlmsghdr* message, std::uint32_t link,
                 const NameOf& name_of, net::Answer& answer) {
    std::visit(Taker{message, link, name_of, answer}, request);
}

net::LinkFacts link_facts(const nlmsghdr* message) {
    const auto head = head_of<ifinfomsg>(message);
    const Attributes<link_attribute_max> given{message, sizeof head};
    const Attributes<IFLA_INFO_MAX> info{given[IFLA_LINKINFO]};
    net::LinkFacts facts;
    facts.index = static_cast<std::uint32_t>(head.ifi_index);
    facts.name = given.text(IFLA_IFNAME);
    facts.kind = info.text(IFLA_INFO_KIND);
    facts.tag = given.text(IFLA_IFALIAS);
    if (head.ifi_type == ARPHRD_ETHER) {
        facts.mac = mac_of(given.bytes(IFLA_ADDRESS));
    }
    const Attributes<tun_attribute_max> tun{info[IFLA_INFO_DATA]};
    facts.is_tap = facts.kind == "tun" && tun.u8(IFLA_TUN_TYPE) == IFF_TAP;
    facts.joins = facts.is_tap && tun.u8(IFLA_TUN_VNET_HDR) != 0;
    facts.up = (head.ifi_flags & IFF_UP) != 0;
    facts.carrier = given.u8(IFLA_CARRIER) != 0;
    facts.mtu = given.u32(IFLA_MTU);
    facts.queue_length = given.u32(IFLA_TXQLEN);
    facts.joined_max = given.u32(IFLA_GSO_MAX_SEGS);
    facts.master = given.u32(IFLA_MASTER);
    facts.counters = counters_of(given.bytes(IFLA_STATS64));
    add_words(given[IFLA_AF_SPEC], facts.counters);
    return facts;
}

net::FilterFacts filter_facts(const nlmsghdr* message) {
    const auto head = head_of<tcmsg>(message);
    const Attributes<TCA_MAX> given{message, sizeof head};
    net::FilterFacts facts;
    facts.kind = given.text(TCA_KIND);
    facts.priority = static_cast<std::uint16_t>(TC_H_MAJ(head.tcm_info) >> 16U);
    facts.handle = head.tcm_handle;
    facts.ours = facts.kind == "u32" && has_our_cookie(given[TCA_OPTIONS]);
    return facts;
}

bool is_filter_table(const net::FilterFacts& facts) {
    return facts.handle == 0 || (facts.kind == "u32" && (facts.handle & filter_node_mask) == 0);
}

std::optional<net::Change> change_of(const nlmsghdr* message, const NameOf& name_of) {
    net::Change change;
    switch (message->nlmsg_type) {
        case RTM_DELLINK: change.gone = true; [[fallthrough]];
        case RTM_NEWLINK:
            // A bridge tells of its ports in a family of its own.
            if (head_of<ifinfomsg>(message).ifi_family != AF_UNSPEC) {
                return std::nullopt;
            }
            change.of = net::Change::Of::link;
            change.link = link_facts(message);
            change.name = change.link.name;
            return change;
        case RTM_DELROUTE: change.gone = true; [[fallthrough]];
        case RTM_NEWROUTE:
            change.of = net::Change::Of::route;
            change.route = route_facts(message, name_of);
            return change;
        case RTM_DELQDISC: change.gone = true; [[fallthrough]];
        case RTM_NEWQDISC:
            change.of = net::Change::Of::qdisc;
            change.name = name_of(static_cast<std::uint32_t>(head_of<tcmsg>(message).tcm_ifindex));
            change.kind = qdisc_facts(message).kind;
            return change;
        case RTM_DELNEIGH: change.gone = true; [[fallthrough]];
        case RTM_NEWNEIGH:
            if (const auto facts = neighbour_facts(message, name_of)) {
                change.of = net::Change::Of::neighbour;
                change.name = facts->link;
                change.address = facts->address;
                return change;
            }
            return std::nullopt;
        default: return std::nullopt;
    }
}

}  // namespace ktm::os
