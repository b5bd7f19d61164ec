// SPDX-License-Identifier: Apache-2.0
// os/netlink_queueing.hh: the messages about queues and filters.
#pragma once

#include <cstdint>

#include "net/request.hh"
#include "os/netlink_message.hh"

namespace ktm::os {

[[nodiscard]] Message queueing_message(const net::AddPacer& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::SetPace& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::AddPlug& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::BlockPlug& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::OpenPlug& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::DeleteRootQdisc& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::PutRootQdisc& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::AddClsact& request, std::uint32_t link);
[[nodiscard]] Message queueing_message(const net::DeleteClsact& request, std::uint32_t link);

/// A filter behind all others that no packet gets stuck in. The kernel counts what passes a clsact
/// only where there is one.
[[nodiscard]] Message counter_message(std::uint32_t link, net::Direction direction);

[[nodiscard]] Message add_redirect_message(const net::Redirect& redirect, std::uint32_t link,
                                           std::uint32_t to);
[[nodiscard]] Message delete_redirect_message(const net::Redirect& redirect, std::uint32_t link,
                                              std::uint32_t handle);

}  // namespace ktm::os
