// SPDX-License-Identifier: Apache-2.0
// model/wire_queue.cc: what TCP carries over the wire in one direction.
#include "model/wire_queue.hh"

#include <utility>

namespace ktm::model {

WireQueue::WireQueue(sim::VirtualClock& clock, Wire& wire) : clock_(clock), wire_(wire) {
    watch_ = wire.watch([this](bool cut) {
        if (cut) {
            return;
        }
        for (Arrives& held : std::exchange(held_, {})) {
            put(std::move(held));
        }
    });
}

void WireQueue::send(Arrives arrives) {
    if (wire_.is_cut()) {
        held_.push_back(std::move(arrives));
    } else {
        put(std::move(arrives));
    }
}

void WireQueue::put(Arrives arrives) {
    under_way_.push_back({clock_.now() + wire_.settings().latency, std::move(arrives)});
    if (!timer_) {
        arm();
    }
}

void WireQueue::arm() {
    timer_ = clock_.arm(under_way_.front().at - clock_.now(), [this] { deliver(); });
}

/// What arrives may send; that is due later, or stands behind.
void WireQueue::deliver() {
    Arrives arrives = std::move(under_way_.front().arrives);
    under_way_.pop_front();
    timer_.reset();
    if (!under_way_.empty()) {
        arm();
    }
    arrives();
}

}  // namespace ktm::model
