// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/naive_traffic.hh: packets one at a time, as slow and as plain as can be.
//
// What model::Traffic must be equal to. It shares with it what a path is, and nothing of what
// happens on it: here each packet is an object, and each instant is lived through.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/packet_path.hh"

namespace ktm::model::test {

struct NaivePacket {
    std::uint32_t flow = 0;
    std::uint64_t number = 0;
    std::uint32_t bytes = 0;
};

/// A tap, and who reads it.
struct NaiveTap {
    std::deque<NaivePacket> plug;
    std::deque<NaivePacket> ring;
    std::optional<NaivePacket> taken;
    std::optional<Instant> plug_left;
    std::optional<Instant> ring_left;
    bool had_plug = false;
    bool had_pacer = false;
    std::uint64_t plug_most = 0;
    std::uint64_t ring_most = 0;
    std::uint64_t read = 0;
    std::uint64_t dropped = 0;
    std::uint64_t plug_dropped = 0;
    std::uint64_t let_go = 0;
};

class NaiveTraffic {
public:
    struct Place {
        PacketNode node;
        bool runs = false;
        std::map<std::uint32_t, NaiveTap> taps;
        std::map<std::uint32_t, std::array<std::uint64_t, 2>> crossed;  ///< out and in, by link
    };
    struct Sent {
        Flow flow;
        std::uint64_t sent = 0;
        std::uint64_t delivered = 0;
        std::uint64_t duplicated = 0;
        std::uint64_t reordered = 0;
        std::set<std::uint64_t> got;
        std::optional<Instant> last_at;
        Duration longest_gap{};
        std::map<std::string, std::uint64_t> lost;
    };

    NaiveTraffic(Duration latency, Duration guest_every)
        : latency_(latency), guest_every_(guest_every) {}

    std::array<Place, 2> places;
    std::vector<Sent> flows;
    bool cut = false;
    Side fabric = Side::source;
    std::optional<std::pair<Side, Instant>> fabric_moves;

    /// All that happens before this instant.
    void run_until(Instant end) {
        while (step(end)) {
        }
        note_deliveries();
        now_ = end;
        move_fabric_before(end);
    }

    /// The world was changed just now.
    void adopt() {
        for (const Side side : {Side::source, Side::dest}) {
            Place& place = at(side);
            for (const sim::VirtualLink& link : place.node.kernel->state().links) {
                if (link.facts.is_tap) {
                    (void)place.taps[link.facts.index];
                }
            }
            for (auto& [index, tap] : place.taps) {
                adopt(side, tap, link_at(side, index));
            }
        }
        note_deliveries();
    }

    [[nodiscard]] FlowAccount account(std::uint32_t number) {
        const Sent& sent = flows[number];
        FlowAccount account;
        account.name = sent.flow.name;
        account.sent = sent.sent;
        account.delivered = sent.delivered;
        account.duplicated = sent.duplicated;
        account.reordered = sent.reordered;
        account.longest_gap = sent.longest_gap;
        account.lost = sent.lost;
        for (const Side side : {Side::source, Side::dest}) {
            const bool moved = side == Side::source && !at(side).runs && at(Side::dest).runs;
            const auto wait = [&](Waiting where, Loss loss, const NaivePacket& packet) {
                if (packet.flow == number) {
                    (moved ? account.lost[describe(loss, side)]
                           : account.waiting[describe(where, side)]) += 1;
                }
            };
            for (const auto& [index, tap] : at(side).taps) {
                for (const NaivePacket& one : tap.plug) {
                    wait(Waiting::plug, Loss::left_in_plug, one);
                }
                for (const NaivePacket& one : tap.ring) {
                    wait(Waiting::ring, Loss::left_in_ring, one);
                }
                if (tap.taken) {
                    wait(Waiting::qemu, Loss::left_in_qemu, *tap.taken);
                }
            }
            for (const Crossing& one : crossings_) {
                if (one.to == side && one.packet.flow == number) {
                    account.waiting[describe(Waiting::wire, side)] += 1;
                }
            }
        }
        return account;
    }

private:
    struct Crossing {
        Instant at;
        NaivePacket packet;
        Side to = Side::dest;
        TunnelEntry entry;
        unsigned hops = 0;
    };
    /// What could happen next, the first of all first.
    struct Next {
        Instant at;
        int kind = 0;  ///< 0 reading, 1 pacing, 2 a packet comes
        std::uint32_t flow = 0;
        std::uint64_t number = 0;
        std::size_t which = 0;  ///< Of the crossings; all: a packet is sent.
        Side side = Side::source;
        std::uint32_t tap = 0;
        friend bool operator<(const Next& left, const Next& right) {
            return std::tie(left.at, left.kind, left.flow, left.number) <
                   std::tie(right.at, right.kind, right.flow, right.number);
        }
    };
    static constexpr std::size_t from_fabric = SIZE_MAX;

    Place& at(Side side) { return places[static_cast<std::size_t>(side)]; }

