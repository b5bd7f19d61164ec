// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/looks_test.cc: what runs look at before they begin, alone and with each other.
#include <catch2/catch.hpp>

#include "json/parser.hh"
#include "script/finding.hh"
#include "script/two_runs.hh"

using namespace ktm;
using ktm::testing::TwoRuns;
using std::chrono::seconds;
using Words = std::vector<std::string>;
using State = script::Finding::State;

namespace {

/// A role that looks so, and is done as soon as it has begun.
std::string looking(const std::string& code) {
    return "looks = function(m) " + code + R"( end,
        state "only" { within = "5s", next = "done" })";
}

/// Both look so, and play until nothing happens any more.
struct Both : TwoRuns {
    Both(const std::string& source_code, const std::string& dest_code)
        : TwoRuns(looking(source_code), looking(dest_code)) {
        source->start();
        dest->start();
        play();
    }
    [[nodiscard]] std::string ends() const { return source->end() + ", " + dest->end(); }
};

}  // namespace

TEST_CASE("looks/findings: what is shared is compared by its name, and what is bad there is told") {
    const script::SharedThings ours{{"RAM", {"4 KiB", "the same -m", false}},
                                    {"QEMU", {"7.2", "newer is well", true}},
                                    {"CPUs", {"2", "the same -smp", false}},
                                    {"only here", {"x", "", false}}};
    const auto told = json::parse(R"({"shared":{"RAM":"8 KiB","QEMU":"8.0","CPUs":"2",)"
                                  R"("only there":"y"},"bad":["tap0: gone"]})");
    const auto theirs = script::report_of(told->root());
    REQUIRE(theirs);
    Words sentences;
    for (const script::Finding& finding : compared(ours, *theirs)) {
        sentences.push_back(std::string{name_of(finding.state)} + " " + sentence_of(finding));
    }
    CHECK(sentences == Words{"ok CPUs: 2 at both nodes",
                             "warn QEMU: 7.2 here, and 8.0 at the other node; newer is well",
                             "bad RAM: 4 KiB here, and 8 KiB at the other node; the same -m",
                             "unknown only here: x here; the other node says nothing of it",
                             "bad the other node: tap0: gone; it says there what to do about it"});
}

TEST_CASE("looks/findings: a report is read as it was written, and what is none is none") {
    const script::Findings findings{{State::bad, "tap0", "gone", "see --var tap="},
                                    {State::warn, "memory", "little", "take care"}};
    const auto written = json::parse(to_json({{"a", {"1", "", false}}}, findings));
    const auto report = script::report_of(written->root());
    REQUIRE(report);
    CHECK(report->shared.at("a") == "1");
    CHECK(report->bad == Words{"tap0: gone"});
    for (const char* text : {"{}", R"({"shared":1,"bad":[]})", R"({"shared":{},"bad":1})", "[]"}) {
        CHECK_FALSE(script::report_of(json::parse(text)->root()));
    }
    CHECK(script::refusal_of(findings).what == "tap0: gone");
}

TEST_CASE("looks: a plan whose looks are well begins, and each thing is told once") {
    const Both runs{R"(look.ok("here", "well") look.same("size", 7, "mend it"))",
                    R"(look.same("size", "7", "mend it"))"};
    CHECK(runs.ends() == "done, done");
    CHECK(runs.source->findings == Words{"ok here: well", "ok size: 7 at both nodes"});
    CHECK(runs.dest->findings == Words{"ok size: 7 at both nodes"});
}

TEST_CASE("looks: what is bad at one node ends both before their first state, all told at once") {
    const Both runs{R"(look.ok("x", "well") sleep("1s"))", R"(sleep("1s")
        look.bad("tap0", "gone", "mend it") look.bad("disk", "small", "grow it"))"};
    CHECK(runs.ends() == "aborted looks, aborted looks");
    CHECK(runs.source->states.empty());
    CHECK(runs.dest->states.empty());
    CHECK(runs.source->findings.size() == 3);
    CHECK(runs.source->findings.back() ==
          "bad the other node: disk: small; it says there what to do about it");
    CHECK(runs.dest->outcome->ended.cause->what == "2 things are bad, the first is tap0: gone");
}

TEST_CASE("looks: another value at the other node ends both, with both values") {
    const Both runs{R"(look.same("machine", "q35", "take one"))",
                    R"(look.same("machine", "pc", "take one"))"};
    CHECK(runs.ends() == "aborted looks, aborted looks");
    CHECK(runs.source->findings ==
          Words{"bad machine: q35 here, and pc at the other node; take one"});
    CHECK(runs.dest->findings ==
          Words{"bad machine: pc here, and q35 at the other node; take one"});
}

