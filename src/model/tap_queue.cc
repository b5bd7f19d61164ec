// SPDX-License-Identifier: Apache-2.0
// model/tap_queue.cc: what a packet meets at a tap.
#include "model/tap_queue.hh"

namespace ktm::model {

namespace {

/// Of a pacer of ours, as long as no plug is below it.
constexpr std::uint64_t bare_pacer_bytes = 256U << 20U;

std::uint64_t count_of(const PacketTrains& trains) {
    std::uint64_t packets = 0;
    for (const PacketTrain& train : trains) {
        packets += train.count;
    }
    return packets;
}

}  // namespace

void TapQueue::adopt(sim::VirtualLink* link, Reader reader, Instant now, TapOutcome& outcome) {
    link_ = link;
    if (link == nullptr || !link->facts.carrier || !link->facts.up) {
        close(outcome);
        return;
    }
    ring_.set_limit(link->facts.queue_length);
    dropped_.clear();
    ring_.shrink(dropped_);
    lose(Loss::ring_full, dropped_, outcome);
    adopt_reader(reader, now, outcome);
    adopt_root(now, outcome);
}

/// The kernel drops what nobody can read any more.
void TapQueue::close(TapOutcome& outcome) {
    const auto lose_all = [&](PacketQueue& queue, Loss loss) {
        dropped_.clear();
        queue.empty({}, dropped_);
        lose(loss, dropped_, outcome);
    };
    lose_all(held_, Loss::left_in_plug);
    lose_all(ring_, Loss::left_in_ring);
    if (taken_) {
        lose(Loss::left_in_qemu, {*taken_}, outcome);
    }
    held_.forget();
    ring_.forget();
    taken_.reset();
    reads_ = false;
    gate_ = Gate::open;
    has_pacer_ = has_plug_ = false;
    if (link_ != nullptr) {
        show_held();
    }
}

void TapQueue::adopt_reader(Reader reader, Instant now, TapOutcome& outcome) {
    if (reader.runs) {
        if (taken_) {
            taken_->at = now;
            outcome.delivered.push_back(*taken_);
            taken_.reset();
        }
        ring_.serve_every(reader.every, now);
    } else {
        ring_.stand_still();
        if (!taken_ && ring_.packets() > 0) {
            taken_ = ring_.take_one(now);
            link_->facts.counters.tx_packets += 1;
            link_->facts.counters.tx_bytes += taken_->frame_bytes;
        }
    }
    reads_ = reader.runs;
}

void TapQueue::adopt_root(Instant now, TapOutcome& outcome) {
    const sim::VirtualRoot& root = link_->root;
    if (root.pacer.has_value() != has_pacer_ || root.plug.has_value() != has_plug_) {
        dropped_.clear();
        held_.empty(now, dropped_);
        lose(Loss::left_in_plug, dropped_, outcome);
    }
    has_pacer_ = root.pacer.has_value();
    has_plug_ = root.plug.has_value();
    held_.set_limit(has_plug_ ? root.plug->limit_bytes : bare_pacer_bytes);
    const std::uint32_t pace = has_pacer_ ? root.pacer->packets_per_second : 0;
    if (has_plug_ && root.plug->blocked) {
        gate_ = Gate::blocked;
        held_.stand_still();
    } else if (pace > 0) {
        gate_ = Gate::paced;
        held_.serve_every(interval_of(pace), now);
    } else {
        gate_ = Gate::open;
        let_go_.clear();
        held_.empty(now, let_go_);
        let_go(let_go_, outcome);
    }
    show_held();
}

void TapQueue::pass(const PacketTrains& arrivals, Instant end, TapOutcome& outcome) {
    if (link_ == nullptr || !link_->facts.carrier || !link_->facts.up) {
        if (link_ != nullptr) {
            link_->facts.counters.tx_dropped += count_of(arrivals);
        }
        lose(Loss::not_open, arrivals, outcome);
        return;
    }
    const Instant last = end - Duration{1};
    let_go_.clear();
    dropped_.clear();
    for (const PacketTrain& train : arrivals) {
        if (gate_ != Gate::open) {
            held_.offer(train, let_go_, dropped_);
        } else if (has_plug_ && train.frame_bytes > held_.limit()) {
            dropped_.push_back(train);
        } else {
            let_go_.push_back(train);
        }
    }
    held_.serve(last, let_go_);
    if (has_plug_) {
        link_->root.plug->dropped += static_cast<std::uint32_t>(count_of(dropped_));
    }
    lose(Loss::plug_full, dropped_, outcome);
    let_go(let_go_, outcome);
    const std::size_t before = outcome.delivered.size();
    ring_.serve(last, outcome.delivered);
    read(before, outcome);
    show_held();
}

void TapQueue::let_go(const PacketTrains& trains, TapOutcome& outcome) {
    for (const PacketTrain& train : trains) {
        link_->root.packets += train.count;
        link_->root.bytes += train.count * train.frame_bytes;
        put_into_ring(train, outcome);
    }
}

void TapQueue::put_into_ring(PacketTrain train, TapOutcome& outcome) {
    dropped_.clear();
    const std::size_t before = outcome.delivered.size();
    if (!reads_ && !taken_) {
        const Instant now = train.at;
        ring_.offer(train.take(1), outcome.delivered, dropped_);
        if (ring_.packets() > 0) {
            taken_ = ring_.take_one(now);
            link_->facts.counters.tx_packets += 1;
            link_->facts.counters.tx_bytes += taken_->frame_bytes;
        }
    }
    ring_.offer(train, outcome.delivered, dropped_);
    ring_.serve(train.at, outcome.delivered);
    read(before, outcome);
    link_->facts.counters.tx_dropped += count_of(dropped_);
    lose(Loss::ring_full, dropped_, outcome);
}

/// Counts what was read of the ring.
void TapQueue::read(std::size_t from, const TapOutcome& outcome) {
    for (std::size_t at = from; at < outcome.delivered.size(); ++at) {
        const PacketTrain& train = outcome.delivered[at];
        link_->facts.counters.tx_packets += train.count;
        link_->facts.counters.tx_bytes += train.count * train.frame_bytes;
    }
}

void TapQueue::lose(Loss loss, const PacketTrains& trains, TapOutcome& outcome) {
    for (const PacketTrain& train : trains) {
        outcome.lost.push_back({loss, train});
    }
}

void TapQueue::show_held() {
    if (link_->root.plug) {
        link_->root.plug->queued_packets = static_cast<std::uint32_t>(held_.packets());
        link_->root.plug->queued_bytes = static_cast<std::uint32_t>(held_.used());
    }
}

}  // namespace ktm::model
