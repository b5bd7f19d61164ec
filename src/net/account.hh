// SPDX-License-Identifier: Apache-2.0
// net/account.hh: what a node counted of a guest's packets, and what two such accounts prove.
//
// Theory of operation. A guest's packet goes into the tunnel at the source, comes out of it at the
// destination, arrives at the tap there, and is taken by the guest. Each of these places counts for
// itself. What went into the tunnel and did not come out is lost between the nodes, if both ends
// count packet for packet: many may travel as one, and not as the same ones at both ends. What came
// out and did not arrive, behind the tunnel; what arrived and was neither taken nor waits, where
// the tap says. Devices of ours carry nothing but the guest's packets, so that each number of
// theirs is the guest's. The wire below a tunnel carries what everybody sends: its drops explain a
// loss that was found elsewhere, and are none by themselves.
//
// Where the guest did not come to run, all that came for it is lost, wherever it lies: a QEMU that
// is ended takes it along, and no counter says so. What nobody diverted was not the guest's there.
//
// Zero is proven only if every number that is needed is there. What cannot be told is a doubt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"
#include "json/document.hh"
#include "net/answer.hh"

namespace ktm::net {

/// By how much a counter grew; one that was begun anew tells nothing.
[[nodiscard]] constexpr std::uint64_t grown(std::uint64_t now, std::uint64_t then) noexcept {
    return now > then ? now - then : 0;
}

/// What was read of a device and of its queue, at one instant.
struct Seen {
    Counters counters;
    std::uint64_t let_go = 0;   ///< By the root qdisc; of a tunnel: all that passed, either way.
    std::uint64_t queued = 0;   ///< In our plug.
    std::uint64_t dropped = 0;  ///< By our plug.
    bool counts = false;        ///< That is counted, packet for packet.
    std::uint64_t let_go_bytes = 0;
    bool closed = false;  ///< Of a tap: nobody has it open.
    bool joins = false;   ///< Of a tap: a packet of it may be many that were joined to one.

    /// All that ever came to it, as far as it counts.
    [[nodiscard]] std::uint64_t arrived() const noexcept {
        return counts ? let_go + queued + dropped : counters.tx_packets + counters.tx_dropped;
    }
    friend bool operator==(const Seen&, const Seen&) = default;
};
/// Packets that a tap's queue let go between two readings, and that were neither taken nor dropped.
struct InRing {
    std::uint64_t sure = 0;    ///< At least.
    std::uint64_t unsure = 0;  ///< Perhaps they were joined to others, and taken with them.
};
/// The queue counts each packet of those that travel as one, and the tap counts them as one. Where
/// a tap takes such, the bytes tell: of what was joined the queue counts but a header more.
[[nodiscard]] InRing in_ring(const Seen& from, const Seen& to);
[[nodiscard]] Seen seen_of(const LinkFacts& link, const std::vector<QdiscFacts>& qdiscs);
/// The same of a tunnel of ours. Packets that travel as one are one to the device, and a network
/// card joins and parts them as it likes; its filters' qdisc counts each.
[[nodiscard]] Seen seen_of_tunnel(const LinkFacts& link, const std::vector<QdiscFacts>& qdiscs);

/// What a place on the way is: the device into which packets are sent, and out of which they come;
/// the one below it, where it is wrapped; the one that all the node's packets pass; the tap that
/// holds; the tap to which the guest's packets went before they were diverted.
inline constexpr std::string_view part_tunnel = "tunnel";
inline constexpr std::string_view part_carrier = "carrier";
inline constexpr std::string_view part_wire = "wire";
inline constexpr std::string_view part_hold = "hold";
inline constexpr std::string_view part_home = "home";

/// A place on the way that counts.
struct Point {
    std::string part;
    std::string link;
    std::string netns;
    std::optional<Seen> before;  ///< Before anything was diverted.
    std::optional<Seen> amid;    ///< At the source behind the diversion, else behind the opening.
    /// Of a tunnel: as soon as the tap had been read behind that; of a home: the latest look at it
    /// before the guest stood.
    std::optional<Seen> again;
    std::optional<Seen> after;
    std::optional<Seen> late;  ///< Of a home: behind `after`, when the run ends.
    std::string unread;        ///< Why one of these could not be read; of a home, the latest.
    std::uint64_t left = 0;    ///< In a hold: what nobody took.
    std::uint64_t unsure = 0;  ///< In a hold: what perhaps nobody took.
    std::uint64_t most = 0;    ///< The most that was seen in its plug.
    /// Of a home: when `again` was the same as the look before it, in nanoseconds of the run; the
    /// guest ran and took nothing, so that nothing was there. 0: never.
    std::uint64_t still_at = 0;
    friend bool operator==(const Point&, const Point&) = default;
};

/// What one node has counted. Instants are nanoseconds of its own run; 0: it did not happen.
struct Account {
    std::string role;
    std::vector<Point> points;
    bool diverts = false;  ///< It has sent packets into a tunnel.
    bool holds = false;    ///< It was told to hold.
    bool gave_up = false;  ///< It was aborted, and its guest was not seen to start.
    /// It ended stranded: its tunnels stay, and what comes out behind the end is counted no more.
    bool stays = false;
    std::uint64_t diverted_at = 0;
    std::uint64_t stopped_at = 0;
    std::uint64_t resumed_at = 0;
    friend bool operator==(const Account&, const Account&) = default;
};
[[nodiscard]] std::string to_json(const Account& account);
[[nodiscard]] Result<Account> account_from_json(const json::View& view);

/// How far the other node's clock is ahead of ours, and how wrong that may be.
struct ClockDifference {
    Duration ahead{};
    Duration error{};
};

/// The time in which the guest ran nowhere.
struct DarkWindow {
    Duration length{};
    Duration error{};  ///< Zero where both ends were seen by one clock.
};

/// Packets that were lost, at least so many, and where.
struct Vanished {
    std::uint64_t packets = 0;
    std::string where;
};

struct Proof {
    enum class Says : std::uint8_t { nothing, zero_lost, lost, not_proven };
    Says says = Says::nothing;  ///< Nothing: no packet was diverted or held.
    bool is_diverted = false;   ///< A node has sent packets into a tunnel.
    bool is_idle = false;       ///< It is known that nothing of the guest's came to a hold.
    std::uint64_t sent = 0;     ///< Into the tunnel.
    std::uint64_t came = 0;     ///< Out of it.
    std::uint64_t held = 0;     ///< Arrived at the tap before it was let go.
    std::vector<Vanished> lost;
    std::vector<std::string> doubts;
    std::vector<std::string> notes;  ///< What was not looked at, and is no doubt.
    std::optional<DarkWindow> dark;

    [[nodiscard]] std::uint64_t lost_in_all() const noexcept;
};
[[nodiscard]] std::string_view name_of(Proof::Says says) noexcept;

/// `theirs` is null where the other node's account is not known; `is_alone`: there is no other.
[[nodiscard]] Proof prove(const Account& ours, const Account* theirs, bool is_alone,
                          const std::optional<ClockDifference>& clock);

/// In words: "zero lost of 5,123 diverted"; empty when there is nothing to say.
[[nodiscard]] std::string sentence(const Proof& proof);
/// "34.2 ms ± 0.3 ms"
[[nodiscard]] std::string text_of(const DarkWindow& dark);
/// "5,123"
[[nodiscard]] std::string grouped(std::uint64_t number);

}  // namespace ktm::net
