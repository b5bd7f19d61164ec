// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/node_transport_test.cc: claims about connections within and between two nodes.
#include <catch2/catch.hpp>

#include <string>

#include "model/node_transport.hh"

namespace ktm::model {
namespace {

using namespace std::chrono_literals;

Endpoint at(const char* text) {
    return *Endpoint::parse(text);
}

/// One end of a connection, and what it heard.
struct Ear {
    std::unique_ptr<ports::Stream> stream;
    std::string heard;
    std::optional<Instant> heard_at;
    std::optional<Instant> ended_at;
    std::string refused;
    std::optional<Instant> answered_at;
};

class World {
public:
    World() { NodeTransport::join(source, dest); }

    void listen(Ear& ear, ports::Listener*& listener, NodeTransport& node, const char* place) {
        auto listening = node.listen(at(place), [this, &ear](auto stream) {
            ear.answered_at = clock.now();
            hear(ear, std::move(stream));
        });
        REQUIRE(listening);
        listeners.push_back(std::move(*listening));
        listener = listeners.back().get();
    }
    void listen(Ear& ear, NodeTransport& node, const char* place) {
        ports::Listener* ignored = nullptr;
        listen(ear, ignored, node, place);
    }
    [[nodiscard]] std::unique_ptr<ports::Pending> connect(Ear& ear, NodeTransport& node,
                                                          const char* place) {
        auto pending = node.connect(at(place), [this, &ear](auto stream) {
            ear.answered_at = clock.now();
            if (stream) {
                hear(ear, std::move(*stream));
            } else {
                ear.refused = stream.error().code;
            }
        });
        REQUIRE(pending);
        return std::move(*pending);
    }
    void hear(Ear& ear, std::unique_ptr<ports::Stream> stream) {
        ear.stream = std::move(stream);
        ear.stream->start({[this, &ear](std::string_view bytes) {
                               ear.heard += bytes;
                               ear.heard_at = clock.now();
                           },
                           [this, &ear](const std::optional<Error>& error) {
                               REQUIRE(!error);
                               ear.ended_at = clock.now();
                           }});
    }
    /// Up to that instant, and what is due at it.
    void until(Duration since_begin) {
        bool reached = false;
        const auto timer = clock.arm(Instant{since_begin} - clock.now(), [&] { reached = true; });
        while (!reached || clock.is_busy()) {
            clock.run_next();
        }
    }

