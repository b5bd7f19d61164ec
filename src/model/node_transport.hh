// SPDX-License-Identifier: Apache-2.0
// model/node_transport.hh: the Transport port of one of two nodes with a wire between them.
//
// Theory of operation. Paths, the node's own addresses and loopback are within the node, as in
// sim::VirtualTransport, which carries them. A connection to an address of the other node is two
// such connections, one in each node, and what comes out of one is sent over the wire and put into
// the other:
//
//     who connects ═ here │ sent over the wire │ there ═ who listens
//
// So it takes a round trip to connect or to be refused, and the end of one side is heard at the
// other side behind its last byte. While the wire is cut nothing of that arrives: who connects
// waits, and who has gone away is not missed. An address that nobody has is unreachable, after the
// time in which a kernel finds that out.
//
// LIMIT: bytes take no time of their own, and no connection is ever full.
#pragma once

#include <memory>
#include <vector>

#include "base/address.hh"
#include "model/wire_queue.hh"
#include "sim/virtual_transport.hh"

namespace ktm::model {

/// LIFETIME: clock and wire outlive it; when one of the two nodes is gone the clock turns no more.
class NodeTransport final : public ports::Transport {
public:
    NodeTransport(sim::VirtualClock& clock, Wire& wire, std::vector<IpAddress> addresses);
    /// Its connections to the other node end, here and there.
    ~NodeTransport() override;

    /// The wire leads from one to the other.
    static void join(NodeTransport& one, NodeTransport& other) noexcept;

    [[nodiscard]] Result<std::unique_ptr<ports::Pending>> connect(const Endpoint& endpoint,
                                                                  Connected connected) override;
    /// At a path, an address of this node, loopback, or the unspecified address.
    [[nodiscard]] Result<std::unique_ptr<ports::Listener>> listen(const Endpoint& endpoint,
                                                                  Accepted accepted) override;

private:
    class NodeListener;
    class Attempt;
    struct Try;
    struct Link;

    [[nodiscard]] bool has(const IpAddress& address) const;
    [[nodiscard]] std::unique_ptr<ports::Pending> connect_across(const Endpoint& endpoint,
                                                                 Connected connected);
    void knock(const Endpoint& endpoint, NodeTransport& from, const std::shared_ptr<Try>& attempt);
    void link_up(NodeTransport& from, const std::shared_ptr<Try>& attempt,
                 std::unique_ptr<ports::Stream> there);
    void forget(const Link& link);

    sim::VirtualClock& clock_;
    std::vector<IpAddress> addresses_;
    sim::VirtualTransport inside_;
    NodeTransport* other_ = nullptr;
    /// Connections that were made from here.
    std::vector<std::shared_ptr<Link>> links_;
    /// Where somebody listens.
    std::shared_ptr<std::vector<TcpEndpoint>> taken_;
    WireQueue out_;
};

}  // namespace ktm::model
