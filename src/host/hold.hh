// SPDX-License-Identifier: Apache-2.0
// host/hold.hh: a hold on a tap: installed, blocked, opened, given back.
//
// Theory of operation. Installing tries the best form that the wish allows: plug and pacer above a
// ring that is long enough; without the pacer where the kernel has no tbf; the ring alone where it
// has no plug. From the instant of block() a guard stands ready, who opens the plug when we die, or
// when `at_most` has passed. open() lets go at the hold's pace. Giving back opens, waits until what
// was held has gone its way, counts, and puts everything back; where nobody reads the tap it does
// not wait for ever, and says how much was left. A change of a queue makes the kernel drop what
// comes just then, up to some hundred packets at 20,000 a second: so a hold is installed before the
// traffic comes, and finish() leaves it in place.
//
//     absent ──install──> passing ──block──> blocked ──open──> passing ──give_back──> absent
//                                                                 └────finish──────> left passing
//
// The ring cannot be blocked or opened: it holds while the guest stands still.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/host.hh"
#include "net/account.hh"
#include "net/hold.hh"

namespace ktm::host {

/// LIMIT: how long giving back waits for packets to go their way, while they go.
inline constexpr Duration drain_within{std::chrono::seconds{60}};
/// How long a reader may stand still until nothing more is expected of it.
inline constexpr Duration reader_patience{std::chrono::seconds{2}};
inline constexpr Duration drain_poll{std::chrono::milliseconds{10}};
/// How long a plug may be blocked, where nobody says.
inline constexpr Duration blocked_at_most{std::chrono::seconds{30}};

/// What a hold did since it was installed.
struct HoldCounts {
    std::uint64_t taken = 0;         ///< Packets that the reader of the tap took.
    std::uint64_t queued = 0;        ///< In the plug, now.
    std::uint64_t queued_most = 0;   ///< The most that was seen there.
    std::uint64_t dropped_plug = 0;  ///< What did not fit into the plug.
    std::uint64_t dropped_ring = 0;  ///< What did not fit into the ring.
    std::uint64_t left = 0;          ///< What nobody took, and was given up; at the end alone.
    bool guarded = false;            ///< The guard had to open it: we were late.

    [[nodiscard]] std::uint64_t lost() const noexcept { return dropped_plug + dropped_ring + left; }
};

class Hold {
public:
    using Done = UniqueFunction<void(Result<void>)>;
    using Counted = UniqueFunction<void(Result<HoldCounts>)>;

    /// LIFETIME: host and clock outlive it, the namespace is one of the host's.
    Hold(Host& host, ports::Clock& clock, Namespace& space, net::HoldWish wish, Duration at_most);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    /// Each calls `done` once, perhaps before it returns, and not at all when the Hold is destroyed
    /// before. One at a time; but give_back() may be called again while it is under way: all who
    /// asked hear the same.
    void install(Done done);
    void block(Done done);
    /// What the kernel refuses is tried twice more.
    void open(Done done);
    void count(Counted done);
    void give_back(Counted done);
    /// As give_back(), but ring, pacer and open plug stay where they are, and let everything pass:
    /// the kernel drops what comes while a queue is changed. They end with the tap.
    void finish(Counted done);

    /// Reads what has come to it by now, for point(); what cannot be read is not there.
    void note_opening();

    /// Whether it is installed, and not given back yet.
    [[nodiscard]] bool is_there() const noexcept { return counting_ && ring_.has_value(); }
    /// Whether the plug holds now, as far as is known.
    [[nodiscard]] bool is_blocked() const noexcept { return blocked_; }
    /// What was counted last; behind give_back() it stands even where that failed.
    [[nodiscard]] const HoldCounts& last_counts() const noexcept { return counts_; }
    /// All that it has read, for an account.
    [[nodiscard]] net::Point point() const;
    /// What it is made of; after install().
    [[nodiscard]] const net::HoldForm& form() const noexcept { return form_; }
    [[nodiscard]] const std::string& tap() const noexcept { return wish_.tap; }
    [[nodiscard]] const Namespace& space() const noexcept { return space_; }
    /// Why it has no plug, for people; empty when it has one or none was wanted.
    [[nodiscard]] const std::string& without_plug() const noexcept { return without_plug_; }

private:
    using Seen = net::Seen;

    struct Opening {
        std::size_t failed = 0;  ///< Attempts.
        unsigned blocks = 0;     ///< As it was asked for: what is blocked anew is not opened.
        Done done;
    };

    void acquire_ring(const net::LinkFacts& tap, Done done);
    void acquire_plug(bool with_pacer, Done done);
    void settle_plug(bool with_pacer, Result<AcquiredId> acquired, Done done);
    [[nodiscard]] Result<void> set_guard();
    void begin_counting(Done done);
    void try_to_open(Opening opening);
    void note_open();
    void open_again(Error error, Opening opening);
    void open_if_gone(Error error, Opening opening);
    void look(UniqueFunction<void(Result<Seen>)> done);
    [[nodiscard]] HoldCounts counts_from(const Seen& seen);
    [[nodiscard]] net::InRing in_ring(const Seen& seen) const;
    void end(Counted done);
    void drain();
    void drain_further(const Seen& seen);
    void put_back();
    void let_be();
    void let_parts_be();
    void give_plug();
    void give_ring(Result<void> plug);
    void tell_givers(const Result<void>& given);

    Host& host_;
    ports::Clock& clock_;
    Namespace& space_;
    net::HoldWish wish_;
    Duration at_most_;
    net::HoldForm form_;
    std::string without_plug_;
    std::optional<AcquiredId> ring_;
    std::optional<AcquiredId> plug_;
    std::unique_ptr<ports::Guard> guard_;
    bool blocked_ = false;
    bool may_be_open_ = false;  ///< To open it was begun since it was blocked.
    unsigned blocks_ = 0;       ///< How often it was blocked.
    bool guarded_ = false;
    std::uint32_t base_queue_length_ = 0;
    std::uint32_t base_joined_max_ = 0;  ///< 0: it was left as it was.
    Seen base_;
    bool counting_ = false;     ///< From base_ on.
    std::optional<Seen> amid_;  ///< When it had been opened.
    std::optional<Seen> last_;
    std::string unread_;  ///< Why last_ is not what it should be.
    HoldCounts counts_;
    std::vector<Counted> givers_;  ///< Who waits until it is given back.
    bool stays_ = false;           ///< finish() was asked for.
    Instant drain_began_;
    Instant moved_;                         ///< When the reader last took something.
    std::uint64_t moved_to_ = 0;            ///< What it had taken then.
    std::optional<std::uint64_t> gone_at_;  ///< When so many were taken, what waited is gone.
    std::uint64_t unsure_ = 0;              ///< What perhaps nobody took, and was given up.
    std::unique_ptr<ports::Timer> timer_;
    std::shared_ptr<bool> alive_;
};

}  // namespace ktm::host
