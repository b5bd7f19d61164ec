// SPDX-License-Identifier: Apache-2.0
// os/netlink_requests.cc: requests as messages to the kernel.
#include "os/netlink_requests.hh"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/lwtunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "os/kernel_kinds.hh"
#include "os/netlink_message.hh"
#include "os/netlink_queueing.hh"

namespace ktm::os {

namespace {

constexpr int change_flags = NLM_F_ACK;
constexpr int list = NLM_F_DUMP;

std::uint8_t kernel_family(Family family) {
    return family == Family::v4 ? AF_INET : AF_INET6;
}

Built single(const Message& message) {
    return Built{std::string(message.whole())};
}

Built whole_list(const Message& message, std::uint32_t link = 0) {
    Built built = single(message);
    built.list = true;
    built.link = link;
    return built;
}

/// A message about a device that is known by its name.
Message to_link(int type, const std::string& name) {
    Message message{type, change_flags, ifinfomsg{}};
    message.text(IFLA_IFNAME, name);
    return message;
}

void put_encapsulation(Message& message, const net::Encapsulation& around) {
    // Those of IPv6 have the same numbers.
    static_assert(int{LWTUNNEL_IP_DST} == int{LWTUNNEL_IP6_DST} &&
                  int{LWTUNNEL_IP_SRC} == int{LWTUNNEL_IP6_SRC} &&
                  int{LWTUNNEL_IP_TTL} == int{LWTUNNEL_IP6_HOPLIMIT});
    const bool v4 = around.remote.family() == Family::v4;
    message.u16(RTA_ENCAP_TYPE, v4 ? LWTUNNEL_ENCAP_IP : LWTUNNEL_ENCAP_IP6);
    message.nest(RTA_ENCAP, [&] {
        message.address(LWTUNNEL_IP_DST, around.remote);
        message.address(LWTUNNEL_IP_SRC, around.local);
        message.u8(LWTUNNEL_IP_TTL, around.ttl);
    });
}

Message route_message(int type, int flags, rtmsg head, const net::Route& route,
                      std::uint32_t link) {
    head.rtm_family = kernel_family(route.to.address().family());
    head.rtm_dst_len = static_cast<unsigned char>(route.to.length());
    head.rtm_protocol = route.protocol;
    head.rtm_type = RTN_UNICAST;
    head.rtm_table = static_cast<unsigned char>(route.table < 256 ? route.table : RT_TABLE_COMPAT);
    Message message{type, change_flags | flags, head};
    message.address(RTA_DST, route.to.address());
    message.u32(RTA_OIF, link);
    message.u32(RTA_TABLE, route.table);
    if (route.metric != 0) {
        message.u32(RTA_PRIORITY, route.metric);
    }
    if (route.via) {
        const bool same = route.via->family() == route.to.address().family();
        if (same) {
            message.address(RTA_GATEWAY, *route.via);
        } else {
            std::string via(sizeof(rtvia), '\0');
            const std::uint16_t family = kernel_family(route.via->family());
            std::memcpy(via.data(), &family, sizeof family);
            via.append(reinterpret_cast<const char*>(route.via->bytes().data()),
                       route.via->bits() / 8);
            message.bytes(RTA_VIA, via);
        }
    }
    return message;
}

Message neighbour_message(int type, int flags, ndmsg head, const IpAddress& address,
                          std::uint32_t link) {
    head.ndm_family = kernel_family(address.family());
    head.ndm_ifindex = static_cast<int>(link);
    Message message{type, change_flags | flags, head};
    message.address(NDA_DST, address);
    return message;
}

/// Each request that is about one device is built with that device's number.
struct Builder {
    Numbers& numbers;

    // --- Changes of devices and addresses ---

