// SPDX-License-Identifier: Apache-2.0
// model/packet_queue.hh: packets that wait for one who takes them one at a time.
//
// Theory of operation. A queue takes what fits below its limit and drops the rest. It is served,
// one packet every so often, or it stands still. Nothing is done packet by packet: while a train
// comes in and the queue is served, its length goes one way, up or down, until it is full or empty;
// so each step here is one division. Only where more comes than goes, and the queue is full, is
// there a step for each packet that still finds room.
//
// At one instant what is due to leave leaves before what comes in.
#pragma once

#include <cstdint>
#include <optional>

#include "model/packet_train.hh"

namespace ktm::model {

class PacketQueue {
public:
    /// What the limit counts.
    enum class Unit : std::uint8_t { packets, bytes };

    explicit PacketQueue(Unit unit) : unit_(unit) {}

    void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }
    /// From now on one packet leaves every so often, the first one as soon as the last one allows.
    void serve_every(Duration interval, Instant now);
    void stand_still() noexcept { interval_.reset(); }

    /// What leaves meanwhile goes to `out`, what does not fit to `dropped`.
    void offer(PacketTrain train, PacketTrains& out, PacketTrains& dropped);
    /// What leaves up to this instant.
    void serve(Instant last, PacketTrains& out);
    /// The first one leaves now, served or not.
    [[nodiscard]] PacketTrain take_one(Instant now);
    /// What is above the limit goes, the newest first; for limits of packets.
    void shrink(PacketTrains& dropped);
    /// All of it goes at once.
    void empty(Instant now, PacketTrains& out);
    /// As one out of which nothing ever went.
    void forget() noexcept;

    [[nodiscard]] std::uint64_t packets() const noexcept { return packets_; }
    [[nodiscard]] std::uint64_t used() const noexcept { return used_; }
    [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
    /// The most packets that ever waited.
    [[nodiscard]] std::uint64_t packets_most() const noexcept { return packets_most_; }
    /// Calls with each train that waits, in the order of their arrival.
    template <class Visitor>
    void for_each(Visitor visit) const {
        for (std::size_t at = gone_; at < waiting_.size(); ++at) {
            visit(waiting_[at]);
        }
    }

private:
    [[nodiscard]] std::uint64_t cost_of(const PacketTrain& train) const noexcept {
        return unit_ == Unit::packets ? 1 : train.frame_bytes;
    }
    void drop_while_full(PacketTrain& train, PacketTrains& dropped) const;
    void accept(PacketTrain& train, PacketTrains& out);
    [[nodiscard]] std::uint64_t fitting(const PacketTrain& train) const;
    void accept_served(PacketTrain train, PacketTrains& out);
    void put(const PacketTrain& train);
    void leave(std::uint64_t packets, Instant at, Duration every, PacketTrains& out);
    [[nodiscard]] std::uint64_t waiting_behind(const PacketTrain& train, std::uint64_t place) const;
    /// When the next one could leave that comes now.
    [[nodiscard]] Instant free_behind_all() const noexcept {
        return free_at_ + *interval_ * static_cast<std::int64_t>(packets_);
    }

    Unit unit_;
    std::uint64_t limit_ = 0;
    std::optional<Duration> interval_;  ///< None: it stands still.
    std::optional<Instant> left_at_;    ///< When the last one left.
    Instant free_at_{};                 ///< When the first one can leave, or could.
    PacketTrains waiting_;
    std::size_t gone_ = 0;  ///< Trains at the front that have left.
    std::uint64_t packets_ = 0;
    std::uint64_t used_ = 0;
    std::uint64_t packets_most_ = 0;
};

}  // namespace ktm::model
