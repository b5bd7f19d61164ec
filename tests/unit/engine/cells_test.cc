// SPDX-License-Identifier: Apache-2.0
// tests/unit/engine/cells_test.cc: every kind of input in every phase, committed and not.
#include <catch2/catch.hpp>

#include <map>

#include "unit/engine/rehearsal.hh"

using namespace ktm::engine;
using namespace ktm::engine::testing;

namespace {

/// a has an enter (function 1), a handler that goes, one that runs (function 2) and goes, and one
/// for the loss of the VM w; b waits for END.
Rehearsal rehearsal(bool commits) {
    ktm::plan::Handler loses = on("qmp:lost", "b");
    loses.vm = "w";
    return Rehearsal{role_of({
        {.name = "a",
         .enter = function(1),
         .commits = commits,
         .handlers = {on("GO", "b"), on_run("RUN", 2, "b"), loses}},
        {.name = "b", .handlers = {on("END", "done")}},
    })};
}

/// A phase as one gets there, and the numbers of what is under way in it.
struct Scene {
    const char* name;
    bool commits;
    std::vector<Input> way;
    std::uint64_t body;
    std::uint64_t deadline;
    /// What is to be done upon an input; those that are not listed have no effect at once.
    std::map<std::string, std::string> expected;
};

std::map<std::string, Input> inputs(const Scene& scene) {
    return {
        {"start", Start{}},
        {"event that goes", happened("GO")},
        {"event that runs", happened("RUN")},
        {"event for nobody", happened("STRANGE")},
        {"body ended", ended(scene.body)},
        {"body failed", failed(scene.body)},
        {"unknown body ended", ended(99)},
        {"unknown body failed", failed(99)},
        {"awaits", awaits(scene.body, "GO")},
        {"unknown body awaits", awaits(99, "GO")},
        {"forgets", forgets(scene.body)},
        {"unknown body forgets", forgets(99)},
        {"hold", hold(8, "mirror")},
        {"undo", undo(9, "thaw")},
        {"released", released(1)},
        {"unknown entry released", released(77)},
        {"due", due(scene.deadline)},
        {"stale due", due(98)},
        {"interrupted", interrupted()},
        {"lost, wanted", lost("w")},
        {"lost", lost()},
    };
}

std::string joined(const Lines& lines) {
    std::string all;
    for (const std::string& line : lines) {
        all += (all.empty() ? "" : " | ") + line;
    }
    return all;
}

/// The way into a, with a hold and an undo; the enter (body 1, deadline 1) runs.
std::vector<Input> entering(std::vector<Input> further = {}) {
    std::vector<Input> way{Start{}, hold(1, "tunnel"), undo(2, "wake")};
    way.insert(way.end(), further.begin(), further.end());
    return way;
}

void check(const Scene& scene) {
    const std::map<std::string, Input> all = inputs(scene);
    for (const auto& [name, line] : scene.expected) {
        INFO(name);
        CHECK(all.count(name) == 1);
    }
    for (const auto& [name, input] : all) {
        INFO(scene.name << (scene.commits ? ", committed" : "") << ": " << name);
        Rehearsal play = rehearsal(scene.commits);
        (void)play.give_all(scene.way);
        const auto expected = scene.expected.find(name);
        CHECK(joined(play.give(input)) ==
              (expected == scene.expected.end() ? "" : expected->second));
    }
}

// Sequences that many cells share.

const std::string late_a = "the state 'a' took longer than 10 s (late)";
const std::string to_b = "disarm deadline 1 | enter b | arm deadline 2: 10 s";
const std::string undo_begins = "undo 1/2: wake | arm deadline 2: 10 s | run body 2: undo, entry 2";
const std::string undo_begins_later =
    "undo 1/2: wake | arm deadline 2: 10 s | run body 3: undo, entry 2";
const std::string release_begins =
    "release 2/2: tunnel | arm deadline 3: 10 s | run body 3: release, entry 1";
const std::string stranded_end =
    "left: tunnel: kept: the end is stranded | end stranded in a, after the commit: ";
const std::string not_now = "ignore interruption: the end has begun";
const std::string not_after = "ignore interruption: the commit lies behind";
const std::string lost_in_vain = "ignore qmp:lost: the end has begun";

}  // namespace