    Built operator()(const net::AddTunnel& request) const {
        return Built{tunnel_messages(request.link, numbers.new_link(request.link.name)),
                     tunnel_messages_count};
    }
    Built operator()(const net::DeleteLink& request) const {
        return single(to_link(RTM_DELLINK, request.name));
    }
    Built operator()(const net::SetQueueLength& request) const {
        Message message = to_link(RTM_SETLINK, request.link);
        message.u32(IFLA_TXQLEN, request.packets);
        if (request.joined_max != 0) {
            message.u32(IFLA_GSO_MAX_SEGS, request.joined_max);
        }
        return single(message);
    }
    Built operator()(const net::SetInput& request) const {
        Message message = to_link(RTM_SETLINK, request.link);
        message.nest(IFLA_AF_SPEC, [&] {
            message.nest(AF_INET, [&] {
                message.nest(IFLA_INET_CONF, [&] {
                    message.u32(IPV4_DEVCONF_RP_FILTER, request.reverse_path_filter);
                    message.u32(IPV4_DEVCONF_FORWARDING, request.forwarding ? 1 : 0);
                });
            });
        });
        return single(message);
    }
    Built operator()(const net::AddAddress& request, std::uint32_t link) const {
        ifaddrmsg head{};
        head.ifa_family = kernel_family(request.address.address().family());
        head.ifa_prefixlen = static_cast<unsigned char>(request.address.length());
        // An address of a tunnel has no double that could be looked for.
        head.ifa_flags = head.ifa_family == AF_INET6 ? IFA_F_NODAD : 0;
        head.ifa_index = link;
        Message message{RTM_NEWADDR, change_flags | NLM_F_CREATE | NLM_F_EXCL, head};
        message.address(IFA_LOCAL, request.address.address());
        message.address(IFA_ADDRESS, request.address.address());
        return single(message);
    }

    // --- Changes of routes and neighbours ---

    Built operator()(const net::AddRoute& request, std::uint32_t link) const {
        const net::Route& route = request.route;
        rtmsg head{};
        head.rtm_scope = route.via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
        // Neither EXCL nor REPLACE nor APPEND: in IPv4 that is "in front of the others".
        Message message = route_message(RTM_NEWROUTE, NLM_F_CREATE, head, route, link);
        if (route.encapsulation) {
            put_encapsulation(message, *route.encapsulation);
        }
        return single(message);
    }
    Built operator()(const net::DeleteRoute& request, std::uint32_t link) const {
        rtmsg head{};
        head.rtm_scope = RT_SCOPE_NOWHERE;  // To the kernel: whichever.
        return single(route_message(RTM_DELROUTE, 0, head, request.route, link));
    }
    Built operator()(const net::SetNeighbour& request, std::uint32_t link) const {
        ndmsg head{};
        head.ndm_state = NUD_PERMANENT;
        Message message = neighbour_message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, head,
                                            request.address, link);
        message.value(NDA_LLADDR, request.mac.octets());
        if (request.protocol != 0) {
            message.u8(NDA_PROTOCOL, request.protocol);
        }
        return single(message);
    }
    Built operator()(const net::DeleteNeighbour& request, std::uint32_t link) const {
        return single(neighbour_message(RTM_DELNEIGH, 0, ndmsg{}, request.address, link));
    }

    // --- Changes of queues and filters ---

    template <class Queueing>
    requires requires(const Queueing& request) { queueing_message(request, 1U); }
    Built operator()(const Queueing& request, std::uint32_t link) const {
        return single(queueing_message(request, link));
    }
    Result<Built> operator()(const net::AddRedirect& request, std::uint32_t link) const {
        Result<std::uint32_t> to = numbers.link(request.redirect.to);
        if (!to) {
            return std::move(to).error();
        }
        return single(add_redirect_message(request.redirect, link, *to));
    }
    Result<Built> operator()(const net::DeleteRedirect& request, std::uint32_t link) const {
        if (request.alone) {
            // Without a handle the kernel deletes everything of this priority.
            return single(delete_redirect_message(request.redirect, link, 0));
        }
        Result<std::uint32_t> handle = numbers.filter(request.redirect, link);
        if (!handle) {
            return std::move(handle).error();
        }
        return single(delete_redirect_message(request.redirect, link, *handle));
    }

    // --- Queries ---

