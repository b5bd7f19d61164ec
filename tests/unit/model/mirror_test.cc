// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/mirror_test.cc: claims about modelled mirrors, and what they lose.
#include "unit/model/pair.hh"

using namespace ktm;
using namespace ktm::model;
using namespace ktm::model::testing;

namespace {

constexpr std::string_view mirror_name = R"({"device":"mirror0"})";

PairSettings writing(std::uint64_t writes, bool dest_paused = true) {
    PairSettings settings;
    settings.load.disk_writes_per_second = writes;
    settings.dest_paused = dest_paused;
    settings.wire.bytes_per_second = 50'000'000;
    return settings;
}

/// A mirror that is ready.
struct Mirrored : Pair {
    Mirrored(std::string_view mode, PairSettings settings, bool pause = true)
        : Pair(std::move(settings)) {
        prepare(pause);
        export_disk();
        REQUIRE(add_node() == "{}");
        REQUIRE(mirror(mode) == "{}");
        REQUIRE(run_until(source, "BLOCK_JOB_READY", 0, 600s));
    }
    bool equal() {
        source.qemu->settle();
        return source_disk.equals(dest_disk);
    }
};

}  // namespace

TEST_CASE("model/inventory: what a QEMU has beyond its beginning is told in words") {
    Pair pair;
    const Inventory source = pair.source.qemu->inventory();
    const Inventory dest = pair.dest.qemu->inventory();
    CHECK(difference(source, pair.source.qemu->inventory()).empty());
    pair.prepare();
    pair.export_disk();
    pair.ask(pair.source, "migrate-set-parameters", R"({"downtime-limit":5,"tls-creds":"t"})");
    REQUIRE(pair.add_node() == "{}");
    REQUIRE(pair.mirror("background") == "{}");
    CHECK(difference(source, pair.source.qemu->inventory()) ==
          "capability events is on, was off; parameter downtime-limit is 5, was 300; "
          "parameter tls-creds is t, was empty; the block job mirror0 is there; "
          "the block node nbd0 is there");
    CHECK(difference(dest, pair.dest.qemu->inventory()) ==
          "capability events is on, was off; the NBD server is there; the export e0 is there; "
          "a migration that is waited for is there");
    CHECK(difference(pair.dest.qemu->inventory(), dest)
              .ends_with("a migration that is waited for is not there any more"));
    pair.migrate();
    CHECK(difference(source, pair.source.qemu->inventory())
              .ends_with("; a migration that is not over is there"));
}

TEST_CASE("model/mirror: the right sequence leaves equal disks, in both modes") {
    for (const std::string_view mode : {"background", "write-blocking"}) {
        Mirrored pair{mode, writing(300)};
        pair.migrate();
        REQUIRE(pair.run_until(pair.source, "MIGRATION pre-switchover"));
        CHECK(pair.refusal(pair.source, "block-job-cancel", mirror_name) == "{}");
        REQUIRE(pair.run_until(pair.source, "BLOCK_JOB_COMPLETED"));
        CHECK(pair.equal());
        CHECK(pair.ask(pair.source, "query-block-jobs").value == "[]");
        pair.ask(pair.source, "migrate-continue", R"({"state":"pre-switchover"})");
        REQUIRE(pair.run_until(pair.dest, "MIGRATION completed"));
        CHECK(pair.refusal(pair.dest, "nbd-server-stop") == "{}");
        CHECK(pair.dest.told.back() == "BLOCK_EXPORT_DELETED e0");
        pair.ask(pair.dest, "cont");
        pair.run(1s);
        CHECK(pair.dest.qemu->disk_fits_guest());
        CHECK(pair.source.qemu->is_alive());
    }
}

TEST_CASE("model/mirror: a background mirror that has work left aborts its QEMU at the end") {
    Mirrored pair{"background", writing(700, false), false};
    pair.migrate();
    REQUIRE(pair.run_until(pair.source, "MIGRATION completed"));
    pair.run(1s);
    CHECK(pair.source.told.back() == "gone 134");
    CHECK(pair.dest.qemu->guest_runs());
    CHECK_FALSE(pair.dest.qemu->disk_fits_guest());
}

