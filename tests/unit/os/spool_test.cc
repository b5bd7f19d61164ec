// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/spool_test.cc: what was appended is in the file, whatever happens to us.
#include "unit/os/world.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

using namespace ktm;
using namespace std::chrono_literals;
using ktm::os::testing::TestWorld;

namespace {

ports::Filter unchanged() {
    return
        [](std::string_view bytes, bool last) { return std::string(bytes) + (last ? "END" : ""); };
}

/// Makes a FIFO and gives its reader: one that never reads is a disk that never writes.
int standing_disk(const std::string& path) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    return reader;
}

}  // namespace

TEST_CASE("os/spool: everything is in the file after close(), through the filter") {
    TestWorld world;
    auto spool = world.ports.files.spool(world.path("a"), unchanged());
    REQUIRE(spool);
    std::string expected;
    for (int i = 0; i < 20000; ++i) {
        const std::string line = "record " + std::to_string(i) + std::string(200, '.') + "\n";
        (*spool)->append(line);
        expected += line;
    }
    CHECK((*spool)->close(nullptr));
    CHECK(content(world.path("a")) == expected + "END");
    CHECK((*spool)->close(nullptr));
    (*spool)->append("after the end");
}

TEST_CASE("os/spool: an existing file is refused and left as it is") {
    TestWorld world;
    std::ofstream{world.path("a")} << "precious";
    const auto spool = world.ports.files.spool(world.path("a"), unchanged());
    REQUIRE_FALSE(spool);
    CHECK(spool.error().what.find("never overwrites") != std::string::npos);
    CHECK(content(world.path("a")) == "precious");
    CHECK_FALSE(world.ports.files.spool(world.path("none/a"), unchanged()));
}

TEST_CASE("os/spool: a full disk is told by close(), and appending goes on without harm") {
    TestWorld world;
    auto spool = world.ports.files.spool("/dev/full", unchanged());
    REQUIRE(spool);
    for (int i = 0; i < 100; ++i) {
        (*spool)->append(std::string(100000, 'x'));
    }
    const Result<void> closed = (*spool)->close(nullptr);
    REQUIRE_FALSE(closed);
    CHECK(closed.error().code == "ENOSPC");
}

TEST_CASE("os/spool: the tail survives a kill -9 of the program") {
    TestWorld world;
    const std::string path = world.path("a");
    const pid_t program = ::fork();
    REQUIRE(program >= 0);
    if (program == 0) {
        auto spool = world.ports.files.spool(path, unchanged());
        for (int i = 0; i < 1000; ++i) {
            (*spool)->append("record " + std::to_string(i) + "\n");
        }
        (void)::kill(::getpid(), SIGKILL);
    }
    REQUIRE(::waitpid(program, nullptr, 0) == program);
    // The writer is nobody's child now; its last act is the end of the file.
    for (int i = 0; i < 500 && !content(path).ends_with("END"); ++i) {
        std::this_thread::sleep_for(10ms);
    }
    CHECK(content(path).ends_with("record 999\nEND"));
}

TEST_CASE("os/spool: a disk that stands still does not stop the program") {
    TestWorld world;
    const std::string path = world.path("fifo");
    const int reader = standing_disk(path);
    auto spool = world.ports.files.spool(path, unchanged());
    REQUIRE(spool);
    const Instant begin = world.ports.clock.now();
    for (int i = 0; i < 5000; ++i) {
        (*spool)->append(std::string(1000, 'x'));
    }
    CHECK(world.ports.clock.now() - begin < 2s);
    std::size_t received = 0;
    std::thread drain{[&] {
        std::string buffer(65536, '\0');
        // The spool ends its file when it is closed; until then there is nothing or something.
        while (received < 5'000'003) {
            const ssize_t count = ::read(reader, buffer.data(), buffer.size());
            received += count > 0 ? static_cast<std::size_t>(count) : 0;
        }
    }};
    CHECK((*spool)->close(nullptr));
    drain.join();
    (void)::close(reader);
    CHECK(received == 5'000'003);
}

TEST_CASE(
    "os/spool: what is larger than the pipe goes on when the pipe has room, without another "
    "append") {
    TestWorld world;
    auto spool = world.ports.files.spool(world.path("a"), unchanged());
    REQUIRE(spool);
    (*spool)->append(std::string(10'000'000, 'x') + "LAST");
    const auto end = world.ports.clock.arm(1s, [&] { world.stop(); });
    world.run();
    CHECK(content(world.path("a")).ends_with("LAST"));
    CHECK((*spool)->close(nullptr));
}

TEST_CASE("os/spool: more than may wait is an error that says so, and what waited is kept") {
    TestWorld world;
    const std::string path = world.path("fifo");
    const int reader = standing_disk(path);
    auto spool = world.ports.files.spool(path, unchanged());
    REQUIRE(spool);
    const std::string megabyte(1U << 20U, 'x');
    for (int i = 0; i < 80; ++i) {
        (*spool)->append(megabyte);
    }
    std::atomic<bool> done = false;
    std::size_t received = 0;
    std::thread drain{[&] {
        std::string buffer(1U << 20U, '\0');
        while (!done) {
            const ssize_t count = ::read(reader, buffer.data(), buffer.size());
            received += count > 0 ? static_cast<std::size_t>(count) : 0;
        }
    }};
    const Result<void> closed = (*spool)->close(nullptr);
    done = true;
    drain.join();
    (void)::close(reader);
    REQUIRE_FALSE(closed);
    CHECK(closed.error().what.find("the disk stood still") != std::string::npos);
    CHECK(received >= (64U << 20U));
}

TEST_CASE("os/spool: a FIFO that nobody reads is an error, not a wait") {
    TestWorld world;
    REQUIRE(::mkfifo(world.path("fifo").c_str(), 0600) == 0);
    const auto spool = world.ports.files.spool(world.path("fifo"), unchanged());
    REQUIRE_FALSE(spool);
    CHECK(spool.error().code == "ENXIO");
}
