// SPDX-License-Identifier: Apache-2.0
// tests/unit/engine/unwinding_test.cc: the ledger, the commit and the three ends.
#include <catch2/catch.hpp>

#include "unit/engine/rehearsal.hh"

using namespace ktm::engine;
using namespace ktm::engine::testing;
using namespace std::chrono_literals;

namespace {

/// a waits; b, behind GO, commits and runs an enter (function 2); c, behind BACK, does neither.
Rehearsal waiting(const std::vector<Input>& registered) {
    Rehearsal play{role_of({
        {.name = "a", .handlers = {on("GO", "b"), on("END", "done")}},
        {.name = "b",
         .enter = function(2),
         .commits = true,
         .handlers = {on("BACK", "c"), on("END", "done")}},
        {.name = "c", .handlers = {on("END", "done")}},
    })};
    (void)play.give(Start{});
    (void)play.give_all(registered);
    return play;
}

const std::vector<Input> mixed{hold(1, "tunnel"), undo(2, "cancel the copy"), hold(3, "divert"),
                               undo(4, "wake")};

}  // namespace

TEST_CASE("engine/unwinding: an abort works off one ledger, newest first, undos and holds") {
    Rehearsal play = waiting(mixed);
    CHECK(play.give(interrupted()) == Lines{"trouble in a: stop (signal)", "disarm deadline 1",
                                            "undo 1/4: wake", "arm deadline 2: 10 s",
                                            "run body 1: undo, entry 4"});
    CHECK(play.give(ended(1)) == Lines{"disarm deadline 2", "undone: wake", "release 2/4: divert",
                                       "arm deadline 3: 10 s", "run body 2: release, entry 3"});
    CHECK(play.give(ended(2)) == Lines{"disarm deadline 3", "released: divert",
                                       "undo 3/4: cancel the copy", "arm deadline 4: 10 s",
                                       "run body 3: undo, entry 2"});
    CHECK(play.give(ended(3)) == Lines{"disarm deadline 4", "undone: cancel the copy",
                                       "release 4/4: tunnel", "arm deadline 5: 10 s",
                                       "run body 4: release, entry 1"});
    CHECK(play.give(ended(4)) ==
          Lines{"disarm deadline 5", "released: tunnel", "end aborted in a: stop (signal)"});
    CHECK(play.machine.has_ended());
}

TEST_CASE("engine/unwinding: each entry has the deadline with which it was registered") {
    Rehearsal play = waiting({Registered{EntryId{1}, Registered::Kind::undo, "wake", 250ms}});
    CHECK(play.give(interrupted()).at(3) == "arm deadline 2: 250 ms");
    CHECK(play.give(due(2)) ==
          Lines{"cancel body 1: the undo took longer than 250 ms (undo-late)"});
}

TEST_CASE("engine/unwinding: an undo that fails does not stop the others, and is left") {
    Rehearsal play = waiting(mixed);
    (void)play.give(interrupted());
    CHECK(play.give(failed(1)).at(1) == "not undone: wake: no (bad)");
    CHECK(play.give(failed(2)).at(1) == "not released: divert: no (bad)");
    (void)play.give(ended(3));
    CHECK(play.give(ended(4)) == Lines{"disarm deadline 5", "released: tunnel",
                                       "left: divert: no (bad)", "left: wake: no (bad)",
                                       "end aborted in a: stop (signal)"});
    const auto& end = std::get<Ended>(play.actions.back());
    REQUIRE(end.left.size() == 2);
    CHECK(end.left[0].what == "divert");
    CHECK(end.left[1].what == "wake");
    CHECK(end.cause->code == "signal");
    CHECK_FALSE(end.committed);
}