TEST_CASE("model/mirror: with an idle guest the same sequence goes well, which hides its fault") {
    Mirrored pair{"background", writing(0, false), false};
    pair.migrate();
    REQUIRE(pair.run_until(pair.dest, "MIGRATION completed"));
    pair.run(1s);
    CHECK(pair.source.qemu->is_alive());
    CHECK(pair.dest.qemu->disk_fits_guest());
}

TEST_CASE("model/mirror: a forced cancel of a background mirror loses what was still dirty") {
    Mirrored pair{"background", writing(700)};
    pair.run(90ms);
    pair.ask(pair.source, "stop");
    pair.ask(pair.source, "block-job-cancel", R"({"device":"mirror0","force":true})");
    REQUIRE(pair.run_until(pair.source, "BLOCK_JOB_CANCELLED"));
    CHECK_FALSE(pair.equal());
    CHECK(pair.dest_disk.lacking_bytes() > 0);
}

TEST_CASE("model/mirror: job-cancel abandons, as a forced cancel does") {
    Mirrored pair{"background", writing(700)};
    pair.run(90ms);
    const std::size_t mark = pair.source.told.size();
    pair.ask(pair.source, "stop");
    pair.ask(pair.source, "job-cancel", R"({"id":"mirror0"})");
    REQUIRE(pair.run_until(pair.source, "JOB_STATUS_CHANGE null"));
    CHECK(joined({pair.source.told.begin() + static_cast<std::ptrdiff_t>(mark),
                  pair.source.told.end()}) ==
          "STOP, JOB_STATUS_CHANGE standby, JOB_STATUS_CHANGE ready, JOB_STATUS_CHANGE aborting, "
          "BLOCK_JOB_CANCELLED, JOB_STATUS_CHANGE concluded, JOB_STATUS_CHANGE null");
    CHECK_FALSE(pair.equal());
}

TEST_CASE("model/mirror: a background mirror that is slower than the guest is never ready") {
    PairSettings settings = writing(1700);
    Pair pair{std::move(settings)};
    pair.prepare();
    pair.export_disk();
    pair.add_node();
    pair.mirror("background");
    CHECK_FALSE(pair.run_until(pair.source, "BLOCK_JOB_READY", 0, 600s));
}

TEST_CASE("model/mirror: write-blocking is ready soon, whatever the guest writes") {
    Mirrored pair{"write-blocking", writing(1700)};
    CHECK(pair.clock.now() < Instant{2s});
    CHECK(pair.equal());
}

TEST_CASE("model/mirror: on a cut link write-blocking stalls the guest, and says nothing") {
    Mirrored pair{"write-blocking", writing(300)};
    const std::size_t mark = pair.source.told.size();
    pair.wire.cut();
    pair.run(1ms);
    pair.source.qemu->settle();
    const std::uint64_t before = pair.source_disk.history().back().writes;
    pair.run(4s);
    pair.source.qemu->settle();
    CHECK(pair.source_disk.history().back().writes == before);
    CHECK(pair.source.told.size() == mark);
    pair.wire.heal();
    pair.run(1s);
    CHECK(pair.equal());
    CHECK(pair.source_disk.history().back().writes > before);
}

TEST_CASE("model/mirror: a target that died is noticed by the next write, and the job is lost") {
    for (const std::string_view mode : {"background", "write-blocking"}) {
        Mirrored pair{mode, writing(100)};
        const std::size_t mark = pair.source.told.size();
        pair.dest.qemu->kill();
        pair.run(1s);
        CHECK(joined({pair.source.told.begin() + static_cast<std::ptrdiff_t>(mark),
                      pair.source.told.end()}) ==
              "BLOCK_JOB_ERROR write report, JOB_STATUS_CHANGE aborting, BLOCK_JOB_COMPLETED "
              "Input/output error, JOB_STATUS_CHANGE concluded, JOB_STATUS_CHANGE null");
        CHECK(pair.source.qemu->guest_runs());
        CHECK_FALSE(pair.equal());
    }
}

