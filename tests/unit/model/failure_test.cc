// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/failure_test.cc: who owns the guest when a migration goes wrong, as measured.
#include "unit/model/pair.hh"

using namespace ktm;
using namespace ktm::model;
using namespace ktm::model::testing;

namespace {

/// Slow enough to be caught in the act.
constexpr std::string_view slow = R"({"max-bandwidth":8388608})";

std::string behind(const PairSide& side, std::size_t mark) {
    return joined({side.told.begin() + static_cast<std::ptrdiff_t>(mark), side.told.end()});
}

struct Active : Pair {
    explicit Active(PairSettings settings = {}) : Pair(std::move(settings)) {
        prepare();
        ask(source, "migrate-set-parameters", slow);
        migrate();
        REQUIRE(run_until(source, "MIGRATION active"));
        run(1s);
        mark_source = source.told.size();
        mark_dest = dest.told.size();
    }
    std::size_t mark_source = 0;
    std::size_t mark_dest = 0;
};

struct Held : Pair {
    explicit Held(PairSettings settings = {}) : Pair(std::move(settings)) {
        prepare(true);
        migrate();
        REQUIRE(run_until(source, "MIGRATION pre-switchover"));
        mark_source = source.told.size();
        mark_dest = dest.told.size();
    }
    void go_on() { ask(source, "migrate-continue", R"({"state":"pre-switchover"})"); }
    std::size_t mark_source = 0;
    std::size_t mark_dest = 0;
};

}  // namespace

TEST_CASE("model/failure: a destination killed in precopy fails the migration, the guest runs on") {
    Active pair;
    pair.dest.qemu->kill();
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) == "MIGRATION failed");
    CHECK(pair.field(pair.source, "query-migrate", "error-desc") ==
          "Unable to write to socket: Broken pipe");
    CHECK(pair.source.qemu->guest_runs());
}

TEST_CASE("model/failure: new parameters do not hide the death of a destination") {
    Active pair;
    pair.dest.qemu->kill();
    pair.run(1ms);
    pair.ask(pair.source, "migrate-set-parameters", R"({"max-bandwidth":0})");
    pair.ask(pair.source, "stop");
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) == "STOP, MIGRATION failed");
}

TEST_CASE("model/failure: nobody notices a destination killed in pre-switchover") {
    Held pair;
    pair.dest.qemu->kill();
    pair.run(60s);
    CHECK(behind(pair.source, pair.mark_source).empty());
    CHECK(pair.status(pair.source) == "pre-switchover");
    CHECK_FALSE(pair.source.qemu->guest_runs());
    pair.go_on();
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) ==
          "MIGRATION device, MIGRATION_PASS 3, MIGRATION failed, RESUME");
    CHECK(pair.ask(pair.source, "query-migrate").value == R"({"status":"failed"})");
}

TEST_CASE("model/failure: migrate_cancel in precopy stops nothing, and the destination exits") {
    Active pair;
    CHECK(pair.refusal(pair.source, "migrate_cancel") == "{}");
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) == "MIGRATION cancelling, MIGRATION cancelled");
    CHECK(behind(pair.dest, pair.mark_dest) == "MIGRATION failed, gone 1");
    CHECK(pair.source.qemu->guest_runs());
    CHECK(pair.ask(pair.source, "query-migrate").value == R"({"status":"cancelled"})");
}

TEST_CASE("model/failure: migrate_cancel in pre-switchover lets the guest run again") {
    Held pair;
    CHECK(pair.refusal(pair.source, "migrate_cancel") == "{}");
    CHECK(behind(pair.source, pair.mark_source) == "MIGRATION cancelling");
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) ==
          "MIGRATION cancelling, RESUME, MIGRATION cancelled");
    CHECK(behind(pair.dest, pair.mark_dest) == "MIGRATION failed, gone 1");
}

TEST_CASE("model/failure: migrate_cancel in device lets the guest run at the source alone") {
    Held pair;
    pair.go_on();
    REQUIRE(pair.run_until(pair.source, "MIGRATION device"));
    CHECK(pair.refusal(pair.source, "migrate_cancel") == "{}");
    pair.run(1s);
    CHECK(pair.source.qemu->guest_runs());
    CHECK(pair.dest.told.back() == "gone 1");
}