TEST_CASE("engine/unwinding: an undo that hangs is cancelled and counts as late") {
    for (const Input& answer : {ended(1), failed(1)}) {
        Rehearsal play = waiting({hold(1, "tunnel"), undo(2, "wake")});
        (void)play.give(interrupted());
        const std::string late = "the undo took longer than 10 s (undo-late)";
        CHECK(play.give(due(2)) == Lines{"cancel body 1: " + late});
        CHECK(play.give(due(2)).empty());
        CHECK(play.give(answer) == Lines{"not undone: wake: " + late, "release 2/2: tunnel",
                                         "arm deadline 3: 10 s", "run body 2: release, entry 1"});
        CHECK(play.give(ended(2)) == Lines{"disarm deadline 3", "released: tunnel",
                                           "left: wake: " + late,
                                           "end aborted in a: stop (signal)"});
    }
}

TEST_CASE("engine/unwinding: a cancelled undo that awaits again is cancelled again") {
    Rehearsal play = waiting({undo(1, "wake")});
    (void)play.give_all({interrupted(), awaits(1, "RESUME"), due(2)});
    CHECK(play.give(awaits(1, "RESUME")) ==
          Lines{"cancel body 1: the undo took longer than 10 s (undo-late)"});
    CHECK(play.give(happened("RESUME")).empty());
}

TEST_CASE("engine/unwinding: the deadline of the state means nothing any more") {
    Rehearsal play = waiting({undo(1, "wake")});
    (void)play.give(interrupted());
    CHECK(play.give(due(1)).empty());
    CHECK(play.give(ended(1)).at(1) == "undone: wake");
}

TEST_CASE("engine/unwinding: the deadline of an undo that is over does not hit the next") {
    Rehearsal play = waiting({undo(1, "thaw"), undo(2, "wake")});
    (void)play.give_all({interrupted(), ended(1)});
    CHECK(play.give(due(2)).empty());
    CHECK(play.give(ended(2)).at(1) == "undone: thaw");
}

TEST_CASE("engine/unwinding: an undo sees the events that come from its beginning on") {
    Rehearsal play{role_of({{.name = "a", .enter = function(1)}})};
    (void)play.give_all({Start{}, undo(1, "thaw"), undo(2, "wake"), happened("RESUME"),
                         interrupted(), happened("RESUME"), ended(1)});
    CHECK(play.give(awaits(2, "RESUME")).empty());
    CHECK(play.give(happened("RESUME")) == Lines{"deliver to body 2: RESUME"});
    (void)play.give_all({happened("RESUME"), ended(2)});
    CHECK(play.give(awaits(3, "RESUME")).empty());
    CHECK(play.give(happened("RESUME")) == Lines{"deliver to body 3: RESUME"});
}

TEST_CASE("engine/unwinding: an event that came before the undo asked for it is delivered") {
    Rehearsal play = waiting({undo(1, "wake")});
    (void)play.give_all({interrupted(), happened("OTHER"), happened("RESUME")});
    CHECK(play.give(awaits(1, "RESUME")) == Lines{"deliver to body 1: RESUME"});
}

TEST_CASE("engine/unwinding: of too many events the oldest is dropped, and said") {
    Rehearsal play = waiting({undo(1, "wake")});
    (void)play.give(interrupted());
    for (std::size_t i = 0; i < events_max; ++i) {
        CHECK(play.give(happened("E" + std::to_string(i))).empty());
    }
    CHECK(play.give(happened("MORE")) == Lines{"ignore E0: 1024 newer events wait"});
    CHECK(play.give(happened("MORE")) == Lines{"ignore E1: 1024 newer events wait"});
    CHECK(play.give(awaits(1, "E0")).empty());
    CHECK(play.give(awaits(1, "MORE")) == Lines{"deliver to body 1: MORE"});
}

TEST_CASE("engine/unwinding: what an undo registers is unwound next, and counted") {
    Rehearsal play = waiting({hold(1, "tunnel"), undo(2, "wake")});
    (void)play.give_all({interrupted(), hold(3, "socket"), undo(4, "thaw")});
    CHECK(play.give(ended(1)).at(2) == "undo 2/4: thaw");
    CHECK(play.give(ended(2)).at(2) == "release 3/4: socket");
    CHECK(play.give(ended(3)).at(2) == "release 4/4: tunnel");
    CHECK(play.give(ended(4)).back() == "end aborted in a: stop (signal)");
}

