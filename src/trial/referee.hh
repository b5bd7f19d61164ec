// SPDX-License-Identifier: Apache-2.0
// trial/referee.hh: what must hold in every migration, and who sees when it does not.
//
// The referee believes no plan. It is told by the models themselves when a guest starts and stops,
// what the kernels hold and where each packet is; what a run says of itself is one of the things
// that it checks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hh"
#include "model/flow_account.hh"

namespace ktm::trial {

using model::Side;

enum class Invariant : std::uint8_t {
    gets_there,      ///< Where nothing goes wrong it is done.
    one_guest,       ///< Never two guests at once.
    guest_lives,     ///< At the end one, or a person is told that there is none.
    stays_at_home,   ///< Until the commit every failure ends with the guest at the source.
    no_way_back,     ///< Behind the commit nobody lets the guest run at the source.
    disks_equal,     ///< Where a guest starts, the disk holds what it knows to have written.
    host_as_before,  ///< A host is left as it was found, but for what the guest needs there.
    vm_as_before,    ///< Until the commit a QEMU is left as it was found.
    hold_open,       ///< No packets are held for ever.
    no_packet_lost,  ///< Of a migration that went well.
    in_time,         ///< Everything ends.
    truth,           ///< What a run says of itself is so.
    ledger,          ///< And what it says of its packets.
};
inline constexpr std::size_t invariants = 13;

/// "one-guest"; and what it means, for people.
[[nodiscard]] std::string_view name_of(Invariant invariant) noexcept;
[[nodiscard]] std::string_view describe(Invariant invariant) noexcept;

struct Violation {
    Invariant invariant = Invariant::one_guest;
    std::string what;
    Instant at;
};

/// Each invariant is told once in a trial.
class Referee {
public:
    void blame(Invariant invariant, std::string what, Instant at);
    [[nodiscard]] const std::vector<Violation>& violations() const noexcept { return violations_; }
    [[nodiscard]] bool is_content() const noexcept { return violations_.empty(); }

    // --- As it goes -----------------------------------------------------------------------------

    /// A guest starts or stops. `fits`: whether its disk holds what it knows.
    void on_guest(Side side, bool runs, bool fits, Instant at);
    /// The source has given the guest away: that is written down.
    void on_commit(Side side, Instant at);
    /// A QEMU is gone; nobody can expect a guest of it.
    void on_exit(Side side, bool killed, Instant at);

    [[nodiscard]] bool runs(Side side) const noexcept { return here(side).runs; }
    [[nodiscard]] bool has_committed(Side side) const noexcept { return here(side).committed; }
    [[nodiscard]] bool was_killed(Side side) const noexcept { return here(side).killed; }
    /// From the first stop at the source to the start behind which no other followed.
    [[nodiscard]] std::optional<Duration> dark() const noexcept;

    /// How long a guest has stood at most, before it was started again; and when that was.
    struct Stood {
        Duration most{};
        Instant until{};
    };
    [[nodiscard]] const Stood& stood() const noexcept { return stood_; }

private:
    struct Place {
        bool runs = false;
        bool committed = false;
        bool killed = false;
        bool gone = false;
    };
    [[nodiscard]] const Place& here(Side side) const noexcept {
        return places_[static_cast<std::size_t>(side)];
    }
    [[nodiscard]] Place& here(Side side) noexcept {
        return places_[static_cast<std::size_t>(side)];
    }

    std::array<Place, 2> places_;
    std::optional<Instant> stopped_;
    std::optional<Instant> started_;
    std::optional<Instant> standing_since_;
    Stood stood_;
    bool begun_ = false;
    std::uint32_t told_ = 0;  ///< Invariants, as bits.
    std::vector<Violation> violations_;
};

}  // namespace ktm::trial