TEST_CASE("model/failure: migrate_cancel behind completed does nothing") {
    Pair pair;
    pair.prepare();
    pair.migrate();
    REQUIRE(pair.run_until(pair.source, "MIGRATION completed"));
    CHECK(pair.refusal(pair.source, "migrate_cancel") == "{}");
    pair.run(1s);
    CHECK(pair.status(pair.source) == "completed");
    CHECK(pair.dest.qemu->guest_runs());
    CHECK_FALSE(pair.source.qemu->guest_runs());
}

TEST_CASE("model/failure: without migrate-continue the guest stands for ever") {
    Held pair;
    pair.run(3600s);
    CHECK(pair.status(pair.source) == "pre-switchover");
    CHECK(pair.field(pair.dest, "query-status", "status") == "inmigrate");
    CHECK(pair.refusal(pair.source, "cont") == "GenericError: Migration is not finalized yet");
    CHECK(pair.refusal(pair.source, "stop") == "{}");
    CHECK(pair.field(pair.source, "query-status", "status") == "finish-migrate");
}

TEST_CASE(
    "model/failure: a source killed in precopy takes the guest along, the destination exits") {
    Active pair;
    pair.source.qemu->kill();
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) == "gone 137");
    CHECK(behind(pair.dest, pair.mark_dest) == "MIGRATION failed, gone 1");
}

TEST_CASE("model/failure: a source killed behind RESUME changes nothing at the destination") {
    Pair pair;
    pair.prepare();
    pair.migrate();
    REQUIRE(pair.run_until(pair.dest, "RESUME"));
    pair.source.qemu->kill();
    pair.run(1s);
    CHECK(pair.dest.qemu->guest_runs());
    CHECK(pair.status(pair.dest) == "completed");
}

TEST_CASE("model/failure: a source killed behind its completed does not take the guest along") {
    Pair pair;
    pair.prepare();
    pair.migrate();
    REQUIRE(pair.run_until(pair.source, "MIGRATION completed"));
    pair.source.qemu->kill();
    pair.run(1s);
    CHECK(pair.dest.qemu->guest_runs());
}

TEST_CASE("model/failure: a cut link freezes the transfer, and nothing is said of it") {
    Active pair;
    pair.wire.cut();
    const std::string before = pair.ask(pair.source, "query-migrate").value;
    pair.run(60s);
    CHECK(behind(pair.source, pair.mark_source).empty());
    CHECK(behind(pair.dest, pair.mark_dest).empty());
    CHECK(pair.status(pair.source) == "active");
    CHECK(pair.source.qemu->guest_runs());
    const std::string transferred = R"("transferred":)";
    const auto number = [&](const std::string& text) {
        const std::size_t from = text.find(transferred) + transferred.size();
        return text.substr(from, text.find(',', from) - from);
    };
    CHECK(number(pair.ask(pair.source, "query-migrate").value) == number(before));
}

TEST_CASE("model/failure: migrate_cancel works at once on a cut link, the destination stays") {
    Active pair;
    pair.wire.cut();
    pair.ask(pair.source, "migrate_cancel");
    pair.run(100ms);
    CHECK(pair.status(pair.source) == "cancelled");
    CHECK(pair.field(pair.dest, "query-status", "status") == "inmigrate");
    pair.wire.heal();
    pair.run(1s);
    CHECK(pair.dest.told.back() == "gone 1");
}

TEST_CASE("model/failure: a link that heals lets the migration complete") {
    Active pair;
    pair.wire.cut();
    pair.run(3s);
    pair.wire.heal();
    pair.ask(pair.source, "migrate-set-parameters", R"({"max-bandwidth":1073741824})");
    CHECK(pair.run_until(pair.dest, "MIGRATION completed"));
}

TEST_CASE("model/failure: a link cut while the guest stands holds the last pages back") {
    Held pair;
    pair.wire.cut();
    pair.go_on();
    pair.run(60s);
    CHECK(behind(pair.source, pair.mark_source) == "MIGRATION device, MIGRATION_PASS 3");
    pair.wire.heal();
    CHECK(pair.run_until(pair.dest, "RESUME"));
}

TEST_CASE("model/failure: a refused connection fails at once, and the same source can try again") {
    Pair pair;
    pair.prepare();
    pair.ask(pair.source, "migrate", R"({"uri":"tcp:10.99.0.2:4999"})");
    pair.run(10ms);
    CHECK(joined(pair.source.told) == "MIGRATION setup, MIGRATION failed");
    CHECK(pair.field(pair.source, "query-migrate", "error-desc") ==
          "Failed to connect to '10.99.0.2:4999': Connection refused");
    pair.migrate();
    CHECK(pair.run_until(pair.dest, "MIGRATION completed"));
}