TEST_CASE("engine/unwinding: what the cancelled body still registers is unwound") {
    Rehearsal play{role_of({{.name = "a", .enter = function(1)}})};
    (void)play.give_all({Start{}, interrupted(), hold(1, "tunnel"), undo(2, "wake")});
    CHECK(play.give(ended(1)).at(1) == "undo 1/2: wake");
    CHECK(play.give(ended(2)).at(2) == "release 2/2: tunnel");
}

TEST_CASE("engine/unwinding: a hold that the plan has released is not released again") {
    Rehearsal play = waiting({hold(1, "tunnel"), hold(2, "divert"), released(2), released(2)});
    CHECK(play.give(interrupted()).at(2) == "release 1/1: tunnel");
    CHECK(play.give(ended(1)).back() == "end aborted in a: stop (signal)");
}

TEST_CASE("engine/unwinding: a hold that an undo releases is not released again") {
    Rehearsal play = waiting({hold(1, "tunnel"), undo(2, "take the tunnel down")});
    (void)play.give_all({interrupted(), released(1)});
    CHECK(play.give(ended(1)) == Lines{"disarm deadline 2", "undone: take the tunnel down",
                                       "end aborted in a: stop (signal)"});
}

TEST_CASE("engine/unwinding: a hold whose release failed may still be released by an undo") {
    Rehearsal play = waiting({undo(1, "wake"), hold(2, "tunnel")});
    (void)play.give_all({interrupted(), failed(1), released(2)});
    CHECK(play.give(ended(2)).back() == "end aborted in a: stop (signal)");
    CHECK(std::get<Ended>(play.actions.back()).left.empty());
}

TEST_CASE("engine/unwinding: a release that says so itself is judged by its end") {
    Rehearsal play = waiting({hold(1, "tunnel")});
    (void)play.give_all({interrupted(), released(1)});
    CHECK(play.give(failed(1)).at(2) == "left: tunnel: no (bad)");
}

TEST_CASE("engine/unwinding: an undo that has become pointless does not run") {
    Rehearsal play = waiting({undo(1, "wake"), undo(2, "restore"), released(2)});
    CHECK(play.give(interrupted()).at(2) == "undo 1/1: wake");
    CHECK(play.give(ended(1)).back() == "end aborted in a: stop (signal)");
}

TEST_CASE("engine/unwinding: an entry is registered once") {
    Rehearsal play = waiting({undo(1, "wake"), undo(1, "wake twice")});
    CHECK(play.give(interrupted()).at(2) == "undo 1/1: wake");
    CHECK(play.give(ended(1)).back() == "end aborted in a: stop (signal)");
}

TEST_CASE("engine/unwinding: what was registered before the start is unwound as well") {
    Rehearsal play{role_of({{.name = "a"}})};
    (void)play.give(hold(1, "socket"));
    CHECK(play.give(interrupted()) == Lines{"trouble before the start: stop (signal)",
                                            "release 1/1: socket", "arm deadline 1: 10 s",
                                            "run body 1: release, entry 1"});
    CHECK(play.give(Start{}).empty());
    CHECK(play.give(ended(1)).back() == "end aborted before the start: stop (signal)");
}

// --- The commit -------------------------------------------------------------------------------

TEST_CASE("engine/unwinding: the commit drops the undos, oldest first, and keeps the holds") {
    Rehearsal play = waiting(mixed);
    CHECK(play.give(happened("GO")) ==
          Lines{"disarm deadline 1", "enter b, which commits", "drop undo: cancel the copy, wake",
                "arm deadline 2: 10 s", "run body 1: enter, function 2"});
    CHECK(play.machine.is_committed());
    CHECK(play.give(undo(5, "thaw")) == Lines{"drop undo: thaw"});
    CHECK(play.give(failed(1)) == Lines{"trouble in b: no (bad)", "disarm deadline 2",
                                        "left: tunnel: kept: the end is stranded",
                                        "left: divert: kept: the end is stranded",
                                        "end stranded in b, after the commit: no (bad)"});
}

