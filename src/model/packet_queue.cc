// SPDX-License-Identifier: Apache-2.0
// model/packet_queue.cc: packets that wait for one who takes them one at a time.
#include "model/packet_queue.hh"

#include <algorithm>

#include "base/assert.hh"

namespace ktm::model {

namespace {

/// LIMIT: of packets that fit, such that times an interval it is still an instant.
constexpr std::uint64_t places_max = 1U << 31U;

std::uint64_t rounded_up(Duration whole, Duration part) {
    return static_cast<std::uint64_t>((whole + part - Duration{1}) / part);
}

}  // namespace

void PacketQueue::serve_every(Duration interval, Instant now) {
    KTM_ASSERT(interval > Duration::zero());
    interval_ = interval;
    free_at_ = left_at_ ? std::max(now, *left_at_ + interval) : now;
}

void PacketQueue::serve(Instant last, PacketTrains& out) {
    if (!interval_ || packets_ == 0 || free_at_ > last) {
        return;
    }
    const auto due = static_cast<std::uint64_t>((last - free_at_) / *interval_) + 1;
    leave(std::min(packets_, due), free_at_, *interval_, out);
    free_at_ = *left_at_ + *interval_;
}

void PacketQueue::offer(PacketTrain train, PacketTrains& out, PacketTrains& dropped) {
    while (train.count > 0) {
        serve(train.at, out);
        if (used_ + cost_of(train) > limit_) {
            drop_while_full(train, dropped);
        } else {
            accept(train, out);
        }
    }
}

void PacketQueue::drop_while_full(PacketTrain& train, PacketTrains& dropped) const {
    const bool for_good = !interval_ || packets_ == 0;
    dropped.push_back(train.take(for_good ? train.count : train.count_before(free_at_)));
}

void PacketQueue::accept(PacketTrain& train, PacketTrains& out) {
    if (interval_) {
        if (packets_ == 0) {
            free_at_ = std::max(free_at_, train.at);
        }
        accept_served(train.take(fitting(train)), out);
        return;
    }
    const std::uint64_t room = (limit_ - used_) / cost_of(train);
    put(train.take(std::min(train.count, room)));
    packets_most_ = std::max(packets_most_, packets_);
}

/// How many find room before the first one that does not.
std::uint64_t PacketQueue::fitting(const PacketTrain& train) const {
    const std::uint64_t cost = cost_of(train);
    if (used_ != packets_ * cost) {
        return 1;  // Those that wait are of other sizes: what they leave is not known beforehand.
    }
    if (train.every >= *interval_) {
        return train.count;
    }
    // The packet k finds more than is allowed when all before it need longer than this.
    const auto places = static_cast<std::int64_t>(std::min(limit_ / cost, places_max));
    const Duration spare = *interval_ * places - (free_behind_all() - train.at);
    const auto fitting = static_cast<std::uint64_t>(spare / (*interval_ - train.every)) + 1;
    return std::min(train.count, fitting);
}

/// Those that find others before them wait; behind them each leaves as it comes.
void PacketQueue::accept_served(PacketTrain train, PacketTrains& out) {
    const Instant free = free_behind_all();
    std::uint64_t behind = train.count;
    if (train.every >= *interval_ && free <= train.at) {
        behind = 0;
    } else if (train.every > *interval_) {
        behind = std::min(behind, rounded_up(free - train.at, train.every - *interval_));
    }
    if (behind > 0) {
        const std::uint64_t longest =
            std::max(waiting_behind(train, 0), waiting_behind(train, behind - 1));
        packets_most_ = std::max(packets_most_, longest);
        put(train.take(behind));
    }
    if (train.count > 0) {
        serve(train.at, out);
        KTM_ASSERT(packets_ == 0);
        left_at_ = train.last_at();
        free_at_ = *left_at_ + *interval_;
        out.push_back(train);
    }
}

/// How many wait when this packet of the train has come, itself among them.
std::uint64_t PacketQueue::waiting_behind(const PacketTrain& train, std::uint64_t place) const {
    const auto number = static_cast<std::int64_t>(place);
    const Duration left =
        free_behind_all() + *interval_ * (number + 1) - (train.at + train.every * number);
    return rounded_up(left, *interval_) - 1;
}

PacketTrain PacketQueue::take_one(Instant now) {
    KTM_ASSERT(packets_ > 0);
    PacketTrains one;
    leave(1, now, Duration::zero(), one);
    return one.front();
}

void PacketQueue::shrink(PacketTrains& dropped) {
    KTM_ASSERT(unit_ == Unit::packets);
    while (packets_ > limit_) {
        PacketTrain& newest = waiting_.back();
        const std::uint64_t packets = std::min(newest.count, packets_ - limit_);
        PacketTrain rest = newest;
        newest = rest.take(newest.count - packets);
        dropped.push_back(rest);
        packets_ -= packets;
        used_ -= packets;
        if (newest.count == 0) {
            waiting_.pop_back();
        }
    }
}

void PacketQueue::empty(Instant now, PacketTrains& out) {
    if (packets_ > 0) {
        leave(packets_, now, Duration::zero(), out);
    }
}

void PacketQueue::forget() noexcept {
    left_at_.reset();
    free_at_ = {};
}

void PacketQueue::put(const PacketTrain& train) {
    packets_ += train.count;
    used_ += train.count * cost_of(train);
    if (waiting_.size() > gone_) {
        PacketTrain& newest = waiting_.back();
        if (newest.flow == train.flow && newest.first + newest.count == train.first) {
            newest.count += train.count;
            return;
        }
    }
    waiting_.push_back(train);
}

void PacketQueue::leave(std::uint64_t packets, Instant at, Duration every, PacketTrains& out) {
    while (packets > 0) {
        PacketTrain& oldest = waiting_[gone_];
        PacketTrain gone = oldest.take(std::min(packets, oldest.count));
        gone.at = at;
        gone.every = every;
        at += every * static_cast<std::int64_t>(gone.count);
        packets -= gone.count;
        packets_ -= gone.count;
        used_ -= gone.count * cost_of(gone);
        left_at_ = gone.last_at();
        if (oldest.count == 0) {
            ++gone_;
        }
        out.push_back(gone);
    }
    if (gone_ == waiting_.size()) {
        waiting_.clear();
        gone_ = 0;
    }
}

}  // namespace ktm::model
