// SPDX-License-Identifier: Apache-2.0
// os/netlink_queueing.cc: the messages about queues and filters.
#include "os/netlink_queueing.hh"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include <algorithm>

#include "os/netlink_answers.hh"
#include "os/netlink_requests.hh"

namespace ktm::os {

namespace {

constexpr int queueing_flags = NLM_F_ACK;
constexpr std::uint32_t clsact_handle = 0xffff0000U;

/// What a pacer counts for a packet, however small: the packets a second are those of this size.
constexpr std::uint16_t full_packet_bytes = 1514;
/// A pacer drops what is larger than its burst, so the largest packet of IP must fit.
constexpr std::uint64_t burst_bytes_min = 66'000;
/// A pacer that is woken late makes up for this much of a second: 1/500, 2 ms.
constexpr std::uint64_t burst_share = 500;
/// Faster than any device.
constexpr std::uint64_t unlimited_rate = 100'000'000'000;
constexpr std::uint32_t unlimited_burst_bytes = 64U << 20U;
/// Of the pacer's own queue, which is used when there is no plug below it.
constexpr std::uint32_t pacer_limit_bytes = 256U << 20U;

Message qdisc_message(int type, int flags, std::uint32_t link, std::uint32_t parent,
                      std::uint32_t handle, std::size_t room = Message::room_usual) {
    tcmsg head{};
    head.tcm_family = AF_UNSPEC;
    head.tcm_ifindex = static_cast<int>(link);
    head.tcm_parent = parent;
    head.tcm_handle = handle;
    return Message{type, queueing_flags | flags, head, room};
}

std::uint32_t plug_parent(bool below_pacer) {
    return below_pacer ? net::our_pacer_handle | 1U : TC_H_ROOT;
}

/// A change of the plug that has our handle, wherever it is.
Message plug_change(std::uint32_t link, int action) {
    Message message = qdisc_message(RTM_NEWQDISC, 0, link, 0, net::our_plug_handle);
    message.text(TCA_KIND, "plug");
    tc_plug_qopt options{};
    options.action = action;
    message.value(TCA_OPTIONS, options);
    return message;
}

void put_pace(Message& message, std::uint64_t rate, std::uint32_t burst) {
    constexpr std::uint64_t short_max = ~0U;
    tc_tbf_qopt options{};
    options.rate.linklayer = TC_LINKLAYER_ETHERNET;
    options.rate.mpu = full_packet_bytes;
    options.rate.rate = static_cast<std::uint32_t>(std::min(rate, short_max));
    options.limit = pacer_limit_bytes;
    message.nest(TCA_OPTIONS, [&] {
        message.value(TCA_TBF_PARMS, options);
        message.u32(TCA_TBF_BURST, burst);
        if (rate >= short_max) {
            message.u64(TCA_TBF_RATE64, rate);
        }
    });
}

void put_unlimited(Message& message) {
    put_pace(message, unlimited_rate, unlimited_burst_bytes);
}

tcmsg filter_head(std::uint32_t link, net::Direction direction) {
    tcmsg head{};
    head.tcm_family = AF_UNSPEC;
    head.tcm_ifindex = static_cast<int>(link);
    head.tcm_parent = TC_H_MAKE(
        TC_H_CLSACT, direction == net::Direction::ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
    return head;
}

tcmsg redirect_head(const net::Redirect& redirect, std::uint32_t link, std::uint32_t handle) {
    tcmsg head = filter_head(link, redirect.direction);
    head.tcm_handle = handle;
    head.tcm_info = TC_H_MAKE(static_cast<std::uint32_t>(redirect.priority) << 16U,
                              static_cast<std::uint32_t>(htons(ETH_P_ALL)));
    return head;
}

tc_u32_key key_of(const std::uint8_t* octets, int offset) {
    tc_u32_key key{};
    std::memcpy(&key.val, octets, sizeof key.val);
    key.mask = ~0U;
    key.off = offset;
    return key;
}

/// Two words that overlap, so that nothing in front of the frame is read: octets 0 to 3 and 2 to 5.
/// Offsets are counted from the packet inside of the frame.
std::string selector_of(const std::optional<net::MacAddress>& mac) {
    std::array<tc_u32_key, 2> keys{};
    tc_u32_sel selector{};
    selector.flags = TC_U32_TERMINAL;
    selector.nkeys = 1;
    if (mac) {
        selector.nkeys = 2;
        keys[0] = key_of(mac->octets().data(), -ETH_HLEN);
        keys[1] = key_of(mac->octets().data() + 2, 2 - ETH_HLEN);
    }
    std::string bytes(reinterpret_cast<const char*>(&selector), sizeof selector);
    return bytes.append(reinterpret_cast<const char*>(keys.data()),
                        selector.nkeys * sizeof(tc_u32_key));
}

void put_redirect_action(Message& message, const net::Redirect& redirect, std::uint32_t to) {
    tc_mirred options{};
    options.action = TC_ACT_STOLEN;
    options.eaction = redirect.to_ingress ? TCA_INGRESS_REDIR : TCA_EGRESS_REDIR;
    options.ifindex = to;
    message.nest(1, [&] {
        message.text(TCA_ACT_KIND, "mirred");
        message.nest(TCA_ACT_OPTIONS, [&] { message.value(TCA_MIRRED_PARMS, options); });
        message.bytes(TCA_ACT_COOKIE, our_cookie);
    });
}

}  // namespace

Message queueing_message(const net::AddPacer&, std::uint32_t link) {
    // REPLACE, since there may be a root already; it is put back later.
    Message message = qdisc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, link, TC_H_ROOT,
                                    net::our_pacer_handle);
    message.text(TCA_KIND, "tbf");
    put_unlimited(message);
    return message;
}

Message queueing_message(const net::SetPace& request, std::uint32_t link) {
    Message message = qdisc_message(RTM_NEWQDISC, 0, link, 0, net::our_pacer_handle);
    message.text(TCA_KIND, "tbf");
    if (request.packets_per_second == 0) {
        put_unlimited(message);
    } else {
        const std::uint64_t rate = std::uint64_t{request.packets_per_second} * full_packet_bytes;
        const std::uint64_t burst =
            std::clamp<std::uint64_t>(rate / burst_share, burst_bytes_min, unlimited_burst_bytes);
        put_pace(message, rate, static_cast<std::uint32_t>(burst));
    }
    return message;
}

Message queueing_message(const net::AddPlug& request, std::uint32_t link) {
    const int flags = NLM_F_CREATE | (request.below_pacer ? NLM_F_EXCL : NLM_F_REPLACE);
    Message message = qdisc_message(RTM_NEWQDISC, flags, link, plug_parent(request.below_pacer),
                                    net::our_plug_handle);
    message.text(TCA_KIND, "plug");
    tc_plug_qopt options{};
    options.action = TCQ_PLUG_LIMIT;
    options.limit = request.limit_bytes;
    message.value(TCA_OPTIONS, options);
    return message;
}

Message queueing_message(const net::BlockPlug&, std::uint32_t link) {
    return plug_change(link, TCQ_PLUG_BUFFER);
}

Message queueing_message(const net::OpenPlug&, std::uint32_t link) {
    return plug_change(link, TCQ_PLUG_RELEASE_INDEFINITE);
}

Message queueing_message(const net::DeleteRootQdisc& request, std::uint32_t link) {
    return qdisc_message(RTM_DELQDISC, 0, link, TC_H_ROOT, request.handle);
}

Message queueing_message(const net::PutRootQdisc& request, std::uint32_t link) {
    const net::SavedQdisc& saved = request.saved;
    Message message = qdisc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, link, TC_H_ROOT,
                                    saved.handle, Message::room_usual + saved.options.size());
    message.text(TCA_KIND, saved.kind);
    if (!saved.options.empty()) {
        // Some kinds insist on the mark of a nest, and none objects to it.
        message.bytes(TCA_OPTIONS | NLA_F_NESTED, saved.options);
    }
    return message;
}

