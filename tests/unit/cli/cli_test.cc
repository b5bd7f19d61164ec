// SPDX-License-Identifier: Apache-2.0
// tests/unit/cli/cli_test.cc: the pure parts of the command line.
#include <catch2/catch.hpp>

#include "cli/advice.hh"
#include "cli/awaited_event.hh"
#include "cli/console.hh"
#include "cli/summary.hh"
#include "cli/verdict.hh"
#include "json/parser.hh"

using ktm::Result;
using ktm::cli::AwaitedEvent;
namespace json = ktm::json;
namespace qmp = ktm::qmp;

namespace {

bool matches(const char* wait, const char* line) {
    json::Parser parser;
    const std::string padded = std::string(line) + std::string(json::padding_bytes, ' ');
    Result<qmp::Message> message =
        qmp::decode(parser, std::string_view{padded}.substr(0, std::string_view{line}.size()));
    return AwaitedEvent::parse(wait)->matches(qmp::Event{std::move(message->body)});
}

std::string summary(const char* text, std::size_t width = 200) {
    return ktm::cli::summary_of(json::parse(text)->root(), width);
}

}  // namespace

TEST_CASE("cli/awaited_event: the name and every field must be equal") {
    const char* completed = R"({"event":"MIGRATION","data":{"status":"completed","pass":3}})";
    CHECK(matches("MIGRATION", completed));
    CHECK(matches("MIGRATION,status=completed", completed));
    CHECK(matches("MIGRATION,status=completed,pass=3", completed));
    CHECK_FALSE(matches("MIGRATION,status=complete", completed));
    CHECK_FALSE(matches("MIGRATION,status=completed,pass=4", completed));
    CHECK_FALSE(matches("MIGRATION,none=", completed));
    CHECK_FALSE(matches("STOP", completed));
    CHECK_FALSE(matches("STOP,a=b", R"({"event":"STOP"})"));
    CHECK(AwaitedEvent::parse("A,b=c=d")->text() == "A,b=c=d");
}

TEST_CASE("cli/awaited_event: a form that names no event is refused") {
    for (const char* text : {"", ",a=b", "A,", "A,b", "A,=b", "A=b"}) {
        INFO(text);
        REQUIRE_FALSE(AwaitedEvent::parse(text));
        CHECK(AwaitedEvent::parse(text).error().kind == ktm::Kind::usage);
    }
}