TEST_CASE("engine/cells: idle, the start begins it and trouble ends it") {
    const std::string unstarted = ": the plan has not started";
    const std::string stop =
        "trouble before the start: stop (signal) | "
        "end aborted before the start: stop (signal)";
    const std::string gone =
        "trouble before the start: hung up (gone) | "
        "end aborted before the start: hung up (gone)";
    check({"idle",
           false,
           {},
           1,
           1,
           {{"start", "enter a | arm deadline 1: 10 s | run body 1: enter, function 1"},
            {"event that goes", "ignore GO" + unstarted},
            {"event that runs", "ignore RUN" + unstarted},
            {"event for nobody", "ignore STRANGE" + unstarted},
            {"interrupted", stop},
            {"lost, wanted", gone},
            {"lost", gone}}});
}

TEST_CASE("engine/cells: entering, events queue and trouble cancels the body") {
    check({"entering",
           false,
           entering(),
           1,
           1,
           {{"body failed", "trouble in a: no (bad) | disarm deadline 1 | " + undo_begins},
            {"due", "cancel body 1: " + late_a},
            {"interrupted", "trouble in a: stop (signal) | cancel body 1: stop (signal)"},
            {"lost", "trouble in a: hung up (gone) | cancel body 1: hung up (gone)"}}});
    check({"entering",
           true,
           entering(),
           1,
           1,
           {{"body failed",
             "trouble in a: no (bad) | disarm deadline 1 | " + stranded_end + "no (bad)"},
            {"undo", "drop undo: thaw"},
            {"due", "cancel body 1: " + late_a},
            {"interrupted", not_after},
            {"lost", "trouble in a: hung up (gone) | cancel body 1: hung up (gone)"}}});
}

TEST_CASE("engine/cells: waiting, each event is taken at once") {
    check({"waiting",
           false,
           entering({ended(1)}),
           1,
           1,
           {{"event that goes", to_b},
            {"event that runs", "run body 2: run, function 2, upon RUN"},
            {"event for nobody", "ignore STRANGE: no handler in a"},
            {"due", "trouble in a: " + late_a + " | " + undo_begins},
            {"interrupted", "trouble in a: stop (signal) | disarm deadline 1 | " + undo_begins},
            {"lost, wanted", to_b},
            {"lost", "trouble in a: hung up (gone) | disarm deadline 1 | " + undo_begins}}});
    check({"waiting",
           true,
           entering({ended(1)}),
           1,
           1,
           {{"event that goes", to_b},
            {"event that runs", "run body 2: run, function 2, upon RUN"},
            {"event for nobody", "ignore STRANGE: no handler in a"},
            {"undo", "drop undo: thaw"},
            {"due", "trouble in a: " + late_a + " | " + stranded_end + late_a},
            {"interrupted", not_after},
            {"lost, wanted", to_b},
            {"lost", "trouble in a: hung up (gone) | disarm deadline 1 | " + stranded_end +
                         "hung up (gone)"}}});
}

TEST_CASE("engine/cells: handling, the end of the run goes where its handler says") {
    const std::vector<Input> way = entering({ended(1), happened("RUN")});
    check({"handling",
           false,
           way,
           2,
           1,
           {{"body ended", to_b},
            {"body failed", "trouble in a: no (bad) | disarm deadline 1 | " + undo_begins_later},
            {"due", "cancel body 2: " + late_a},
            {"interrupted", "trouble in a: stop (signal) | cancel body 2: stop (signal)"},
            {"lost", "trouble in a: hung up (gone) | cancel body 2: hung up (gone)"}}});
    check({"handling",
           true,
           way,
           2,
           1,
           {{"body ended", to_b},
            {"body failed",
             "trouble in a: no (bad) | disarm deadline 1 | " + stranded_end + "no (bad)"},
            {"undo", "drop undo: thaw"},
            {"due", "cancel body 2: " + late_a},
            {"interrupted", not_after},
            {"lost", "trouble in a: hung up (gone) | cancel body 2: hung up (gone)"}}});
}

