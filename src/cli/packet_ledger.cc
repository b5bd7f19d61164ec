// SPDX-License-Identifier: Apache-2.0
// cli/packet_ledger.cc: what was counted of a guest's packets, for a person and for a script.
#include "cli/packet_ledger.hh"

#include "cli/columns.hh"
#include "cli/verdict.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

using Number = std::uint64_t net::Counters::*;

std::string grew(const net::Point& point, Number of) {
    return net::grouped(net::grown(point.after->counters.*of, point.before->counters.*of));
}

std::string what_tunnel_counted(const net::Point& point) {
    return grew(point, &net::Counters::tx_packets) + " went in, " +
           grew(point, &net::Counters::rx_packets) + " came out, " +
           grew(point, &net::Counters::tx_dropped) + " + " +
           grew(point, &net::Counters::rx_dropped) + " dropped";
}

/// Of those that travelled as one the device has counted one.
std::string what_passed(const net::Point& point) {
    const std::uint64_t each = net::grown(point.after->let_go, point.before->let_go);
    const std::uint64_t as_one =
        net::grown(point.after->counters.tx_packets, point.before->counters.tx_packets) +
        net::grown(point.after->counters.rx_packets, point.before->counters.rx_packets);
    const bool is_joined = point.after->counts && each > as_one;
    return is_joined ? ", " + net::grouped(each) + " if each that was joined counts" : "";
}

std::string what_tap_counted(const net::Point& point) {
    const std::uint64_t arrived = net::grown(point.after->arrived(), point.before->arrived());
    std::string text = net::grouped(arrived) + " arrived, ";
    if (point.amid && point.part == net::part_hold) {
        text += net::grouped(net::grown(point.amid->arrived(), point.before->arrived())) +
                " of them before it was opened, ";
    }
    return text + grew(point, &net::Counters::tx_packets) + " taken, " +
           grew(point, &net::Counters::tx_dropped) + " dropped by the ring, " +
           net::grouped(net::grown(point.after->dropped, point.before->dropped)) +
           " by the plug, " + net::grouped(point.left) + " left";
}

std::string what_was_counted(const net::Point& point) {
    if (!point.before || !point.after) {
        return "not known" + (point.unread.empty() ? "" : ": " + point.unread);
    }
    if (point.part == net::part_hold || point.part == net::part_home) {
        return what_tap_counted(point);
    }
    if (point.part == net::part_tunnel) {
        return what_tunnel_counted(point) + what_passed(point);
    }
    return what_tunnel_counted(point) +
           (point.part == net::part_wire ? ", of everybody's packets" : "");
}

void add_account(const net::Account& account, Columns& table) {
    for (const net::Point& point : account.points) {
        table.add({{account.role}, {point.part + " " + point.link}, {what_was_counted(point)}});
    }
}

std::int64_t number(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

}  // namespace

std::vector<std::string> ledger_lines(const Console& console, const script::PacketLedger& ledger) {
    const net::Proof& proof = ledger.proof;
    if (proof.says == net::Proof::Says::nothing) {
        return {};
    }
    Columns table;
    add_account(ledger.ours, table);
    if (ledger.theirs) {
        add_account(*ledger.theirs, table);
    }
    if (proof.dark) {
        table.add({{"dark"}, {"STOP to RESUME"}, {net::text_of(*proof.dark)}});
    }
    for (const std::string& note : proof.notes) {
        table.add({{"note"}, {""}, {note}});
    }
    return table.lines(console, 2);
}

std::string ledger_json(const script::PacketLedger& ledger) {
    const net::Proof& proof = ledger.proof;
    json::ObjectWriter object;
    object.text("proof", net::name_of(proof.says))
        .text("text", net::sentence(proof))
        .integer("sent", number(proof.sent))
        .integer("came", number(proof.came))
        .integer("held", number(proof.held))
        .integer("lost", number(proof.lost_in_all()));
    std::string places = "[";
    for (const net::Vanished& one : proof.lost) {
        json::ObjectWriter place;
        place.integer("packets", number(one.packets)).text("where", one.where);
        places += (places.size() > 1 ? "," : "") + std::move(place).finish();
    }
    object.json("places", places + "]")
        .json("doubts", texts_json(proof.doubts))
        .json("notes", texts_json(proof.notes));
    if (proof.dark) {
        object.integer("dark_ns", proof.dark->length.count())
            .integer("dark_error_ns", proof.dark->error.count());
    }
    object.json("here", net::to_json(ledger.ours))
        .json("other", ledger.theirs ? net::to_json(*ledger.theirs) : "null");
    return std::move(object).finish();
}

}  // namespace ktm::cli
