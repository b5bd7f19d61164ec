// SPDX-License-Identifier: Apache-2.0
// tests/unit/cli/ancestor_test.cc: command lines of the first katamaran, as runs of plans.
#include <catch2/catch.hpp>

#include "cli/ancestor.hh"
#include "cli/markers.hh"

using ktm::Result;
using ktm::cli::AncestorRun;
using ktm::cli::shell_line;
using ktm::cli::translate_ancestor;

namespace {

using Words = std::vector<std::string>;

/// The command that these words mean now.
std::string line_of(const Words& words) {
    Result<AncestorRun> run = translate_ancestor(words);
    INFO((run ? "" : run.error().sentence()));
    REQUIRE(run);
    return shell_line(run->words);
}

std::string refusal_of(const Words& words) {
    Result<AncestorRun> run = translate_ancestor(words);
    REQUIRE_FALSE(run);
    CHECK(run.error().kind == ktm::Kind::usage);
    return run.error().sentence();
}

Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

const Words source_line{"--mode",  "source",   "--dest-ip",       "10.0.0.2",
                        "--vm-ip", "10.9.0.5", "--shared-storage"};
const Words dest_line{"--mode",  "dest",     "--dest-ip",       "10.0.0.2",
                      "--vm-ip", "10.9.0.5", "--shared-storage"};

}  // namespace

TEST_CASE("cli/ancestor: a line is known by its first word, and by nothing else") {
    CHECK(ktm::cli::is_ancestor_line({"--mode", "source"}));
    CHECK(ktm::cli::is_ancestor_line({"-mode=source"}));
    CHECK(ktm::cli::is_ancestor_line({"--shared-storage", "--mode", "dest"}));
    CHECK(ktm::cli::is_ancestor_line({"--tap-netns"}));
    for (const Words& other : {Words{}, Words{"run", "--mode"}, Words{"-h"}, Words{"-v"},
                               Words{"--help"}, Words{"--json"}, Words{"-"}, Words{"mode"}}) {
        CHECK_FALSE(ktm::cli::is_ancestor_line(other));
    }
}

TEST_CASE("cli/ancestor: both roles of a move with shared disks, with what was its default") {
    CHECK(line_of(source_line) ==
          "katamaran run shared-storage --role source "
          "--var qmp=/run/vc/vm/extra-monitor.sock --var dest_ip=10.0.0.2 --var downtime=25ms "
          "--var vm_ip=10.9.0.5 --var tunnel=ipip --markers");
    CHECK(line_of(dest_line) ==
          "katamaran run shared-storage --role dest --var qmp=/run/vc/vm/extra-monitor.sock "
          "--var listen_ip=10.0.0.2 --var tap=tap0_kata --var vm_ip=10.9.0.5 --var tunnel=ipip");
}

TEST_CASE("cli/ancestor: without --shared-storage the disks go along") {
    const Words moved{"--mode",
                      "source",
                      "--dest-ip",
                      "fd00::2",
                      "--vm-ip",
                      "fd09::5",
                      "--qmp",
                      "a.sock",
                      "--drive-id",
                      "d0,d1",
                      "--tunnel-mode",
                      "gre",
                      "--shared-storage=false"};
    CHECK(line_of(moved) ==
          "katamaran run local-storage --role source --var qmp=a.sock --var dest_ip=fd00::2 "
          "--var downtime=25ms --var vm_ip=fd09::5 --var tunnel=gre --var drives=d0,d1 "
          "--markers");
    CHECK_THAT(
        line_of({"--mode=dest", "-dest-ip=10.0.0.2", "-vm-ip", "10.9.0.5"}),
        Catch::Contains("run local-storage") && Catch::EndsWith("--var drives=drive-virtio-disk0"));
}

TEST_CASE("cli/ancestor: flags have one dash or two, and the last of one counts") {
    const std::string plain = line_of(source_line);
    CHECK(line_of({"-mode", "source", "-dest-ip=10.0.0.2", "--vm-ip=10.9.0.5",
                   "-shared-storage=T"}) == plain);
    CHECK(line_of(with({"--mode", "dest", "--vm-ip", "1.1.1.1"}, source_line)) == plain);
}

