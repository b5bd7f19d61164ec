// SPDX-License-Identifier: Apache-2.0
// os/transport.hh: the Transport port on libuv's pipes and TCP handles.
#pragma once

#include "os/loop.hh"
#include "ports/transport.hh"

namespace ktm::os {

class UvTransport final : public ports::Transport {
public:
    explicit UvTransport(UvLoop& loop) : loop_(loop) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Pending>> connect(const Endpoint& endpoint,
                                                                  Connected connected) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Listener>> listen(const Endpoint& endpoint,
                                                                  Accepted accepted) override;

private:
    UvLoop& loop_;
};

}  // namespace ktm::os
