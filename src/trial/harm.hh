// SPDX-License-Identifier: Apache-2.0
// trial/harm.hh: what can go wrong at a crossing, and a fault: which harm, where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "model/flow_account.hh"

namespace ktm::trial {

using model::Side;

/// What crosses: each is a place where a fault can be.
enum class Channel : std::uint8_t {
    command,  ///< Of QMP, from katamaran.
    reply,
    event,
    request,  ///< To the kernel.
    line,     ///< To the other katamaran; its heartbeats are none.
    journal,  ///< A write.
    program,  ///< That QEMU starts, and writes its guest to.
    run,      ///< A program that the plan starts.
};

enum class Harm : std::uint8_t {
    none,
    // To what crosses.
    refused,  ///< A command: QEMU says no, and does nothing.
    lost,     ///< It does not get there; a line: its connection breaks with it.
    unheard,  ///< It is carried out, and nobody hears of it.
    late,
    too_late,  ///< A reply or an event: when whom it is for has gone on without it.
    twice,
    swapped,  ///< It comes behind what comes after it.
    closed,   ///< The connection ends in its place.
    silence,  ///< From here on nothing gets through.
    no_permission,
    no_device,
    exists,
    busy,
    no_buffers,
    full,
    ends_early,     ///< A program: before it has read all.
    stops_reading,  ///< A program: and does not end.
    ends_badly,     ///< A program: it fails in the end.
    // To the world, in the instant in which it crosses.
    kill_source_qemu,
    kill_dest_qemu,
    kill_source,  ///< The katamaran at the source; a recovery follows.
    kill_dest,
    cut,          ///< The network between the nodes, for good.
    cut_short,    ///< For cut_short_for.
    stop_source,  ///< SIGTERM.
    stop_dest,
};

/// LIMIT: how late a late thing is, and how long a short cut takes.
inline constexpr Duration late_by{std::chrono::milliseconds{700}};
inline constexpr Duration cut_short_for{std::chrono::seconds{3}};

/// "no-permission"; what a command line calls it.
[[nodiscard]] std::string_view name_of(Harm harm) noexcept;
/// For people: "the kernel refuses it: EPERM".
[[nodiscard]] std::string_view describe(Harm harm) noexcept;
[[nodiscard]] std::optional<Harm> harm_named(std::string_view name) noexcept;
[[nodiscard]] constexpr bool is_to_world(Harm harm) noexcept {
    return harm >= Harm::kill_source_qemu;
}
/// Of harms to the world: to the network, to a QEMU, else to a katamaran; and at which side.
[[nodiscard]] constexpr bool is_cut(Harm harm) noexcept {
    return harm == Harm::cut || harm == Harm::cut_short;
}
[[nodiscard]] constexpr bool is_to_qemu(Harm harm) noexcept {
    return harm == Harm::kill_source_qemu || harm == Harm::kill_dest_qemu;
}
[[nodiscard]] constexpr Side side_of(Harm harm) noexcept {
    return harm == Harm::kill_source_qemu || harm == Harm::kill_source || harm == Harm::stop_source
               ? Side::source
               : Side::dest;
}
[[nodiscard]] constexpr std::uint32_t bit_of(Harm harm) noexcept {
    return 1U << static_cast<std::uint32_t>(harm);
}
/// What all harms are called.
[[nodiscard]] std::vector<std::string> harm_names();
/// The errno with which a kernel or a file system refuses; 0 for any other harm.
[[nodiscard]] int error_of(Harm harm) noexcept;

/// Something that crossed.
struct Crossing {
    Side side = Side::source;
    Channel channel = Channel::command;
    bool is_query = false;  ///< It changes nothing.
    std::string text;
    /// Harms to the world, as bits, whose victim was not there then: a process that had ended.
    std::uint32_t moot = 0;
};
[[nodiscard]] std::string describe(const Crossing& crossing);

/// Every harm that there can be at this crossing. `two_nodes`: whether there is another side.
[[nodiscard]] std::vector<Harm> harms_at(const Crossing& crossing, bool two_nodes);

/// Whether there can be this harm to what crosses there; one to the world, wherever it is.
[[nodiscard]] bool fits(Harm harm, Channel channel, bool is_query, bool two_nodes) noexcept;
/// The same; and whoever a harm to the world is done to is still there.
[[nodiscard]] bool fits(Harm harm, const Crossing& crossing, bool two_nodes) noexcept;
/// Why it does not: "that is no harm to source, command stop; what can happen there: refused, …".
[[nodiscard]] std::string why_unfit(Harm harm, const Crossing& crossing, bool two_nodes);

/// "reply"; what a script calls it.
[[nodiscard]] std::string_view noun_of(Channel channel) noexcept;

/// At the nth crossing of a run, counted from 1.
struct Fault {
    std::uint64_t at = 0;
    Harm harm = Harm::none;
    friend bool operator==(const Fault&, const Fault&) = default;
};
using Faults = std::vector<Fault>;

/// "41:lost".
[[nodiscard]] std::string text_of(const Fault& fault);
[[nodiscard]] Result<Fault> parse_fault(std::string_view text);

}  // namespace ktm::trial