TEST_CASE("cli/ancestor: a downtime above the plans' second limit raises that, too") {
    CHECK_THAT(line_of(with(source_line, {"--downtime", "300"})),
               Catch::Contains("--var downtime=300ms") && !Catch::Contains("downtime_max"));
    CHECK_THAT(line_of(with(source_line, {"--downtime", "301"})),
               Catch::Contains("--var downtime=301ms --var downtime_max=301ms"));
    for (const char* wrong : {"0", "-1", "25ms", "2.5", ""}) {
        INFO(wrong);
        const Words words = with(source_line, {std::string{"--downtime="} + wrong});
        if (*wrong == '\0') {
            CHECK_THAT(line_of(words), Catch::Contains("downtime=25ms"));
        } else {
            CHECK_THAT(refusal_of(words), Catch::Contains("'--downtime'"));
        }
    }
}

TEST_CASE("cli/ancestor: an automatic downtime begins at its floor, or at the downtime") {
    CHECK_THAT(line_of(with(source_line, {"--auto-downtime"})),
               Catch::Contains("--var downtime=25ms --var auto_downtime=yes"));
    CHECK_THAT(line_of(with(source_line, {"-auto-downtime", "--auto-downtime-floor-ms=400"})),
               Catch::Contains("--var downtime=400ms --var downtime_max=400ms "
                               "--var auto_downtime=yes"));
    CHECK_THAT(refusal_of(with(source_line, {"--auto-downtime", "--auto-downtime-floor-ms=x"})),
               Catch::Contains("'--auto-downtime-floor-ms' is 'x'"));
}

TEST_CASE("cli/ancestor: connections for RAM are as many at both nodes") {
    CHECK_THAT(line_of(with(source_line, {"--multifd-channels", "4"})),
               Catch::Contains("--var tunnel=ipip --var channels=4"));
    CHECK_THAT(line_of(with(dest_line, {"--multifd-channels=4"})),
               Catch::EndsWith("--var tunnel=ipip --var channels=4"));
    CHECK_THAT(line_of(with(dest_line, {"--multifd-channels=1"})), !Catch::Contains("channels"));
}

TEST_CASE("cli/ancestor: what is not as it was is said") {
    const auto remarks = [](const Words& words) {
        const Result<AncestorRun> run = translate_ancestor(words);
        REQUIRE(run);
        return run->remarks;
    };
    CHECK(remarks(source_line).empty());
    CHECK(remarks(dest_line).empty());
    REQUIRE(remarks(with(source_line, {"--tap", "tap0"})).size() == 1);
    CHECK_THAT(remarks(with(source_line, {"--tap", "tap0"}))[0], Catch::Contains("--mode source"));
    CHECK(remarks(with(dest_line, {"--downtime", "40"})).size() == 1);
    CHECK(remarks(with(source_line, {"--drive-id", "d0"})).size() == 1);
    CHECK(remarks(with(source_line, {"--log-level", "debug"})).size() == 1);
    CHECK(remarks(with(source_line, {"--log-level", "info", "--tap", ""})).empty());
    const Words slow = with(source_line, {"--cni-convergence-delay", "7"});
    CHECK(remarks(slow).size() == 1);
    CHECK_THAT(line_of(slow), Catch::Contains("--var drained=7s"));
    CHECK_THAT(line_of(with(source_line, {"--cni-convergence-delay=1500ms"})),
               Catch::Contains("--var drained=3s"));
    CHECK_THAT(line_of(with(source_line, {"--cni-convergence-delay=3500ms"})),
               Catch::Contains("--var drained=3500ms"));
    CHECK(remarks(with(source_line, {"--auto-downtime-floor-ms", "5"})).size() == 1);
}