TEST_CASE("cli/summary: fields as words, amounts as amounts, and nothing that a terminal obeys") {
    CHECK(summary(R"({"status":"active","pass":2,"ok":true})") == "status=active pass=2 ok=true");
    CHECK(summary(R"({"max-bandwidth":134217728})") == "max-bandwidth=134 MB");
    CHECK(summary(R"({"text":"two words"})") == "text=\"two words\"");
    CHECK(summary(R"({"a":"\u001b[31m","\u001b":1})").find('\x1b') == std::string::npos);
    CHECK(summary("{}").empty());
    CHECK(summary("[1,2]") == "[1,2]");
    CHECK(summary(R"({"long":"xxxxxxxxxxxxxxxxxxxx"})", 10) == "long=xxxxx…");
}

TEST_CASE("cli/summary: the answer to query-migrate is told by the fields that matter") {
    CHECK(summary(R"({"status":"active","total-time":72,"expected-downtime":300,)"
                  R"("ram":{"remaining":133382144,"transferred":392000,"total":134758400,)"
                  R"("duplicate":1,"dirty-sync-count":1}})") ==
          "status=active remaining=133 MB transferred=392 kB total=135 MB dirty-sync-count=1 "
          "expected-downtime=300ms total-time=72ms");
}

TEST_CASE("cli/verdict: packets that were lost, and a journal that is left, are said and counted") {
    ktm::script::Outcome outcome;
    outcome.ended.end = ktm::engine::End::done;
    CHECK(ktm::cli::exit_code_of(outcome) == ktm::cli::exit_done);
    CHECK_THAT(ktm::cli::verdict(outcome), Catch::EndsWith("; nothing was left behind"));
    CHECK_THAT(ktm::cli::verdict_json(outcome, 0), Catch::Contains("\"losses\":[]"));
    CHECK_THAT(ktm::cli::verdict_json(outcome, 0), !Catch::Contains("journal"));

    outcome.losses = {"the hold on tap0 lost 2 packets"};
    CHECK(ktm::cli::exit_code_of(outcome) == ktm::cli::exit_done);
    CHECK(ktm::cli::exit_code_of(outcome, ktm::cli::ZeroLoss::required) == ktm::cli::exit_stranded);
    CHECK_THAT(ktm::cli::verdict(outcome),
               Catch::EndsWith("; nothing was left behind; the hold on tap0 lost 2 packets"));
    CHECK_THAT(ktm::cli::verdict_json(outcome, 3),
               Catch::Contains("\"losses\":[\"the hold on tap0 lost 2 packets\"]"));

    outcome.losses.clear();
    outcome.journal = "/run/katamaran/aa.journal";
    CHECK(ktm::cli::exit_code_of(outcome) == ktm::cli::exit_stranded);
    CHECK_THAT(ktm::cli::verdict(outcome),
               Catch::EndsWith("; left behind: what stands in the journal "
                               "/run/katamaran/aa.journal, run 'katamaran recover'"));
    CHECK_THAT(ktm::cli::verdict_json(outcome, 3),
               Catch::Contains("\"journal\":\"/run/katamaran/aa.journal\""));

    outcome.ended.left = {{"the hold on tap0", "it failed"}};
    CHECK_THAT(ktm::cli::verdict(outcome),
               Catch::Contains("left behind: the hold on tap0 (it failed), and what stands in"));
}

TEST_CASE("cli/advice: a stranded run says what is known, what is not, and what decides") {
    ktm::script::Outcome outcome;
    outcome.ended.end = ktm::engine::End::aborted;
    outcome.guests = {{"", "./a.qmp", "paused", ""}};
    CHECK(ktm::cli::advice_for(outcome, true).empty());

    outcome.ended.end = ktm::engine::End::stranded;
    const auto told = [&](bool has_peer) {
        std::string text;
        for (const std::string& line : ktm::cli::advice_for(outcome, has_peer)) {
            text += line + "\n";
        }
        return text;
    };
    CHECK_THAT(told(true), Catch::Contains("has given it away, or runs it") &&
                               Catch::Contains("katamaran qmp ./a.qmp quit") &&
                               Catch::Contains("katamaran qmp ./a.qmp cont") &&
                               Catch::EndsWith("RUNBOOK.md#stranded\n"));
    outcome.ended.committed = true;
    CHECK_THAT(told(true), Catch::Contains("was given to this node; QEMU says paused") &&
                               Catch::Contains("let it run: katamaran qmp ./a.qmp cont"));
    CHECK_THAT(told(false), !Catch::Contains("node"));
    outcome.guests[0].status = "running";
    CHECK_THAT(told(true), Catch::Contains("runs here") && !Catch::Contains("cont"));
    outcome.guests[0].status = "finish-migrate";
    CHECK_THAT(told(true), Catch::Contains("not known: whether anything of it has left") &&
                               !Catch::Contains("katamaran qmp ./a.qmp cont") &&
                               Catch::Contains("RUNBOOK.md#in-the-middle-of-a-post-copy"));
    outcome.guests[0].status = "postmigrate";
    CHECK_THAT(told(true), Catch::Contains("never: cont at ./a.qmp") &&
                               Catch::Contains("katamaran qmp QMP-SOCKET cont"));
    outcome.ended.cause = ktm::Error{ktm::Kind::lost, "not-alive", "it reset itself", "", nullptr};
    CHECK_THAT(told(true),
               Catch::Contains("must not be started at the source") && !Catch::Contains("cont"));
    outcome.guests[0].copy = "postcopy-active";
    CHECK_THAT(told(true), Catch::Contains("must not be started at the source") &&
                               Catch::Contains("quit at one of the two"));
    outcome.ended.cause.reset();
    outcome.guests[0].copy = "failed";
    CHECK_THAT(told(true), Catch::Contains("has failed behind the commit; QEMU says postmigrate") &&
                               !Catch::Contains("QMP-SOCKET cont") &&
                               Catch::Contains("RUNBOOK.md#in-the-middle-of-a-post-copy"));
    for (const char* copy : {"postcopy-active", "postcopy-paused", "cancelling"}) {
        for (const char* status : {"", "finish-migrate", "paused", "running"}) {
            outcome.guests[0].copy = copy;
            outcome.guests[0].status = status;
            CHECK_THAT(told(true), Catch::Contains("cont or migrate_cancel at the source") &&
                                       !Catch::Contains("katamaran qmp ./a.qmp cont") &&
                                       !Catch::Contains("katamaran qmp ./a.qmp quit"));
        }
    }
    outcome.ended.committed = false;
    outcome.guests[0].copy = "active";
    outcome.guests[0].status = "inmigrate";
    CHECK_THAT(told(true), Catch::Contains("is not here, or not whole") &&
                               !Catch::Contains("katamaran qmp ./a.qmp cont"));
    outcome.ended.committed = true;
    outcome.ended.cause.reset();
    outcome.guests[0] = {"", "./a.qmp", "", "QEMU closed the connection"};
    CHECK_THAT(told(true), Catch::Contains("past its commit") &&
                               Catch::Contains("not known: where the guest runs (QEMU closed"));
    CHECK_THAT(ktm::cli::verdict_json(outcome, 3, {"a \"b\""}),
               Catch::Contains(R"("advice":["a \"b\""])"));
}