TEST_CASE("looks: what is only to be alike is a warning, and both begin") {
    const Both runs{R"(look.alike("MTU", 1500, "see to it"))",
                    R"(look.alike("MTU", 9000, "see to it"))"};
    CHECK(runs.ends() == "done, done");
    CHECK(runs.dest->findings ==
          Words{"warn MTU: 9000 here, and 1500 at the other node; see to it"});
}

TEST_CASE("looks: what is bad is told without waiting for the other node") {
    TwoRuns runs{looking(R"(look.bad("tap0", "gone", "mend it"))"), looking("")};
    runs.source->start();
    CHECK(runs.source->end() == "aborted looks");
    CHECK(runs.source->ended_at == Duration{});
}

TEST_CASE("looks: to change something in them is an error, and the run does not begin") {
    for (const char* code :
         {R"(emit("a:b"))", R"(wait { "STOP" })", R"(m:undo("x", function() end))",
          R"(net.tunnel { to = "192.0.2.9" })", R"(peer.send("go"))", R"(exec { "true" })",
          R"(qmp("stop"))", R"(qmp.try("migrate_cancel"))", R"(timer.after("1s", "x"))",
          R"(look.at("x", function() qmp("quit") end))", R"(net.announce { on = "eth1" })"}) {
        INFO(code);
        TwoRuns runs{looking(code), looking("")};
        runs.source->start();
        CHECK(runs.source->end() == "aborted looks");
        REQUIRE(runs.source->findings.size() == 1);
        CHECK(runs.source->findings[0].find("bad the looks: plans/two.lua:") == 0);
        CHECK(runs.source->findings[0].find("looks only ask") != std::string::npos);
    }
}

TEST_CASE("looks: in an action nothing can be found") {
    TwoRuns runs{R"(state "only" { within = "5s", next = "done",
        enter = function() look.ok("a", "b") end })",
                 looking("")};
    runs.source->start();
    runs.dest->start();
    runs.play();
    CHECK(runs.source->end() == "aborted plan");
    CHECK(runs.source->outcome->ended.cause->what.find("it belongs into looks") !=
          std::string::npos);
}

TEST_CASE("looks: what cannot be learned is a finding, and does not hide what comes behind it") {
    TwoRuns runs{looking(R"(
        look.at("file", function() fs.read("/proc/none") end)
        look.at("slow", function() error { kind = "timeout", code = "x", what = "no answer" } end)
        look.ok("last", "well"))"),
                 looking("")};
    runs.source->start();
    CHECK(runs.source->findings.size() == 3);
    CHECK(runs.source->findings[0].find("unknown file: ") == 0);
    CHECK(runs.source->findings[1].find("bad slow: ") == 0);
    CHECK(runs.source->findings[1].find("no answer") != std::string::npos);
    CHECK(runs.source->findings[2] == "ok last: well");
    CHECK(runs.source->end() == "aborted looks");
}

TEST_CASE("looks: those that take too long are ended, and the run does not begin") {
    TwoRuns runs{looking(R"(pcall(sleep, "1h") look.at("b", function() sleep("1h") end))"),
                 looking("")};
    runs.source->start();
    runs.play();
    CHECK(runs.source->end() == "aborted looks");
    CHECK(runs.source->ended_at == script::looks_within);
    CHECK(runs.source->findings.size() == 1);
}

TEST_CASE("looks: a run that is interrupted while it looks ends at once") {
    TwoRuns runs{looking(R"(sleep("5s"))"), looking("")};
    runs.source->start();
    runs.after(seconds{1}, [&] { runs.source->interrupt(); });
    runs.play();
    CHECK(runs.source->end() == "aborted interrupted");
    CHECK(runs.source->ended_at == seconds{1});
}

TEST_CASE("looks: who looks for longer than the other waits is waited for") {
    TwoRuns runs{looking(R"(look.ok("a", "b"))"), looking(R"(sleep("9s"))")};
    runs.source->start();
    runs.dest->start();
    runs.play();
    CHECK(runs.source->end() == "done");
    CHECK(runs.dest->end() == "done");
}

TEST_CASE("looks: without a run the other node is not asked, and nothing is begun") {
    TwoRuns runs{looking(R"(look.same("size", 7, "mend it"))"), looking("")};
    runs.source->look();
    CHECK(runs.source->end() == "aborted looks");
    CHECK(runs.source->waited == 0);
    CHECK(runs.source->findings ==
          Words{"unknown size: 7 here; a run compares it with the other node"});
    runs.dest->look();
    CHECK(runs.dest->findings == Words{"ok place for the other node: tcp:192.0.2.2:4445 is free"});
}

TEST_CASE("looks: findings without an end are an error") {
    TwoRuns runs{looking(R"(for i = 1, 1000 do look.ok("a" .. i, "b") end)"), looking("")};
    runs.source->start();
    CHECK(runs.source->end() == "aborted looks");
}