    const sim::VirtualLink* link_at(Side side, std::uint32_t index) {
        for (const sim::VirtualLink& link : at(side).node.kernel->state().links) {
            if (link.facts.index == index) {
                return &link;
            }
        }
        return nullptr;
    }

    static bool is_open(const sim::VirtualLink* link) {
        return link != nullptr && link->facts.carrier && link->facts.up;
    }
    static std::optional<Duration> pace_of(const sim::VirtualLink& link) {
        const sim::VirtualRoot& root = link.root;
        const bool paced =
            root.pacer && root.pacer->packets_per_second > 0 && !(root.plug && root.plug->blocked);
        return paced ? std::optional{interval_of(root.pacer->packets_per_second)} : std::nullopt;
    }

    std::optional<Next> next() {
        std::optional<Next> first;
        const auto offer = [&](const Next& one) {
            if (!first || one < *first) {
                first = one;
            }
        };
        for (const Side side : {Side::source, Side::dest}) {
            for (const auto& [index, tap] : at(side).taps) {
                const sim::VirtualLink* link = link_at(side, index);
                if (!is_open(link)) {
                    continue;
                }
                if (at(side).runs && !tap.ring.empty()) {
                    offer({free_at(tap.ring_left, guest_every_), 0, 0, 0, 0, side, index});
                }
                if (const auto pace = pace_of(*link); pace && !tap.plug.empty()) {
                    offer({free_at(tap.plug_left, *pace), 1, 0, 0, 0, side, index});
                }
            }
        }
        for (std::size_t which = 0; which < crossings_.size(); ++which) {
            const Crossing& one = crossings_[which];
            offer({one.at, 2, one.packet.flow, one.packet.number, which, one.to, 0});
        }
        for (std::uint32_t number = 0; number < flows.size(); ++number) {
            const Sent& sent = flows[number];
            if (!sent.flow.packets || sent.sent < *sent.flow.packets) {
                const Instant when = sent.flow.from + interval_of(sent.flow.packets_per_second) *
                                                          static_cast<std::int64_t>(sent.sent);
                offer({when, 2, number, sent.sent, from_fabric, Side::source, 0});
            }
        }
        return first;
    }

    Instant free_at(const std::optional<Instant>& left, Duration every) const {
        return left ? std::max(now_, *left + every) : now_;
    }

    bool step(Instant end) {
        const std::optional<Next> what = next();
        if (!what || what->at >= end) {
            return false;
        }
        if (what->at > now_) {
            note_deliveries();
            now_ = what->at;
        }
        if (what->kind == 0) {
            read(at(what->side).taps[what->tap]);
        } else if (what->kind == 1) {
            pace(what->side, what->tap);
        } else if (what->which == from_fabric) {
            move_fabric_before(what->at + Duration{1});
            Sent& sent = flows[what->flow];
            const NaivePacket packet{what->flow, sent.sent++, sent.flow.bytes + 14};
            const PacketNode& node = at(fabric).node;
            go(packet, fabric, path_in(node, at(other(fabric)).node, sent.flow), 0);
        } else {
            const Crossing one = crossings_[what->which];
            crossings_.erase(crossings_.begin() + static_cast<std::ptrdiff_t>(what->which));
            go(one.packet, one.to,
               path_out_of(one.entry, at(one.to).node, at(other(one.to)).node,
                           flows[one.packet.flow].flow),
               one.hops);
        }
        return true;
    }

    void move_fabric_before(Instant end) {
        if (fabric_moves && fabric_moves->second < end) {
            fabric = fabric_moves->first;
            fabric_moves.reset();
        }
    }

    void lose(const NaivePacket& packet, Loss loss, Side side) {
        flows[packet.flow].lost[describe(loss, side)] += 1;
    }

    void go(const NaivePacket& packet, Side side, const PacketPath& path, unsigned hops) {
        for (std::size_t crossed = 0; crossed < path.crossed_count; ++crossed) {
            at(side).crossed[path.crossed[crossed].link][path.crossed[crossed].in ? 1 : 0] += 1;
        }
        if (path.end == PacketPath::End::lost) {
            lose(packet, path.loss, side);
        } else if (path.end == PacketPath::End::tap) {
            come(packet, side, path.tap);
        } else if (cut) {
            lose(packet, Loss::wire_cut, side);
        } else if (hops + 1 > 64) {
            lose(packet, Loss::went_round, side);
        } else {
            crossings_.push_back({now_ + latency_, packet, other(side), *path.entry, hops + 1});
        }
    }

