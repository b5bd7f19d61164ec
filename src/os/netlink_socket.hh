// SPDX-License-Identifier: Apache-2.0
// os/netlink_socket.hh: a socket to the kernel's routing and traffic control.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "disk/descriptor.hh"
#include "os/namespaces.hh"

namespace ktm::os {

/// How the kernel took a message: what an error or the end of a list says.
struct Verdict {
    int fault = 0;  ///< An errno value.
    std::string text;
};
[[nodiscard]] Verdict verdict_of(const nlmsghdr* message);
/// As an error for a person, in the kernel's words where it has some.
[[nodiscard]] Error kernel_error(const Verdict& verdict, std::string during);

class NetlinkSocket {
public:
    using OnMessage = std::function<void(const nlmsghdr*)>;

    /// Makes one inside of this namespace; nothing on it ever waits.
    [[nodiscard]] static Result<NetlinkSocket> open(const NetworkNamespace& space);

    [[nodiscard]] int number() const noexcept { return socket_.number(); }

    /// Sends messages that stand behind each other, and gives each a number, from `first` on. The
    /// kernel carries them out before this returns. Returns 0 or the errno value.
    [[nodiscard]] int send(std::string& messages, std::uint32_t first) const noexcept;

    /// One datagram, message by message; those of others than the kernel are left out. Returns 0 or
    /// the errno value: EAGAIN when there is nothing, ENOBUFS when answers were lost.
    [[nodiscard]] int receive(const OnMessage& on_message);

    /// Sends one message, and reads the answer, which must be there at once; for questions whose
    /// answers decide what is sent next.
    [[nodiscard]] Verdict ask(std::string message, const OnMessage& on_message);

    /// Hears what this group tells.
    [[nodiscard]] int join(int group) const noexcept;

private:
    explicit NetlinkSocket(disk::Descriptor socket) : socket_(std::move(socket)) {}

    disk::Descriptor socket_;
    std::vector<char> buffer_;
    std::uint32_t asked_ = 0;
};

}  // namespace ktm::os
