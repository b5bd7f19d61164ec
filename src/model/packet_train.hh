// SPDX-License-Identifier: Apache-2.0
// model/packet_train.hh: packets of one flow that follow each other at one distance.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.hh"

namespace ktm::model {

/// The packets `first`, `first + 1`, … of a flow, the first one at `at`. In a queue, where packets
/// wait, the times mean nothing.
struct PacketTrain {
    std::uint32_t flow = 0;
    std::uint32_t frame_bytes = 0;  ///< Of each packet, with its Ethernet header.
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    Instant at{};
    Duration every{};

    [[nodiscard]] Instant last_at() const noexcept {
        return at + every * static_cast<std::int64_t>(count - 1);
    }
    /// How many of them come before an instant.
    [[nodiscard]] std::uint64_t count_before(Instant end) const noexcept;
    /// Cuts off and gives back the first ones.
    [[nodiscard]] PacketTrain take(std::uint64_t packets);
    friend bool operator==(const PacketTrain&, const PacketTrain&) = default;
};
/// At this rate; LIMIT: in whole nanoseconds, one at least.
[[nodiscard]] Duration interval_of(std::uint64_t packets_per_second);

using PacketTrains = std::vector<PacketTrain>;

/// Puts the trains of several flows into one order: by time, then by flow, then by number. Where
/// they overlap in time they are cut.
void put_in_order(PacketTrains& trains);

}  // namespace ktm::model