    sim::VirtualClock clock;
    Wire wire{clock, {1ms, 1'000'000}};
    NodeTransport source{clock, wire, {*IpAddress::parse("192.0.2.1")}};
    NodeTransport dest{clock, wire, {*IpAddress::parse("192.0.2.2"), *IpAddress::parse("fd00::2")}};
    std::vector<std::unique_ptr<ports::Listener>> listeners;
};

TEST_CASE("model/transport: a connection across takes a round trip, and each message a latency") {
    World world;
    Ear server;
    Ear client;
    world.listen(server, world.dest, "tcp:0.0.0.0:4444");
    const auto pending = world.connect(client, world.source, "tcp:192.0.2.2:4444");
    world.until(5ms);
    CHECK(server.answered_at == Instant{1ms});
    REQUIRE(client.answered_at == Instant{2ms});
    client.stream->write("from");
    client.stream->write(" source");
    server.stream->write("from dest");
    world.until(10ms);
    CHECK(server.heard == "from source");
    CHECK(server.heard_at == Instant{6ms});
    CHECK(client.heard == "from dest");
    CHECK(client.heard_at == Instant{6ms});
}

TEST_CASE("model/transport: what a server says first comes right behind the connection") {
    World world;
    Ear client;
    std::unique_ptr<ports::Stream> kept;
    const auto listener = world.dest.listen(at("tcp:[fd00::2]:4444"), [&](auto stream) {
        stream->write("QMP");
        kept = std::move(stream);
    });
    const auto pending = world.connect(client, world.source, "tcp:[fd00::2]:4444");
    world.until(2ms);
    CHECK(client.heard == "QMP");
}

TEST_CASE("model/transport: where nobody listens the other node refuses, behind a round trip") {
    World world;
    Ear loopback;
    Ear client;
    world.listen(loopback, world.dest, "tcp:127.0.0.1:4444");
    const auto pending = world.connect(client, world.source, "tcp:192.0.2.2:4444");
    world.until(5ms);
    CHECK(client.refused == "ECONNREFUSED");
    CHECK(client.answered_at == Instant{2ms});
    CHECK(!loopback.answered_at);
    Ear nowhere;
    const auto lost = world.connect(nowhere, world.source, "tcp:192.0.2.9:4444");
    world.until(4s);
    CHECK(nowhere.refused == "EHOSTUNREACH");
}

TEST_CASE("model/transport: own addresses, loopback and paths are within the node") {
    World world;
    Ear server;
    Ear first;
    Ear second;
    world.listen(server, world.source, "tcp:192.0.2.1:4444");
    const auto own = world.connect(first, world.source, "tcp:192.0.2.1:4444");
    const auto loop = world.connect(second, world.source, "tcp:127.0.0.1:4444");
    world.until(0ms);
    CHECK(first.stream != nullptr);
    CHECK(second.refused == "ECONNREFUSED");
    Ear path;
    Ear elsewhere;
    world.listen(path, world.source, "/run/x.sock");
    const auto there = world.connect(elsewhere, world.dest, "/run/x.sock");
    world.until(1ms);
    CHECK(elsewhere.refused == "ENOENT");
}

TEST_CASE("model/transport: an address is taken once, the unspecified one takes all of them") {
    World world;
    Ear ear;
    world.listen(ear, world.dest, "tcp:192.0.2.2:4444");
    const auto code = [&](NodeTransport& node, const char* place) {
        const auto listener = node.listen(at(place), [](auto) {});
        return listener ? "" : listener.error().code;
    };
    CHECK(code(world.dest, "tcp:192.0.2.2:4444") == "EADDRINUSE");
    CHECK(code(world.dest, "tcp:0.0.0.0:4444") == "EADDRINUSE");
    CHECK(code(world.dest, "tcp:192.0.2.2:4445") == "");
    CHECK(code(world.dest, "tcp:[fd00::2]:4444") == "");
    CHECK(code(world.dest, "tcp:192.0.2.1:4444") == "EADDRNOTAVAIL");
    CHECK(code(world.source, "tcp:0.0.0.0:4444") == "");
    world.listeners.clear();
    CHECK(code(world.dest, "tcp:0.0.0.0:4444") == "");
}

TEST_CASE("model/transport: a cut wire delays bytes, connections and ends until it heals") {
    World world;
    Ear server;
    Ear client;
    Ear late;
    world.listen(server, world.dest, "tcp:0.0.0.0:4444");
    const auto pending = world.connect(client, world.source, "tcp:192.0.2.2:4444");
    world.until(5ms);
    client.stream->write("under way;");
    world.until(5ms);
    world.wire.cut();
    client.stream->write("held;");
    world.until(100ms);
    CHECK(server.heard == "under way;");
    const auto waits = world.connect(late, world.source, "tcp:192.0.2.2:4445");
    client.stream->write("behind");
    client.stream.reset();
    world.until(200ms);
    CHECK(!late.answered_at);
    CHECK(!server.ended_at);
    world.wire.heal();
    world.until(300ms);
    CHECK(server.heard == "under way;held;behind");
    CHECK(server.heard_at == Instant{201ms});
    CHECK(server.ended_at == Instant{201ms});
    CHECK(late.refused == "ECONNREFUSED");
    CHECK(late.answered_at == Instant{202ms});
}

TEST_CASE("model/transport: whoever goes away is missed at the other end, from either side") {
    World world;
    Ear server;
    Ear client;
    world.listen(server, world.dest, "tcp:0.0.0.0:4444");
    const auto pending = world.connect(client, world.source, "tcp:192.0.2.2:4444");
    world.until(5ms);
    client.stream->write("to nobody");
    server.stream->write("farewell");
    server.stream.reset();
    world.until(10ms);
    CHECK(client.heard == "farewell");
    CHECK(client.ended_at == Instant{6ms});
    client.stream->write("into the dark");
    client.stream.reset();
    sim::VirtualLoop loop{world.clock};
    CHECK(loop.close() == 0);
}

TEST_CASE("model/transport: a connect that is given up leaves nothing, whenever it is") {
    for (const Duration when : {0us, 500us, 1000us, 1500us}) {
        World world;
        Ear server;
        Ear client;
        world.listen(server, world.dest, "tcp:0.0.0.0:4444");
        auto pending = world.connect(client, world.source, "tcp:192.0.2.2:4444");
        world.until(when);
        pending.reset();
        world.until(20ms);
        CHECK(!client.answered_at);
        CHECK(server.answered_at.has_value() == server.ended_at.has_value());
        CHECK(world.clock.waiting() == 0);
    }
}

TEST_CASE("model/transport: two nodes that end with everything under way leave nothing behind") {
    World world;
    Ear server;
    Ear client;
    Ear second;
    world.listen(server, world.dest, "tcp:0.0.0.0:4444");
    const auto pending = world.connect(client, world.source, "tcp:192.0.2.2:4444");
    world.until(5ms);
    client.stream->write("unheard");
    const auto knocking = world.connect(second, world.source, "tcp:192.0.2.2:4444");
    world.until(5500us);
    CHECK(server.heard.empty());
}

}  // namespace
}  // namespace ktm::model
