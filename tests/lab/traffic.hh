// SPDX-License-Identifier: Apache-2.0
// tests/lab/traffic.hh: what the client sends to the guest, and how both count what came.
#pragma once

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace traffic {

constexpr uint16_t kUdpPort = 7000, kAskPort = 7001, kTcpPort = 7002;
constexpr uint32_t kMagic = 0x4b544d31;
constexpr int64_t kBulkLingers = 1'000'000'000;  // The guest closes a bulk flow so much later.
constexpr uint32_t kNumbersMax = 1U << 21;       // LIMIT: packets of a stream
constexpr size_t kPacketMax = 2048, kPatternBytes = 64 * 1024;

/// The head of each packet, in network order; what follows it is filler.
struct Head {
    uint32_t magic, stream, number, size;
};

/// Counts the packets of a stream by their numbers.
class Stream {
public:
    explicit Stream(uint32_t id) : id_(id), seen_(kNumbersMax / 8) {}

    /// One packet has come.
    void count(uint32_t number) {
        if (number >= kNumbersMax) {
            return;
        }
        uint8_t& cell = seen_[number / 8];
        const auto bit = static_cast<uint8_t>(1U << (number % 8));
        if ((cell & bit) != 0) {
            ++duplicated_;
            return;
        }
        cell = static_cast<uint8_t>(cell | bit);
        ++received_;
        if (number < next_) {
            ++reordered_;
        } else {
            next_ = number + 1;
        }
    }

    /// The first numbers below `sent` that never came, as ranges, "5-7 20-20".
    [[nodiscard]] std::string missing(uint32_t sent, size_t ranges_max = 20) const {
        std::string text;
        for (uint32_t at = 0, ranges = 0; at < sent && ranges < ranges_max; ++at) {
            if (has(at)) {
                continue;
            }
            uint32_t last = at;
            while (last + 1 < sent && !has(last + 1)) {
                ++last;
            }
            text += (text.empty() ? "" : " ") + std::to_string(at) + "-" + std::to_string(last);
            at = last;
            ++ranges;
        }
        return text;
    }

    [[nodiscard]] uint32_t id() const { return id_; }
    [[nodiscard]] uint32_t received() const { return received_; }
    [[nodiscard]] uint32_t duplicated() const { return duplicated_; }
    [[nodiscard]] uint32_t reordered() const { return reordered_; }

private:
    [[nodiscard]] bool has(uint32_t number) const {
        return number < kNumbersMax && (seen_[number / 8] & (1U << (number % 8))) != 0;
    }

    uint32_t id_, received_ = 0, duplicated_ = 0, reordered_ = 0, next_ = 0;
    std::vector<uint8_t> seen_;
};

/// What the bulk flow carries, again and again: twice the period, so that a piece of at most one
/// period can be compared wherever it begins.
inline std::vector<uint8_t> bulk_pattern() {
    std::vector<uint8_t> bytes(2 * kPatternBytes);
    uint32_t state = 12345;
    for (size_t at = 0; at < kPatternBytes; ++at) {
        state = state * 1664525 + 1013904223;
        bytes[at] = bytes[at + kPatternBytes] = static_cast<uint8_t>(state >> 24);
    }
    return bytes;
}

}  // namespace traffic
