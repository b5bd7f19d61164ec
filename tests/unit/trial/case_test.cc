// SPDX-License-Identifier: Apache-2.0
// tests/unit/trial/case_test.cc: cases of plans as people write them, and what they mean.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "sim/virtual_files.hh"
#include "trial/case_file.hh"
#include "trial/sequence.hh"

using namespace ktm;
using namespace ktm::trial;
using namespace std::chrono_literals;

namespace {

ReadCase read(const std::string& text) {
    sim::VirtualFiles files;
    REQUIRE(files.replace("move.tests/a.lua", text));
    return read_case(files, "move.tests/a.lua");
}

/// All that is wrong, a line each.
std::string wrong(const std::string& text) {
    const ReadCase found = read(text);
    CHECK_FALSE(found.found);
    std::string all;
    for (const plan::Fault& fault : found.faults) {
        all += fault.sentence() + "\n";
    }
    return all;
}

bool has(const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
}

/// "a|a b|- -|c!": expected and got, row by row, with a mark where they differ.
std::string rows(const std::vector<std::string>& expected, const std::vector<std::string>& got) {
    const SideBySide both = side_by_side(expected, got);
    std::string text;
    bool fits = true;
    for (const SequenceRow& row : both.rows) {
        text += (text.empty() ? "" : " ") + row.expected + "|" + row.got + (row.fits ? "" : "!");
        fits = fits && row.fits;
    }
    CHECK(fits == both.fits);
    return text;
}

constexpr const char* whole = R"(-- A comment.
return {
  claim = "It goes well.",
  plan = "move",
  role = "source",
  vars = { pause = "10s", count = 3, quick = true, disks = { "a", "b" } },
  vars_file = "night.json",
  model = { ram = "2G", pps = 500 },
  faults = {
    "41:lost",
    { "late", event = "MIGRATION", status = "completed", pass = 2, role = "dest", nth = 2 },
    { "cut", state = "copy" },
    { "no-permission", kernel = "route 10.1" },
  },
  expect = {
    source = { ends = "aborted in copy", exit = 1, why = "late", states = { "a", "...", "b" } },
    guest = "nowhere", dark = "300ms", total = "1min", lost = 7,
  },
}
)";

}  // namespace

TEST_CASE("trial/case: a case is read as it is written") {
    const ReadCase found = read(whole);
    REQUIRE(found.found);
    const Case& it = *found.found;
    CHECK(it.claim == "It goes well.");
    CHECK(it.plan == "move");
    CHECK(it.role == "source");
    CHECK(it.vars ==
          std::vector<std::string>{"count=3", R"(disks=["a","b"])", "pause=10s", "quick=true"});
    CHECK(it.vars_file == "move.tests/night.json");
    CHECK(it.model == "pps=500,ram=2G");
    REQUIRE(it.strikes.size() == 4);
    CHECK(it.strikes[0].at == 41);
    CHECK(it.strikes[0].harm == Harm::lost);
    CHECK(it.strikes[1].channel == Channel::event);
    CHECK(it.strikes[1].fields ==
          std::vector<std::pair<std::string, std::string>>{{"pass", "2"}, {"status", "completed"}});
    CHECK(it.strikes[1].nth == 2);
    CHECK(it.strikes[2].state == "copy");
    CHECK(it.strikes[3].channel == Channel::request);
    REQUIRE(it.expected.roles.size() == 1);
    const RoleExpected& role = it.expected.roles.front();
    CHECK(role.end == "aborted");
    CHECK(role.in_state == "copy");
    CHECK(role.exit == 1);
    CHECK(role.states == std::vector<std::string>{"a", "…", "b"});
    CHECK(it.expected.guest == "nowhere");
    CHECK(it.expected.dark == 300ms);
    CHECK(it.expected.total == 1min);
    CHECK(it.expected.lost == 7);
    CHECK(it.place_of({"faults", "2", "status"}).text() == "move.tests/a.lua:11");
    CHECK(it.place_of({"expect", "source", "states", "2"}).line == 16);
}

TEST_CASE("trial/case: everything that is wrong is told at its line, with what was meant") {
    const std::string text = wrong(R"(return {
  modle = "ram=1G",
  model = { rum = "1G",
    link = "fast" },
  vars = "a",
  faults = {
    { "lots", event = "STOP" },
    { "lost", evnt = "STOP", state = "copy" },
    { "refused", event = "STOP" },
    { "lost" },
    { event = "STOP" },
    { "lost", event = "STOP", command = "stop" },
    { "cut", state = "copy", nth = 0 },
    "4:los", 7,
  },
  expect = {
    node = { ends = "abortd", states = { "…" } },
    other = {},
    dark = 300, lost = -1,
    gest = "node",
  },
})");
    for (const char* part : {"a.lua:2: no key 'modle'",
                             "did you mean 'model'?",
                             "a.lua:3: model: 'rum' is no key",
                             "did you mean 'ram'?",
                             "a.lua:4: model:",
                             "a.lua:5: vars is the text \"a\"",
                             "a.lua:7: faults.1: no harm 'lots'",
                             "did you mean 'lost'?",
                             "a.lua:8: faults.2: no key 'evnt'",
                             "a.lua:9: faults.3: 'refused' is no harm to that",
                             "a.lua:10: faults.4: it is not said where it strikes",
                             "a.lua:11: faults.5: no harm",
                             "a.lua:12: faults.6: it strikes two things",
                             "a.lua:13: faults.7: nth is the number 0",
                             "a.lua:14: faults.8: 'los' in '4:los' is no harm",
                             "a.lua:14: faults.9: the number 7",
                             "a.lua:17: expect.node: no end 'abortd'",
                             "did you mean 'aborted'?",
                             "a.lua:17: expect.node: states fits whatever happens",
                             "a.lua:18: expect.other: nothing is expected of it",
                             "a.lua:19: expect: dark is",
                             "a.lua:19: expect: lost is",
                             "a.lua:20: expect: no key 'gest'"}) {
        CHECK(has(text, part));
    }
}

