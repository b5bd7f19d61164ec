// SPDX-License-Identifier: Apache-2.0
// sim/virtual_transport.hh: the Transport port within one process: pairs of byte pipes.
//
// What is written at one instant arrives at that instant, in a later turn and in one piece. A
// connection is never slow, never full and never torn: it ends when one side is destroyed, and the
// other side hears of it behind the last byte. Nobody at the endpoint: ENOENT for a path and
// ECONNREFUSED for an address, as the system says it. There is one node: both ends of a connection
// have the address to which it was made.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "ports/transport.hh"
#include "sim/virtual_clock.hh"

namespace ktm::sim {

/// Both ends of a connection that nobody had to ask for; the addresses are those of the first one.
[[nodiscard]] std::array<std::unique_ptr<ports::Stream>, 2> make_connection(
    VirtualClock& clock, const ports::Stream::Ends& ends = {});

class VirtualTransport final : public ports::Transport {
public:
    explicit VirtualTransport(VirtualClock& clock) : clock_(clock) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Pending>> connect(const Endpoint& endpoint,
                                                                  Connected connected) override;
    /// One that listens on the unspecified address is found by any address with that port.
    [[nodiscard]] Result<std::unique_ptr<ports::Listener>> listen(const Endpoint& endpoint,
                                                                  Accepted accepted) override;

private:
    class VirtualListener;
    struct Attempt;
    /// What a listener leaves for those who connect.
    struct Door {
        Accepted accepted;
    };

    void try_door(const Endpoint& endpoint, Attempt& attempt);
    [[nodiscard]] std::shared_ptr<Door> door_at(const Endpoint& endpoint) const;

    VirtualClock& clock_;
    /// A listener that was destroyed has left an empty place.
    std::map<Endpoint::Place, std::weak_ptr<Door>> doors_;
};

}  // namespace ktm::sim
