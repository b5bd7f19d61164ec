// SPDX-License-Identifier: Apache-2.0
// os/link_table.hh: the numbers of devices and filters, asked of the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "os/netlink_requests.hh"
#include "os/netlink_socket.hh"

namespace ktm::os {

/// The name that the device with this number has in the namespace of the socket; empty: none.
[[nodiscard]] std::string link_name(int socket, std::uint32_t link);

/// Answers at once, over a socket of its own. A number that was found before is used again only
/// when the kernel says that the device still has that name, which costs less than a microsecond.
class LinkTable final : public Numbers {
public:
    /// `foresight`: a filter that is not there yet has the handle that it will have.
    LinkTable(NetlinkSocket socket, bool foresight)
        : socket_(std::move(socket)), foresight_(foresight) {}

    [[nodiscard]] Result<std::uint32_t> link(const std::string& name) override;
    [[nodiscard]] std::uint32_t new_link(const std::string& name) override;
    [[nodiscard]] Result<std::uint32_t> filter(const net::Redirect& redirect,
                                               std::uint32_t link) override;

    /// Before what was built is sent, the kernel does not know of it. Here devices that are still
    /// to be made have their numbers already; forgotten when all was sent.
    void forget_planned() { planned_.clear(); }
    [[nodiscard]] std::string name_of(std::uint32_t link) const {
        return link_name(socket_.number(), link);
    }
    /// Deletes a device of which only a part came about; its answer is of no interest.
    void clean_up(const std::string& name);

private:
    NetlinkSocket socket_;
    bool foresight_;
    std::map<std::string, std::uint32_t> known_;
    std::map<std::string, std::uint32_t> planned_;
};

}  // namespace ktm::os
