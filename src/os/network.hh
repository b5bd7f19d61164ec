// SPDX-License-Identifier: Apache-2.0
// os/network.hh: the Networks port on netlink sockets.
#pragma once

#include "os/loop.hh"
#include "os/namespaces.hh"
#include "ports/network.hh"

namespace ktm::os {

class NetlinkNetworks final : public ports::Networks {
public:
    explicit NetlinkNetworks(UvLoop& loop) : loop_(loop) {}

    [[nodiscard]] Result<std::shared_ptr<ports::Network>> open(const std::string& place) override;

private:
    UvLoop& loop_;
};

/// Network::watch, of any namespace.
[[nodiscard]] Result<std::unique_ptr<ports::Pinned>> watch_network(
    UvLoop& loop, const NetworkNamespace& space, ports::Network::Handlers handlers);

/// Network::guard, of any namespace.
[[nodiscard]] Result<std::unique_ptr<ports::Guard>> start_guard(const NetworkNamespace& space,
                                                                const net::Requests& requests);

}  // namespace ktm::os