TEST_CASE("model/mirror: a target that died is not noticed while nothing is written") {
    Mirrored pair{"write-blocking", writing(0)};
    const std::size_t mark = pair.source.told.size();
    pair.dest.qemu->kill();
    pair.run(60s);
    CHECK(pair.source.told.size() == mark);
    pair.ask(pair.source, "block-job-cancel", mirror_name);
    pair.run(1s);
    CHECK(pair.source.told[mark] == "BLOCK_JOB_ERROR write report");
}

TEST_CASE("model/mirror: a stop on a cut link waits for the writes that are under way") {
    Mirrored pair{"write-blocking", writing(300)};
    pair.wire.cut();
    const Result<json::Document> none = json::parse("null");
    CHECK_FALSE(pair.source.qemu->execute("stop", none->root()));
    CHECK(pair.source.qemu->is_busy());
    pair.run(10s);
    CHECK(pair.source.late.empty());
    pair.wire.heal();
    pair.run(10ms);
    REQUIRE(pair.source.late.size() == 1);
    CHECK_FALSE(pair.source.late.front().is_refused());
}

TEST_CASE("model/mirror: on a cut link a forced end, and the removal of the node, hang QEMU") {
    const Result<json::Document> force = json::parse(R"({"device":"mirror0","force":true})");
    Mirrored writes{"write-blocking", writing(300)};
    writes.wire.cut();
    CHECK_FALSE(writes.source.qemu->execute("block-job-cancel", force->root()));
    CHECK(writes.source.qemu->is_busy());
    Mirrored idle{"write-blocking", writing(0)};
    idle.wire.cut();
    CHECK(idle.source.qemu->execute("block-job-cancel", force->root()));
    REQUIRE(idle.run_until(idle.source, "BLOCK_JOB_CANCELLED"));
    const Result<json::Document> node = json::parse(R"({"node-name":"nbd0"})");
    CHECK_FALSE(idle.source.qemu->execute("blockdev-del", node->root()));
    CHECK(idle.source.qemu->is_busy());
}

TEST_CASE("model/mirror: a connection that is yanked fails the job, and nothing hangs") {
    const std::string_view node = R"({"instances":[{"type":"block-node","node-name":"nbd0"}]})";
    for (const std::uint64_t writes : {300U, 0U}) {
        Mirrored pair{"write-blocking", writing(writes)};
        pair.wire.cut();
        pair.run(1s);
        CHECK(pair.refusal(pair.source, "yank", node) == "{}");
        pair.run(1s);
        CHECK((pair.ask(pair.source, "query-block-jobs").value == "[]") == (writes > 0));
        if (writes == 0) {
            pair.ask(pair.source, "block-job-cancel", R"({"device":"mirror0","force":true})");
            REQUIRE(pair.run_until(pair.source, "BLOCK_JOB_CANCELLED"));
        }
        CHECK(pair.refusal(pair.source, "blockdev-del", R"({"node-name":"nbd0"})") == "{}");
        CHECK_FALSE(pair.source.qemu->is_busy());
        CHECK(pair.refusal(pair.source, "yank", node) == "DeviceNotFound: Instance not found");
    }
}

TEST_CASE("model/mirror: quit gives the job up before it is answered") {
    Mirrored pair{"background", writing(300)};
    const std::size_t mark = pair.source.told.size();
    CHECK(pair.refusal(pair.source, "quit") == "{}");
    CHECK(joined({pair.source.told.begin() + static_cast<std::ptrdiff_t>(mark),
                  pair.source.told.end()}) ==
          "SHUTDOWN host-qmp-quit, JOB_STATUS_CHANGE standby, JOB_STATUS_CHANGE ready, "
          "JOB_STATUS_CHANGE aborting, BLOCK_JOB_CANCELLED, JOB_STATUS_CHANGE concluded, "
          "JOB_STATUS_CHANGE null");
    pair.run(10ms);
    CHECK(pair.source.told.back() == "gone 0");
}

