// SPDX-License-Identifier: Apache-2.0
// os/link_table.cc: the numbers of devices and filters, asked of the kernel.
#include "os/link_table.hh"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "os/netlink_answers.hh"

namespace ktm::os {

namespace {

/// Our devices' numbers begin here, far behind those that the kernel gives out by counting.
constexpr std::uint32_t numbers_begin = 0x6b000000;
constexpr std::uint32_t numbers_mask = 0x00ffffff;
/// The first table of u32 filters on a device.
constexpr std::uint32_t first_table = 0x80000000;

}  // namespace

std::string link_name(int socket, std::uint32_t link) {
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(link);
    return ::ioctl(socket, SIOCGIFNAME, &request) == 0 ? request.ifr_name : "";
}

Result<std::uint32_t> LinkTable::link(const std::string& name) {
    if (const auto planned = planned_.find(name); planned != planned_.end()) {
        return planned->second;
    }
    if (const auto known = known_.find(name); known != known_.end()) {
        if (name_of(known->second) == name) {
            return known->second;
        }
        known_.erase(known);
    }
    std::optional<std::uint32_t> found;
    const Verdict verdict = socket_.ask(find_link(name), [&](const nlmsghdr* message) {
        if (message->nlmsg_type == RTM_NEWLINK) {
            found = link_facts(message).index;
        }
    });
    if (verdict.fault != 0 && verdict.fault != ENODEV) {
        return kernel_error(verdict, "find " + name);
    }
    if (!found) {
        return Error{Kind::io, "ENODEV", "there is no device " + name, "", nullptr};
    }
    known_[name] = *found;
    return *found;
}

std::uint32_t LinkTable::new_link(const std::string& name) {
    // The same name gives the same number, as far as it is free.
    std::uint32_t folded = 0;
    for (const char letter : name) {
        folded = folded * 16'777'619U + static_cast<unsigned char>(letter);
    }
    const auto is_planned = [this](std::uint32_t number) {
        return std::any_of(planned_.begin(), planned_.end(),
                           [number](const auto& entry) { return entry.second == number; });
    };
    std::uint32_t number = numbers_begin | (folded & numbers_mask);
    while (is_planned(number) || !name_of(number).empty()) {
        number = numbers_begin | ((number + 1) & numbers_mask);
    }
    planned_[name] = number;
    return number;
}

Result<std::uint32_t> LinkTable::filter(const net::Redirect& redirect, std::uint32_t link) {
    const std::uint32_t node = filter_node(redirect);
    std::optional<std::uint32_t> ours;
    std::optional<std::uint32_t> table;
    bool other_tables = false;
    const auto look = [&](const nlmsghdr* message) {
        const net::FilterFacts facts = filter_facts(message);
        if (message->nlmsg_type != RTM_NEWTFILTER || facts.kind != "u32") {
            return;
        }
        const bool here = facts.priority == redirect.priority;
        if (facts.ours && here && (facts.handle & filter_node_mask) == node) {
            ours = facts.handle;
        }
        if (is_filter_table(facts) && facts.handle != 0) {
            table = here && !table ? facts.handle : table;
            other_tables = other_tables || !here;
        }
    };
    const Verdict verdict = socket_.ask(list_filters(link, redirect.direction), look);
    if (verdict.fault != 0) {
        return kernel_error(verdict, "");
    }
    if (ours) {
        return *ours;
    }
    if (!foresight_ || (!table && other_tables)) {
        return Error{Kind::io, "ENOENT", "there is no such filter of ours", "", nullptr};
    }
    return table.value_or(first_table) | node;
}

void LinkTable::clean_up(const std::string& name) {
    if (const Result<std::uint32_t> number = link(name)) {
        (void)socket_.ask(delete_link(*number), [](const nlmsghdr*) {});
    }
}

}  // namespace ktm::os
