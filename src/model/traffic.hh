// SPDX-License-Identifier: Apache-2.0
// model/traffic.hh: packets for the guest, on their way through two simulated kernels.
//
// Theory of operation. The packets of a flow come in at equal distances, from the fabric, at the
// source's node, and at the other one once the fabric has moved. Each takes the way that the
// kernels say at its time: to a tap, or through a tunnel and over the wire to the other node, where
// the same is asked again. Nothing happens on its own, and no timer is armed. Before anything
// changes that matters to packets, in a kernel, at a guest, on the wire, all that came before that
// instant is brought to where it is then, in trains and not packet by packet; what happens at the
// instant itself comes behind the change. So everything is exact, and counters that a plan asks for
// are true.
//
//     settle(): what the last change did at its instant → what came since then → now
//
// The change itself is looked at with the next settling, as of the instant at which it was made.
//
// What a cut of the wire loses is what is sent meanwhile; what is under way arrives. A packet that
// goes round between the nodes ends with its hops.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/packet_path.hh"
#include "model/tap_queue.hh"
#include "model/wire.hh"

namespace ktm::model {

/// What waited at one node, at its most.
struct HeldMost {
    std::uint64_t plug = 0;
    std::uint64_t ring = 0;
    friend bool operator==(const HeldMost&, const HeldMost&) = default;
};

/// LIFETIME: clock, kernels and wire outlive it; nobody else listens to these kernels.
class Traffic {
public:
    struct Node {
        sim::VirtualKernel* kernel = nullptr;
        std::string underlay = "eth0";
    };
    struct Settings {
        std::uint64_t guest_packets_per_second = 200'000;  ///< That a guest takes.
        std::optional<net::MacAddress> guest_mac;          ///< Of its NIC, at both nodes.
    };

    Traffic(sim::VirtualClock& clock, Wire& wire, Node source, Node dest, Settings settings);
    ~Traffic();
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

    /// From `flow.from` on, which is not in the past. Gives the number of its account.
    std::size_t add(Flow flow);

    // --- What is told to it ---------------------------------------------------------------------

    /// A QEMU opens the tap, which then has a carrier; its guest does not run yet.
    void open_tap(Side side, const std::string& tap);
    /// The QEMU that had it open is gone, and what was in the ring with it.
    void close_tap(Side side, const std::string& tap);
    /// The guest runs at this node, or stands still.
    void guest_runs(Side side, bool runs);
    /// The fabric leads the guest's packets to this node from an instant on that is not in the
    /// past.
    void fabric_moves(Side to, Instant at);
    /// A kernel is about to be changed by hand, in its state() or at a link.
    void expect_change();

    // --- What it counted ------------------------------------------------------------------------

    [[nodiscard]] FlowAccount account(std::size_t flow);
    [[nodiscard]] std::vector<FlowAccount> accounts();
    [[nodiscard]] HeldMost held_most(Side side);
    /// Whether something waits that could still be delivered without another change.
    [[nodiscard]] bool is_on_its_way();
    /// Brings everything up to now.
    void settle();

private:
    struct Sent {
        Flow flow;
        Duration every{};
        std::uint64_t count = 0;
        FlowTally tally;
    };
    struct Tap {
        std::uint32_t link = 0;
        TapQueue queue;
        PacketTrains arrivals;
    };
    struct Place {
        PacketNode node;
        sim::VirtualKernel* kernel = nullptr;
        bool runs = false;
        std::vector<std::unique_ptr<Tap>> taps;
    };
    /// Trains of one tunnel on the wire, by when they arrive.
    struct Crossing {
        PacketTrain train;
        Side to = Side::dest;
        std::uint32_t entry = 0;
        std::uint32_t hops = 0;
    };
    /// A path, until a kernel changes.
    struct Known {
        Side side = Side::source;
        std::optional<std::uint32_t> entry;
        std::uint32_t flow = 0;
        PacketPath path;
        Tap* tap = nullptr;
        std::uint32_t next_entry = 0;
        std::array<net::Counters*, 6> counters{};
    };

    [[nodiscard]] Place& place(Side side) noexcept { return places_[static_cast<int>(side)]; }
    void hear(const net::Request* request);
    void adopt();
    void adopt(Place& place, Tap& tap);
    void send_until(Instant end);
    void send(Sent& sent, std::uint32_t number, Instant end);
    void arrive_until(Instant end);
    void follow(PacketTrain train, Side side, std::optional<std::uint32_t> entry,
                std::uint32_t hops, Instant end);
    void cross(PacketTrain train, const Known& known, std::uint32_t hops, Instant end);
    [[nodiscard]] const Known& path_of(Side side, std::optional<std::uint32_t> entry,
                                       std::uint32_t flow);
    void find_counters(Known& known);
    [[nodiscard]] std::uint32_t number_of(const TunnelEntry& entry);
    [[nodiscard]] Tap& tap_at(Side side, std::uint32_t link);
    void note_losses(Side side);
    void note_deliveries();
    void count_waiting(std::uint32_t flow, FlowAccount& account);

    sim::VirtualClock& clock_;
    Wire& wire_;
    Settings settings_;
    std::array<Place, 2> places_;
    std::unique_ptr<ports::Pinned> watch_;
    bool cut_ = false;
    Instant settled_{};
    bool changed_ = true;
    Side fabric_ = Side::source;
    std::optional<Instant> fabric_moves_at_;
    std::vector<Sent> flows_;
    std::vector<Crossing> crossings_;
    std::vector<Crossing> arrived_;
    std::vector<TunnelEntry> entries_;  ///< Each kind of entry that was ever used.
    std::vector<Known> known_;
    TapOutcome outcome_;
};

}  // namespace ktm::model
