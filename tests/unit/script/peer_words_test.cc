// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/peer_words_test.cc: what is described of the words of the other node, held
// against one.
#include <catch2/catch.hpp>

#include "script/api_topics.hh"
#include "script/two_runs.hh"

using ktm::script::Word;
using ktm::testing::TwoRuns;

namespace {

/// A destination that answers whatever is asked, as long as it is not told to stop.
constexpr const char* answers = R"(
  state "wait" { within = "60s",
    on { "peer:prepare", asked = true, run = function()
      peer.reply("prepare", { port = 4444 })
    end },
    on { "peer:stop", go = "done" },
    on { "peer:ended", go = "done" } })";
/// The same in the source, with a function that says what something raises.
constexpr const char* head = R"(
  state "act" { within = "30s", late = "over", next = "over", enter = function(m)
    local function tried(action)
      local ok, problem = pcall(action)
      if ok then return "nothing" end
      return type(problem) == "table" and problem.kind .. " " .. problem.code or "text"
    end
    )";
constexpr const char* foot = R"( end },
  state "over" { within = "5s", next = "done" })";

/// What the source's plan said last.
std::string said_by(const std::string& action) {
    TwoRuns runs{head + action + foot, answers};
    runs.source->start();
    runs.dest->start();
    runs.play();
    INFO(action);
    CHECK(runs.source->end() == "done");
    CHECK(runs.dest->end() == "done");
    CHECK(runs.world.loop().close() == 0);
    return runs.source->words.empty() ? "" : runs.source->words.back();
}

std::string raised_word(const std::string& code) {
    return said_by("log.info(tried(function() " + code + " end))");
}

}  // namespace

TEST_CASE("of the words of the other node those wait, and no others, that are described so") {
    for (const Word& word : ktm::script::peer_topic().words) {
        INFO(word.name);
        const std::string said =
            raised_word("pcall(sleep, '1min') " + std::string{word.name} + "('prepare', {})");
        CHECK((said == "timeout late") == word.waits);
    }
}

TEST_CASE("the examples of the words of the other node run") {
    for (const Word& word : ktm::script::peer_topic().words) {
        INFO(word.name << "\n" << word.example);
        // Nobody has asked here, and there is no VM to use the keys.
        const std::string raised = word.name == "peer.reply"  ? "invalid no-ask"
                                   : word.name == "peer.keys" ? "lost no-vm"
                                                              : "nothing";
        CHECK(raised_word(std::string{word.example}) == raised);
    }
}

TEST_CASE("what cannot be said to the other node is refused as described") {
    struct Claim {
        const char* code;
        const char* raised;
    };
    for (const Claim& claim : std::initializer_list<Claim>{
             {"peer.send()", "invalid bad-argument"},
             {"peer.send(1)", "invalid bad-argument"},
             {"peer.send('')", "invalid bad-argument"},
             {"peer.send('Ready')", "invalid bad-argument"},
             {"peer.send('a b')", "invalid bad-argument"},
             {"peer.send('a\\0b')", "invalid bad-argument"},
             {"peer.send('lost')", "invalid bad-argument"},
             {"peer.send('ended')", "invalid bad-argument"},
             {"peer.send('x', { asked = false })", "invalid bad-argument"},
             {"peer.send('x', function() end)", "invalid no-json"},
             {"peer.send('x', ('x'):rep(65535))", "invalid too-large"},
             {"peer.send('x', ('x'):rep(60000))", "nothing"},
             {"peer.ask('x', {}, 1)", "invalid bad-argument"},
             {"peer.ask('x', {}, { within = 'x' })", "invalid bad-quantity"},
             {"peer.ask('x', {}, { within = {} })", "invalid bad-duration"},
             {"peer.ask('x', ('x'):rep(65535))", "invalid too-large"},
             {"peer.ask('nobody', nil, { within = '2s' })", "timeout no-answer"},
             {"for i = 1, 65 do peer.ask('nobody', i, { within = 1 }) end", "timeout no-answer"},
             {"for i = 1, 65 do pcall(peer.ask, 'nobody', i, { within = 1 }) end "
              "peer.ask('nobody')",
              "refused peer-busy"},
             {"for i = 1, 257 do peer.send('x') end", "refused peer-busy"},
             {"peer.reply('prepare', 1)", "invalid no-ask"},
             {"peer.reply('prepare', function() end)", "invalid no-json"},
             {"peer.reply('prepare', ('x'):rep(65535))", "invalid too-large"},
         }) {
        INFO(claim.code);
        CHECK(raised_word(claim.code) == claim.raised);
    }
}

TEST_CASE("words to a node whose run is over are not sent, and asks raise") {
    const std::string until_over = "peer.send('stop') pcall(wait, { 'peer:ended', '2s' }) ";
    CHECK(said_by(until_over + "log.info('%s', tostring(peer.send('x')))") == "false");
    CHECK(raised_word(until_over + "peer.ask('prepare')") == "lost peer-lost");
}

TEST_CASE("the words of the other node are refused where a module speaks without one") {
    // The loader looks into the functions of a role alone; what a module does is found when it
    // runs.
    ktm::sim::VirtualWorld world;
    CHECK(ktm::testing::end_of_lone_plan(world, R"(function() peer.send("x") end)") ==
          "aborted no-peer");
}

TEST_CASE("the clocks of two runs are told apart by when they began") {
    TwoRuns runs{head +
                     std::string{"sleep('2s') local ahead, unsure = peer.clock_offset() "
                                 "log.info('%d %d %d', ahead, unsure, peer.round_trip())"} +
                     foot,
                 answers};
    runs.source->start();
    runs.after(std::chrono::milliseconds{300}, [&] { runs.dest->start(); });
    runs.play();
    CHECK(runs.source->words.back() == "-300 0 0");
}
