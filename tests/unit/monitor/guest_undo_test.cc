// SPDX-License-Identifier: Apache-2.0
// tests/unit/monitor/guest_undo_test.cc: a migration taken back at one of its ends.
#include <catch2/catch.hpp>
#include <string>

#include "monitor/guest_visit.hh"
#include "sim/virtual_world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using monitor::GuestTask;
using monitor::GuestVisit;
using monitor::GuestWish;

namespace {

const std::string socket_path = "/run/vm.qmp";

struct Visited {
    std::optional<Result<bool>> ended;
    std::optional<std::string> unplayed;
    Duration took{};
};

/// One command and what QEMU says to it.
std::string exchange(const std::string& command, const std::string& says) {
    return R"({"dir":"out","msg":{"execute":")" + command + "\"}}\n" + R"({"dir":"in","msg":)" +
           says + "}\n";
}
std::string copy_is(const std::string& status) {
    return exchange("query-migrate", status.empty() ? R"({"return":{}})"
                                                    : R"({"return":{"status":")" + status + "\"}}");
}
std::string guest_runs(bool runs) {
    return exchange("query-status", std::string{R"({"return":{"running":)"} +
                                        (runs ? R"(true,"status":"running"}})"
                                              : R"(false,"status":"postmigrate"}})"));
}
const std::string nothing = R"({"return":{}})";
const std::string closed = "{\"dir\":\"eof\"}\n";
const std::string locked =
    R"({"error":{"class":"GenericError","desc":"Failed to get \"write\" lock"}})";

/// The same with arguments.
std::string exchange_with(const std::string& command, const std::string& arguments,
                          const std::string& says) {
    return R"({"dir":"out","msg":{"execute":")" + command + R"(","arguments":)" + arguments +
           "}}\n" + R"({"dir":"in","msg":)" + says + "}\n";
}

Visited visit(const GuestTask& task, const std::string& conversation) {
    sim::VirtualWorld world;
    const ports::World ports = world.ports();
    if (!conversation.empty()) {
        REQUIRE(
            world.replay(Endpoint{UnixEndpoint{socket_path}}, *sim::read_scenario(conversation)));
    }
    Visited visited;
    std::optional<GuestVisit> there;
    there.emplace(ports.clock, ports.transport, socket_path, task, 10s, [&](Result<bool> ended) {
        visited.ended.emplace(std::move(ended));
        visited.took = ports.clock.now().time_since_epoch();
        there.reset();
        ports.loop.stop();
    });
    there->start();
    ports.loop.run();
    CHECK_FALSE(world.fault());
    for (const auto& monitor : world.monitors()) {
        visited.unplayed = monitor->unplayed();
    }
    CHECK(world.loop().close() == 0);
    return visited;
}

void check_done(const Visited& visited, bool changed) {
    REQUIRE(visited.ended);
    REQUIRE(*visited.ended);
    CHECK(**visited.ended == changed);
    CHECK(visited.unplayed.value_or("") == "");
}

}  // namespace

TEST_CASE("monitor/guest_undo: a guest that runs, and is not copied, is left alone") {
    check_done(visit(GuestWish::wake, copy_is("") + guest_runs(true)), false);
    check_done(visit(GuestWish::wake, copy_is("failed") + guest_runs(true)), false);
}

TEST_CASE("monitor/guest_undo: a copy is cancelled, and its end is waited for") {
    check_done(
        visit(GuestWish::wake, copy_is("pre-switchover") + exchange("migrate_cancel", nothing) +
                                   copy_is("cancelling") + copy_is("cancelling") +
                                   copy_is("cancelled") + guest_runs(true)),
        true);
}

TEST_CASE(
    "monitor/guest_undo: a guest whose copy does not come to its end is let run all the same") {
    std::string conversation = copy_is("active") + exchange("migrate_cancel", nothing);
    for (int look = 0; look < 51; ++look) {
        conversation += copy_is("cancelling");
    }
    const Visited visited =
        visit(GuestWish::wake, conversation + guest_runs(false) + exchange("cont", nothing));
    check_done(visited, true);
    CHECK(visited.took == 1020ms);
}

TEST_CASE("monitor/guest_undo: a copy in a state of a later QEMU is cancelled as well") {
    check_done(
        visit(GuestWish::wake, copy_is("wait-for-the-moon") + exchange("migrate_cancel", nothing) +
                                   copy_is("cancelled") + guest_runs(true)),
        true);
}