TEST_CASE("engine/unwinding: a commit that is not written down is trouble before the commit") {
    Rehearsal play = waiting(mixed);
    play.no_commit = ktm::Error{ktm::Kind::io, "full", "no room", "", nullptr};
    const Lines lines = play.give(happened("GO"));
    CHECK(lines.at(0) == "trouble in a: no room (full)");
    CHECK(lines.at(1) == "disarm deadline 1");
    CHECK(lines.at(2) == "undo 1/4: wake");
    CHECK(play.machine.state() == "a");
    CHECK_FALSE(play.machine.is_committed());
}

TEST_CASE("engine/unwinding: without a commit on paper a first state is not entered") {
    Rehearsal play{role_of({{.name = "a", .commits = true}})};
    play.no_commit = ktm::Error{ktm::Kind::io, "full", "no room", "", nullptr};
    CHECK(play.give(Start{}) == Lines{"trouble before the start: no room (full)",
                                      "end aborted before the start: no room (full)"});
}

TEST_CASE("engine/unwinding: a commit without undos says nothing of them") {
    Rehearsal play = waiting({hold(1, "tunnel")});
    CHECK(play.give(happened("GO")) == Lines{"disarm deadline 1", "enter b, which commits",
                                             "arm deadline 2: 10 s",
                                             "run body 1: enter, function 2"});
}

TEST_CASE("engine/unwinding: the commit stays behind in states that do not commit") {
    Rehearsal play = waiting({hold(1, "tunnel")});
    (void)play.give_all({happened("GO"), ended(1)});
    CHECK(play.give(happened("BACK")).at(1) == "enter c");
    CHECK(play.machine.is_committed());
    CHECK(play.give(interrupted()) == Lines{"ignore interruption: the commit lies behind"});
    CHECK(play.give(undo(2, "thaw")) == Lines{"drop undo: thaw"});
    CHECK(play.give(due(3)).back() ==
          "end stranded in c, after the commit: the state 'c' took longer than 10 s (late)");
}

TEST_CASE("engine/unwinding: who does not know whose the guest is takes nothing back when asked") {
    Rehearsal play{role_of({{.name = "a", .late = "stranded", .handlers = {on("END", "done")}}})};
    (void)play.give(Start{});
    (void)play.give(undo(1, "end the QEMU that waits"));
    CHECK(play.give(interrupted()) ==
          Lines{"ignore interruption: whose the guest is, the other node knows"});
    CHECK(play.give(due(1)).back() ==
          "end stranded in a: the state 'a' took longer than 10 s (late)");
}

TEST_CASE("engine/unwinding: who does not know whose the guest is takes nothing back in trouble") {
    const auto in_doubt = [] {
        Rehearsal play{role_of(
            {{.name = "a", .late = "stranded", .handlers = {on("YOURS", "b"), on("MINE", "abort")}},
             {.name = "b", .commits = true}})};
        (void)play.give(Start{});
        (void)play.give(undo(1, "wake"));
        return play;
    };
    Rehearsal gone = in_doubt();
    CHECK(gone.give(lost()).back() == "end stranded in a: hung up (gone)");
    Rehearsal full = in_doubt();
    full.no_commit = ktm::Error{ktm::Kind::io, "full", "no room", "", nullptr};
    CHECK(full.give(happened("YOURS")).back() == "end stranded in a: no room (full)");
    Rehearsal theirs = in_doubt();
    CHECK(theirs.give(happened("MINE")).at(2) == "undo 1/1: wake");
}