TEST_CASE("model/failure: a connection over a cut link is tried for two minutes") {
    Pair pair;
    pair.prepare();
    pair.wire.cut();
    pair.migrate();
    pair.run(120s);
    CHECK(pair.ask(pair.source, "query-migrate").value == R"({"status":"setup"})");
    pair.run(10s);
    CHECK(pair.field(pair.source, "query-migrate", "error-desc") ==
          "Failed to connect to '10.99.0.2:4444': Connection timed out");
}

TEST_CASE("model/failure: who was stopped by a command stays so when the migration fails") {
    Active pair;
    pair.ask(pair.source, "stop");
    pair.dest.qemu->kill();
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) == "STOP, MIGRATION failed");
    CHECK(pair.field(pair.source, "query-status", "status") == "paused");
    pair.ask(pair.source, "cont");
    CHECK(pair.source.qemu->guest_runs());
}

TEST_CASE("model/failure: cont at the source behind completed succeeds, and both run") {
    Pair pair;
    pair.prepare();
    pair.migrate();
    REQUIRE(pair.run_until(pair.dest, "MIGRATION completed"));
    CHECK(pair.refusal(pair.source, "migrate", R"({"uri":"tcp:10.99.0.2:4444"})") ==
          "GenericError: Can't migrate the vm that was paused due to previous migration");
    CHECK(pair.refusal(pair.source, "cont") == "{}");
    CHECK(pair.source.qemu->guest_runs());
    CHECK(pair.dest.qemu->guest_runs());
}

TEST_CASE("model/failure: a shared image is locked while the other lives, and no longer") {
    PairSettings settings;
    settings.shared_disk = true;
    settings.load.disk_writes_per_second = 100;
    Pair pair{std::move(settings)};
    pair.prepare();
    pair.migrate();
    REQUIRE(pair.run_until(pair.dest, "MIGRATION completed"));
    pair.run(1s);
    CHECK(pair.dest.qemu->disk_fits_guest());
    CHECK(pair.refusal(pair.source, "cont") == "GenericError: Failed to get \"write\" lock");
    pair.ask(pair.dest, "quit");
    pair.run(10ms);
    CHECK(pair.refusal(pair.source, "cont") == "{}");
    // Old memory on a newer disk: the guest is lost, and nothing says so.
    CHECK_FALSE(pair.source.qemu->disk_fits_guest());
}

TEST_CASE("model/failure: a destination with -S waits for cont behind completed") {
    PairSettings settings;
    settings.dest_paused = true;
    Pair pair{std::move(settings)};
    pair.prepare();
    pair.migrate();
    REQUIRE(pair.run_until(pair.dest, "MIGRATION completed"));
    pair.run(60s);
    CHECK(pair.field(pair.dest, "query-status", "status") == "paused");
    CHECK(pair.refusal(pair.dest, "cont") == "{}");
    CHECK(pair.dest.told.back() == "RESUME");
}

TEST_CASE("model/failure: cont and stop before the load decide what follows it") {
    PairSettings settings;
    settings.dest_paused = true;
    Pair waits{std::move(settings)};
    waits.prepare();
    CHECK(waits.refusal(waits.dest, "cont") == "{}");
    waits.migrate();
    CHECK(waits.run_until(waits.dest, "RESUME"));
    Pair runs;
    runs.prepare();
    CHECK(runs.refusal(runs.dest, "stop") == "{}");
    runs.migrate();
    REQUIRE(runs.run_until(runs.dest, "MIGRATION completed"));
    CHECK(runs.field(runs.dest, "query-status", "status") == "paused");
}

TEST_CASE("model/failure: a paused guest is migrated without STOP and RESUME, and stays paused") {
    Pair pair;
    pair.prepare();
    pair.ask(pair.source, "stop");
    pair.migrate();
    REQUIRE(pair.run_until(pair.dest, "MIGRATION completed"));
    CHECK(joined(pair.source.told) ==
          "STOP, MIGRATION setup, MIGRATION_PASS 1, MIGRATION active, MIGRATION_PASS 2, "
          "MIGRATION_PASS 3, MIGRATION completed");
    CHECK(joined(pair.dest.told) == "MIGRATION setup, MIGRATION active, MIGRATION completed");
    CHECK(pair.field(pair.dest, "query-status", "status") == "paused");
}