TEST_CASE("cli/ancestor: what cannot be carried out any more is refused, with what to do") {
    CHECK_THAT(refusal_of(with(source_line, {"--emit-cmdline-to", "/tmp/x"})),
               Catch::Contains("-incoming defer -S"));
    CHECK_THAT(refusal_of(with(dest_line, {"--replay-cmdline=/tmp/x"})), Catch::Contains("--qmp"));
    CHECK_THAT(refusal_of(with(source_line, {"--pod-name", "a"})), Catch::Contains("--vm-ip"));
    CHECK_THAT(refusal_of(with(dest_line, {"--dest-pod-namespace", "a"})),
               Catch::Contains("--tap"));
    CHECK_THAT(refusal_of(with(source_line, {"--tunnel-mode", "none"})), Catch::Contains("lost"));
    CHECK_THAT(refusal_of(with(source_line, {"--multifd-channels", "256"})),
               Catch::Contains("at most 255"));
    CHECK_THAT(refusal_of({"--mode", "both"}), Catch::Contains("source or dest"));
    CHECK_THAT(refusal_of({"--qmp", "a"}), Catch::Contains("'--mode'"));
    CHECK_THAT(refusal_of({"--mode", "dest", "--vm-ip", "10.9.0.5"}),
               Catch::Contains("'--dest-ip' is missing"));
    CHECK_THAT(refusal_of({"--mode", "dest", "--dest-ip", "10.0.0.2"}),
               Catch::Contains("'--vm-ip' is missing"));
    CHECK_THAT(refusal_of(with(source_line, {"--mood", "x"})),
               Catch::Contains("did you mean '--mode'"));
    CHECK_THAT(refusal_of(with(source_line, {"stray"})), Catch::Contains("one word too many"));
    CHECK_THAT(refusal_of(with(source_line, {"--vm-ip"})), Catch::Contains("needs a value"));
    CHECK_THAT(refusal_of(with(source_line, {"--shared-storage=maybe"})),
               Catch::Contains("true or"));
    CHECK_THAT(refusal_of(with(source_line, {"--log-format", "xml"})),
               Catch::Contains("text or json"));
    CHECK(translate_ancestor(with(source_line, {"--multifd-channels=0", "--auto-downtime=false",
                                                "--pod-name=", "--auto-downtime-floor-ms", "0"})));
}

TEST_CASE("cli/ancestor: options of katamaran run may stand among its flags") {
    CHECK_THAT(
        line_of(with({"--mode", "dest", "--insecure", "--record=a b.jsonl"},
                     with(source_line, {"--var", "pps=9", "--log-format", "json"}))),
        Catch::EndsWith(
            "--var encrypt=no --json --markers --insecure --record 'a b.jsonl' --var pps=9"));
    CHECK_THAT(line_of(with(source_line, {"--var", "tunnel=vxlan"})),
               Catch::EndsWith("--var vm_ip=10.9.0.5 --markers --var tunnel=vxlan"));
    CHECK_THAT(line_of(with(source_line, {"--markers"})), Catch::EndsWith("=ipip --markers"));
    CHECK_THAT(line_of(with(source_line, {"--require-zero-loss", "--vars", "v.json"})),
               Catch::EndsWith("--markers --require-zero-loss --vars v.json"));
    CHECK_THAT(line_of(with(source_line, {"--insecure=false"})), !Catch::Contains("insecure"));
}

TEST_CASE("cli/ancestor: the key of the environment is taken where the line says nothing of it") {
    const auto keyed = [](const Words& words) {
        const Result<AncestorRun> run = translate_ancestor(words, "/etc/peer.key");
        REQUIRE(run);
        return shell_line(run->words);
    };
    CHECK_THAT(keyed(dest_line), Catch::EndsWith("tunnel=ipip --peer-key /etc/peer.key"));
    CHECK_THAT(keyed(with(dest_line, {"--peer-key", "own.key"})),
               Catch::EndsWith("tunnel=ipip --peer-key own.key"));
    CHECK_THAT(keyed(with(dest_line, {"--insecure"})),
               Catch::EndsWith("tunnel=ipip --var encrypt=no --insecure"));
}

TEST_CASE("cli/ancestor: a line for the shell is quoted, and its exit codes are the four of old") {
    CHECK(shell_line({"run", "it's", "", "a=b,c:/d"}) == "katamaran run 'it'\\''s' '' a=b,c:/d");
    CHECK(ktm::cli::ancestor_exit_code(0) == 0);
    CHECK(ktm::cli::ancestor_exit_code(1) == 1);
    CHECK(ktm::cli::ancestor_exit_code(2) == 2);
    CHECK(ktm::cli::ancestor_exit_code(3) == 1);
    CHECK(ktm::cli::ancestor_exit_code(130) == 130);
}

