// SPDX-License-Identifier: Apache-2.0
// os/kernel_kinds.hh: whether the kernel can have devices and qdiscs of a kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/request.hh"
#include "os/netlink_message.hh"

namespace ktm::os {

/// Whether there is a module for it that is not loaded: to ask the kernel would load it, and some
/// of them make a device in each namespace when they come.
[[nodiscard]] bool is_module_on_disk(const net::FindKind& wanted);

/// Asks for something of this kind that cannot be made: a device whose name has a slash, a qdisc
/// whose options are too short. The kernel looks for the kind first.
[[nodiscard]] Message kind_message(const net::FindKind& wanted);

/// What the errno says of the kind; nothing when it says something else.
[[nodiscard]] std::optional<std::string_view> kind_verdict(const net::FindKind& wanted, int fault);

}  // namespace ktm::os
