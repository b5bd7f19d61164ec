// SPDX-License-Identifier: Apache-2.0
// peer/clock_estimate.hh: how far the other node's clock is ahead, and how sure that is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hh"

namespace ktm::peer {

/// What is known of the other node's clock. The true offset is within half a round trip of this.
struct ClockReading {
    Duration round_trip{};
    Duration offset{};  ///< Their clock minus ours.
};

/// One exchange, as NTP has it: sent here, came there, answered there, came back here.
struct Exchange {
    Instant sent;
    Instant came;
    Instant answered;
    Instant returned;
};

/// The best of the last exchanges: the quicker one was, the less it can be wrong.
class ClockEstimate {
public:
    /// An exchange that cannot have been is passed over.
    void add(const Exchange& exchange);
    [[nodiscard]] const std::optional<ClockReading>& best() const noexcept { return best_; }

private:
    /// LIMIT: exchanges that are remembered; clocks drift, so older ones say less.
    static constexpr std::size_t kept = 16;

    std::array<ClockReading, kept> readings_{};
    std::size_t count_ = 0;  ///< Of all that were ever added.
    std::optional<ClockReading> best_;
};

}  // namespace ktm::peer
