// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/peer_test.cc: two runs of one plan talk, and lose each other.
#include <catch2/catch.hpp>

#include "script/two_runs.hh"

using namespace ktm;
using ktm::testing::ends_well;
using ktm::testing::TwoRuns;
using ktm::testing::waits;
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

// --- The other node is lost -------------------------------------------------------------------

namespace {

constexpr const char* sleeps = R"(
  state "sleep" { within = "5min", next = "done", enter = function() sleep("2min") end })";
constexpr const char* asks = R"(
  state "ask" { within = "5min", next = "done", enter = function() peer.ask("what") end })";
constexpr const char* commits = R"(
  state "over" { within = "5min", commits = true, on { "peer:go", go = "done" } })";
constexpr const char* handles = R"(
  state "wait" { within = "5min",
    on { "peer:lost", go = "done", run = function(m, event)
      log.info("lost %s: %s", event.data.why, event.data.text)
    end },
    on { "peer:ended", go = "done", run = function(m, event)
      log.info("ended %s", event.data.how)
    end } })";

/// How the destination ends when the source is killed, and when.
std::string end_without_source(const char* dest_states, Duration& ended_at) {
    TwoRuns runs{waits, dest_states};
    runs.source->start();
    runs.dest->start();
    runs.play_until(seconds{3});
    runs.source->kill();
    while (!runs.dest->is_over() && runs.world.virtual_clock().run_next()) {
    }
    ended_at = runs.dest->ended_at;
    CHECK(runs.world.loop().close() == 0);
    return runs.dest->end();
}

}  // namespace

TEST_CASE("a node that is killed is lost, in each state, silent_max after it was heard last") {
    struct Case {
        const char* states;
        const char* end;
    };
    for (const Case& one : std::initializer_list<Case>{{waits, "aborted peer-lost"},
                                                       {sleeps, "aborted peer-lost"},
                                                       {asks, "aborted peer-lost"},
                                                       {commits, "stranded peer-lost"},
                                                       {handles, "done"}}) {
        INFO(one.states);
        Duration ended_at{};
        CHECK(end_without_source(one.states, ended_at) == one.end);
        CHECK(ended_at >= seconds{7});
        CHECK(ended_at <= seconds{8});
    }
}

TEST_CASE("a node that falls silent is lost at both sides, with the reason") {
    TwoRuns runs{handles, handles};
    runs.source->start();
    runs.dest->start();
    runs.after(seconds{2}, [&] { runs.transport.mute(true); });
    runs.play();
    CHECK(runs.source->end() == "done");
    CHECK(runs.dest->end() == "done");
    CHECK(runs.source->said("lost silent: could not keep the other node: the other node was not"));
    CHECK(runs.dest->said("lost silent"));
    CHECK(runs.dest->ended_at >= milliseconds{6500});
    CHECK(runs.dest->ended_at <= milliseconds{9500});
}

TEST_CASE("a node that is silent for a while is not lost, and what it said comes") {
    TwoRuns runs{R"(
      state "say" { within = "1min", next = "done", enter = function()
        sleep("3s") peer.send("go") sleep("5s")
      end })",
                 waits};
    runs.source->start();
    runs.dest->start();
    runs.after(seconds{1}, [&] { runs.transport.mute(true); });
    runs.after(seconds{5}, [&] { runs.transport.mute(false); });
    runs.play();
    CHECK(runs.source->end() == "done");
    CHECK(runs.dest->end() == "done");
    CHECK(runs.dest->ended_at >= seconds{5});
}

TEST_CASE("a connection that breaks is had again, and each word comes once") {
    TwoRuns runs{R"(
      state "count" { within = "1min", next = "done", enter = function()
        for i = 1, 100 do peer.send("number", i) sleep("37ms") end
        log.info("sum %d", peer.ask("sum"))
      end })",
                 R"(
      state "add" { within = "1min", enter = function(m) m.note.sum = 0 end,
        on { "peer:number", run = function(m, event)
          m.note.sum = m.note.sum + event.data.value
        end },
        on { "peer:sum", go = "done", run = function(m) peer.reply("sum", m.note.sum) end } })"};
    runs.source->start();
    runs.dest->start();
    for (int i = 1; i <= 7; ++i) {
        runs.after(milliseconds{i * 500 + i}, [&] { runs.transport.tear(); });
    }
    runs.play();
    CHECK(runs.source->end() == "done");
    CHECK(runs.dest->end() == "done");
    CHECK(runs.source->said("sum 5050"));
    CHECK(runs.transport.connections() == 8);
    CHECK(runs.source->said("the connection to the other node is gone"));
    CHECK(runs.source->said("the other node is there again"));
}

