// SPDX-License-Identifier: Apache-2.0
// trial/harm.cc: what can go wrong at a crossing, and a fault: which harm, where.
#include "trial/harm.hh"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/nearest.hh"
#include "base/text.hh"

namespace ktm::trial {

namespace {

struct Entry {
    Harm harm;
    std::string_view name;
    std::string_view words;
};

constexpr std::array<Entry, 27> entries{{
    {Harm::none, "none", "nothing"},
    {Harm::refused, "refused", "QEMU refuses it"},
    {Harm::lost, "lost", "it is lost on its way"},
    {Harm::unheard, "unheard", "it is carried out, and the answer is lost"},
    {Harm::late, "late", "it is late"},
    {Harm::too_late, "too-late", "it comes when the plan has gone on without it"},
    {Harm::twice, "twice", "it comes twice"},
    {Harm::swapped, "swapped", "it comes behind what comes after it"},
    {Harm::closed, "closed", "the connection is closed in its place"},
    {Harm::silence, "silence", "from here on nothing gets through"},
    {Harm::no_permission, "no-permission", "the kernel refuses it: EPERM"},
    {Harm::no_device, "no-device", "the kernel refuses it: ENODEV"},
    {Harm::exists, "exists", "the kernel refuses it: EEXIST"},
    {Harm::busy, "busy", "the kernel refuses it: EBUSY"},
    {Harm::no_buffers, "no-buffers", "the kernel refuses it: ENOBUFS"},
    {Harm::full, "full", "the file system is full"},
    {Harm::ends_early, "ends-early", "the program ends before it has read all"},
    {Harm::stops_reading, "stops-reading", "the program reads nothing, and does not end"},
    {Harm::ends_badly, "ends-badly", "the program fails in the end: what it wrote is not whole"},
    {Harm::kill_source_qemu, "kill-source-qemu", "the QEMU at the source is killed"},
    {Harm::kill_dest_qemu, "kill-dest-qemu", "the QEMU at the destination is killed"},
    {Harm::kill_source, "kill-source", "the katamaran at the source is killed"},
    {Harm::kill_dest, "kill-dest", "the katamaran at the destination is killed"},
    {Harm::cut, "cut", "the network between the nodes is cut for good"},
    {Harm::cut_short, "cut-short", "the network between the nodes is cut for 3 s"},
    {Harm::stop_source, "stop-source", "SIGTERM to the katamaran at the source"},
    {Harm::stop_dest, "stop-dest", "SIGTERM to the katamaran at the destination"},
}};

const Entry& entry_of(Harm harm) noexcept {
    return entries[static_cast<std::size_t>(harm)];
}

std::string_view name_of(Channel channel) noexcept {
    switch (channel) {
        case Channel::command: return "command";
        case Channel::reply: return "reply to";
        case Channel::event: return "event";
        case Channel::request: return "kernel:";
        case Channel::line: return "to the other node:";
        case Channel::journal: return "journal:";
        case Channel::program: return "program:";
        case Channel::run: return "runs";
    }
    return "";
}

/// LIMIT: of what crosses, in an error.
constexpr std::size_t crossing_shown_max = 120;

Error bad_fault(std::string what) {
    return Error{Kind::usage, "bad-fault", std::move(what), "", nullptr};
}

}  // namespace

std::string_view name_of(Harm harm) noexcept {
    return entry_of(harm).name;
}

std::string_view describe(Harm harm) noexcept {
    return entry_of(harm).words;
}

std::optional<Harm> harm_named(std::string_view name) noexcept {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& entry) { return entry.name == name; });
    return found == entries.end() || found->harm == Harm::none ? std::nullopt
                                                               : std::optional{found->harm};
}

std::vector<std::string> harm_names() {
    std::vector<std::string> names;
    for (const Entry& entry : entries) {
        if (entry.harm != Harm::none) {
            names.emplace_back(entry.name);
        }
    }
    return names;
}

int error_of(Harm harm) noexcept {
    constexpr std::array<int, 6> errors{EPERM, ENODEV, EEXIST, EBUSY, ENOBUFS, ENOSPC};
    const auto first = static_cast<std::size_t>(Harm::no_permission);
    const auto number = static_cast<std::size_t>(harm);
    return number >= first && number < first + errors.size() ? errors[number - first] : 0;
}

