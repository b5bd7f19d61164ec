// SPDX-License-Identifier: Apache-2.0
// cli/advice.cc: what a person has to know, and to do, when a run is stranded.
//
// What QEMU says of the guest tells whose it was: `postmigrate` is said by one that has given it
// away. Whether the run has passed its commit tells whether it still could have been taken back.
#include "cli/advice.hh"

#include <string_view>
#include <utility>

namespace ktm::cli {

namespace {

/// Of a guest that has reset itself, panicked or ended soon after it was let run.
constexpr std::string_view fallen_code = "not-alive";
constexpr std::string_view elsewhere = "QMP-SOCKET";
constexpr std::string_view postcopy_chapter = "more: docs/RUNBOOK.md#in-the-middle-of-a-post-copy";

std::string ask_at(std::string_view socket, std::string_view command) {
    return "katamaran qmp " + std::string{socket} + " " + std::string{command};
}

using Lines = std::vector<std::string>;

/// Behind the devices of a post-copy, and before the last of its RAM; or somebody has cancelled it
/// there, which never ends.
bool is_in_two_parts(const script::GuestStatus& guest, bool committed) {
    return guest.copy.starts_with("postcopy-") || (committed && guest.copy == "cancelling");
}

/// The run has committed, and its guest is with the other node.
void tell_given_away(Lines& lines, const std::string& socket) {
    lines.push_back("known: the guest was given to the other node, and does not run here");
    lines.emplace_back("not known: whether it runs there");
    lines.push_back("look, at the other node: " + ask_at(elsewhere, "query-status"));
    lines.push_back("if that says paused, there: " + ask_at(elsewhere, "cont"));
    lines.push_back("never: cont at " + socket +
                    ", unless the QEMU at the other node is gone and never ran the guest; two that "
                    "run destroy its disks");
}

std::string ask_both(const std::string& socket, std::string_view command) {
    return "look, at both nodes: " + ask_at(socket, command) + "; " + ask_at(elsewhere, command);
}

void tell_in_two_parts(Lines& lines, const std::string& socket) {
    lines.emplace_back(
        "known: the guest was given to the destination, and some of its RAM may still be at the "
        "source");
    lines.push_back(ask_both(socket, "query-migrate"));
    lines.emplace_back(
        "never, unless the chapter below says so: cont or migrate_cancel at the source, quit at "
        "one of the two");
    lines.emplace_back(postcopy_chapter);
}

/// The run has committed, and QEMU still waits for a word, or for the destination.
void tell_lent(Lines& lines, const std::string& socket) {
    lines.emplace_back("known: the run has committed, and the guest does not run here");
    lines.emplace_back("not known: whether anything of it has left");
    lines.push_back(ask_both(socket, "query-migrate"));
    lines.emplace_back("never, unless the chapter below says so: cont here");
    lines.emplace_back(postcopy_chapter);
}

void tell_failed(Lines& lines, const std::string& socket, const std::string& status) {
    lines.push_back("known: the copy has failed behind the commit; QEMU says " + status);
    lines.emplace_back("not known: whether the guest runs at the other node");
    lines.push_back(ask_both(socket, "query-status"));
    lines.emplace_back("never: cont at one node as long as the other may run the guest");
    lines.emplace_back(postcopy_chapter);
}

/// It comes before its RAM, and nothing of it may be here yet.
void tell_not_here(Lines& lines, const std::string& socket) {
    lines.emplace_back("known: the guest is not here, or not whole; this run has not let it run");
    lines.emplace_back("not known: whether the other node has given it away");
    lines.push_back(ask_both(socket, "query-migrate"));
    lines.emplace_back(postcopy_chapter);
}

/// All of the guest is here, and the other node has not said that it is ours.
void tell_undecided(Lines& lines, const std::string& socket, const std::string& status) {
    lines.push_back("known: the guest is here as a copy, and stands (" + status +
                    "); this run has not let it run");
    lines.emplace_back("not known: whether the other node has given it away, or runs it");
    lines.push_back("look, at the other node: " + ask_at(elsewhere, "query-status") +
                    "; katamaran recover --dry-run");
    lines.push_back(
        "if the guest runs there, or recover would wake it there: let it, and end the copy "
        "here: " +
        ask_at(socket, "quit"));
    lines.push_back("if its run there has committed, and query-migrate there says completed: " +
                    ask_at(socket, "cont"));
    lines.push_back("if that node is switched off, and query-migrate here says completed: " +
                    ask_at(socket, "cont"));
    lines.emplace_back("never both: two that run destroy its disks");
}

/// The guest is ours, or nobody else has it.
void tell_ours(Lines& lines, const script::GuestStatus& guest, bool has_peer) {
    lines.push_back(
        "known: " +
        std::string{has_peer ? "the guest was given to this node" : "the run was past its commit"} +
        "; QEMU says " + guest.status);
    if (guest.status == "running") {
        lines.emplace_back("the guest runs here; nothing is to be decided about it");
        return;
    }
    lines.push_back("let it run: " + ask_at(guest.socket, "cont"));
}

void tell_unseen(Lines& lines, const script::GuestStatus& guest, bool has_peer, bool committed) {
    lines.push_back(std::string{"known: the run was "} + (committed ? "past" : "in front of") +
                    " its commit");
    lines.push_back("not known: where the guest runs (" + guest.why + ")");
    lines.push_back("look: " + ask_at(guest.socket, "query-status"));
    if (has_peer) {
        lines.push_back("look, at the other node: " + ask_at(elsewhere, "query-status"));
        lines.emplace_back("never: cont at one node as long as the other may run the guest");
    }
}

}  // namespace

std::vector<std::string> advice_for(const script::Outcome& outcome, bool has_peer) {
    Lines lines;
    if (outcome.ended.end != engine::End::stranded) {
        return lines;
    }
    if (outcome.ended.cause && outcome.ended.cause->code == fallen_code) {
        lines.emplace_back(
            "known: the guest ran at the destination, and fell; it must not be started at the "
            "source any more");
        lines.emplace_back("look, at the destination: its console, and QEMU's log");
        lines.emplace_back("more: docs/RUNBOOK.md#at-the-destination-in-lives");
        for (const script::GuestStatus& guest : outcome.guests) {
            if (is_in_two_parts(guest, outcome.ended.committed)) {
                tell_in_two_parts(lines, guest.socket);
            }
        }
        return lines;
    }
    for (const script::GuestStatus& guest : outcome.guests) {
        const bool is_given = outcome.ended.committed && has_peer;
        if (is_in_two_parts(guest, outcome.ended.committed)) {
            tell_in_two_parts(lines, guest.socket);
        } else if (is_given && guest.copy == "failed" && !guest.status.empty()) {
            tell_failed(lines, guest.socket, guest.status);
        } else if (guest.status.empty()) {
            tell_unseen(lines, guest, has_peer, outcome.ended.committed);
        } else if (is_given && guest.status == "postmigrate") {
            tell_given_away(lines, guest.socket);
        } else if (is_given && guest.status == "finish-migrate") {
            tell_lent(lines, guest.socket);
        } else if (!outcome.ended.committed && has_peer && guest.status == "inmigrate") {
            tell_not_here(lines, guest.socket);
        } else if (!outcome.ended.committed && has_peer && guest.status != "running") {
            tell_undecided(lines, guest.socket, guest.status);
        } else {
            tell_ours(lines, guest, is_given);
        }
    }
    lines.emplace_back("more: docs/RUNBOOK.md#stranded");
    return lines;
}

}  // namespace ktm::cli
