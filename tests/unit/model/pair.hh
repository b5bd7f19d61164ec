// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/pair.hh: two modelled QEMUs on two nodes, and what they told.
#pragma once

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "json/parser.hh"
#include "json/writer.hh"
#include "model/qemu.hh"

namespace ktm::model::testing {

using namespace std::chrono_literals;

struct PairSettings {
    Load load;
    Wire::Settings wire;
    Timings timings;
    std::string dest_uri;
    bool dest_paused = false;    ///< -S
    bool source_paused = false;  ///< -S
    bool shared_disk = false;
    std::uint64_t disk_bytes = 64ULL << 20;
    double copy_bytes_per_second = 2e9;
    double mirror_bytes_per_second = 5e8;
    std::map<std::string, std::string> source_keys;
    Program
        program;  ///< What each one that the source starts does; its file is there when it ends.
};

/// One of the two, with a line for each thing that it told: "MIGRATION active", "RESUME",
/// "guest runs", "gone 0".
struct PairSide {
    std::unique_ptr<Qemu> qemu;
    std::vector<std::string> told;
    std::vector<Instant> at;
    std::vector<Reply> late;
};

/// "MIGRATION active", "MIGRATION_PASS 2", "JOB_STATUS_CHANGE ready", "BLOCK_JOB_COMPLETED error".
inline std::string event_line(std::string_view name, std::string_view data) {
    std::string line{name};
    if (data.empty()) {
        return line;
    }
    const Result<json::Document> parsed = json::parse(data);
    REQUIRE(parsed);
    const json::View fields = parsed->root();
    for (const char* key : {"status", "reason", "operation", "action", "error"}) {
        if (const auto text = fields.find_string(key)) {
            line += " " + std::string(*text);
        }
    }
    if (const auto pass = fields.find_int("pass")) {
        line += " " + std::to_string(*pass);
    }
    if (name == "BLOCK_EXPORT_DELETED") {
        line += " " + std::string(fields.find_string("id").value_or("?"));
    }
    return line;
}

class Pair {
public:
    explicit Pair(PairSettings settings = {})
        : wire(clock, settings.wire),
          board(wire),
          source_disk({"/source.img", settings.disk_bytes, settings.disk_bytes, 1, true}),
          dest_disk({"/dest.img", settings.disk_bytes, settings.disk_bytes, 0, true}) {
        board.own(0, "10.99.0.1");
        board.own(1, "10.99.0.2");
        QemuSettings one;
        one.name = "source";
        one.paused = settings.source_paused;
        one.drives = {{"disk0", &source_disk}};
        one.load = settings.load;
        one.timings = settings.timings;
        one.copy_bytes_per_second = settings.copy_bytes_per_second;
        one.mirror_bytes_per_second = settings.mirror_bytes_per_second;
        one.psk_keys = settings.source_keys;
        QemuSettings two = one;
        two.name = "dest";
        two.node = 1;
        two.number = 2;
        two.incoming = true;
        two.incoming_uri = settings.dest_uri;
        two.paused = settings.dest_paused;
        two.psk_keys.clear();
        two.drives = {{"disk0", settings.shared_disk ? &source_disk : &dest_disk}};
        program_ = settings.program;
        source.qemu = std::make_unique<Qemu>(clock, board, std::move(one), hooks_of(source));
        dest.qemu = std::make_unique<Qemu>(clock, board, std::move(two), hooks_of(dest));
        // The first RESUME is told before anybody can be connected.
        source.told.clear();
        source.at.clear();
        dest.told.clear();
        dest.at.clear();
    }

    Reply ask(PairSide& side, std::string_view name, std::string_view arguments = "null") {
        const Result<json::Document> parsed = json::parse(arguments);
        REQUIRE(parsed);
        std::optional<Reply> reply = side.qemu->execute(name, parsed->root());
        REQUIRE(reply);
        return *reply;
    }
    /// What is refused, as "GenericError: text".
    std::string refusal(PairSide& side, std::string_view name,
                        std::string_view arguments = "null") {
        const Reply reply = ask(side, name, arguments);
        return reply.is_refused() ? reply.error_class + ": " + reply.desc : reply.value;
    }
    std::string field(PairSide& side, std::string_view query, std::string_view key) {
        const Reply reply = ask(side, query);
        const Result<json::Document> parsed = json::parse(reply.value);
        REQUIRE(parsed);
        return std::string(parsed->root().find_string(key).value_or(""));
    }
    std::string status(PairSide& side) { return field(side, "query-migrate", "status"); }

