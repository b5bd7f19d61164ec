// SPDX-License-Identifier: Apache-2.0
// model/traffic.cc: packets for the guest, on their way through two simulated kernels.
#include "model/traffic.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"

namespace ktm::model {

namespace {

/// LIMIT: crossings of one packet, as many as a time to live allows.
constexpr std::uint32_t hops_max = 64;
constexpr std::uint32_t frame_header_bytes = 14;

/// What a request has to do with packets.
enum class Concern : std::uint8_t { nothing, counters, queue, way };

struct Concerns {
    Concern operator()(const net::FindLink&) const { return Concern::counters; }
    Concern operator()(const net::ListLinks&) const { return Concern::counters; }
    Concern operator()(const net::ListQdiscs&) const { return Concern::counters; }
    Concern operator()(const net::FindRoutes&) const { return Concern::nothing; }
    Concern operator()(const net::RouteTo&) const { return Concern::nothing; }
    Concern operator()(const net::ListOurRoutes&) const { return Concern::nothing; }
    Concern operator()(const net::ListFilters&) const { return Concern::nothing; }
    Concern operator()(const net::ListNeighbours&) const { return Concern::nothing; }
    Concern operator()(const net::ListAddresses&) const { return Concern::nothing; }
    Concern operator()(const net::ReadSetting&) const { return Concern::nothing; }
    Concern operator()(const net::FindKind&) const { return Concern::nothing; }
    Concern operator()(const net::SetQueueLength&) const { return Concern::queue; }
    Concern operator()(const net::AddPacer&) const { return Concern::queue; }
    Concern operator()(const net::SetPace&) const { return Concern::queue; }
    Concern operator()(const net::AddPlug&) const { return Concern::queue; }
    Concern operator()(const net::BlockPlug&) const { return Concern::queue; }
    Concern operator()(const net::OpenPlug&) const { return Concern::queue; }
    Concern operator()(const net::DeleteRootQdisc&) const { return Concern::queue; }
    Concern operator()(const net::PutRootQdisc&) const { return Concern::queue; }
    template <class Other>
    Concern operator()(const Other&) const {
        return Concern::way;
    }
};

Concern concern_of(const net::Request* request) {
    return request == nullptr ? Concern::way : std::visit(Concerns{}, *request);
}

}  // namespace

Traffic::Traffic(sim::VirtualClock& clock, Wire& wire, Node source, Node dest, Settings settings)
    : clock_(clock), wire_(wire), settings_(std::move(settings)), cut_(wire.is_cut()) {
    KTM_ASSERT(settings_.guest_packets_per_second > 0);
    settled_ = clock.now();
    for (const auto& [side, node] : {std::pair{Side::source, &source}, {Side::dest, &dest}}) {
        Place& there = place(side);
        there.kernel = node->kernel;
        there.node = PacketNode{node->kernel, node->underlay, settings_.guest_mac, false};
        node->kernel->listen([this](const net::Request* request) { hear(request); });
    }
    watch_ = wire.watch([this](bool cut) {
        settle();
        cut_ = cut;
    });
}

Traffic::~Traffic() {
    for (const Place& there : places_) {
        there.kernel->listen(nullptr);
    }
}

std::size_t Traffic::add(Flow flow) {
    KTM_ASSERT(flow.from >= clock_.now() && flow.bytes > 0);
    Sent sent;
    sent.every = interval_of(flow.packets_per_second);
    sent.flow = std::move(flow);
    flows_.push_back(std::move(sent));
    return flows_.size() - 1;
}

// --- What is told to it -------------------------------------------------------------------------

void Traffic::hear(const net::Request* request) {
    const Concern concern = concern_of(request);
    if (concern == Concern::nothing) {
        return;
    }
    settle();
    if (concern == Concern::way) {
        known_.clear();
    }
    changed_ = changed_ || concern != Concern::counters;
}

void Traffic::expect_change() {
    hear(nullptr);
}

void Traffic::open_tap(Side side, const std::string& tap) {
    expect_change();
    sim::VirtualLink* link = place(side).kernel->link(tap);
    KTM_ASSERT(link != nullptr);
    link->facts.carrier = true;
}

void Traffic::close_tap(Side side, const std::string& tap) {
    expect_change();
    // A QEMU may outlive its tap.
    if (sim::VirtualLink* link = place(side).kernel->link(tap); link != nullptr) {
        link->facts.carrier = false;
    }
}

void Traffic::guest_runs(Side side, bool runs) {
    expect_change();
    place(side).runs = runs;
    place(side).node.knows_guest = place(side).node.knows_guest || runs;
}

void Traffic::fabric_moves(Side to, Instant at) {
    settle();
    KTM_ASSERT(at >= settled_);
    fabric_moves_at_ = to == fabric_ ? std::nullopt : std::optional{at};
}

// --- Settling -----------------------------------------------------------------------------------

void Traffic::settle() {
    adopt();
    const Instant now = clock_.now();
    if (now == settled_) {
        return;
    }
    arrive_until(now);
    send_until(now);
    for (const Side side : {Side::source, Side::dest}) {
        for (const std::unique_ptr<Tap>& tap : place(side).taps) {
            put_in_order(tap->arrivals);
            tap->queue.pass(tap->arrivals, now, outcome_);
            tap->arrivals.clear();
            note_losses(side);
        }
    }
    note_deliveries();
    settled_ = now;
}

/// What the last change did to what waits.
void Traffic::adopt() {
    if (!std::exchange(changed_, false)) {
        return;
    }
    for (const Side side : {Side::source, Side::dest}) {
        Place& there = place(side);
        for (const sim::VirtualLink& link : there.kernel->state().links) {
            if (link.facts.is_tap) {
                (void)tap_at(side, link.facts.index);
            }
        }
        for (const std::unique_ptr<Tap>& tap : there.taps) {
            adopt(there, *tap);
            note_losses(side);
        }
    }
    note_deliveries();
}

void Traffic::adopt(Place& there, Tap& tap) {
    auto& links = there.kernel->state().links;
    const auto link = std::find_if(links.begin(), links.end(), [&](const sim::VirtualLink& one) {
        return one.facts.index == tap.link;
    });
    const TapQueue::Reader reader{there.runs, interval_of(settings_.guest_packets_per_second)};
    tap.queue.adopt(link == links.end() ? nullptr : &*link, reader, settled_, outcome_);
}

void Traffic::note_losses(Side side) {
    for (const TapOutcome::Lost& lost : outcome_.lost) {
        flows_[lost.train.flow].tally.lose(lost.loss, side, lost.train.count);
    }
    outcome_.lost.clear();
}

/// Two guests that run both get packets: what came first is decided over all taps.
void Traffic::note_deliveries() {
    put_in_order(outcome_.delivered);
    for (const PacketTrain& train : outcome_.delivered) {
        flows_[train.flow].tally.deliver(train);
    }
    outcome_.delivered.clear();
}

void Traffic::send_until(Instant end) {
    for (std::uint32_t number = 0; number < flows_.size(); ++number) {
        send(flows_[number], number, end);
    }
    if (fabric_moves_at_ && *fabric_moves_at_ < end) {
        fabric_ = other(fabric_);
        fabric_moves_at_.reset();
    }
}

void Traffic::send(Sent& sent, std::uint32_t number, Instant end) {
    PacketTrain train;
    train.flow = number;
    train.frame_bytes = sent.flow.bytes + frame_header_bytes;
    train.first = sent.count;
    train.count = sent.flow.packets.value_or(UINT64_MAX / 2) - sent.count;
    train.every = sent.every;
    train.at = sent.flow.from + sent.every * static_cast<std::int64_t>(sent.count);
    train.count = train.count_before(end);
    sent.count += train.count;
    if (fabric_moves_at_ && train.count > 0) {
        const PacketTrain before = train.take(train.count_before(*fabric_moves_at_));
        follow(before, fabric_, std::nullopt, 0, end);
        follow(train, other(fabric_), std::nullopt, 0, end);
    } else {
        follow(train, fabric_, std::nullopt, 0, end);
    }
}

void Traffic::arrive_until(Instant end) {
    arrived_.clear();
    for (Crossing& crossing : crossings_) {
        const std::uint64_t packets = crossing.train.count_before(end);
        if (packets > 0) {
            arrived_.push_back(crossing);
            arrived_.back().train = crossing.train.take(packets);
        }
    }
    std::erase_if(crossings_, [](const Crossing& one) { return one.train.count == 0; });
    for (const Crossing& one : arrived_) {
        follow(one.train, one.to, one.entry, one.hops, end);
    }
}

/// A train is at a node: out of a tunnel, or from the fabric.
void Traffic::follow(PacketTrain train, Side side, std::optional<std::uint32_t> entry,
                     std::uint32_t hops, Instant end) {
    if (train.count == 0) {
        return;
    }
    const Known& known = path_of(side, entry, train.flow);
    for (std::size_t at = 0; at < known.path.crossed_count; ++at) {
        net::Counters& counters = *known.counters[at];
        const bool in = known.path.crossed[at].in;
        (in ? counters.rx_packets : counters.tx_packets) += train.count;
        (in ? counters.rx_bytes : counters.tx_bytes) += train.count * train.frame_bytes;
    }
    switch (known.path.end) {
        case PacketPath::End::tap: known.tap->arrivals.push_back(train); break;
        case PacketPath::End::wire: cross(train, known, hops + 1, end); break;
        case PacketPath::End::lost:
            flows_[train.flow].tally.lose(known.path.loss, side, train.count);
            break;
    }
}

void Traffic::cross(PacketTrain train, const Known& known, std::uint32_t hops, Instant end) {
    const Side to = other(known.side);
    if (cut_ || hops > hops_max) {
        flows_[train.flow].tally.lose(cut_ ? Loss::wire_cut : Loss::went_round, known.side,
                                      train.count);
        return;
    }
    // LIFETIME: what follows may make new paths known.
    const std::uint32_t entry = known.next_entry;
    train.at += wire_.settings().latency;
    const PacketTrain there = train.take(train.count_before(end));
    if (train.count > 0) {
        crossings_.push_back(Crossing{train, to, entry, hops});
    }
    follow(there, to, entry, hops, end);
}

// --- Paths --------------------------------------------------------------------------------------

const Traffic::Known& Traffic::path_of(Side side, std::optional<std::uint32_t> entry,
                                       std::uint32_t flow) {
    for (const Known& known : known_) {
        if (known.side == side && known.entry == entry && known.flow == flow) {
            return known;
        }
    }
    Known known;
    known.side = side;
    known.entry = entry;
    known.flow = flow;
    const PacketNode& node = place(side).node;
    const PacketNode& far = place(other(side)).node;
    known.path = entry ? path_out_of(entries_[*entry], node, far, flows_[flow].flow)
                       : path_in(node, far, flows_[flow].flow);
    if (known.path.end == PacketPath::End::tap) {
        known.tap = &tap_at(side, known.path.tap);
    } else if (known.path.end == PacketPath::End::wire) {
        known.next_entry = number_of(*known.path.entry);
    }
    find_counters(known);
    known_.push_back(std::move(known));
    return known_.back();
}

/// LIFETIME: they stay where they are until a kernel changes, and then no path is known any more.
void Traffic::find_counters(Known& known) {
    for (std::size_t at = 0; at < known.path.crossed_count; ++at) {
        for (sim::VirtualLink& link : place(known.side).kernel->state().links) {
            if (link.facts.index == known.path.crossed[at].link) {
                known.counters[at] = &link.facts.counters;
            }
        }
        KTM_ASSERT(known.counters[at] != nullptr);
    }
}

std::uint32_t Traffic::number_of(const TunnelEntry& entry) {
    const auto found = std::find(entries_.begin(), entries_.end(), entry);
    if (found == entries_.end()) {
        entries_.push_back(entry);
        return static_cast<std::uint32_t>(entries_.size() - 1);
    }
    return static_cast<std::uint32_t>(found - entries_.begin());
}

Traffic::Tap& Traffic::tap_at(Side side, std::uint32_t link) {
    Place& there = place(side);
    for (const std::unique_ptr<Tap>& tap : there.taps) {
        if (tap->link == link) {
            return *tap;
        }
    }
    there.taps.push_back(std::make_unique<Tap>());
    there.taps.back()->link = link;
    return *there.taps.back();
}

// --- What it counted ----------------------------------------------------------------------------

FlowAccount Traffic::account(std::size_t flow) {
    KTM_ASSERT(flow < flows_.size());
    settle();
    const Sent& sent = flows_[flow];
    FlowAccount account = sent.tally.account();
    account.name = sent.flow.name;
    account.sent = sent.count;
    count_waiting(static_cast<std::uint32_t>(flow), account);
    KTM_ASSERT(account.sent ==
               account.delivered + account.lost_in_all() + account.waiting_in_all());
    return account;
}

void Traffic::count_waiting(std::uint32_t flow, FlowAccount& account) {
    for (const Side side : {Side::source, Side::dest}) {
        // Where the guest has gone away nobody will read any more.
        const bool moved = side == Side::source && !place(side).runs && place(other(side)).runs;
        const auto wait = [&](Waiting where, Loss loss, std::uint64_t packets) {
            if (packets > 0) {
                (moved ? account.lost[describe(loss, side)]
                       : account.waiting[describe(where, side)]) += packets;
            }
        };
        const auto count = [&](const PacketQueue& queue) {
            std::uint64_t packets = 0;
            queue.for_each(
                [&](const PacketTrain& train) { packets += train.flow == flow ? train.count : 0; });
            return packets;
        };
        for (const std::unique_ptr<Tap>& tap : place(side).taps) {
            wait(Waiting::plug, Loss::left_in_plug, count(tap->queue.held()));
            wait(Waiting::ring, Loss::left_in_ring, count(tap->queue.ring()));
            const auto& taken = tap->queue.taken();
            wait(Waiting::qemu, Loss::left_in_qemu, taken && taken->flow == flow ? 1 : 0);
        }
        for (const Crossing& crossing : crossings_) {
            if (crossing.to == side && crossing.train.flow == flow) {
                account.waiting[describe(Waiting::wire, side)] += crossing.train.count;
            }
        }
    }
}

std::vector<FlowAccount> Traffic::accounts() {
    std::vector<FlowAccount> all;
    for (std::size_t flow = 0; flow < flows_.size(); ++flow) {
        all.push_back(account(flow));
    }
    return all;
}

HeldMost Traffic::held_most(Side side) {
    settle();
    HeldMost most;
    for (const std::unique_ptr<Tap>& tap : place(side).taps) {
        most.plug = std::max(most.plug, tap->queue.held().packets_most());
        most.ring = std::max(most.ring, tap->queue.ring().packets_most());
    }
    return most;
}

bool Traffic::is_on_its_way() {
    settle();
    if (!crossings_.empty()) {
        return true;
    }
    return std::any_of(places_.begin(), places_.end(), [](const Place& there) {
        return std::any_of(there.taps.begin(), there.taps.end(), [&](const auto& tap) {
            return tap->queue.held().packets() > 0 ||
                   (there.runs && tap->queue.ring().packets() > 0);
        });
    });
}

}  // namespace ktm::model