TEST_CASE("monitor/guest_undo: a guest that stands is let run, as soon as QEMU allows it") {
    const std::string stands = copy_is("completed") + guest_runs(false);
    check_done(visit(GuestWish::wake, stands + exchange("cont", nothing)), true);
    const Visited visited =
        visit(GuestWish::wake, stands + exchange("cont", locked) + stands +
                                   exchange("cont", locked) + stands + exchange("cont", nothing));
    check_done(visited, true);
    CHECK(visited.took == 40ms);
}

TEST_CASE("monitor/guest_undo: what QEMU refuses for good is said when patience is lost") {
    std::string conversation;
    for (int turn = 0; turn < 600; ++turn) {
        conversation += copy_is("completed") + guest_runs(false) + exchange("cont", locked);
    }
    const Visited visited = visit(GuestWish::wake, conversation);
    REQUIRE(visited.ended);
    REQUIRE_FALSE(*visited.ended);
    CHECK(visited.took == 10s);
    CHECK(visited.ended->error().sentence().find("write") != std::string::npos);
}

TEST_CASE("monitor/guest_undo: a QEMU that waits is ended, also when it ends before it answers") {
    check_done(visit(GuestWish::end, exchange("quit", nothing)), true);
    check_done(visit(GuestWish::end, R"({"dir":"out","msg":{"execute":"quit"}})"
                                     "\n"
                                     R"({"dir":"eof"})"
                                     "\n"),
               true);
}

TEST_CASE(
    "monitor/guest_undo: a QEMU whose connection is lost is asked again as long as it lives") {
    const std::string asked = R"({"dir":"out","msg":{"execute":"quit"}})"
                              "\n";
    const Visited ended = visit(GuestWish::end, asked + closed + exchange("quit", nothing));
    check_done(ended, true);
    CHECK(ended.took == 20ms);
    const std::string looked = R"({"dir":"out","msg":{"execute":"query-status"}})"
                               "\n";
    check_done(visit(GuestWish::see, looked + closed + guest_runs(true)), false);
    const std::string copied = R"({"dir":"out","msg":{"execute":"query-migrate"}})"
                               "\n";
    check_done(visit(GuestWish::wake, copied + closed + copy_is("") + guest_runs(true)), false);
}

TEST_CASE("monitor/guest_undo: a QEMU that does not carry out that it is to end is asked again") {
    check_done(visit(GuestWish::end, exchange("quit", locked) + exchange("quit", nothing)), true);
}

namespace {

const std::string has_mirror = R"({"return":[{"device":"mirror-a","status":"ready"}]})";
const std::string has_none = R"({"return":[]})";
const std::string in_use = R"({"error":{"class":"GenericError","desc":"Node a is in use"}})";
const std::string cancel =
    exchange_with("block-job-cancel", R"({"device":"mirror-a","force":true})", nothing);

const std::string no_instance =
    R"({"error":{"class":"DeviceNotFound","desc":"Instance not found"}})";

/// The connection of node a is closed before anything else.
std::string severed(const std::string& says) {
    return exchange_with("yank", R"({"instances":[{"type":"block-node","node-name":"a"}]})", says);
}

std::string nodes_are(const std::string& says) {
    return exchange_with("query-named-block-nodes", R"({"flat":true})", says);
}

}  // namespace

TEST_CASE(
    "monitor/guest_undo: a connection that QEMU will not close is tried again, and not for ever") {
    const GuestTask task{GuestWish::restore, R"({"node":"a"})"};
    check_done(visit(task, severed(locked) + severed(nothing) + nodes_are(has_none)), false);
    std::string conversation;
    for (int turn = 0; turn < 11; ++turn) {
        conversation += severed(locked);
    }
    const Visited visited = visit(task, conversation + nodes_are(has_none));
    check_done(visited, false);
    CHECK(visited.took == 200ms);
}

