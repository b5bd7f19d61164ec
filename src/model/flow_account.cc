// SPDX-License-Identifier: Apache-2.0
// model/flow_account.cc: what became of the packets of a flow.
#include "model/flow_account.hh"

#include <algorithm>
#include <string_view>

#include "base/assert.hh"

namespace ktm::model {

namespace {

/// What stands before and behind the name of the node.
struct Wording {
    std::string_view before;
    std::string_view behind;
};

constexpr std::array<Wording, losses> loss_words{{
    {"no route at the ", ""},
    {"no forwarding at the ", ""},
    {"no neighbour at the ", ""},
    {"led elsewhere at the ", ""},
    {"went round and round, last seen at the ", ""},
    {"too big for the tunnel at the ", ""},
    {"no way to the other node from the ", ""},
    {"the wire was cut, sent by the ", ""},
    {"no tunnel at the ", ""},
    {"the tap is open in no program at the ", ""},
    {"no room in the ", "'s plug"},
    {"no room in the ", "'s ring"},
    {"left in the ", "'s plug"},
    {"left in the ", "'s ring"},
    {"left in the ", "'s QEMU"},
}};

constexpr std::array<Wording, waitings> waiting_words{{
    {"in the ", "'s plug"},
    {"in the ", "'s ring"},
    {"in the ", "'s QEMU"},
    {"on the wire to the ", ""},
}};

std::string worded(const Wording& wording, Side side) {
    return std::string{wording.before} + std::string{name_of(side)} + std::string{wording.behind};
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& places) {
    std::uint64_t all = 0;
    for (const auto& [place, packets] : places) {
        all += packets;
    }
    return all;
}

}  // namespace

std::string_view name_of(Side side) noexcept {
    return side == Side::source ? "source" : "dest";
}

std::string describe(Loss loss, Side side) {
    return worded(loss_words[static_cast<std::size_t>(loss)], side);
}

std::string describe(Waiting waiting, Side side) {
    return worded(waiting_words[static_cast<std::size_t>(waiting)], side);
}

std::uint64_t FlowAccount::lost_in_all() const {
    return sum(lost);
}

std::uint64_t FlowAccount::waiting_in_all() const {
    return sum(waiting);
}

void FlowTally::deliver(const PacketTrain& train) {
    KTM_ASSERT(train.count > 0);
    if (last_at_) {
        longest_gap_ = std::max(longest_gap_, train.at - *last_at_);
    }
    if (train.count > 1) {
        longest_gap_ = std::max(longest_gap_, train.every);
    }
    last_at_ = train.last_at();
    const Range range{train.first, train.first + train.count};
    if (range.first < next_) {
        reordered_ += std::min(range.end, next_) - range.first;
    }
    next_ = std::max(next_, range.end);
    const std::uint64_t again = known(range);
    duplicated_ += again;
    unique_ += train.count - again;
}

std::uint64_t FlowTally::known(Range range) {
    // As good as always it goes on where it was.
    if (!delivered_.empty() && delivered_.back().end == range.first) {
        delivered_.back().end = range.end;
        return 0;
    }
    const auto first =
        std::partition_point(delivered_.begin(), delivered_.end(),
                             [&](const Range& one) { return one.end < range.first; });
    auto end = first;
    std::uint64_t again = 0;
    Range whole = range;
    for (; end != delivered_.end() && end->first <= range.end; ++end) {
        const std::uint64_t from = std::max(end->first, range.first);
        const std::uint64_t to = std::min(end->end, range.end);
        again += to - from;
        whole = Range{std::min(whole.first, end->first), std::max(whole.end, end->end)};
    }
    delivered_.insert(delivered_.erase(first, end), whole);
    return again;
}

FlowAccount FlowTally::account() const {
    FlowAccount account;
    account.delivered = unique_;
    account.duplicated = duplicated_;
    account.reordered = reordered_;
    account.longest_gap = longest_gap_;
    for (const Side side : {Side::source, Side::dest}) {
        for (std::size_t at = 0; at < losses; ++at) {
            const std::uint64_t packets = lost_[static_cast<std::size_t>(side)][at];
            if (packets > 0) {
                account.lost[describe(static_cast<Loss>(at), side)] += packets;
            }
        }
    }
    return account;
}

}  // namespace ktm::model
