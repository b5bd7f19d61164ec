// SPDX-License-Identifier: Apache-2.0
// os/netlink_tunnels.cc: how a tunnel's device is made.
//
// Theory of operation. The kernel does not take an alias for a device that it is just making, so
// there are several messages, sent at once: neither our death nor anybody's question comes between
// them. The later ones must not fall upon a device of somebody else, when the first one failed
// because the name is taken. So the first gives the device a number of our choice, which no other
// has, and the others go to that number.
#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/rtnetlink.h>

#include "os/netlink_message.hh"
#include "os/netlink_queueing.hh"
#include "os/netlink_requests.hh"

namespace ktm::os {

namespace {

using net::Carrier;

/// ipip and ip6tnl.
void put_ip_tunnel(Message& message, const net::TunnelLink& link) {
    if (link.by_route) {
        message.flag(IFLA_IPTUN_COLLECT_METADATA);
        return;
    }
    message.address(IFLA_IPTUN_LOCAL, link.local);
    message.address(IFLA_IPTUN_REMOTE, link.remote);
    message.u8(IFLA_IPTUN_TTL, link.ttl);
    if (link.carrier == Carrier::ip6tnl) {
        // IPv4 and IPv6 inside, and no destination options in the outer header.
        message.u8(IFLA_IPTUN_PROTO, 0);
        message.u8(IFLA_IPTUN_ENCAP_LIMIT, 0);
        message.u32(IFLA_IPTUN_FLAGS, IP6_TNL_F_IGN_ENCAP_LIMIT);
    }
}

/// gre and gretap, over IPv4 and IPv6.
void put_gre(Message& message, const net::TunnelLink& link, bool over_v6) {
    if (link.by_route) {
        message.flag(IFLA_GRE_COLLECT_METADATA);
        return;
    }
    message.address(IFLA_GRE_LOCAL, link.local);
    message.address(IFLA_GRE_REMOTE, link.remote);
    message.u8(IFLA_GRE_TTL, link.ttl);
    if (link.id != 0) {
        message.u16(IFLA_GRE_IFLAGS, GRE_KEY);
        message.u16(IFLA_GRE_OFLAGS, GRE_KEY);
        message.u32(IFLA_GRE_IKEY, htonl(link.id));
        message.u32(IFLA_GRE_OKEY, htonl(link.id));
    }
    if (over_v6) {
        message.u8(IFLA_GRE_ENCAP_LIMIT, 0);
        message.u32(IFLA_GRE_FLAGS, IP6_TNL_F_IGN_ENCAP_LIMIT);
    } else {
        // Only both together let a full packet that is marked "don't fragment" through.
        message.u8(IFLA_GRE_PMTUDISC, 0);
        message.u8(IFLA_GRE_IGNORE_DF, 1);
    }
}

void put_vxlan(Message& message, const net::TunnelLink& link) {
    const bool v6 = link.remote.family() == Family::v6;
    if (link.by_route) {
        message.flag(IFLA_VXLAN_COLLECT_METADATA);
    } else {
        message.u32(IFLA_VXLAN_ID, link.id);
        message.address(v6 ? IFLA_VXLAN_GROUP6 : IFLA_VXLAN_GROUP, link.remote);
        message.address(v6 ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL, link.local);
        message.u8(IFLA_VXLAN_TTL, link.ttl);
    }
    message.u8(IFLA_VXLAN_LEARNING, 0);
    message.u16(IFLA_VXLAN_PORT, htons(link.port));
    message.u8(IFLA_VXLAN_UDP_CSUM, 1);
    message.u8(IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 0);
    message.u8(IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 0);
}

void put_data(Message& message, const net::TunnelLink& link) {
    switch (link.carrier) {
        case Carrier::ipip:
        case Carrier::ip6tnl: put_ip_tunnel(message, link); break;
        case Carrier::gre:
        case Carrier::gretap: put_gre(message, link, false); break;
        case Carrier::ip6gre:
        case Carrier::ip6gretap: put_gre(message, link, true); break;
        case Carrier::vxlan: put_vxlan(message, link); break;
    }
}

}  // namespace

std::string tunnel_messages(const net::TunnelLink& link, std::uint32_t number) {
    ifinfomsg head{};
    head.ifi_index = static_cast<int>(number);
    Message make{RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head};
    make.text(IFLA_IFNAME, link.name);
    if (link.mtu != 0) {
        make.u32(IFLA_MTU, link.mtu);
    }
    if (net::carries_frames(link.carrier) && link.mac != net::MacAddress{}) {
        make.value(IFLA_ADDRESS, link.mac.octets());
    }
    make.nest(IFLA_LINKINFO, [&] {
        make.text(IFLA_INFO_KIND, std::string(net::name_of(link.carrier)));
        make.nest(IFLA_INFO_DATA, [&] { put_data(make, link); });
    });
    // With an address of its own it would speak up by itself, into the guest's tap at the far end.
    Message quiet{RTM_SETLINK, NLM_F_ACK, head};
    quiet.nest(IFLA_AF_SPEC, [&] {
        quiet.nest(AF_INET6, [&] { quiet.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); });
    });
    head.ifi_flags = IFF_UP;
    head.ifi_change = IFF_UP;
    Message tag{RTM_SETLINK, NLM_F_ACK, head};
    tag.bytes(IFLA_IFALIAS, link.tag);
    return std::string(make.whole())
        .append(quiet.whole())
        .append(queueing_message(net::AddClsact{link.name}, number).whole())
        .append(counter_message(number, net::Direction::egress).whole())
        .append(counter_message(number, net::Direction::ingress).whole())
        .append(tag.whole());
}

}  // namespace ktm::os