TEST_CASE("model/failure: quit in the middle of a migration gives it up with the process") {
    Active pair;
    pair.ask(pair.source, "quit");
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) ==
          "SHUTDOWN host-qmp-quit, MIGRATION cancelling, gone 0");
    CHECK(behind(pair.dest, pair.mark_dest) == "MIGRATION failed, gone 1");
}

TEST_CASE("model/failure: multifd at one side alone fails behind the first pass") {
    Pair pair;
    pair.prepare();
    pair.ask(pair.source, "migrate-set-capabilities",
             R"({"capabilities":[{"capability":"multifd","state":true}]})");
    pair.migrate();
    pair.run(1s);
    CHECK(joined(pair.source.told) == "MIGRATION setup, MIGRATION_PASS 1, MIGRATION failed");
    CHECK(joined(pair.dest.told) == "MIGRATION setup, MIGRATION active");
}

TEST_CASE("model/failure: with postcopy the guest runs at the destination before the end") {
    Pair pair;
    pair.prepare();
    for (PairSide* side : {&pair.source, &pair.dest}) {
        pair.ask(*side, "migrate-set-capabilities",
                 R"({"capabilities":[{"capability":"postcopy-ram","state":true}]})");
    }
    CHECK(pair.refusal(pair.source, "migrate-start-postcopy") ==
          "GenericError: Postcopy must be started after migration has been started");
    pair.migrate();
    REQUIRE(pair.run_until(pair.source, "MIGRATION active"));
    pair.run(50ms);
    CHECK(pair.refusal(pair.source, "migrate-start-postcopy") == "{}");
    REQUIRE(pair.run_until(pair.source, "MIGRATION completed"));
    pair.run(10ms);
    CHECK(joined(pair.source.told) ==
          "MIGRATION setup, MIGRATION_PASS 1, MIGRATION active, MIGRATION postcopy-active, STOP, "
          "MIGRATION_PASS 2, MIGRATION completed");
    CHECK(joined(pair.dest.told) ==
          "MIGRATION setup, MIGRATION active, MIGRATION postcopy-active, RESUME, MIGRATION "
          "completed");
}

namespace {

/// A copy that has become a postcopy, and waits for the word to send the devices.
struct PausedPostcopy : Pair {
    PausedPostcopy() {
        prepare(true);
        for (PairSide* side : {&source, &dest}) {
            ask(*side, "migrate-set-capabilities",
                R"({"capabilities":[{"capability":"postcopy-ram","state":true}]})");
        }
        migrate();
        REQUIRE(run_until(source, "MIGRATION active"));
        ask(source, "migrate-start-postcopy");
        REQUIRE(run_until(source, "MIGRATION pre-switchover"));
    }
    void go_on() { ask(source, "migrate-continue", R"({"state":"pre-switchover"})"); }
};

}  // namespace

TEST_CASE("model/failure: postcopy with the pause capability waits before it begins") {
    PausedPostcopy pair;
    pair.go_on();
    REQUIRE(pair.run_until(pair.source, "MIGRATION completed"));
    pair.run(10ms);
    CHECK(joined(pair.source.told) ==
          "MIGRATION setup, MIGRATION_PASS 1, MIGRATION active, STOP, MIGRATION pre-switchover, "
          "MIGRATION postcopy-active, MIGRATION_PASS 2, MIGRATION completed");
    CHECK(pair.dest.told.back() == "MIGRATION completed");
}

TEST_CASE("model/failure: who cancels behind the devices of a postcopy never gets the guest back") {
    PausedPostcopy pair;
    pair.go_on();
    REQUIRE(pair.run_until(pair.source, "MIGRATION postcopy-active"));
    pair.ask(pair.source, "migrate_cancel");
    pair.run(10s);
    CHECK(pair.source.told.back() == "MIGRATION cancelling");
    CHECK(pair.refusal(pair.source, "cont") == "GenericError: Migration is not finalized yet");
    CHECK(pair.dest.told.back() == "MIGRATION completed");
}

