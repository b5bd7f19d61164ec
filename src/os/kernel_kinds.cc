// SPDX-License-Identifier: Apache-2.0
// os/kernel_kinds.cc: whether the kernel can have devices and qdiscs of a kind.
#include "os/kernel_kinds.hh"

#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <utility>

namespace ktm::os {

namespace {

/// The loopback device is there in each namespace, with this number.
constexpr std::uint32_t loopback = 1;
constexpr std::uint32_t probe_handle = 0x6b6f0000;
constexpr const char* impossible_name = "a/b";

/// A module is called as its kind, but for these.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> module_names{
    {{"gre", "ip_gre"},
     {"gretap", "ip_gre"},
     {"ip6tnl", "ip6_tunnel"},
     {"ip6gre", "ip6_gre"},
     {"ip6gretap", "ip6_gre"}}};

std::string module_of(const net::FindKind& wanted) {
    for (const auto& [kind, name] : module_names) {
        if (kind == wanted.name && !wanted.queues) {
            return std::string{name};
        }
    }
    return wanted.queues ? "sch_" + wanted.name : wanted.name;
}

}  // namespace

bool is_module_on_disk(const net::FindKind& wanted) {
    const std::string name = module_of(wanted);
    if (access(("/sys/module/" + name).c_str(), F_OK) == 0) {
        return false;
    }
    utsname host{};
    if (uname(&host) != 0) {
        return false;
    }
    std::ifstream list{std::string{"/lib/modules/"} + host.release + "/modules.dep"};
    const std::string file = "/" + name + ".ko";
    for (std::string line; std::getline(list, line);) {
        if (line.substr(0, line.find(':')).find(file) != std::string::npos) {
            return true;
        }
    }
    return false;
}

Message kind_message(const net::FindKind& wanted) {
    if (wanted.queues) {
        tcmsg head{};
        head.tcm_ifindex = loopback;
        head.tcm_parent = TC_H_ROOT;
        head.tcm_handle = probe_handle;
        Message message{RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, head};
        message.text(TCA_KIND, wanted.name);
        message.flag(TCA_OPTIONS);
        return message;
    }
    Message message{RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{}};
    message.text(IFLA_IFNAME, impossible_name);
    message.nest(IFLA_LINKINFO, [&] { message.text(IFLA_INFO_KIND, wanted.name); });
    return message;
}

std::optional<std::string_view> kind_verdict(const net::FindKind& wanted, int fault) {
    if (fault == EINVAL) {
        return net::kind_is_there;
    }
    if (fault == (wanted.queues ? ENOENT : EOPNOTSUPP)) {
        return net::kind_is_lacking;
    }
    return std::nullopt;
}

}  // namespace ktm::os
