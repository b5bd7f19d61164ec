// SPDX-License-Identifier: Apache-2.0
// tests/unit/engine/describe_test.cc: inputs and actions as lines of text.
#include <catch2/catch.hpp>

#include "unit/engine/rehearsal.hh"

using namespace ktm::engine;
using namespace ktm::engine::testing;
using namespace std::chrono_literals;

namespace {

const ktm::Error refusal{ktm::Kind::refused, "bad", "no", "cont", nullptr};

std::string line(Action action) {
    return describe(action);
}

std::string line(Input input) {
    return describe(input);
}

}  // namespace

TEST_CASE("engine/describe: each input is one line") {
    CHECK(line(Input{Start{}}) == "start");
    CHECK(line(happened("STOP")) == "event STOP");
    CHECK(line(Input{Happened{event("E", R"({"b": 2, "a": [1]})", "w")}}) ==
          R"(event E vm=w {"b":2,"a":[1]})");
    CHECK(line(Input{BodyEnded{BodyId{2}}}) == "body 2 ended");
    CHECK(line(ended(2)) == "body 2 ended, having waited");
    CHECK(line(Input{BodyEnded{BodyId{2}, refusal}}) == "body 2 failed: could not cont: no (bad)");
    CHECK(line(failed(2)) == "body 2 failed, having waited: no (bad)");
    CHECK(line(Input{Awaits{BodyId{2}, Pattern{"E", "w", {{"status", std::string("ok")}}}}}) ==
          "body 2 awaits E vm=w status=ok");
    CHECK(line(forgets(2)) == "body 2 waits no longer");
    CHECK(line(hold(3, "tunnel")) == "hold 3 registered, within 10 s: tunnel");
    CHECK(line(undo(4, "wake")) == "undo 4 registered, within 10 s: wake");
    CHECK(line(released(3)) == "hold 3 released by the plan");
    CHECK(line(due(5)) == "deadline 5 due");
    CHECK(line(interrupted()) == "interrupted: stop (signal)");
    CHECK(line(lost()) == "connection lost: hung up (gone)");
    CHECK(line(lost("w")) == "connection lost vm=w: hung up (gone)");
    CHECK(line(peer_gone()) == "other node gone, peer:lost: silent (gone)");
}

TEST_CASE("engine/describe: what is to be done is one line") {
    CHECK(line(Action{RunBody{BodyId{2}, BodyKind::enter, 4, {}, {}}}) ==
          "run body 2: enter, function 4");
    CHECK(line(Action{RunBody{BodyId{2}, BodyKind::run, 4, {}, event("E", "", "w")}}) ==
          "run body 2: run, function 4, upon E vm=w");
    CHECK(line(Action{RunBody{BodyId{2}, BodyKind::undo, 0, EntryId{7}, {}}}) ==
          "run body 2: undo, entry 7");
    CHECK(line(Action{RunBody{BodyId{2}, BodyKind::release, 0, EntryId{7}, {}}}) ==
          "run body 2: release, entry 7");
    CHECK(line(Action{CancelBody{BodyId{2}, refusal}}) ==
          "cancel body 2: could not cont: no (bad)");
    CHECK(line(Action{Deliver{BodyId{2}, event("E")}}) == "deliver to body 2: E");
    CHECK(line(Action{Arm{DeadlineId{3}, 250ms}}) == "arm deadline 3: 250 ms");
    CHECK(line(Action{Disarm{DeadlineId{3}}}) == "disarm deadline 3");
}

TEST_CASE("engine/describe: what is only told is one line") {
    CHECK(line(Action{Entered{"a", false}}) == "enter a");
    CHECK(line(Action{WriteCommit{"a"}}) == "write down the commit of a");
    CHECK(line(Action{Entered{"a", true}}) == "enter a, which commits");
    CHECK(line(Action{Dropped{{"wake", "thaw"}}}) == "drop undo: wake, thaw");
    CHECK(line(Action{Ignored{"E", "no handler in a"}}) == "ignore E: no handler in a");
    CHECK(line(Action{Trouble{refusal, "a"}}) == "trouble in a: could not cont: no (bad)");
    CHECK(line(Action{Trouble{refusal, ""}}) ==
          "trouble before the start: could not cont: no (bad)");
    CHECK(line(Action{Unwinding{BodyKind::undo, 2, 4, "wake"}}) == "undo 2/4: wake");
    CHECK(line(Action{Unwinding{BodyKind::release, 3, 4, "tunnel"}}) == "release 3/4: tunnel");
    CHECK(line(Action{Unwound{BodyKind::undo, "wake", {}}}) == "undone: wake");
    CHECK(line(Action{Unwound{BodyKind::undo, "wake", refusal}}) ==
          "not undone: wake: could not cont: no (bad)");
    CHECK(line(Action{Unwound{BodyKind::release, "tunnel", {}}}) == "released: tunnel");
    CHECK(line(Action{Unwound{BodyKind::release, "tunnel", refusal}}) ==
          "not released: tunnel: could not cont: no (bad)");
    CHECK(line(Action{Left{"tunnel", "kept"}}) == "left: tunnel: kept");
    CHECK(line(Action{Ended{End::done, "a", {}, false, {}}}) == "end done in a");
    CHECK(line(Action{Ended{End::done, "a", {}, true, {}}}) == "end done in a, after the commit");
    CHECK(line(Action{Ended{End::aborted, "", refusal, false, {}}}) ==
          "end aborted before the start: could not cont: no (bad)");
    CHECK(line(Action{Ended{End::stranded, "a", refusal, true, {{"tunnel", "kept"}}}}) ==
          "end stranded in a, after the commit: could not cont: no (bad)");
}

TEST_CASE("engine/describe: foreign text cannot break a line") {
    CHECK(line(Action{Ignored{"E\nend done", "a\x1b[2J"}}) == "ignore E\\x0aend done: a\\x1b[2J");
    CHECK(line(happened("E\r\n")) == "event E\\x0d\\x0a");
}
