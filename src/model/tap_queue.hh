// SPDX-License-Identifier: Apache-2.0
// model/tap_queue.hh: what a packet meets at a tap: plug, pacer, ring, and a QEMU that reads or
// not.
//
// Theory of operation. A packet comes to the root qdisc. Where that is ours, a blocked plug keeps
// it, by bytes; a pacer lets packets go one at a time, and those that wait for it are in the plug;
// an open plug lets all go at once that it holds. Behind the root is the ring, as long as the queue
// length of the device. Where the guest runs, QEMU reads as fast as the guest takes packets. Where
// it does not, QEMU takes one packet, keeps it for the guest, and no more.
//
// The kernel's side is read from the simulated kernel, which is told what is counted there: of the
// plug, the root and the device. What is in a plug goes with it, also when another qdisc takes its
// place; what is in the ring goes when nobody has the tap open.
//
// LIMIT: a pacer of ours lets a burst of some 40 packets go at once, this one does not.
#pragma once

#include <optional>
#include <vector>

#include "model/flow_account.hh"
#include "model/packet_queue.hh"
#include "sim/virtual_kernel.hh"

namespace ktm::model {

/// What became of packets at a tap.
struct TapOutcome {
    struct Lost {
        Loss loss = Loss::not_open;
        PacketTrain train;
    };
    PacketTrains delivered;
    std::vector<Lost> lost;
};

class TapQueue {
public:
    /// What is asked of a QEMU: does its guest run, and how fast does it take packets.
    struct Reader {
        bool runs = false;
        Duration every{};
    };

    /// From now on kernel and QEMU are like this. LIFETIME: `link` stays until the next call;
    /// nothing: the device is gone.
    void adopt(sim::VirtualLink* link, Reader reader, Instant now, TapOutcome& outcome);
    /// Packets come until shortly before `end`, in order.
    void pass(const PacketTrains& arrivals, Instant end, TapOutcome& outcome);

    [[nodiscard]] const PacketQueue& held() const noexcept { return held_; }
    [[nodiscard]] const PacketQueue& ring() const noexcept { return ring_; }
    /// What QEMU has taken for a guest that stands still.
    [[nodiscard]] const std::optional<PacketTrain>& taken() const noexcept { return taken_; }

private:
    enum class Gate : std::uint8_t { open, paced, blocked };

    void close(TapOutcome& outcome);
    void adopt_reader(Reader reader, Instant now, TapOutcome& outcome);
    void adopt_root(Instant now, TapOutcome& outcome);
    void let_go(const PacketTrains& trains, TapOutcome& outcome);
    void put_into_ring(PacketTrain train, TapOutcome& outcome);
    void read(std::size_t from, const TapOutcome& outcome);
    void lose(Loss loss, const PacketTrains& trains, TapOutcome& outcome);
    void show_held();

    sim::VirtualLink* link_ = nullptr;
    bool reads_ = false;
    Gate gate_ = Gate::open;
    bool has_pacer_ = false;
    bool has_plug_ = false;
    PacketQueue held_{PacketQueue::Unit::bytes};
    PacketQueue ring_{PacketQueue::Unit::packets};
    std::optional<PacketTrain> taken_;
    PacketTrains let_go_;
    PacketTrains dropped_;
};

}  // namespace ktm::model
