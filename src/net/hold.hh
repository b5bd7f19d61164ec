// SPDX-License-Identifier: Apache-2.0
// net/hold.hh: what keeps packets at the destination until the guest runs there.
//
// Theory of operation. Below is the ring of the tap: while the guest stands still, QEMU does not
// read, and the ring keeps as many packets as the device's queue length says. Above it, where the
// kernel has sch_plug, a plug keeps more, by bytes, and a pacer (tbf) lets them go no faster than
// the ring and the guest can take. The ring needs nobody's word to open: it is read as soon as the
// guest runs. The plug is opened by us, or by the guard when we are dead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hh"
#include "net/wanted.hh"

namespace ktm::net {

enum class HoldMode : std::uint8_t { automatic, ring, plug_and_ring };
[[nodiscard]] std::optional<HoldMode> hold_mode(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(HoldMode mode) noexcept;

/// LIMIT: of a ring; a packet in it costs some 2.3 KiB of the kernel's memory.
inline constexpr std::uint32_t ring_packets_max = 1'000'000;

struct HoldWish {
    std::string tap;
    HoldMode mode = HoldMode::automatic;
    std::uint64_t packets_per_second = 0;
    Duration pause{};
    double margin = 2;
    std::uint32_t packet_bytes = 1514;         ///< The largest frame.
    std::optional<std::uint32_t> ring;         ///< Instead of what follows from rate and pause.
    std::optional<std::uint32_t> limit_bytes;  ///< The same for the plug.
    std::uint32_t pace = 0;  ///< Packets a second at the release; 0: four times the rate.
};

/// What must fit: rate × pause × margin.
[[nodiscard]] Result<std::uint64_t> packets_needed(const HoldWish& wish);

/// What a hold is made of, and what it can take.
struct HoldForm {
    bool plug = false;
    bool pacer = false;
    std::uint32_t ring = 0;
    std::uint32_t limit_bytes = 0;
    std::uint64_t needed = 0;    ///< What the wish asks for, in packets.
    std::uint64_t capacity = 0;  ///< In packets of the largest size.
    std::uint32_t pace = 0;
    friend bool operator==(const HoldForm&, const HoldForm&) = default;
};

/// The form that this wish takes on this kernel. `with_plug` and `with_pacer`: whether the kernel
/// has sch_plug and sch_tbf.
[[nodiscard]] Result<HoldForm> form_of(const HoldWish& wish, std::uint32_t queue_length,
                                       bool with_plug, bool with_pacer);

/// Enlarges the ring.
[[nodiscard]] Wanted want_ring(const HoldWish& wish, const HoldForm& form);
/// Installs plug and pacer, letting everything pass. A former root qdisc that has parts which
/// could not be put back is an error.
[[nodiscard]] Wanted want_plug(const HoldWish& wish, const HoldForm& form);

}  // namespace ktm::net
