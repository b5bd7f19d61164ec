// SPDX-License-Identifier: Apache-2.0
// tests/unit/timeline/story_test.cc: what a timeline makes of records.
#include <catch2/catch.hpp>

#include <chrono>

#include "unit/timeline/recordings.hh"

using namespace ktm;
using namespace ktm::timeline;
using namespace ktm::timeline::testing;
using namespace std::chrono_literals;

TEST_CASE("the dark window goes from STOP at the source to RESUME at the dest", "[timeline]") {
    const Timeline timeline = build_both("golden-storage-divert");
    REQUIRE(timeline.dark.size() == 1);
    CHECK(timeline.dark[0].stopped == "source");
    CHECK(timeline.dark[0].resumed == "dest");
    CHECK(timeline.dark[0].length() == 13304us);
    CHECK(spans(timeline, "guest") == "runs at source, dark, runs at dest");
    CHECK(spans(timeline, "source QEMU") == "setup, active, pre-switchover, device");
    CHECK(spans(timeline, "dest QEMU") == "setup, active");
    CHECK(headline(timeline) == "dark for 13.3 ms: stopped at source, resumed at dest");
    CHECK(timeline.notes.empty());
}

TEST_CASE("without the other side a dark window is not said to have ended", "[timeline]") {
    std::vector<Source> sources;
    sources.push_back(recorded("golden-storage-divert", "source"));
    const Timeline timeline = build(sources);
    CHECK(spans(timeline, "guest") == "runs at source, dark, left");
    CHECK(headline(timeline) == "dark for at least 8.88 ms: stopped at source, no RESUME seen");

    sources[0] = recorded("golden-storage-divert", "dest");
    CHECK(spans(build(sources), "guest") == "not here yet, runs at dest");
}

TEST_CASE("a guest that runs at two places stands before everything", "[timeline]") {
    const Timeline timeline = build_both("fail-cont-source-after-completed-splitbrain");
    CHECK(spans(timeline, "guest") == "runs at source, dark, runs at source, RUNS TWICE");
    CHECK(headline(timeline).starts_with("THE GUEST RAN TWICE for "));
    REQUIRE(timeline.notes.size() == 1);
    CHECK(timeline.notes[0].starts_with("the guest ran at two places"));
}

TEST_CASE("a guest that stood still in one place has a dark window, too", "[timeline]") {
    const Timeline timeline = build_one(
        note(0, "plan freeze, role node, digest 00") + note(1, "enter stopping") +
        command(2, 1, "query-status", "{\"running\":true,\"status\":\"running\"}") +
        event(5, "STOP") + note(6, "enter frozen") + event(1005, "RESUME") +
        note(1006, "end done in waking") +
        note(1007, "done after 1.01 s; the guest runs here (/vm); nothing was left behind"));
    CHECK(headline(timeline) == "dark for 1 s");
    CHECK(spans(timeline, "guest") == "runs, dark, runs");
    CHECK(spans(timeline, "plan") == "stopping, frozen");
    CHECK(timeline.title == "freeze");
    REQUIRE(timeline.endings.size() == 1);
    CHECK(timeline.endings[0].look == Look::good);
}

TEST_CASE("a guest whose QEMU was lost while it ran is unknown, not dark", "[timeline]") {
    const Timeline timeline = build_one(
        command(0, 1, "query-status", "{\"running\":true,\"status\":\"running\"}") +
        line(5, "qmp", "eof", "text", "\"connection reset\"") + note(9, "trouble in a: x"));
    CHECK(spans(timeline, "guest") == "runs, unknown");
    CHECK(timeline.dark.empty());
}

TEST_CASE("every recorded conversation has a guest, and a dark window as it should be",
          "[timeline]") {
    struct Expected {
        const char* name;
        const char* guest;
    };
    for (const Expected& each : {
             Expected{"shared-storage-success", "runs at source, dark, runs at dest"},
             Expected{"local-storage-success", "runs at source, dark, runs at dest, shut down"},
             Expected{"tls-psk-storage-success", "runs at source, dark, runs at dest"},
             Expected{"multifd-success", "runs at source, dark, runs at dest"},
             Expected{"divert-before-stop", "runs at source, dark, runs at dest"},
             Expected{"fail-cancel-pre-switchover", "runs at source, dark, runs at source"},
             Expected{"fail-dest-killed-pre-switchover", "runs at source, dark, runs at source"},
         }) {
        INFO(each.name);
        CHECK(spans(build_both(each.name), "guest") == each.guest);
    }
}

TEST_CASE("what is undone and what was left are seen on the plan's lane", "[timeline]") {
    const Timeline timeline =
        build_one(note(0, "enter a") + note(2, "trouble in a: late") +
                  note(3, "undo 1/2: wake the guest") + note(4, "undone: wake the guest") +
                  note(5, "release 2/2: the tunnel") + note(6, "not released: the tunnel: EPERM") +
                  note(7, "left: the tunnel: EPERM") + note(8, "enter b, which commits"));
    CHECK(spans(timeline, "plan") == "a, undo 1/2: wake the guest, release 2/2: the tunnel, b");
    const Lane* plan = lane(timeline, "plan");
    REQUIRE(plan != nullptr);
    CHECK(plan->spans.back().look == Look::commit);
    const auto bad = std::count_if(plan->marks.begin(), plan->marks.end(),
                                   [](const Mark& mark) { return mark.look == Look::bad; });
    CHECK(bad == 3);
}