    void come(const NaivePacket& packet, Side side, std::uint32_t index) {
        NaiveTap& tap = at(side).taps[index];
        const sim::VirtualLink* link = link_at(side, index);
        if (!is_open(link)) {
            ++tap.dropped;
            lose(packet, Loss::not_open, side);
            return;
        }
        const sim::VirtualRoot& root = link->root;
        const bool blocked = root.plug && root.plug->blocked;
        const std::optional<Duration> pace = pace_of(*link);
        std::uint64_t bytes = packet.bytes;
        for (const NaivePacket& one : tap.plug) {
            bytes += one.bytes;
        }
        const std::uint64_t limit = root.plug ? root.plug->limit_bytes : 256U << 20U;
        if (bytes > limit) {
            ++tap.plug_dropped;
            lose(packet, Loss::plug_full, side);
            return;
        }
        tap.plug.push_back(packet);
        if (pace && free_at(tap.plug_left, *pace) <= now_) {
            this->pace(side, index);
        } else if (!blocked && !pace) {
            tap.plug.pop_back();
            let_go(packet, side, tap, *link);
        }
        tap.plug_most = std::max<std::uint64_t>(tap.plug_most, tap.plug.size());
    }

    void pace(Side side, std::uint32_t index) {
        NaiveTap& tap = at(side).taps[index];
        const NaivePacket packet = tap.plug.front();
        tap.plug.pop_front();
        tap.plug_left = now_;
        let_go(packet, side, tap, *link_at(side, index));
    }

    void let_go(const NaivePacket& packet, Side side, NaiveTap& tap, const sim::VirtualLink& link) {
        ++tap.let_go;
        // What is due to be read is read before another one comes.
        const bool runs = at(side).runs;
        while (runs && !tap.ring.empty() && free_at(tap.ring_left, guest_every_) <= now_) {
            read(tap);
        }
        if (tap.ring.size() >= link.facts.queue_length) {
            ++tap.dropped;
            lose(packet, Loss::ring_full, side);
            return;
        }
        tap.ring.push_back(packet);
        if (runs && free_at(tap.ring_left, guest_every_) <= now_) {
            read(tap);
        }
        tap.ring_most = std::max<std::uint64_t>(tap.ring_most, tap.ring.size());
        if (!runs) {
            take(tap);
        }
    }

    void take(NaiveTap& tap) {
        if (!tap.taken && !tap.ring.empty()) {
            tap.taken = tap.ring.front();
            tap.ring.pop_front();
            tap.ring_left = now_;
            ++tap.read;
        }
    }

    void read(NaiveTap& tap) {
        const NaivePacket packet = tap.ring.front();
        tap.ring.pop_front();
        tap.ring_left = now_;
        ++tap.read;
        deliver(packet);
    }

    void deliver(const NaivePacket& packet) {
        delivered_now_.emplace_back(packet.flow, packet.number);
    }

    /// What is delivered at one instant, at whatever nodes, has the order in which it was sent.
    void note_deliveries() {
        std::sort(delivered_now_.begin(), delivered_now_.end());
        for (const auto& [flow, number] : delivered_now_) {
            Sent& sent = flows[flow];
            const bool is_new = sent.got.insert(number).second;
            ++(is_new ? sent.delivered : sent.duplicated);
            if (*sent.got.rbegin() > number) {
                ++sent.reordered;
            }
            if (sent.last_at) {
                sent.longest_gap = std::max(sent.longest_gap, now_ - *sent.last_at);
            }
            sent.last_at = now_;
        }
        delivered_now_.clear();
    }

    void adopt(Side side, NaiveTap& tap, const sim::VirtualLink* link) {
        if (!is_open(link)) {
            for (const NaivePacket& one : tap.plug) {
                lose(one, Loss::left_in_plug, side);
            }
            for (const NaivePacket& one : tap.ring) {
                lose(one, Loss::left_in_ring, side);
            }
            if (tap.taken) {
                lose(*tap.taken, Loss::left_in_qemu, side);
            }
            tap.plug.clear();
            tap.ring.clear();
            tap.taken.reset();
            tap.plug_left.reset();
            tap.ring_left.reset();
            tap.had_plug = tap.had_pacer = false;
            return;
        }
        while (tap.ring.size() > link->facts.queue_length) {
            lose(tap.ring.back(), Loss::ring_full, side);
            tap.ring.pop_back();
        }
        if (!at(side).runs) {
            take(tap);
        } else if (tap.taken) {
            deliver(*tap.taken);
            tap.taken.reset();
        }
        const sim::VirtualRoot& root = link->root;
        if (root.plug.has_value() != tap.had_plug || root.pacer.has_value() != tap.had_pacer) {
            for (const NaivePacket& one : tap.plug) {
                lose(one, Loss::left_in_plug, side);
            }
            if (!tap.plug.empty()) {
                tap.plug_left = now_;
            }
            tap.plug.clear();
        }
        tap.had_plug = root.plug.has_value();
        tap.had_pacer = root.pacer.has_value();
        if (!(root.plug && root.plug->blocked) && !pace_of(*link)) {
            while (!tap.plug.empty()) {
                const NaivePacket packet = tap.plug.front();
                tap.plug.pop_front();
                tap.plug_left = now_;
                let_go(packet, side, tap, *link);
            }
        }
    }

    Duration latency_;
    Duration guest_every_;
    Instant now_{};
    std::vector<Crossing> crossings_;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> delivered_now_;
};

}  // namespace ktm::model::test
