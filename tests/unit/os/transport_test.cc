// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/transport_test.cc: streams over unix sockets and TCP on a real loop.
#include "unit/os/world.hh"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

using namespace ktm;
using namespace std::chrono_literals;
using ktm::os::testing::TestWorld;

namespace {

using StreamPtr = std::unique_ptr<ports::Stream>;

Endpoint local(const TestWorld& world, const std::string& name) {
    return *Endpoint::parse(world.path(name));
}

/// A free TCP port of loopback, in a form that can be bound a moment later.
Endpoint free_tcp(const std::string& host) {
    static int next = 20000 + (::getpid() % 20000);
    return *Endpoint::parse("tcp:" + host + ":" + std::to_string(next++));
}

/// A listener that sends back what it hears.
class Echo {
public:
    Echo(TestWorld& world, const Endpoint& endpoint) {
        auto listening = world.ports.transport.listen(endpoint, [this](StreamPtr stream) {
            ports::Stream* raw = stream.get();
            streams_.push_back(std::move(stream));
            raw->start({[raw](std::string_view bytes) { raw->write(std::string(bytes)); },
                        [](std::optional<Error>) {}});
        });
        REQUIRE(listening);
        listener_ = std::move(*listening);
    }
    void hang_up() { streams_.clear(); }

private:
    std::unique_ptr<ports::Listener> listener_;
    std::vector<StreamPtr> streams_;
};

std::string echo_through(TestWorld& world, const Endpoint& endpoint, const std::string& text) {
    Echo echo{world, endpoint};
    StreamPtr stream;
    std::string heard;
    auto pending = world.ports.transport.connect(endpoint, [&](Result<StreamPtr> connected) {
        REQUIRE(connected);
        stream = std::move(*connected);
        stream->start({[&](std::string_view bytes) {
                           heard += bytes;
                           if (heard.size() >= text.size()) {
                               world.stop();
                           }
                       },
                       [](std::optional<Error>) {}});
        stream->write(text);
    });
    REQUIRE(pending);
    world.run();
    return heard;
}

/// The error of a connect that cannot succeed.
Error refused(TestWorld& world, const Endpoint& endpoint) {
    std::optional<Error> error;
    auto pending = world.ports.transport.connect(endpoint, [&](Result<StreamPtr> connected) {
        REQUIRE_FALSE(connected);
        error = connected.error();
        world.stop();
    });
    REQUIRE(pending);
    world.run();
    return *error;
}

}  // namespace

TEST_CASE("os/transport: bytes go both ways over a unix socket and over TCP of both families") {
    TestWorld world;
    const std::string large(3'000'000, 'x');
    CHECK(echo_through(world, local(world, "a.sock"), "hello") == "hello");
    CHECK(echo_through(world, local(world, "b.sock"), large) == large);
    CHECK(echo_through(world, free_tcp("127.0.0.1"), "hello") == "hello");
    CHECK(echo_through(world, free_tcp("[::1]"), large) == large);
}

TEST_CASE("os/transport: a missing, a dead and a wrong socket each have their own error") {
    TestWorld world;
    CHECK(refused(world, local(world, "none.sock")).code == "ENOENT");
    std::ofstream{world.path("file")} << "text";
    CHECK(refused(world, local(world, "file")).code == "ECONNREFUSED");
    CHECK(refused(world, free_tcp("127.0.0.1")).sentence().find("ECONNREFUSED") !=
          std::string::npos);
}

TEST_CASE("os/transport: a listener removes its path, and a second one on it is refused") {
    TestWorld world;
    const Endpoint endpoint = local(world, "a.sock");
    {
        Echo echo{world, endpoint};
        const auto second = world.ports.transport.listen(endpoint, [](StreamPtr) {});
        REQUIRE_FALSE(second);
        CHECK(second.error().code == "EADDRINUSE");
    }
    const auto later = world.ports.clock.arm(10ms, [&] { world.stop(); });
    world.run();
    CHECK_FALSE(std::filesystem::exists(world.path("a.sock")));
}

TEST_CASE("os/transport: an orderly end is told once, without an error") {
    TestWorld world;
    const Endpoint endpoint = local(world, "a.sock");
    Echo echo{world, endpoint};
    StreamPtr stream;
    int ends = 0;
    auto pending = world.ports.transport.connect(endpoint, [&](Result<StreamPtr> connected) {
        stream = std::move(*connected);
        stream->start({[&](std::string_view) { echo.hang_up(); },
                       [&](std::optional<Error> error) {
                           CHECK_FALSE(error);
                           ++ends;
                           stream->write("into the void");
                           world.stop();
                       }});
        stream->write("x");
    });
    world.run();
    CHECK(ends == 1);
}

TEST_CASE("os/transport: a stream may be destroyed in its own callback") {
    TestWorld world;
    const Endpoint endpoint = local(world, "a.sock");
    Echo echo{world, endpoint};
    StreamPtr stream;
    auto pending = world.ports.transport.connect(endpoint, [&](Result<StreamPtr> connected) {
        stream = std::move(*connected);
        stream->start({[&, canary = std::string(100, 'c')](std::string_view) {
                           stream.reset();
                           CHECK(canary.size() == 100);
                           world.stop();
                       },
                       [](std::optional<Error>) { FAIL("no end after the destruction"); }});
        stream->write("x");
    });
    world.run();
    CHECK(stream == nullptr);
}

TEST_CASE("os/transport: a connect that is given up calls nobody") {
    TestWorld world;
    Echo echo{world, local(world, "a.sock")};
    auto pending = world.ports.transport.connect(
        local(world, "a.sock"), [](Result<StreamPtr>) { FAIL("it was given up"); });
    REQUIRE(pending);
    pending->reset();
    const auto later = world.ports.clock.arm(30ms, [&] { world.stop(); });
    world.run();
}

TEST_CASE("os/transport: a peer that does not read makes the queue grow, and is seen") {
    TestWorld world;
    const Endpoint endpoint = local(world, "a.sock");
    StreamPtr silent;
    auto listener = world.ports.transport.listen(
        endpoint, [&](StreamPtr accepted) { silent = std::move(accepted); });
    StreamPtr stream;
    auto pending = world.ports.transport.connect(endpoint, [&](Result<StreamPtr> connected) {
        stream = std::move(*connected);
        stream->start({[](std::string_view) {}, [](std::optional<Error>) {}});
        stream->write(std::string(5'000'000, 'x'));
        CHECK(stream->unsent_bytes() > 1'000'000);
        world.stop();
    });
    world.run();
}