    Built operator()(const net::FindLink& request) const { return Built{find_link(request.name)}; }
    Built operator()(const net::ListLinks&) const {
        return whole_list(Message{RTM_GETLINK, list, ifinfomsg{}});
    }
    Built operator()(const net::FindRoutes& request) const {
        rtmsg head{};
        head.rtm_family = kernel_family(request.to.address().family());
        Message message{RTM_GETROUTE, list, head};
        message.u32(RTA_TABLE, request.table);
        return whole_list(message);
    }
    Built operator()(const net::RouteTo& request) const {
        rtmsg head{};
        head.rtm_family = kernel_family(request.address.family());
        head.rtm_dst_len = static_cast<unsigned char>(request.address.bits());
        // The table that the route is from; IPv6 tells it without being asked.
        head.rtm_flags = request.address.family() == Family::v4 ? RTM_F_LOOKUP_TABLE : 0;
        Message message{RTM_GETROUTE, NLM_F_ACK, head};
        message.address(RTA_DST, request.address);
        return single(message);
    }
    Built operator()(const net::ListOurRoutes& request) const {
        rtmsg head{};
        head.rtm_family = kernel_family(request.family);
        head.rtm_protocol = net::our_protocol;
        return whole_list(Message{RTM_GETROUTE, list, head});
    }
    Built operator()(const net::ListQdiscs&, std::uint32_t link) const {
        tcmsg head{};
        head.tcm_ifindex = static_cast<int>(link);
        return whole_list(Message{RTM_GETQDISC, list, head}, link);
    }
    Built operator()(const net::ListFilters& request, std::uint32_t link) const {
        Built built{list_filters(link, request.direction)};
        built.list = true;
        built.link = link;
        return built;
    }
    Built operator()(const net::ListNeighbours&, std::uint32_t link) const {
        Message message{RTM_GETNEIGH, list, ndmsg{}};
        message.u32(NDA_IFINDEX, link);
        return whole_list(message, link);
    }
    Result<Built> operator()(const net::ListAddresses& request) const {
        ifaddrmsg head{};
        if (!request.link.empty()) {
            Result<std::uint32_t> link = numbers.link(request.link);
            if (!link) {
                return std::move(link).error();
            }
            head.ifa_index = *link;
        }
        return whole_list(Message{RTM_GETADDR, list, head}, head.ifa_index);
    }

    // --- What is no message, and what all have in common ---

    Built operator()(const net::WriteSetting&) const { return {}; }
    Built operator()(const net::ReadSetting&) const { return {}; }
    Built operator()(const net::FindKind& request) const { return single(kind_message(request)); }
};

const std::string& link_of(const net::AddRoute& request) {
    return request.route.link;
}
const std::string& link_of(const net::DeleteRoute& request) {
    return request.route.link;
}
const std::string& link_of(const net::AddRedirect& request) {
    return request.redirect.link;
}
const std::string& link_of(const net::DeleteRedirect& request) {
    return request.redirect.link;
}
template <class Request>
const std::string& link_of(const Request& request) {
    return request.link;
}

}  // namespace

bool is_list(const net::Request& request) {
    return std::visit(
        []<class R>(const R&) {
            return std::is_same_v<R, net::ListLinks> || std::is_same_v<R, net::FindRoutes> ||
                   std::is_same_v<R, net::ListOurRoutes> || std::is_same_v<R, net::ListQdiscs> ||
                   std::is_same_v<R, net::ListFilters> || std::is_same_v<R, net::ListNeighbours> ||
                   std::is_same_v<R, net::ListAddresses>;
        },
        request);
}

bool is_setting(const net::Request& request) {
    return std::holds_alternative<net::WriteSetting>(request) ||
           std::holds_alternative<net::ReadSetting>(request);
}

Result<Built> build(const net::Request& request, Numbers& numbers) {
    const Builder builder{numbers};
    return std::visit(
        [&]<class R>(const R& asked) -> Result<Built> {
            if constexpr (std::is_invocable_v<const Builder&, const R&>) {
                return builder(asked);
            } else {
                Result<std::uint32_t> link = numbers.link(link_of(asked));
                if (!link) {
                    return std::move(link).error();
                }
                return builder(asked, *link);
            }
        },
        request);
}

std::string find_link(const std::string& name) {
    return std::string(to_link(RTM_GETLINK, name).whole());
}

std::string delete_link(std::uint32_t link) {
    ifinfomsg head{};
    head.ifi_index = static_cast<int>(link);
    return std::string(Message{RTM_DELLINK, change_flags, head}.whole());
}

}  // namespace ktm::os