TEST_CASE("cli/markers: progress once a second and status, the limit in force, the result") {
    std::vector<std::string> told;
    ktm::cli::Markers markers;
    markers.print_by([&](const std::string& line) { told.push_back(line); });
    const auto hear = [&](const char* time_ms, const char* direction, const std::string& message) {
        markers.hear("{\"t\":" + std::string{time_ms} + "000000,\"port\":\"qmp\",\"dir\":\"" +
                     direction + "\",\"msg\":" + message + "}\n");
    };
    const auto ask = [&](const char* time_ms, const char* answer) {
        hear(time_ms, "out", R"({"execute":"query-migrate","id":7})");
        hear(time_ms, "in", std::string{R"({"id":7,"return":)"} + answer + "}");
    };
    const auto limit = [&](const char* limit_ms, const char* answer) {
        hear("1", "out",
             std::string{R"({"execute":"migrate-set-parameters","id":8,"arguments":)"} +
                 R"({"downtime-limit":)" + limit_ms + "}}");
        hear("2", "in", answer);
    };
    markers.hear(R"({"magic":"katamaran-trace","version":1,"tool":"0","started":""})"
                 "\n");
    limit("1", R"({"id":8,"return":{}})");
    ask("10", R"({"status":"setup"})");
    CHECK(told.empty());
    ask("20", R"({"status":"active","ram":{"transferred":1,"total":3,"remaining":2}})");
    ask("1019", R"({"status":"active","ram":{"transferred":2,"total":3,"remaining":1}})");
    ask("1020", R"({"status":"active","ram":{"transferred":3,"total":3,"remaining":0}})");
    limit("40", R"({"id":8,"error":{"class":"GenericError","desc":"no"}})");
    limit("30", R"({"id":8,"return":{}})");
    hear("1030", "in", R"({"event":"MIGRATION","data":{"status":"active"}})");
    hear("1040", "in", R"({"event":"MIGRATION","data":{"status":"pre-switchover"}})");
    hear("1050", "in", R"({"event":"MIGRATION","data":{"status":"completed"}})");
    ask("1060", R"({"status":"completed","ram":{"transferred":3,"total":3,"remaining":0}})");
    markers.conclude(R"({"status":"completed"})");
    ktm::cli::Markers automatic;
    automatic.print_by([&](const std::string& line) { told.push_back(line); });
    automatic.measure_by([] { return std::optional{ktm::Duration{1'200'000}}; });
    automatic.hear(R"({"magic":"katamaran-trace","version":1,"tool":"0","started":""})"
                   "\n");
    for (const char* message :
         {R"("out","msg":{"execute":"migrate-set-parameters","id":8,)"
          R"("arguments":{"downtime-limit":28}})",
          R"("in","msg":{"id":8,"return":{}})",
          R"("in","msg":{"event":"MIGRATION","data":{"status":"completed"}})"}) {
        automatic.hear(std::string{R"({"t":1,"port":"qmp","dir":)"} + message + "}\n");
    }
    markers.conclude("");
    markers.conclude(R"({"status":"completed","downtime":33,"total-time":534,)"
                     R"("ram":{"transferred":3,"total":3,"remaining":0}})");
    CHECK(told == std::vector<std::string>{
                      "KATAMARAN_PROGRESS status=active ram_transferred=1 ram_total=3 "
                      "ram_remaining=2",
                      "KATAMARAN_PROGRESS status=active ram_transferred=3 ram_total=3 "
                      "ram_remaining=0",
                      "KATAMARAN_DOWNTIME_LIMIT applied_ms=30 rtt_ms=0 auto=false",
                      "KATAMARAN_PROGRESS status=completed ram_transferred=3 ram_total=3 "
                      "ram_remaining=0",
                      "KATAMARAN_DOWNTIME_LIMIT applied_ms=28 rtt_ms=2 auto=true",
                      "KATAMARAN_RESULT downtime_ms=33 total_time_ms=534 ram_transferred=3 "
                      "ram_total=3"});
}
