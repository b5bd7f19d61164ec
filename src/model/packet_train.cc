// SPDX-License-Identifier: Apache-2.0
// model/packet_train.cc: trains of packets, cut and put in order.
#include "model/packet_train.hh"

#include <algorithm>
#include <tuple>

#include "base/assert.hh"

namespace ktm::model {

namespace {

bool comes_before(const PacketTrain& left, const PacketTrain& right) noexcept {
    return std::tie(left.at, left.flow, left.first) < std::tie(right.at, right.flow, right.first);
}

/// Whether each train ends before the next one begins.
bool are_apart(const PacketTrains& trains) noexcept {
    for (std::size_t at = 1; at < trains.size(); ++at) {
        if (trains[at - 1].last_at() >= trains[at].at) {
            return false;
        }
    }
    return true;
}

/// LIMIT: a step for each piece and each train that has not ended, of which there are few.
PacketTrains interleaved(PacketTrains trains) {
    PacketTrains ordered;
    while (!trains.empty()) {
        const auto next = std::min_element(trains.begin(), trains.end(), comes_before);
        std::uint64_t packets = next->count;
        for (const PacketTrain& other : trains) {
            if (&other != &*next) {
                packets = std::min(packets, next->count_before(other.at));
            }
        }
        ordered.push_back(next->take(std::max<std::uint64_t>(packets, 1)));
        if (next->count == 0) {
            trains.erase(next);
        }
    }
    return ordered;
}

}  // namespace

std::uint64_t PacketTrain::count_before(Instant end) const noexcept {
    if (end <= at) {
        return 0;
    }
    if (every == Duration::zero()) {
        return count;
    }
    return std::min(count, static_cast<std::uint64_t>((end - at - Duration{1}) / every) + 1);
}

Duration interval_of(std::uint64_t packets_per_second) {
    KTM_ASSERT(packets_per_second > 0);
    constexpr std::uint64_t second = std::chrono::nanoseconds{std::chrono::seconds{1}}.count();
    return Duration{std::max<std::uint64_t>(second / packets_per_second, 1)};
}

PacketTrain PacketTrain::take(std::uint64_t packets) {
    KTM_ASSERT(packets <= count);
    PacketTrain taken = *this;
    taken.count = packets;
    first += packets;
    count -= packets;
    at += every * static_cast<std::int64_t>(packets);
    return taken;
}

void put_in_order(PacketTrains& trains) {
    if (trains.size() < 2) {
        return;
    }
    std::sort(trains.begin(), trains.end(), comes_before);
    if (!are_apart(trains)) {
        trains = interleaved(std::move(trains));
    }
}

}  // namespace ktm::model