TEST_CASE("model/failure: the death of a destination behind the devices leaves postcopy paused") {
    PausedPostcopy pair;
    pair.go_on();
    REQUIRE(pair.run_until(pair.source, "MIGRATION postcopy-active"));
    pair.dest.qemu->kill();
    pair.run(1s);
    CHECK(pair.source.told.back() == "MIGRATION postcopy-paused");
    pair.ask(pair.source, "migrate_cancel");
    pair.run(10s);
    CHECK(pair.source.told.back() == "MIGRATION cancelling");
    CHECK(pair.refusal(pair.source, "cont") == "GenericError: Migration is not finalized yet");
}

TEST_CASE("model/failure: the death of a destination before the devices ends a postcopy") {
    PausedPostcopy pair;
    pair.dest.qemu->kill();
    pair.run(1s);
    pair.go_on();
    pair.run(1s);
    CHECK(joined(pair.source.told)
              .ends_with("MIGRATION pre-switchover, MIGRATION postcopy-active, MIGRATION_PASS 2, "
                         "MIGRATION failed"));
    CHECK(pair.refusal(pair.source, "cont") == "{}");
    pair.run(10ms);
    CHECK(pair.source.told.back() == "RESUME");
}

TEST_CASE("model/failure: a cancel in pre-switchover brings the guest back without a destination") {
    Held pair;
    pair.ask(pair.dest, "quit");
    pair.run(10ms);
    pair.ask(pair.source, "migrate_cancel");
    pair.run(1s);
    CHECK(behind(pair.source, pair.mark_source) ==
          "MIGRATION cancelling, RESUME, MIGRATION cancelled");
}

TEST_CASE("model/failure: the death of a source in postcopy leaves the guest hanging") {
    Pair pair;
    pair.prepare();
    for (PairSide* side : {&pair.source, &pair.dest}) {
        pair.ask(*side, "migrate-set-capabilities",
                 R"({"capabilities":[{"capability":"postcopy-ram","state":true}]})");
    }
    pair.ask(pair.source, "migrate-set-parameters", slow);
    pair.migrate();
    REQUIRE(pair.run_until(pair.source, "MIGRATION active"));
    pair.ask(pair.source, "migrate-start-postcopy");
    REQUIRE(pair.run_until(pair.dest, "RESUME"));
    pair.source.qemu->kill();
    pair.run(1s);
    CHECK(joined(pair.dest.told).find("MIGRATION postcopy-paused") != std::string::npos);
    CHECK(pair.dest.told.back() == "guest stands");
    CHECK_FALSE(pair.dest.qemu->guest_runs());
    CHECK(pair.status(pair.dest) == "postcopy-paused");
}

TEST_CASE("model/failure: what is not known or not possible is refused with QEMU's words") {
    Pair pair;
    const auto check = [&](PairSide& side, std::string_view name, std::string_view arguments,
                           const std::string& desc) {
        CHECK(pair.refusal(side, name, arguments) == desc);
    };
    PairSide& source = pair.source;
    PairSide& dest = pair.dest;
    check(source, "frob", "null", "CommandNotFound: The command frob has not been found");
    check(source, "stop", R"({"x":1})", "GenericError: Parameter 'x' is unexpected");
    check(source, "migrate", "null", "GenericError: Parameter 'uri' is missing");
    check(source, "migrate", R"({"uri":5})",
          "GenericError: Invalid parameter type for 'uri', expected: string");
    check(source, "migrate", R"({"uri":"bad"})",
          "GenericError: Parameter 'uri' expects a valid migration protocol");
    check(source, "migrate", R"({"uri":"tcp:127.0.0.1"})",
          "GenericError: error parsing address '127.0.0.1'");
    check(source, "migrate-continue", R"({"state":"pre-switchover"})",
          "GenericError: Migration not in expected state: failed");
    check(source, "migrate-continue", R"({"state":"frob"})",
          "GenericError: Parameter 'state' does not accept value 'frob'");
    check(source, "migrate-incoming", R"({"uri":"tcp:10.99.0.1:1"})",
          "GenericError: '-incoming' was not specified on the command line");
    check(source, "migrate-set-capabilities",
          R"({"capabilities":[{"capability":"frob","state":true}]})",
          "GenericError: Parameter 'capability' does not accept value 'frob'");
    check(source, "migrate-set-capabilities",
          R"({"capabilities":[{"capability":"events","state":5}]})",
          "GenericError: Invalid parameter type for 'capabilities[0].state', expected: boolean");
    check(source, "migrate-set-parameters", R"({"frob":1})",
          "GenericError: Parameter 'frob' is unexpected");
    check(source, "migrate-set-parameters", R"({"downtime-limit":-1})",
          "GenericError: Parameter 'downtime_limit' expects an integer in the range of 0 to (2000 "
          "* 1000) ms");
    check(source, "migrate-set-parameters", R"({"multifd-channels":0})",
          "GenericError: Parameter 'multifd_channels' expects a value between 1 and 255");
    check(source, "migrate-set-parameters", R"({"cpu-throttle-initial":0})",
          "GenericError: Parameter 'cpu_throttle_initial' expects an integer in the range of 1 to "
          "99");
    check(dest, "migrate-incoming", R"({"uri":"bad"})",
          "GenericError: unknown migration protocol: bad");
    check(dest, "migrate-incoming", R"({"uri":"tcp:10.1.2.3:4444"})",
          "GenericError: Failed to bind socket: Cannot assign requested address");
    check(dest, "migrate-incoming", R"({"uri":"tcp:10.99.0.2:4444"})", "{}");
    check(dest, "migrate-incoming", R"({"uri":"tcp:10.99.0.2:4444"})",
          "GenericError: The incoming migration has already been started");
    check(dest, "migrate", R"({"uri":"tcp:10.99.0.1:4444"})",
          "GenericError: Guest is waiting for an incoming migration");
    pair.migrate();
    check(source, "migrate", R"({"uri":"tcp:10.99.0.2:4444"})",
          "GenericError: There's a migration process in progress");
    check(source, "migrate-set-capabilities", R"({"capabilities":[]})",
          "GenericError: There's a migration process in progress");
}

