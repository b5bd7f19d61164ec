// SPDX-License-Identifier: Apache-2.0
// cli/verdict.cc: how a run ended, in one line.
#include "cli/verdict.hh"

#include "cli/console.hh"
#include "cli/packet_ledger.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

std::string name_of_guest(const script::GuestStatus& guest, bool alone) {
    return alone              ? "the guest"
           : guest.vm.empty() ? "the guest of 'qmp'"
                              : "the guest of '" + guest.vm + "'";
}

/// What QEMU's word for its state means for somebody who asks where the guest runs.
std::string describe(const script::GuestStatus& guest, bool alone) {
    const std::string name = name_of_guest(guest, alone);
    const std::string place = " (" + guest.socket + ")";
    if (guest.status.empty()) {
        return "where " + name + " runs is unknown" + place + ": " + guest.why;
    }
    if (guest.status == "running") {
        return name + " runs here" + place;
    }
    return name + " does not run here" + place + ": QEMU says " + guest.status;
}

std::string where_guests_are(const script::Outcome& outcome) {
    if (outcome.guests.empty()) {
        return "no VM took part";
    }
    std::string text;
    for (const script::GuestStatus& guest : outcome.guests) {
        text += (text.empty() ? "" : ", ") + describe(guest, outcome.guests.size() == 1);
    }
    return text;
}

std::string what_is_left(const script::Outcome& outcome) {
    const engine::Ended& ended = outcome.ended;
    const std::string in_journal =
        outcome.journal.empty()
            ? ""
            : "what stands in the journal " + outcome.journal + ", run 'katamaran recover'";
    if (ended.left.empty() && !in_journal.empty()) {
        return "left behind: " + in_journal;
    }
    if (ended.left.empty()) {
        return ended.end == engine::End::aborted && ended.state.empty() ? "nothing was begun"
                                                                        : "nothing was left behind";
    }
    std::string text = "left behind: ";
    for (const engine::Left& left : ended.left) {
        text += (&left == ended.left.data() ? "" : ", ") + left.what + " (" + left.why + ")";
    }
    return text + (in_journal.empty() ? "" : ", and " + in_journal);
}

bool has_ledger(const script::Outcome& outcome) {
    return outcome.ledger.proof.says != net::Proof::Says::nothing;
}

/// Only where packets were diverted or lost; the other parts are always there.
std::string what_was_lost(const script::Outcome& outcome) {
    std::string text;
    if (has_ledger(outcome)) {
        return "; " + net::sentence(outcome.ledger.proof);
    }
    if (outcome.ledger.proof.is_idle) {
        return text;  // What the kernel itself has sent to a tap that nobody read.
    }
    for (const std::string& loss : outcome.losses) {
        text += "; " + loss;
    }
    return text;
}

std::string list_json(const engine::Ended& ended) {
    std::string list = "[";
    for (const engine::Left& left : ended.left) {
        json::ObjectWriter object;
        object.text("what", left.what).text("why", left.why);
        list += (list.size() > 1 ? "," : "") + std::move(object).finish();
    }
    return list + "]";
}

std::string guests_json(const script::Outcome& outcome) {
    std::string list = "[";
    for (const script::GuestStatus& guest : outcome.guests) {
        json::ObjectWriter object;
        object.text("vm", guest.vm).text("socket", guest.socket);
        if (guest.status.empty()) {
            object.json("status", "null").text("why", guest.why);
        } else {
            object.text("status", guest.status);
        }
        list += (list.size() > 1 ? "," : "") + std::move(object).finish();
    }
    return list + "]";
}

}  // namespace

std::string texts_json(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const std::string& text : texts) {
        list += (list.size() > 1 ? "," : "") + json::quoted(text);
    }
    return list + "]";
}

std::string verdict(const script::Outcome& outcome) {
    const engine::Ended& ended = outcome.ended;
    const auto elapsed = std::chrono::round<std::chrono::milliseconds>(outcome.elapsed);
    std::string text{engine::name_of(ended.end)};
    if (!ended.state.empty() && ended.end != engine::End::done) {
        text += " in " + ended.state;
    }
    text += " after " + format_duration(elapsed);
    if (ended.cause) {
        text += ": " + ended.cause->sentence();
    }
    return text + "; " + where_guests_are(outcome) + "; " + what_is_left(outcome) +
           what_was_lost(outcome);
}

std::string verdict_json(const script::Outcome& outcome, int exit_code,
                         const std::vector<std::string>& advice) {
    const engine::Ended& ended = outcome.ended;
    json::ObjectWriter object;
    object.text("end", engine::name_of(ended.end))
        .integer("exit", exit_code)
        .text("state", ended.state)
        .boolean("committed", ended.committed)
        .boolean("interrupted", outcome.interrupted);
    if (ended.cause) {
        object.text("cause", ended.cause->sentence());
    }
    object.json("guests", guests_json(outcome))
        .json("left", list_json(ended))
        .json("losses", texts_json(outcome.losses));
    if (has_ledger(outcome)) {
        object.json("ledger", ledger_json(outcome.ledger));
    }
    if (!outcome.journal.empty()) {
        object.text("journal", outcome.journal);
    }
    if (!advice.empty()) {
        object.json("advice", texts_json(advice));
    }
    return std::move(object).finish();
}

int exit_code_of(const script::Outcome& outcome, ZeroLoss zero_loss) {
    const bool is_unproven = has_ledger(outcome)
                                 ? outcome.ledger.proof.says != net::Proof::Says::zero_lost
                                 : !outcome.losses.empty() && !outcome.ledger.proof.is_idle;
    if (outcome.ended.end == engine::End::stranded || !outcome.ended.left.empty() ||
        !outcome.journal.empty() || (zero_loss == ZeroLoss::required && is_unproven)) {
        return exit_stranded;
    }
    if (outcome.ended.end == engine::End::done) {
        return exit_done;
    }
    return outcome.interrupted ? exit_interrupted : exit_failed;
}

}  // namespace ktm::cli
