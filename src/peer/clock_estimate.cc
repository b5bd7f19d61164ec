// SPDX-License-Identifier: Apache-2.0
// peer/clock_estimate.cc: how far the other node's clock is ahead, and how sure that is.
#include "peer/clock_estimate.hh"

#include <algorithm>

namespace ktm::peer {

void ClockEstimate::add(const Exchange& exchange) {
    const Duration away = exchange.returned - exchange.sent;
    const Duration there = exchange.answered - exchange.came;
    if (there < Duration::zero() || away < there) {
        return;
    }
    const Duration ahead =
        ((exchange.came - exchange.sent) + (exchange.answered - exchange.returned)) / 2;
    readings_[count_ % kept] = {away - there, ahead};
    ++count_;
    const auto* end = readings_.begin() + std::min(count_, kept);
    best_ = *std::min_element(
        readings_.cbegin(), end,
        [](const ClockReading& a, const ClockReading& b) { return a.round_trip < b.round_trip; });
}

}  // namespace ktm::peer