std::string_view noun_of(Channel channel) noexcept {
    switch (channel) {
        case Channel::command: return "command";
        case Channel::reply: return "reply";
        case Channel::event: return "event";
        case Channel::request: return "kernel";
        case Channel::line: return "word";
        case Channel::journal: return "journal";
        case Channel::program: return "program";
        case Channel::run: return "run";
    }
    return "";
}

std::string describe(const Crossing& crossing) {
    return std::string{model::name_of(crossing.side)} + ", " +
           std::string{name_of(crossing.channel)} + " " + crossing.text;
}

bool fits(Harm harm, Channel channel, bool is_query, bool two_nodes) noexcept {
    if (is_to_world(harm)) {
        return two_nodes || harm == Harm::kill_source_qemu || harm == Harm::kill_source ||
               harm == Harm::stop_source;
    }
    const auto is = [harm](std::initializer_list<Harm> harms) {
        return std::find(harms.begin(), harms.end(), harm) != harms.end();
    };
    switch (channel) {
        case Channel::command: return is({Harm::refused, Harm::lost});
        case Channel::reply: return is({Harm::unheard, Harm::late, Harm::too_late, Harm::closed});
        case Channel::event:
            return is(
                {Harm::lost, Harm::late, Harm::too_late, Harm::twice, Harm::swapped, Harm::closed});
        case Channel::request:
            return is({Harm::no_permission, Harm::lost, Harm::unheard, Harm::late,
                       Harm::too_late}) ||
                   (!is_query && is({Harm::no_device, Harm::exists, Harm::busy, Harm::no_buffers}));
        case Channel::line:
            return is({Harm::lost, Harm::late, Harm::too_late, Harm::twice, Harm::silence});
        case Channel::journal: return is({Harm::full});
        case Channel::program: return is({Harm::ends_early, Harm::stops_reading, Harm::ends_badly});
        case Channel::run:
            return is({Harm::no_permission, Harm::late, Harm::stops_reading, Harm::ends_badly});
    }
    return false;
}

bool fits(Harm harm, const Crossing& crossing, bool two_nodes) noexcept {
    return fits(harm, crossing.channel, crossing.is_query, two_nodes) &&
           (crossing.moot & bit_of(harm)) == 0;
}

std::vector<Harm> harms_at(const Crossing& crossing, bool two_nodes) {
    std::vector<Harm> harms;
    for (const Entry& entry : entries) {
        if (fits(entry.harm, crossing, two_nodes)) {
            harms.push_back(entry.harm);
        }
    }
    return harms;
}

std::string why_unfit(Harm harm, const Crossing& crossing, bool two_nodes) {
    if (!is_to_world(harm)) {
        std::string names;
        for (const Harm one : harms_at(crossing, two_nodes)) {
            names += (names.empty() ? "" : ", ") + std::string{name_of(one)};
        }
        return "that is no harm to " + excerpt(describe(crossing), crossing_shown_max) +
               "; what can happen there: " + names;
    }
    if (!fits(harm, crossing.channel, crossing.is_query, two_nodes)) {
        return is_cut(harm) ? "the plan has one role, and there is no other node to be cut off from"
                            : "the plan has one role, and there is no destination";
    }
    return is_cut(harm)
               ? "the network between the nodes is cut for good already"
               : std::string{is_to_qemu(harm) ? "the QEMU" : "the katamaran"} + " at the " +
                     std::string{model::name_of(side_of(harm))} + " is not at work then";
}

std::string text_of(const Fault& fault) {
    return std::to_string(fault.at) + ":" + std::string{name_of(fault.harm)};
}

Result<Fault> parse_fault(std::string_view text) {
    const std::size_t colon = text.find(':');
    Fault fault;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fault.at);
    if (colon == std::string_view::npos || error != std::errc{} || fault.at == 0 ||
        end != text.data() + colon) {
        return bad_fault("'" + std::string{text} +
                         "' is no fault; expected NUMBER:HARM, such as 41:lost");
    }
    const std::optional<Harm> harm = harm_named(text.substr(colon + 1));
    if (!harm) {
        const std::string name{text.substr(colon + 1)};
        return bad_fault("'" + name + "' in '" + std::string{text} + "' is no harm; expected " +
                         joined(harm_names(), ", ") + did_you_mean(name, harm_names()));
    }
    fault.harm = *harm;
    return fault;
}

}  // namespace ktm::trial