TEST_CASE("model/failure: a cut behind completed holds the load back, and no cut disturbs one") {
    Pair pair;
    pair.prepare();
    pair.migrate();
    REQUIRE(pair.run_until(pair.source, "MIGRATION active"));
    REQUIRE(pair.run_until(pair.source, "MIGRATION_PASS 3"));
    pair.run(1ms);
    REQUIRE(pair.run_until(pair.source, "MIGRATION completed"));
    pair.run(1ms);
    pair.wire.cut();
    pair.run(1ms);
    pair.wire.heal();
    CHECK(pair.run_until(pair.dest, "MIGRATION completed", 0, 1s));
}

TEST_CASE("model/failure: each may be destroyed first, wherever the migration stands") {
    for (const Duration after : {0ms, 1ms, 6ms, 100ms, 700ms, 5000ms}) {
        for (const bool source_first : {true, false}) {
            Active pair;
            pair.ask(pair.source, "migrate-set-parameters", R"({"max-bandwidth":0})");
            pair.run(after);
            (source_first ? pair.source : pair.dest).qemu.reset();
            pair.run(1s);
            (source_first ? pair.dest : pair.source).qemu.reset();
            pair.run(1s);
        }
    }
}

TEST_CASE("model/failure: a death at any moment leaves one guest, or none where it took it along") {
    for (const bool postcopy : {false, true}) {
        for (Duration after{}; after < 130ms; after += 650us) {
            for (const bool source_dies : {true, false}) {
                PairSettings settings;
                settings.load.ram_bytes = 16ULL << 20;
                settings.load.zero_bytes = 0;
                settings.load.working_set_bytes = 8ULL << 20;
                settings.wire.bytes_per_second = 150'000'000;
                Pair pair{settings};
                pair.prepare();
                for (PairSide* side : {&pair.source, &pair.dest}) {
                    pair.ask(*side, "migrate-set-capabilities",
                             R"({"capabilities":[{"capability":"postcopy-ram","state":true}]})");
                }
                pair.migrate();
                if (postcopy) {
                    pair.ask(pair.source, "migrate-start-postcopy");
                }
                pair.run(after);
                if (postcopy && pair.status(pair.source) == "active") {
                    pair.ask(pair.source, "migrate-start-postcopy");
                }
                const bool given_away = pair.status(pair.source) == "completed" ||
                                        pair.status(pair.source) == "postcopy-active";
                (source_dies ? pair.source : pair.dest).qemu->kill();
                pair.run(5s);
                CAPTURE(postcopy, after.count(), source_dies, joined(pair.source.told),
                        joined(pair.dest.told));
                CHECK_FALSE((pair.source.qemu->guest_runs() && pair.dest.qemu->guest_runs()));
                if (source_dies) {
                    CHECK(pair.dest.qemu->guest_runs() == given_away);
                } else {
                    CHECK(pair.source.qemu->guest_runs() == !given_away);
                }
            }
        }
    }
}