TEST_CASE(
    "monitor/guest_undo: a node's connection is closed, its job is ended, and it is removed") {
    const GuestTask task{GuestWish::restore, R"({"job":"mirror-a","node":"a"})"};
    const std::string has_node = R"({"return":[{"node-name":"a"},{"node-name":"disk0"}]})";
    const std::string removed = exchange_with("blockdev-del", R"({"node-name":"a"})", nothing);
    check_done(
        visit(task, severed(nothing) + exchange("query-block-jobs", has_mirror) + cancel +
                        exchange("query-block-jobs", has_mirror) +
                        exchange("query-block-jobs", has_none) + nodes_are(has_node) + removed),
        true);
    check_done(visit(task, severed(no_instance) + exchange("query-block-jobs", has_none) +
                               nodes_are(has_none)),
               false);
    const Visited again = visit(
        task, severed(nothing) + exchange("query-block-jobs", has_none) + nodes_are(has_node) +
                  exchange_with("blockdev-del", R"({"node-name":"a"})", in_use) +
                  severed(no_instance) + exchange("query-block-jobs", has_none) +
                  nodes_are(has_node) + removed);
    check_done(again, true);
    CHECK(again.took == 20ms);
}

TEST_CASE("monitor/guest_undo: of capabilities and parameters only what differs is put back") {
    const GuestTask task{GuestWish::restore,
                         R"({"capabilities":{"events":false,"multifd":false},)"
                         R"("parameters":{"downtime-limit":300,"max-bandwidth":134217728}})"};
    const std::string capabilities = R"({"return":[{"state":true,"capability":"events"},)"
                                     R"({"state":false,"capability":"multifd"}]})";
    const std::string parameters = R"({"return":{"downtime-limit":1,"max-bandwidth":134217728}})";
    check_done(
        visit(task,
              exchange("query-migrate-capabilities", capabilities) +
                  exchange_with("migrate-set-capabilities",
                                R"({"capabilities":[{"capability":"events","state":false}]})",
                                nothing) +
                  exchange("query-migrate-parameters", parameters) +
                  exchange_with("migrate-set-parameters", R"({"downtime-limit":300})", nothing)),
        true);
    check_done(visit(GuestTask{GuestWish::restore, R"({"parameters":{"downtime-limit":1}})"},
                     exchange("query-migrate-parameters", parameters)),
               false);
}

TEST_CASE("monitor/guest_undo: what nobody could put back is an error, and not done by halves") {
    for (const char* before : {"", "{}", "[]", R"({"jobs":"a"})", R"({"job":""})", R"({"node":3})",
                               R"({"capabilities":{"events":"on"}})", R"({"parameters":[]})"}) {
        CAPTURE(before);
        const Visited visited = visit(GuestTask{GuestWish::restore, before}, guest_runs(true));
        CHECK(visited.unplayed);
        REQUIRE(visited.ended);
        REQUIRE_FALSE(*visited.ended);
        CHECK(visited.ended->error().kind == Kind::invalid);
    }
}

TEST_CASE("monitor/guest_undo: where no QEMU is any more there is nothing to do") {
    check_done(visit(GuestWish::wake, ""), false);
    check_done(visit(GuestWish::end, ""), false);
}

TEST_CASE("monitor/guest_undo: a QEMU that ends meanwhile is an error") {
    const Visited visited =
        visit(GuestWish::wake, R"({"dir":"out","msg":{"execute":"query-migrate"}})"
                               "\n"
                               R"({"dir":"eof"})"
                               "\n");
    REQUIRE(visited.ended);
    REQUIRE_FALSE(*visited.ended);
    CHECK(visited.ended->error().kind == Kind::lost);
}

TEST_CASE("monitor/guest_undo: who only looks touches nothing, and a guest that runs is well") {
    check_done(visit(GuestWish::see, guest_runs(true)), false);
    check_done(visit(GuestWish::see, guest_runs(false)), false);  // It was moved on.
    const Visited stands = visit(GuestWish::see, R"({"dir":"out","msg":{"execute":"query-status"}})"
                                                 "\n"
                                                 R"({"dir":"in","msg":{"return":{"running":false,)"
                                                 R"("status":"paused"}}})"
                                                 "\n");
    REQUIRE(stands.ended);
    REQUIRE_FALSE(*stands.ended);
    CHECK(stands.ended->error().code == "stands");
    CHECK(stands.ended->error().what.find("QEMU says paused") != std::string::npos);
    CHECK(stands.unplayed.value_or("") == "");
    const Visited gone = visit(GuestWish::see, "");
    REQUIRE(gone.ended);
    REQUIRE_FALSE(*gone.ended);
    CHECK(gone.ended->error().code == "qemu-gone");
    CHECK(monitor::wish_named("see") == GuestWish::see);
}
