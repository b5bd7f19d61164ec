// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/peer_test.cc: two runs of one plan talk, and lose each other.
#include <catch2/catch.hpp>

#include "script/two_runs.hh"

using namespace ktm;
using ktm::testing::TwoRuns;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Words = std::vector<std::string>;

namespace {

constexpr const char* source_asks = R"(
  state "ask" { within = "20s", next = "wait", enter = function(m)
    local answer = peer.ask("ready", { ram = 8 }, { within = "5s" })
    log.info("answer %s %s", answer.port, answer.list[2])
    peer.send("go", "now")
  end },
  state "wait" { within = "20s",
    on { "peer:resumed", go = "done", run = function(m, event)
      log.info("after %d, at %s", event.data.pause, peer.address())
    end } })";
constexpr const char* dest_answers = R"(
  state "wait" { within = "20s",
    on { "peer:ready", asked = true, run = function(m, event)
      log.info("asked for %d", event.data.ram)
      peer.reply("ready", { port = "4444", list = { 1, "two" } })
    end },
    on { "peer:go", go = "done", run = function(m, event)
      log.info("go %s %s", event.data.value, tostring(event.data.asked))
      peer.send("resumed", { pause = 12 })
    end } })";

}  // namespace

TEST_CASE("two runs greet, ask, answer, speak, and end") {
    TwoRuns runs{source_asks, dest_answers};
    SECTION("the source first") {
        runs.source->start();
        runs.after(milliseconds{700}, [&] { runs.dest->start(); });
    }
    SECTION("the destination first") {
        runs.dest->start();
        runs.after(milliseconds{700}, [&] { runs.source->start(); });
    }
    runs.play();
    CHECK(runs.source->end() == "done");
    CHECK(runs.dest->end() == "done");
    CHECK(runs.source->said("answer 4444 two"));
    CHECK(runs.source->said("after 12, at 192.0.2.2"));
    CHECK(runs.dest->said("asked for 8"));
    CHECK(runs.dest->said("go now nil"));
    CHECK(runs.source->ended_at < milliseconds{1200});
    CHECK(runs.dest->ended_at < milliseconds{1200});
    CHECK(!runs.world.fault());
    CHECK(runs.world.loop().close() == 0);
}
