// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/ports_test.cc: clock, processes, files and signals on a real loop.
#include "unit/os/world.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

using namespace ktm;
using namespace std::chrono_literals;
using ktm::os::testing::TestWorld;

namespace {

ports::Ending run_program(TestWorld& world, const ports::Program& program) {
    std::optional<ports::Ending> ending;
    auto process = world.ports.processes.start(program, [&](ports::Ending last) {
        ending = std::move(last);
        world.stop();
    });
    REQUIRE(process);
    CHECK((*process)->pid() > 1);
    world.run();
    REQUIRE(ending);
    return *ending;
}

}  // namespace

TEST_CASE("os/clock: a timer fires once, never early, and not inside arm()") {
    TestWorld world;
    const Instant begin = world.ports.clock.now();
    int fired = 0;
    const auto timer = world.ports.clock.arm(20ms, [&] {
        ++fired;
        CHECK(world.ports.clock.now() - begin >= 20ms);
    });
    const auto zero = world.ports.clock.arm(0ms, [&] { fired += 10; });
    const auto negative = world.ports.clock.arm(-5s, [&] { fired += 100; });
    CHECK(fired == 0);
    const auto end = world.ports.clock.arm(60ms, [&] { world.stop(); });
    world.run();
    CHECK(fired == 111);
}

TEST_CASE("os/clock: a destroyed timer does not fire, and may be destroyed by itself") {
    TestWorld world;
    auto never = world.ports.clock.arm(5ms, [] { FAIL("it was disarmed"); });
    never.reset();
    std::unique_ptr<ports::Timer> self;
    self = world.ports.clock.arm(1ms, [&] { self.reset(); });
    const auto end = world.ports.clock.arm(20ms, [&] { world.stop(); });
    world.run();
    CHECK(self == nullptr);
}

TEST_CASE("os/clock: civil time is close to the system's") {
    TestWorld world;
    const auto difference = world.ports.clock.wall_now() - std::chrono::system_clock::now();
    CHECK(std::chrono::abs(difference) < 1s);
}

TEST_CASE("os/process: output, exit code and signal are told") {
    TestWorld world;
    const ports::Ending ending =
        run_program(world, {{"/bin/sh", "-c", "echo out; echo err >&2; exit 7"}, Bytes{1000}});
    CHECK(ending.exit_code == 7);
    CHECK(ending.signal == 0);
    CHECK(ending.out == "out\n");
    CHECK(ending.err == "err\n");
    CHECK(run_program(world, {{"/bin/sh", "-c", "kill -9 $$"}, Bytes{10}}).signal == SIGKILL);
}

TEST_CASE("os/process: standard input is empty and no descriptor of ours is inherited") {
    TestWorld world;
    CHECK(run_program(world, {{"/bin/cat"}, Bytes{10}}).exit_code == 0);
    const ports::Ending ending =
        run_program(world, {{"/bin/ls", "-l", "/proc/self/fd"}, Bytes{10000}});
    for (const char* ours : {"eventpoll", "eventfd"}) {
        CHECK(ending.out.find(ours) == std::string::npos);
    }
}

TEST_CASE("os/process: output beyond the limit is counted, not kept, and does not block") {
    TestWorld world;
    const ports::Ending ending =
        run_program(world, {{"/bin/sh", "-c", "head -c 1000000 /dev/zero"}, Bytes{1000}});
    CHECK(ending.out.size() == 1000);
    CHECK(ending.output_lost.count == 999000);
}

TEST_CASE("os/process: a program that is not there is an error at once") {
    TestWorld world;
    const auto process =
        world.ports.processes.start({{"/no/such/program"}, Bytes{1}}, [](ports::Ending) {});
    REQUIRE_FALSE(process);
    CHECK(process.error().code == "ENOENT");
    CHECK(process.error().during == "start '/no/such/program'");
    CHECK_FALSE(world.ports.processes.start({{}, Bytes{1}}, [](ports::Ending) {}));
}

TEST_CASE("os/process: destroying a process kills it and leaves no zombie") {
    TestWorld world;
    int pid = 0;
    {
        auto process = world.ports.processes.start({{"/bin/sleep", "1000"}, Bytes{1}},
                                                   [](ports::Ending) { FAIL("nobody asked"); });
        REQUIRE(process);
        pid = (*process)->pid();
    }
    const auto end = world.ports.clock.arm(50ms, [&] { world.stop(); });
    world.run();
    CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("os/process: a signal reaches it, and a process that ended gets none") {
    TestWorld world;
    std::optional<ports::Ending> ending;
    auto process =
        world.ports.processes.start({{"/bin/sleep", "1000"}, Bytes{1}}, [&](ports::Ending last) {
            ending = std::move(last);
            world.stop();
        });
    CHECK((*process)->send_signal(SIGTERM));
    world.run();
    CHECK(ending->signal == SIGTERM);
    CHECK((*process)->send_signal(SIGTERM).error().code == "ESRCH");
}

TEST_CASE("os/files: what was replaced is read, in new folders too, and no part file stays") {
    TestWorld world;
    const std::string path = world.path("a/b/file");
    REQUIRE(world.ports.files.replace(path, "first"));
    REQUIRE(world.ports.files.replace(path, "second"));
    CHECK(*world.ports.files.read(path, Bytes{100}) == "second");
    CHECK(std::distance(std::filesystem::directory_iterator(world.folder / "a/b"), {}) == 1);
}

TEST_CASE("os/files: errors name the file and what was tried") {
    TestWorld world;
    CHECK(world.ports.files.read(world.path("none"), Bytes{1}).error().sentence() ==
          "could not open " + world.path("none") + ": no such file or directory (ENOENT)");
    REQUIRE(world.ports.files.replace(world.path("large"), std::string(100, 'x')));
    CHECK(world.ports.files.read(world.path("large"), Bytes{99}).error().code == "too-large");
    CHECK(world.ports.files.read(world.path("large"), Bytes{100}));
    CHECK(world.ports.files.read(world.folder, Bytes{100}).error().code == "EISDIR");
    CHECK_FALSE(world.ports.files.replace(world.path("large") + "/below", "x"));
}

TEST_CASE("os/files: reading in pieces stops when it is told to") {
    TestWorld world;
    REQUIRE(world.ports.files.replace(world.path("file"), std::string(1'000'000, 'x')));
    int pieces = 0;
    REQUIRE(world.ports.files.read_pieces(world.path("file"),
                                          [&](std::string_view) { return ++pieces < 3; }));
    CHECK(pieces == 3);
}

TEST_CASE("os/signals: a watched signal arrives, and a watch alone does not keep the loop alive") {
    TestWorld world;
    int arrived = 0;
    auto watch = world.ports.signals.watch(SIGUSR1, [&] {
        ++arrived;
        world.stop();
    });
    REQUIRE(watch);
    world.ports.loop.run();
    CHECK(arrived == 0);
    const auto later = world.ports.clock.arm(1ms, [] { (void)::raise(SIGUSR1); });
    world.run();
    CHECK(arrived == 1);
    CHECK_FALSE(world.ports.signals.watch(SIGKILL, [] {}));
}

TEST_CASE("os/loop: a handle that somebody forgot is named") {
    os::RealWorld real;
    auto timer = real.ports().clock.arm(1h, [] {});
    CHECK(real.loop().close() == std::vector<std::string>{"timer"});
    timer.reset();
    CHECK(real.loop().close().empty());
}