TEST_CASE("packets are held from the block's answer to the opening's", "[timeline]") {
    const auto ask = [](double ms, int id, const std::string& request) {
        return line(
            ms, "net", "out", "msg",
            "{\"id\":" + std::to_string(id) + ",\"request\":" + request + ",\"words\":\"do it\"}");
    };
    const auto answer = [](double ms, int id, const std::string& rest) {
        return line(ms, "net", "in", "msg", "{\"id\":" + std::to_string(id) + "," + rest + "}");
    };
    const std::string plug = "{\"what\":\"block-plug\",\"link\":\"tap0\"}";
    const std::string good = "\"answer\":{}";
    Timeline timeline = build_one(
        ask(1, 1, "{\"what\":\"add-route\",\"to\":\"10.1.2.3/32\",\"link\":\"vx0\"}") +
        answer(2, 1, good) + ask(3, 2, plug) + answer(4, 2, good) +
        ask(5, 3, "{\"what\":\"list-qdiscs\",\"link\":\"tap0\"}") +
        answer(6, 3, "\"answer\":{\"qdiscs\":[{\"kind\":\"plug\",\"queued_packets\":41}]}") +
        ask(7, 4, "{\"what\":\"open-plug\",\"link\":\"tap0\"}") + answer(9, 4, good) +
        ask(10, 5, "{\"what\":\"block-plug\",\"link\":\"tap1\"}") +
        answer(11, 5, "\"error\":{\"code\":\"EPERM\",\"what\":\"not permitted\"}") +
        note(12, "error: the hold on tap0 lost 5 packets: 5 were not taken by anybody"));
    CHECK(spans(timeline, "kernel") == "diverted: 10.1.2.3/32 to vx0");
    CHECK(spans(timeline, "packets") == "held at tap0");
    const Span held = lane(timeline, "packets")->spans.at(0);
    CHECK(held.begin == 4ms);
    CHECK(held.end == 9ms);
    CHECK(held.look == Look::held);
    CHECK(timeline.held_most == 41);
    CHECK(
        headline(timeline) ==
        "no dark window; up to 41 packets held; the hold on tap0 lost 5 packets: 5 were not taken "
        "by anybody");
    // Who sees all packets knows more than who looked once.
    note_held_most(timeline, "", 0);
    CHECK(timeline.held_most == 41);
    note_held_most(timeline, "dest", 77);
    CHECK(spans(timeline, "packets") == "held at tap0");
    note_held_most(timeline, "", 77);
    CHECK(timeline.held_most == 77);
    CHECK(spans(timeline, "packets") == "held at tap0, at most 77 packets");
}

namespace {

std::string word(double ms, const char* direction, int number, const std::string& name) {
    return line(ms, "peer", direction, "msg",
                "{\"n\":" + std::to_string(number) + ",\"word\":\"" + name + "\",\"data\":{}}");
}

std::vector<Source> two_that_talk(Duration offset) {
    std::vector<Source> sources;
    sources.push_back({"a",
                       records_of(note(0, "plan p, role source, digest 0") +
                                  word(10, "out", 1, "go") + word(22, "in", 1, "ready")),
                       {}});
    sources.push_back({"b",
                       records_of(note(0, "plan p, role dest, digest 0") + word(12, "in", 1, "go") +
                                  word(20, "out", 1, "ready")),
                       offset});
    return sources;
}

}  // namespace

TEST_CASE("a word that both sides hold is an arrow from plan to plan", "[timeline]") {
    const Timeline timeline = build(two_that_talk(Duration::zero()));
    REQUIRE(timeline.arrows.size() == 2);
    CHECK(timeline.lanes[timeline.arrows[0].from].name == "plan at source");
    CHECK(timeline.lanes[timeline.arrows[0].to].name == "plan at dest");
    CHECK(timeline.arrows[0].sent == 10ms);
    CHECK(timeline.arrows[0].heard == 12ms);
    CHECK(timeline.notes.empty());
}

TEST_CASE("clocks that differ are put together by the words between the plans", "[timeline]") {
    const Timeline timeline = build(two_that_talk(7s));
    CHECK(timeline.arrows.at(0).heard == 12ms);
    REQUIRE(timeline.notes.size() == 1);
    CHECK(timeline.notes[0] ==
          "the times of the second recording are moved by -7 s, by the words between the plans; "
          "that is right to 2 ms");
}

TEST_CASE("what nobody knows is passed over, and times that go backwards are said", "[timeline]") {
    const Timeline timeline = build_one(
        line(5, "qmp", "in", "msg", "[1,2]") + line(4, "qmp", "in", "msg", "7") +
        line(3, "net", "in", "msg", "{\"id\":1}") + line(2, "peer", "in", "msg", "\"x\"") +
        line(1, "smoke", "note", "text", "\"signal\"") + event(6, "MIGRATION", "[]") +
        event(7, "JOB_STATUS_CHANGE", "{\"id\":5}") + command(8, 1, "query-migrate", "[]") +
        line(9, "qmp", "in", "msg", "{\"return\":{},\"id\":99}"));
    REQUIRE(timeline.notes.size() == 1);
    CHECK(timeline.notes[0].find("backwards 4 times") != std::string::npos);
    CHECK(timeline.begin == 5ms);
}

TEST_CASE("of an empty recording a timeline says that it is empty", "[timeline]") {
    const Timeline timeline = build_one("");
    CHECK(timeline.lanes.empty());
    CHECK(timeline.notes == std::vector<std::string>{"there is nothing in the recording"});
}