TEST_CASE("model/mirror: a mirror that was left is drained a second time behind completed") {
    PairSettings idle = writing(0);
    idle.load.dirty_bytes_per_second = 0;
    Mirrored pair{"write-blocking", std::move(idle), false};
    const std::size_t mark = pair.source.told.size();
    pair.migrate();
    REQUIRE(pair.run_until(pair.dest, "MIGRATION completed"));
    CHECK(joined({pair.source.told.begin() + static_cast<std::ptrdiff_t>(mark),
                  pair.source.told.end()}) ==
          "MIGRATION setup, MIGRATION_PASS 1, MIGRATION active, MIGRATION_PASS 2, STOP, "
          "JOB_STATUS_CHANGE standby, JOB_STATUS_CHANGE ready, MIGRATION_PASS 3, MIGRATION "
          "completed, JOB_STATUS_CHANGE standby, JOB_STATUS_CHANGE ready");
    CHECK(pair.refusal(pair.dest, "block-export-del", R"({"id":"e0","mode":"hard"})") == "{}");
    pair.ask(pair.source, "block-job-cancel", mirror_name);
    REQUIRE(pair.run_until(pair.source, "BLOCK_JOB_COMPLETED Input/output error"));
}

TEST_CASE("model/mirror: a pivot lets the guest write to the target") {
    Mirrored pair{"background", writing(100)};
    CHECK(pair.refusal(pair.source, "block-job-complete", mirror_name) == "{}");
    REQUIRE(pair.run_until(pair.source, "BLOCK_JOB_COMPLETED"));
    pair.source.qemu->settle();
    const std::uint64_t before = pair.source_disk.history().back().writes;
    pair.run(1s);
    pair.source.qemu->settle();
    CHECK(pair.source_disk.history().back().writes == before);
    CHECK(pair.dest_disk.history().back().writes == before + 100);
}

TEST_CASE("model/mirror: what is not known or not possible is refused with QEMU's words") {
    Pair pair;
    PairSide& source = pair.source;
    PairSide& dest = pair.dest;
    pair.prepare();
    CHECK(pair.add_node() ==
          "GenericError: Failed to connect to '10.99.0.2:10809': Connection refused");
    CHECK(pair.mirror("background") ==
          "GenericError: Cannot find device='nbd0' nor node-name='nbd0'");
    CHECK(pair.refusal(dest, "nbd-server-stop") == "GenericError: NBD server not running");
    pair.export_disk();
    CHECK(pair.refusal(dest, "nbd-server-add", R"({"device":"disk0"})") ==
          "GenericError: NBD server already has export named 'disk0'");
    CHECK(pair.refusal(source, "block-job-cancel", mirror_name) ==
          "DeviceNotActive: Block job 'mirror0' not found");
    CHECK(pair.refusal(source, "job-cancel", R"({"id":"m"})") == "GenericError: Job not found");
    CHECK(pair.refusal(source, "blockdev-del", R"({"node-name":"nbd0"})") ==
          "GenericError: Failed to find node with node-name='nbd0'");
    CHECK(pair.refusal(source, "blockdev-del", R"({"node-name":"disk0"})") ==
          "GenericError: Node disk0 is in use");
    CHECK(pair.add_node() == "{}");
    CHECK(pair.add_node() == "GenericError: Duplicate nodes with node-name='nbd0'");
    CHECK(pair.mirror("background") == "{}");
    CHECK(pair.mirror("background") == "GenericError: Need a root block node");
    CHECK(pair.refusal(source, "block-job-complete", mirror_name) ==
          "GenericError: Job 'mirror0' in state 'running' cannot accept command verb 'complete'");
    CHECK(pair.refusal(source, "blockdev-del", R"({"node-name":"nbd0"})") ==
          "GenericError: Node nbd0 is in use");
    CHECK(pair.refusal(dest, "block-export-del", R"({"id":"e1"})") ==
          "GenericError: Export 'e1' is not found");
    CHECK(pair.refusal(dest, "block-export-del", R"({"id":"e0"})") ==
          "GenericError: export 'e0' still in use");
}
