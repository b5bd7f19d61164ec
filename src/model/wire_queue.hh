// SPDX-License-Identifier: Apache-2.0
// model/wire_queue.hh: what TCP carries over the wire in one direction: late, and in order.
//
// Each thing arrives when the latency has passed. What is sent while the wire is cut waits until it
// heals, and arrives one latency later; what is under way when it is cut arrives.
// LIMIT: a real TCP tries again only from time to time, and may need up to twice as long as the
// cut.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "model/wire.hh"

namespace ktm::model {

/// LIFETIME: clock and wire outlive it; nothing arrives when it is gone.
class WireQueue {
public:
    using Arrives = UniqueFunction<void()>;

    WireQueue(sim::VirtualClock& clock, Wire& wire);

    /// Calls it at the other end, never from inside this call.
    void send(Arrives arrives);

private:
    struct UnderWay {
        Instant at;
        Arrives arrives;
    };

    void put(Arrives arrives);
    void arm();
    void deliver();

    sim::VirtualClock& clock_;
    Wire& wire_;
    std::deque<UnderWay> under_way_;
    std::vector<Arrives> held_;
    std::unique_ptr<ports::Timer> timer_;
    std::unique_ptr<ports::Pinned> watch_;
};

}  // namespace ktm::model