TEST_CASE("engine/unwinding: a first state that commits drops what was registered before it") {
    Rehearsal play{role_of({{.name = "a", .commits = true}})};
    (void)play.give(undo(1, "wake"));
    CHECK(play.give(Start{}) ==
          Lines{"enter a, which commits", "drop undo: wake", "arm deadline 1: 10 s"});
}

TEST_CASE("engine/unwinding: after the commit trouble waits for its body and runs nothing more") {
    Rehearsal play = waiting({hold(1, "tunnel")});
    (void)play.give(happened("GO"));
    CHECK(play.give(lost()) ==
          Lines{"trouble in b: hung up (gone)", "cancel body 1: hung up (gone)"});
    (void)play.give(hold(2, "divert"));
    CHECK(play.give(failed(1)) == Lines{"disarm deadline 2",
                                        "left: tunnel: kept: the end is stranded",
                                        "left: divert: kept: the end is stranded",
                                        "end stranded in b, after the commit: hung up (gone)"});
    const auto& end = std::get<Ended>(play.actions.back());
    CHECK(end.end == End::stranded);
    CHECK(end.committed);
    CHECK(end.left.size() == 2);
}

// --- Done -------------------------------------------------------------------------------------

TEST_CASE("engine/unwinding: done releases the holds, newest first, and drops the undos") {
    Rehearsal play = waiting(mixed);
    CHECK(play.give(happened("END")) ==
          Lines{"disarm deadline 1", "drop undo: cancel the copy, wake", "release 1/2: divert",
                "arm deadline 2: 10 s", "run body 1: release, entry 3"});
    CHECK(play.give(undo(5, "thaw")) == Lines{"drop undo: thaw"});
    CHECK(play.give(ended(1)).at(2) == "release 2/2: tunnel");
    CHECK(play.give(ended(2)).back() == "end done in a");
    CHECK_FALSE(std::get<Ended>(play.actions.back()).cause);
}

TEST_CASE("engine/unwinding: done after the commit, with a release that fails, is done") {
    Rehearsal play = waiting(mixed);
    (void)play.give_all({happened("GO"), ended(1), happened("END")});
    CHECK(play.give(failed(2)).at(1) == "not released: divert: no (bad)");
    CHECK(play.give(ended(3)) == Lines{"disarm deadline 4", "released: tunnel",
                                       "left: divert: no (bad)",
                                       "end done in b, after the commit"});
}

TEST_CASE("engine/unwinding: done without holds is the end at once") {
    Rehearsal play = waiting({});
    CHECK(play.give(happened("END")) == Lines{"disarm deadline 1", "end done in a"});
}

TEST_CASE("engine/unwinding: a hold that is registered during the release is released, too") {
    Rehearsal play = waiting({hold(1, "tunnel")});
    (void)play.give_all({happened("END"), hold(2, "divert")});
    CHECK(play.give(ended(1)).at(2) == "release 2/2: divert");
}

TEST_CASE("engine/unwinding: interruption and loss during the release are refused, and said") {
    Rehearsal play = waiting({hold(1, "tunnel")});
    (void)play.give(happened("END"));
    CHECK(play.give(interrupted()) == Lines{"ignore interruption: the end has begun"});
    CHECK(play.give(lost()) == Lines{"ignore qmp:lost: the end has begun"});
    CHECK(play.give(ended(1)).back() == "end done in a");
}

// --- The ends ---------------------------------------------------------------------------------

TEST_CASE("engine/unwinding: the ends and the bodies have names that one can say") {
    CHECK(name_of(End::done) == "done");
    CHECK(name_of(End::aborted) == "aborted");
    CHECK(name_of(End::stranded) == "stranded");
    CHECK(name_of(BodyKind::enter) == "enter");
    CHECK(name_of(BodyKind::run) == "run");
    CHECK(name_of(BodyKind::undo) == "undo");
    CHECK(name_of(BodyKind::release) == "release");
}
