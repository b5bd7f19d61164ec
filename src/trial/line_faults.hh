// SPDX-License-Identifier: Apache-2.0
// trial/line_faults.hh: the Transport of a node, in which lines to the other node can go wrong.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/transport.hh"
#include "sim/life.hh"
#include "sim/virtual_clock.hh"
#include "trial/crossings.hh"

namespace ktm::trial {

/// What is written to a path goes by as it is, as long as who writes it lives. What is written to
/// an address is counted line by line, but for heartbeats. A line that is lost takes its connection
/// with it, as in TCP nothing else can lose it; one that is late holds up those behind it, one that
/// is too late until the other node has moved on. LIFETIME: all outlive it.
class LineFaults final : public ports::Transport {
public:
    /// Of this node and of the other one; the first of a family is the one that is used.
    struct Addresses {
        std::vector<IpAddress> own;
        std::vector<IpAddress> other;
    };

    LineFaults(ports::Transport& transport, sim::VirtualClock& clock, Crossings& crossings,
               Side side, const sim::Life& life, Addresses addresses)
        : transport_(transport),
          clock_(clock),
          crossings_(crossings),
          side_(side),
          life_(life),
          addresses_(std::move(addresses)) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Pending>> connect(const Endpoint& endpoint,
                                                                  Connected connected) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Listener>> listen(const Endpoint& endpoint,
                                                                  Accepted accepted) override;

    /// What was too late may come now.
    void let_through();

private:
    class FaultyStream;
    class MortalStream;
    [[nodiscard]] std::unique_ptr<ports::Stream> wrap(std::unique_ptr<ports::Stream> stream,
                                                      const Endpoint& endpoint);

    ports::Transport& transport_;
    sim::VirtualClock& clock_;
    Crossings& crossings_;
    Side side_;
    const sim::Life& life_;
    Addresses addresses_;
    bool silent_ = false;
    std::vector<FaultyStream*> kept_;  ///< LIFETIME: each takes itself out.
};

}  // namespace ktm::trial