TEST_CASE("a connection that cannot be had again is a lost node at both sides") {
    TwoRuns runs{handles, handles};
    runs.source->start();
    runs.dest->start();
    runs.after(seconds{2}, [&] {
        runs.transport.refuse(true);
        runs.transport.tear();
    });
    runs.play();
    CHECK(runs.source->said("lost closed"));
    CHECK(runs.dest->said("lost closed"));
    CHECK(runs.source->ended_at >= milliseconds{6500});
    CHECK(runs.source->ended_at <= seconds{7});
}

// --- The other run is over --------------------------------------------------------------------

namespace {

constexpr const char* aborts = R"(
  state "wait" { within = "1s", on { "peer:never", go = "done" } })";

/// How the destination ends when the source ends like this.
std::string end_beside(const char* source_states, const char* dest_states) {
    TwoRuns runs{source_states, dest_states};
    runs.source->start();
    runs.dest->start();
    runs.play();
    CHECK(runs.source->is_over());
    CHECK(runs.world.loop().close() == 0);
    const bool said = runs.dest->said("ended");
    return runs.dest->end() + (said ? ", said" : "");
}

}  // namespace

TEST_CASE("the end of the other run is trouble, unless it is done or somebody waits for it") {
    CHECK(end_beside(aborts, waits) == "aborted peer-ended");
    CHECK(end_beside(aborts, sleeps) == "aborted peer-ended");
    CHECK(end_beside(aborts, commits) == "stranded peer-ended");
    CHECK(end_beside(aborts, handles) == "done, said");
    CHECK(end_beside(ends_well, handles) == "done, said");
    CHECK(end_beside(ends_well, sleeps) == "done");
    CHECK(end_beside(ends_well, asks) == "aborted peer-lost");
    CHECK(end_beside(R"(state "late" { within = "1s", commits = true,
                          on { "peer:never", go = "done" } })",
                     waits) == "aborted peer-ended");
}

TEST_CASE("what a run says last comes before its end") {
    TwoRuns runs{R"(state "say" { within = "5s", next = "done", enter = function()
                      for i = 1, 200 do peer.send("number", i) end
                    end })",
                 R"(state "hear" { within = "5s",
                      on { "peer:number", run = function(m, event)
                        m.note.last = event.data.value end },
                      on { "peer:ended", go = "done", run = function(m)
                        log.info("last %d", m.note.last) end } })"};
    runs.source->start();
    runs.dest->start();
    runs.play();
    CHECK(runs.dest->said("last 200"));
    CHECK(runs.source->ended_at < seconds{1});
}

TEST_CASE("the end of a run waits two seconds at most until the other node knows of it") {
    TwoRuns runs{ends_well, waits};
    runs.source->start();
    runs.dest->start();
    runs.after(milliseconds{900}, [&] { runs.transport.mute(true); });
    runs.play();
    CHECK(runs.source->end() == "done");
    CHECK(runs.source->said("the other node may not know how this run has ended"));
    CHECK(runs.source->ended_at == seconds{3});
}

TEST_CASE("an ask that is cancelled does not hear its answer, and the next one does") {
    TwoRuns runs{R"(
      state "ask" { within = "1s", late = "again", next = "done",
        enter = function() peer.ask("slow") end },
      state "again" { within = "1min", next = "done",
        enter = function() log.info("got %s", peer.ask("quick")) end })",
                 R"(
      state "hear" { within = "1min",
        on { "peer:slow", run = function() sleep("3s") peer.reply("slow", "old") end },
        on { "peer:quick", run = function() peer.reply("quick", "new") end },
        on { "peer:ended", go = "done" } })"};
    runs.source->start();
    runs.dest->start();
    runs.play();
    CHECK(runs.source->said("got new"));
    CHECK(runs.source->ended_at == seconds{3});
}
