// SPDX-License-Identifier: Apache-2.0
// tests/unit/cli/case_test.cc: what of a case is not as it was expected, and how that is told.
#include <catch2/catch.hpp>

#include "cli/case_words.hh"
#include "json/parser.hh"

using namespace ktm;
using namespace ktm::cli;
using namespace std::chrono_literals;

namespace {

/// A source that was aborted in copy, and a destination that is done.
Played played() {
    PlayedRole source{"source", {"prepare", "copy"}, script::Outcome{}, false, true};
    source.outcome->ended.end = engine::End::aborted;
    source.outcome->ended.state = "copy";
    source.outcome->ended.cause = Error{Kind::timeout, "late", "it took too long", "", nullptr};
    PlayedRole dest{"dest", {"prepare"}, script::Outcome{}, false, false};
    Played both{{source, dest}, {}, 20ms, 3s, 5};
    return both;
}

std::vector<Difference> differences(const trial::RoleExpected& role) {
    trial::Expected expected;
    expected.roles.push_back(role);
    return differences_of(expected, played());
}

trial::RoleExpected ends(const char* end, const char* state = "") {
    return {"source", end, state, "", std::nullopt, {}};
}

}  // namespace

TEST_CASE("cli/case: what is not expected is not looked at") {
    CHECK(differences_of({}, played()).empty());
}

TEST_CASE("cli/case: an end is that of the last line, with or without its state") {
    CHECK(differences(ends("aborted")).empty());
    CHECK(differences(ends("aborted", "copy")).empty());
    const std::vector<Difference> other = differences(ends("aborted", "prepare"));
    REQUIRE(other.size() == 1);
    CHECK(other[0].what == "source ends");
    CHECK(other[0].expected == "aborted in prepare");
    CHECK(other[0].got.starts_with("aborted in copy: it took too long"));
    CHECK(differences(ends("killed")).size() == 1);
    CHECK(differences(ends("done")).size() == 1);
}

TEST_CASE("cli/case: cause, exit code and states are compared") {
    CHECK(differences({"source", "", "", "too long", 1, {"prepare", "…"}}).empty());
    const std::vector<Difference> all = differences({"source", "", "", "lost", 0, {"copy"}});
    REQUIRE(all.size() == 3);
    CHECK(all[0].what == "source why");
    CHECK(all[1].expected == "0");
    CHECK(all[1].got == "1");
    CHECK(all[2].rows.size() == 2);
}

TEST_CASE("cli/case: bounds are at most, and a guest that stands for good is in the dark") {
    trial::Expected expected;
    expected.guest = "source";
    expected.dark = 20ms;
    expected.total = 3s;
    expected.lost = 5;
    CHECK(differences_of(expected, played()).empty());
    expected = {{}, "dest", 19ms, 2s, 4};
    CHECK(differences_of(expected, played()).size() == 4);
    Played stands = played();
    stands.roles[0].has_guest = false;
    stands.dark.reset();
    expected = {{}, "", 1h, std::nullopt, std::nullopt};
    CHECK(differences_of(expected, stands).size() == 1);
    stands.roles[0].has_guest = true;
    CHECK(differences_of(expected, stands).empty());
}

TEST_CASE("cli/case: a case is told in a line, and below it what differs") {
    const Console console{true};  // Without colours.
    CaseResult result;
    result.file = "move.tests/a.lua";
    result.again = "katamaran simulate move";
    CHECK(words_of(result, 12ms, console) == Lines{"ok      move.tests/a.lua  12 ms"});
    result.claim = "It goes well.";
    result.differences = differences({"source", "done", "", "", std::nullopt, {"prepare", "x"}});
    CHECK(words_of(result, 12ms, console) ==
          Lines{"FAILED  move.tests/a.lua  12 ms", "        It goes well.",
                "        source ends: expected done, got aborted in copy: it took too long (late)",
                "        source states:", "             expected  got",
                "             prepare   prepare", "          >  x         -",
                "          >  -         copy", "        again: katamaran simulate move"});
    const Result<json::Document> line = json::parse(json_of(result, 12ms));
    REQUIRE(line);
    CHECK(line->root().find_string("status") == "failed");
    CHECK(line->root().find("differences")->size() == 2);
    result.faults.push_back({{"move.tests/a.lua", 3}, "", "no key 'x'", "", ""});
    CHECK(words_of(result, 12ms, console) == Lines{"wrong   move.tests/a.lua  12 ms"});
    CHECK(words_of(CaseCounts{3, 1, 0}, 2s, console) == "4 cases, 3 passed, 1 failed after 2 s");
}
