// SPDX-License-Identifier: Apache-2.0
// model/flow_account.hh: what became of the packets of a flow: each is accounted for.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/packet_train.hh"

namespace ktm::model {

/// The nodes of a migration.
enum class Side : std::uint8_t { source, dest };
[[nodiscard]] constexpr Side other(Side side) noexcept {
    return side == Side::source ? Side::dest : Side::source;
}
[[nodiscard]] std::string_view name_of(Side side) noexcept;

/// Where a packet can be lost, at each node.
enum class Loss : std::uint8_t {
    no_route,
    no_forwarding,
    no_neighbour,
    led_elsewhere,
    went_round,
    too_big,
    no_way_across,
    wire_cut,
    no_tunnel,
    not_open,
    plug_full,
    ring_full,
    left_in_plug,
    left_in_ring,
    left_in_qemu,
};
inline constexpr std::size_t losses = 15;
/// For people, after "lost": "in the ring of the dest, which was full".
[[nodiscard]] std::string describe(Loss loss, Side side);

/// Where a packet can be when it is neither delivered nor lost.
enum class Waiting : std::uint8_t { plug, ring, qemu, wire };
inline constexpr std::size_t waitings = 4;
[[nodiscard]] std::string describe(Waiting waiting, Side side);

/// sent == delivered + lost + waiting, for each flow at each instant.
struct FlowAccount {
    std::string name;
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;  ///< To a guest, each packet once.
    std::map<std::string, std::uint64_t> lost;
    std::map<std::string, std::uint64_t> waiting;
    std::uint64_t duplicated = 0;  ///< Delivered once more.
    std::uint64_t reordered = 0;   ///< Delivered behind one that was sent later.
    Duration longest_gap{};        ///< Between two packets that a guest got.

    [[nodiscard]] std::uint64_t lost_in_all() const;
    [[nodiscard]] std::uint64_t waiting_in_all() const;
    friend bool operator==(const FlowAccount&, const FlowAccount&) = default;
};

/// Counts what happens to a flow.
class FlowTally {
public:
    void lose(Loss loss, Side side, std::uint64_t packets) noexcept {
        lost_[static_cast<std::size_t>(side)][static_cast<std::size_t>(loss)] += packets;
    }
    /// A guest gets these, at these instants.
    void deliver(const PacketTrain& train);
    /// All that it knows; what was sent and what waits is for others to say.
    [[nodiscard]] FlowAccount account() const;

private:
    struct Range {
        std::uint64_t first = 0;
        std::uint64_t end = 0;
    };

    /// How many of these a guest got before; from now on it has all of them.
    [[nodiscard]] std::uint64_t known(Range range);

    std::array<std::array<std::uint64_t, losses>, 2> lost_{};
    std::vector<Range> delivered_;  ///< By number, none beside another.
    std::uint64_t unique_ = 0;
    std::uint64_t duplicated_ = 0;
    std::uint64_t reordered_ = 0;
    std::uint64_t next_ = 0;  ///< Behind the newest one that was delivered.
    std::optional<Instant> last_at_;
    Duration longest_gap_{};
};

}  // namespace ktm::model
