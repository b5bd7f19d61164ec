// SPDX-License-Identifier: Apache-2.0
// net/hold.cc: the size of a hold, and the steps to it.
#include "net/hold.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace ktm::net {

namespace {

/// Those without classes: their options are all there is of them.
constexpr std::array<std::string_view, 12> simple_qdiscs{
    "pfifo", "bfifo", "pfifo_fast", "pfifo_head_drop", "noqueue", "fq_codel", "fq",
    "codel", "sfq",   "pie",        "fq_pie",          "cake"};
constexpr std::array<std::string_view, 3> hold_modes{"auto", "ring", "plug+ring"};
/// How much faster than they come packets are let go, where nobody says.
constexpr std::uint64_t pace_factor = 4;
constexpr std::uint64_t pace_min = 1000;

std::uint32_t pace_of(const HoldWish& wish) {
    if (wish.pace != 0) {
        return wish.pace;
    }
    const std::uint64_t pace = std::max(wish.packets_per_second * pace_factor, pace_min);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(pace, UINT32_MAX));
}

Result<Steps> ring_steps(const std::string& tap, const HoldForm& form, const Answer& there) {
    if (there.links.empty()) {
        return misfit("ENODEV", "there is no interface " + tap);
    }
    const LinkFacts& link = there.links.front();
    if (!link.is_tap) {
        return misfit("no-tap", tap + " is no tap" +
                                    (link.kind.empty() ? "" : ", but of the kind " + link.kind) +
                                    "; only the ring of a tap holds packets");
    }
    if (!link.up || !link.carrier) {
        return misfit("no-reader",
                      tap + (link.up ? " is open in no program" : " is down") +
                          ", and drops what comes; start QEMU at the destination first");
    }
    // What comes joined takes one place in the ring, and nobody could tell what waits there.
    const bool is_joined = link.joins && link.joined_max > 1;
    Steps steps;
    if (form.ring != link.queue_length || is_joined) {
        steps.push_back(
            {SetQueueLength{tap, form.ring, is_joined ? 1U : 0U},
             UndoQueueLength{tap, form.ring, link.queue_length, is_joined ? link.joined_max : 0},
             false});
    }
    return steps;
}

/// A root qdisc with parts of its own could not be put back by one message.
Result<std::optional<SavedQdisc>> former_of(const std::string& tap, const Answer& there) {
    std::optional<SavedQdisc> former;
    for (const QdiscFacts& qdisc : there.qdiscs) {
        if (qdisc.parent != root_parent) {
            continue;
        }
        if (qdisc.handle == our_plug_handle || qdisc.handle == our_pacer_handle) {
            return misfit("held", tap + " has a hold already");
        }
        if (qdisc.handle != 0) {
            former = SavedQdisc{qdisc.kind, qdisc.handle, qdisc.options};
        }
    }
    for (const QdiscFacts& qdisc : there.qdiscs) {
        constexpr std::uint32_t major = 0xffff0000;
        const bool is_part = former && qdisc.parent != root_parent && qdisc.parent != 0 &&
                             (qdisc.parent & major) == former->handle;
        if (is_part) {
            return misfit("no-way-back", "the qdisc " + former->kind + " of " + tap +
                                             " has parts, which could not be put back");
        }
    }
    if (former && std::find(simple_qdiscs.begin(), simple_qdiscs.end(), former->kind) ==
                      simple_qdiscs.end()) {
        return misfit("no-way-back", "the qdisc " + former->kind + " of " + tap +
                                         " can have classes and filters, which could not be put "
                                         "back");
    }
    return former;
}

Result<Steps> plug_steps(const std::string& tap, const HoldForm& form, const Answer& there) {
    Result<std::optional<SavedQdisc>> former = former_of(tap, there);
    if (!former) {
        return std::move(former).error();
    }
    // ORDER: in one message, so that no packet waits in the plug longer than that takes.
    Steps steps;
    if (form.pacer) {
        steps.push_back({AddPacer{tap}, std::nullopt, true});
    }
    steps.push_back({AddPlug{tap, form.pacer, form.limit_bytes}, std::nullopt, true});
    steps.push_back({OpenPlug{tap, form.pacer}, std::nullopt, false});
    steps.front().undo = UndoRootQdisc{tap, std::move(*former)};
    return steps;
}

}  // namespace

std::optional<HoldMode> hold_mode(std::string_view name) noexcept {
    for (std::size_t at = 0; at < hold_modes.size(); ++at) {
        if (hold_modes[at] == name) {
            return static_cast<HoldMode>(at);
        }
    }
    return std::nullopt;
}

std::string_view name_of(HoldMode mode) noexcept {
    return hold_modes[static_cast<std::size_t>(mode)];
}

Result<std::uint64_t> packets_needed(const HoldWish& wish) {
    if (wish.packets_per_second == 0 || wish.pause <= Duration::zero()) {
        return wrong("a hold is sized by the rate of packets and the pause; both must be above 0");
    }
    if (!(wish.margin >= 1)) {
        return wrong("a margin below 1 makes a hold that is too small");
    }
    const double seconds = std::chrono::duration<double>(wish.pause).count();
    const double packets =
        std::ceil(static_cast<double>(wish.packets_per_second) * seconds * wish.margin);
    if (packets > ring_packets_max) {
        return misfit("too-large",
                      "a hold of more than " + std::to_string(ring_packets_max) + " packets");
    }
    return static_cast<std::uint64_t>(packets);
}

Result<HoldForm> form_of(const HoldWish& wish, std::uint32_t queue_length, bool with_plug,
                         bool with_pacer) {
    Result<std::uint64_t> needed = packets_needed(wish);
    if (!needed) {
        return std::move(needed).error();
    }
    HoldForm form;
    form.needed = *needed;
    form.plug = with_plug && wish.mode != HoldMode::ring;
    form.pacer = form.plug && with_pacer;
    form.ring = wish.ring.value_or(std::max(queue_length, static_cast<std::uint32_t>(*needed)));
    if (form.ring > ring_packets_max || form.ring == 0) {
        return wrong("a ring of " + std::to_string(form.ring) + " packets; expected 1 to " +
                     std::to_string(ring_packets_max));
    }
    form.capacity = form.ring;
    if (form.plug) {
        const std::uint64_t bytes = wish.limit_bytes.value_or(static_cast<std::uint32_t>(
            std::min<std::uint64_t>(*needed * wish.packet_bytes, UINT32_MAX)));
        form.limit_bytes = static_cast<std::uint32_t>(bytes);
        form.capacity = bytes / wish.packet_bytes;
        form.pace = form.pacer ? pace_of(wish) : 0;
    }
    if (form.plug && !form.pacer) {
        // Nothing slows the release down: the ring takes it all at once.
        form.capacity = std::min<std::uint64_t>(form.capacity, form.ring);
    }
    return form;
}

Wanted want_ring(const HoldWish& wish, const HoldForm& form) {
    Wanted wanted;
    wanted.what = "the ring of " + wish.tap;
    wanted.queries = {FindLink{wish.tap}};
    wanted.steps = [tap = wish.tap, form](const Answers& answers) {
        return ring_steps(tap, form, answers[0]);
    };
    return wanted;
}

Wanted want_plug(const HoldWish& wish, const HoldForm& form) {
    Wanted wanted;
    wanted.what = "the plug on " + wish.tap;
    wanted.queries = {ListQdiscs{wish.tap}};
    wanted.steps = [tap = wish.tap, form](const Answers& answers) {
        return plug_steps(tap, form, answers[0]);
    };
    return wanted;
}

}  // namespace ktm::net