TEST_CASE("trial/case: a case that cannot fail is none") {
    CHECK(has(wrong("return {}"), "the case expects nothing"));
    CHECK(has(wrong("return { expect = {} }"), "the case expects nothing"));
    CHECK(has(wrong("return { faults = {}, expect = { lost = 0 } }"), "there is none"));
    CHECK(read("return { faults = \"all\" }").found);
    CHECK(has(wrong("return { faults = \"all\", expect = { lost = 0 } }"), "do not go together"));
}

TEST_CASE("trial/case: a recording has no faults, no model and no packets") {
    CHECK(read("return { trace = 'x', expect = { node = { ends = 'done' } } }").found);
    const std::string text = wrong(
        "return { trace = 'x', model = 'ram=1G', faults = { '1:lost' }, expect = { lost = 0 } }");
    CHECK(has(text, "model and trace do not go together"));
    CHECK(has(text, "faults and trace do not go together"));
    CHECK(has(text, "lost is not known of a recording"));
}

TEST_CASE("trial/case: what is no table of plain values is refused") {
    CHECK(has(wrong("return 5"), "the file returns the number 5"));
    CHECK(has(wrong("return plan { name = 'x' }"), "the file returns plan {…}"));
    CHECK(has(wrong("return {\n plan = freeze }"), "a.lua:2: no word 'freeze'"));
    CHECK(has(wrong("return {\n claim = function() end }"), "a.lua:2: a function does not"));
    CHECK(has(wrong("return {\n {"), "a.lua:2: "));
    CHECK(has(wrong("while true do end"), "instructions"));
    sim::VirtualFiles none;
    CHECK_FALSE(read_case(none, "a.lua").faults.empty());
}

TEST_CASE("trial/case: values that are computed have the line of what they stand in") {
    const ReadCase found = read(R"(local pause = "1s"
local expect = { node = { ends = "done" } }
return {
  vars = { pause = pause, ["count"] = 1 + 2, list = { (function() return 1 end)(), 2 },
    last = "x" },
  expect = expect }
)");
    REQUIRE(found.found);
    CHECK(found.found->place_of({"vars", "pause"}).line == 4);
    CHECK(found.found->place_of({"vars", "last"}).line == 5);
    CHECK(found.found->place_of({"expect", "node", "ends"}).line == 6);
}

TEST_CASE("trial/strike: what crosses is known by its name, a request by a part of its words") {
    const Crossing event{Side::source, Channel::event, false, R"(MIGRATION {"status":"active"})"};
    Strike strike{Harm::lost, 0, "", Channel::event, "MIGRATION", {}, "", 1};
    CHECK(is_meant(strike, event, true));
    strike.fields = {{"status", "active"}};
    CHECK(is_meant(strike, event, true));
    strike.fields = {{"status", "act"}};
    CHECK_FALSE(is_meant(strike, event, true));
    strike.fields = {{"pass", "1"}};
    CHECK(is_meant(strike, {Side::dest, Channel::event, false, R"(MIGRATION {"pass":1})"}, true));
    CHECK_FALSE(is_meant(strike, {Side::source, Channel::event, false, "MIGRATION"}, true));

    const auto line = [](const char* text) {
        return name_of(Crossing{Side::source, Channel::line, false, text});
    };
    CHECK(line(R"({"n":2,"word":"yours","data":{}})") == "yours");
    CHECK(line(R"({"n":1,"ask":"hold","data":{}})") == "hold");
    CHECK(line(R"({"n":1,"answer":3,"data":{}})") == "answer");
    CHECK(line(R"({"n":3,"bye":"done"})") == "goodbye");
    CHECK(line(R"({"katamaran":1})") == "hello");

    const Crossing request{Side::source, Channel::request, false, "route 10.1.2.3/32 to tap0"};
    const Strike route{Harm::busy, 0, "", Channel::request, "10.1.2.3", {}, "", 1};
    CHECK(is_meant(route, request, true));
    CHECK_FALSE(is_meant(route, {Side::source, Channel::request, true, request.text}, true));
}

TEST_CASE("trial/sequence: two sequences stand side by side, with the fewest differences") {
    CHECK(rows({"a", "b"}, {"a", "b"}) == "a|a b|b");
    CHECK(rows({"a", "b", "c"}, {"a", "c"}) == "a|a b|! c|c");
    CHECK(rows({"a"}, {"a", "b"}) == "a|a |b!");
    CHECK(rows({}, {}).empty());
    CHECK(rows({"a", "…"}, {"a"}) == "a|a …|");
    CHECK(rows({"a", "…", "d"}, {"a", "b", "c", "d"}) == "a|a …|b |c d|d");
    CHECK(rows({"…", "c", "…"}, {"a", "b", "d"}).find('!') != std::string::npos);
    CHECK(rows({"…", "…"}, {"a"}) == "…|a …|");
}

TEST_CASE("trial/sequence: what stands behind \"…\" is found however often it came before") {
    CHECK(rows({"…", "a", "b"}, {"a", "a", "b"}) == "…|a a|a b|b");
    CHECK(rows({"a", "…", "a"}, {"a", "a"}) == "a|a …| a|a");
}
