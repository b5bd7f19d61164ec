// SPDX-License-Identifier: Apache-2.0
// os/netlink_requests.hh: requests as messages to the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hh"
#include "net/request.hh"

namespace ktm::os {

/// Our filters' action carries it, so that they are told from all others.
inline constexpr std::string_view our_cookie = "katamaran";

/// What the kernel wants as a number, and requests say as a name.
class Numbers {
public:
    Numbers() = default;
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    virtual ~Numbers() = default;

    /// An error of the code ENODEV when there is none.
    [[nodiscard]] virtual Result<std::uint32_t> link(const std::string& name) = 0;
    /// One that no device has, for a new one.
    [[nodiscard]] virtual std::uint32_t new_link(const std::string& name) = 0;
    /// The handle that our filter has.
    [[nodiscard]] virtual Result<std::uint32_t> filter(const net::Redirect& redirect,
                                                       std::uint32_t link) = 0;
};

/// What goes to the kernel for one request.
struct Built {
    std::string bytes;  ///< Messages, one behind the other.
    std::uint32_t messages = 1;
    /// The kernel's answer to a list has many parts, and it makes one list at a time.
    bool list = false;
    std::uint32_t link = 0;  ///< The device that a list is about; 0: all.
};

[[nodiscard]] bool is_list(const net::Request& request);
/// Not of netlink, but a file.
[[nodiscard]] bool is_setting(const net::Request& request);

/// An error when a name has no number. Not for settings.
[[nodiscard]] Result<Built> build(const net::Request& request, Numbers& numbers);

/// Lists the filters there, with all that is needed to find ours.
[[nodiscard]] std::string list_filters(std::uint32_t link, net::Direction direction);
/// Asks for the device of this name.
[[nodiscard]] std::string find_link(const std::string& name);
[[nodiscard]] std::string delete_link(std::uint32_t link);

/// The part of our filter's handle that we choose: the same for the same redirection, whenever it
/// is asked for. It tells the direction, too: u32 keeps the filters of both directions together,
/// lists those of both that have one priority, and deletes either by its handle.
[[nodiscard]] std::uint32_t filter_node(const net::Redirect& redirect);
inline constexpr std::uint32_t ingress_node = 0x400U;
[[nodiscard]] std::uint32_t direction_bit(net::Direction direction);

/// The messages that make a tunnel's device: the first makes it; the others are bound to the number
/// that the first one gave, keep the kernel from giving it an IPv6 address of its own, let it count
/// each packet of those that travel as one (a clsact with a filter for either direction), and tag
/// it and set it up.
inline constexpr std::uint32_t tunnel_messages_count = 6;
/// Which of them a kernel, or a device, without IPv6 refuses and has no need of.
inline constexpr std::size_t tunnel_message_of_v6 = 1;
/// Which of them a kernel without filters refuses; then nobody counts so.
[[nodiscard]] constexpr bool is_tunnel_message_of_count(std::size_t place) noexcept {
    return place > tunnel_message_of_v6 && place + 1 < tunnel_messages_count;
}
[[nodiscard]] std::string tunnel_messages(const net::TunnelLink& link, std::uint32_t number);

}  // namespace ktm::os