Message queueing_message(const net::AddClsact&, std::uint32_t link) {
    Message message =
        qdisc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, link, TC_H_CLSACT, clsact_handle);
    message.text(TCA_KIND, "clsact");
    return message;
}

Message queueing_message(const net::DeleteClsact&, std::uint32_t link) {
    Message message = qdisc_message(RTM_DELQDISC, 0, link, TC_H_CLSACT, clsact_handle);
    // An "ingress" stands at the same place; it is somebody else's.
    message.text(TCA_KIND, "clsact");
    return message;
}

Message add_redirect_message(const net::Redirect& redirect, std::uint32_t link, std::uint32_t to) {
    const tcmsg head = redirect_head(redirect, link, filter_node(redirect));
    Message message{RTM_NEWTFILTER, queueing_flags | NLM_F_CREATE | NLM_F_EXCL, head};
    message.text(TCA_KIND, "u32");
    message.nest(TCA_OPTIONS, [&] {
        message.nest(TCA_U32_ACT, [&] { put_redirect_action(message, redirect, to); });
        message.bytes(TCA_U32_SEL, selector_of(redirect.mac));
    });
    return message;
}

Message counter_message(std::uint32_t link, net::Direction direction) {
    constexpr std::uint32_t last_priority = 0xffff;
    tcmsg head = filter_head(link, direction);
    head.tcm_info = TC_H_MAKE(last_priority << 16U, static_cast<std::uint32_t>(htons(ETH_P_ALL)));
    // Neither terminal nor with an action: u32 goes on behind it.
    const std::string selector(sizeof(tc_u32_sel), '\0');
    Message message{RTM_NEWTFILTER, queueing_flags | NLM_F_CREATE | NLM_F_EXCL, head};
    message.text(TCA_KIND, "u32");
    message.nest(TCA_OPTIONS, [&] { message.bytes(TCA_U32_SEL, selector); });
    return message;
}

Message delete_redirect_message(const net::Redirect& redirect, std::uint32_t link,
                                std::uint32_t handle) {
    Message message{RTM_DELTFILTER, queueing_flags, redirect_head(redirect, link, handle)};
    message.text(TCA_KIND, "u32");
    return message;
}

std::string list_filters(std::uint32_t link, net::Direction direction) {
    return std::string(Message{RTM_GETTFILTER, NLM_F_DUMP, filter_head(link, direction)}.whole());
}

std::uint32_t filter_node(const net::Redirect& redirect) {
    // The kernel itself gives out nodes from 0x800 on. Addresses that differ in their last nine
    // bits alone have different nodes.
    constexpr std::uint32_t fold_mask = 0x1ffU;
    constexpr std::uint32_t never_zero = 0x200U;
    if (redirect.handle != 0) {
        return redirect.handle & filter_node_mask;
    }
    std::uint32_t folded = net::our_filter_handle;
    if (redirect.mac) {
        for (const std::uint8_t octet : redirect.mac->octets()) {
            folded = (folded << 8U) ^ (folded >> 1U) ^ octet;
        }
    }
    return (folded & fold_mask) | never_zero | direction_bit(redirect.direction);
}

std::uint32_t direction_bit(net::Direction direction) {
    return direction == net::Direction::ingress ? ingress_node : 0;
}

}  // namespace ktm::os