    /// Lets all happen that is due up to then.
    void run(Duration time) {
        const Instant end = clock.now() + time;
        const std::unique_ptr<ports::Timer> until = clock.arm(time, [] {});
        while (clock.now() < end || clock.is_busy()) {
            REQUIRE(clock.run_next());
        }
    }
    /// Until a line was told, behind those that were there at a mark.
    bool run_until(PairSide& side, std::string_view line, std::size_t mark = 0,
                   Duration most = 60s) {
        const Instant end = clock.now() + most;
        const std::unique_ptr<ports::Timer> until = clock.arm(most, [] {});
        while (true) {
            for (std::size_t told = mark; told < side.told.size(); ++told) {
                if (side.told[told] == line) {
                    return true;
                }
            }
            if (clock.now() >= end || !clock.run_next()) {
                return false;
            }
        }
    }
    void prepare(bool pause = false) {
        const std::string events = R"({"capability":"events","state":true})";
        const std::string paused = R"({"capability":"pause-before-switchover","state":true})";
        ask(dest, "migrate-set-capabilities", R"({"capabilities":[)" + events + "]}");
        ask(source, "migrate-set-capabilities",
            R"({"capabilities":[)" + events + (pause ? "," + paused : "") + "]}");
        ask(dest, "migrate-incoming", R"({"uri":"tcp:10.99.0.2:4444"})");
    }
    void migrate() { ask(source, "migrate", R"({"uri":"tcp:10.99.0.2:4444"})"); }
    void export_disk() {
        ask(dest, "nbd-server-start",
            R"({"addr":{"type":"inet","data":{"host":"10.99.0.2","port":"10809"}}})");
        ask(dest, "block-export-add",
            R"({"id":"e0","node-name":"disk0","type":"nbd","name":"disk0","writable":true})");
    }
    std::string add_node() {
        return refusal(source, "blockdev-add",
                       R"({"driver":"nbd","node-name":"nbd0","server":{"type":"inet",)"
                       R"("host":"10.99.0.2","port":"10809"},"export":"disk0"})");
    }
    std::string mirror(std::string_view mode) {
        return refusal(source, "blockdev-mirror",
                       R"({"job-id":"mirror0","device":"disk0","target":"nbd0","sync":"full",)"
                       R"("copy-mode":")" +
                           std::string(mode) + "\"}");
    }

    sim::VirtualClock clock;
    Wire wire;
    Switchboard board;
    Disk source_disk;
    Disk dest_disk;
    PairSide source;
    PairSide dest;

private:
    QemuHooks hooks_of(PairSide& side) {
        QemuHooks hooks;
        const auto tell = [this, &side](std::string line) {
            side.told.push_back(std::move(line));
            side.at.push_back(clock.now());
        };
        hooks.on_event = [tell](std::string_view name, std::string_view data) {
            tell(event_line(name, data));
        };
        hooks.on_program = [this](std::string_view) { return program_; };
        hooks.on_program_end = [this] { has_file_ = true; };
        hooks.has_file = [this](std::string_view) { return has_file_; };
        hooks.on_late_reply = [&side](Reply reply) { side.late.push_back(std::move(reply)); };
        hooks.on_guest = [tell](bool runs) { tell(runs ? "guest runs" : "guest stands"); };
        hooks.on_exit = [tell](int code) { tell("gone " + std::to_string(code)); };
        return hooks;
    }

    Program program_;
    bool has_file_ = false;
};

inline std::string joined(const std::vector<std::string>& lines, bool with_guest = false) {
    std::string text;
    for (const std::string& line : lines) {
        if (with_guest || !line.starts_with("guest ")) {
            text += (text.empty() ? "" : ", ") + line;
        }
    }
    return text;
}

}  // namespace ktm::model::testing