TEST_CASE("engine/cells: late, the cancelled body is waited for and trouble comes first") {
    const std::vector<Input> way = entering({due(1)});
    const std::string ends = "trouble in a: " + late_a + " | " + undo_begins;
    check({"late",
           false,
           way,
           1,
           1,
           {{"body ended", ends},
            {"body failed", ends},
            {"awaits", "cancel body 1: " + late_a},
            {"interrupted", "trouble in a: stop (signal)"},
            {"lost", "trouble in a: hung up (gone)"}}});
    const std::string strands = "trouble in a: " + late_a + " | " + stranded_end + late_a;
    check({"late",
           true,
           way,
           1,
           1,
           {{"body ended", strands},
            {"body failed", strands},
            {"awaits", "cancel body 1: " + late_a},
            {"undo", "drop undo: thaw"},
            {"interrupted", not_after},
            {"lost", "trouble in a: hung up (gone)"}}});
}

TEST_CASE("engine/cells: cancelling, nothing but the end of the body leads on") {
    check({"cancelling",
           false,
           entering({interrupted()}),
           1,
           1,
           {{"body ended", "disarm deadline 1 | " + undo_begins},
            {"body failed", "disarm deadline 1 | " + undo_begins},
            {"awaits", "cancel body 1: stop (signal)"},
            {"interrupted", not_now},
            {"lost, wanted", lost_in_vain},
            {"lost", lost_in_vain}}});
    const std::string strands = "disarm deadline 1 | " + stranded_end + "hung up (gone)";
    check({"cancelling",
           true,
           entering({lost()}),
           1,
           1,
           {{"body ended", strands},
            {"body failed", strands},
            {"awaits", "cancel body 1: hung up (gone)"},
            {"undo", "drop undo: thaw"},
            {"interrupted", not_now},
            {"lost, wanted", lost_in_vain},
            {"lost", lost_in_vain}}});
}

TEST_CASE("engine/cells: undoing, the next entry follows however this one ended") {
    check({"undoing",
           false,
           entering({ended(1), interrupted()}),
           2,
           2,
           {{"body ended", "disarm deadline 2 | undone: wake | " + release_begins},
            {"body failed", "disarm deadline 2 | not undone: wake: no (bad) | " + release_begins},
            {"due", "cancel body 2: the undo took longer than 10 s (undo-late)"},
            {"interrupted", not_now},
            {"lost, wanted", lost_in_vain},
            {"lost", lost_in_vain}}});
}

TEST_CASE("engine/cells: releasing, the last entry is followed by the end") {
    const std::string released_late = "the release took longer than 10 s (undo-late)";
    check(
        {"releasing",
         false,
         entering({ended(1), interrupted(), ended(2)}),
         3,
         3,
         {{"body ended", "disarm deadline 3 | released: tunnel | end aborted in a: stop (signal)"},
          {"body failed",
           "disarm deadline 3 | not released: tunnel: no (bad) | "
           "left: tunnel: no (bad) | end aborted in a: stop (signal)"},
          {"due", "cancel body 3: " + released_late},
          {"interrupted", not_now},
          {"lost, wanted", lost_in_vain},
          {"lost", lost_in_vain}}});
    for (const bool commits : {false, true}) {
        const std::string end = commits ? "end done in b, after the commit" : "end done in b";
        check({"releasing at done",
               commits,
               entering({ended(1), happened("GO"), happened("END")}),
               2,
               3,
               {{"body ended", "disarm deadline 3 | released: tunnel | " + end},
                {"body failed",
                 "disarm deadline 3 | not released: tunnel: no (bad) | "
                 "left: tunnel: no (bad) | " +
                     end},
                {"undo", "drop undo: thaw"},
                {"due", "cancel body 2: " + released_late},
                {"interrupted", not_now},
                {"lost, wanted", lost_in_vain},
                {"lost", lost_in_vain}}});
    }
}

TEST_CASE("engine/cells: ended, no input has any effect") {
    check({"aborted", false, entering({failed(1), ended(2), ended(3)}), 3, 3, {}});
    check({"stranded", true, entering({failed(1)}), 1, 1, {}});
    for (const bool commits : {false, true}) {
        check({"done",
               commits,
               entering({ended(1), happened("GO"), happened("END"), ended(2)}),
               2,
               3,
               {}});
    }
    check({"never started", false, {interrupted()}, 1, 1, {}});
}
