// SPDX-License-Identifier: Apache-2.0
// os/netlink_answers.hh: messages of the kernel as facts.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "net/answer.hh"

namespace ktm::os {

/// The name of the device with this number; empty when there is none.
using NameOf = std::function<std::string(std::uint32_t)>;

/// Adds what the message says to the answer of a request. `link` is the device that a list was
/// asked about, 0 for all: older kernels answer with those of every device.
void take_answer(const net::Request& request, const nlmsghdr* message, std::uint32_t link,
                 const NameOf& name_of, net::Answer& answer);

[[nodiscard]] net::LinkFacts link_facts(const nlmsghdr* message);

/// A filter, or one of the tables that a u32 keeps its filters in: those have no node.
[[nodiscard]] net::FilterFacts filter_facts(const nlmsghdr* message);
[[nodiscard]] bool is_filter_table(const net::FilterFacts& facts);
/// Of a u32's handle: the part that tells filters of one table apart, and the rest of it.
inline constexpr std::uint32_t filter_node_mask = 0xfffU;

/// What a message to all says; nothing when nobody wants to know.
[[nodiscard]] std::optional<net::Change> change_of(const nlmsghdr* message, const NameOf& name_of);

}  // namespace ktm::os
