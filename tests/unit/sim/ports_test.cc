// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/ports_test.cc: streams, processes, files and signals of a virtual world.
#include <csignal>

#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::testing::TestWorld;

namespace {

const Endpoint here_socket{UnixEndpoint{"/run/here.sock"}};

/// Collects what a stream tells, and knows whether somebody is inside a call.
struct Side {
    void take(TestWorld& world, std::unique_ptr<ports::Stream> opened) {
        stream = std::move(opened);
        ++world.inside;
        stream->start({[this, &world](std::string_view bytes) {
                           CHECK(world.inside == 0);
                           story += std::string(bytes) + ";";
                       },
                       [this, &world](std::optional<Error> error) {
                           CHECK(world.inside == 0);
                           story += error ? error->code : "end";
                       }});
        --world.inside;
    }

    std::unique_ptr<ports::Stream> stream;
    std::string story;
};

/// A listener at `here` and one client of it.
struct Connection {
    explicit Connection(TestWorld& world) {
        auto listening = world.ports.transport.listen(
            here_socket,
            [&](std::unique_ptr<ports::Stream> stream) { server.take(world, std::move(stream)); });
        REQUIRE(listening);
        listener = std::move(*listening);
        auto connecting = world.ports.transport.connect(
            here_socket, [&](Result<std::unique_ptr<ports::Stream>> stream) {
                REQUIRE(stream);
                client.take(world, std::move(*stream));
            });
        REQUIRE(connecting);
        CHECK(client.stream == nullptr);
        world.run();
        REQUIRE(client.stream != nullptr);
        REQUIRE(server.stream != nullptr);
    }

    Side server;
    Side client;
    std::unique_ptr<ports::Listener> listener;
};

std::string connect_error(TestWorld& world, const std::string& endpoint) {
    std::string code;
    const auto connecting = world.ports.transport.connect(
        *Endpoint::parse(endpoint), [&](Result<std::unique_ptr<ports::Stream>> stream) {
            code = stream ? "connected" : stream.error().sentence();
        });
    CHECK(code.empty());
    world.run();
    return code;
}

}  // namespace

TEST_CASE("sim/transport: bytes arrive in order, later, and the end behind them") {
    TestWorld world;
    Connection both{world};
    both.client.stream->write("one ");
    both.client.stream->write("two");
    CHECK(both.client.stream->unsent_bytes() == 0);
    CHECK(both.server.story.empty());
    world.run();
    CHECK(both.server.story == "one two;");
    both.server.stream->write("answer");
    both.server.stream.reset();
    both.client.stream->write("into the void");
    world.run();
    CHECK(both.client.story == "answer;end");
    both.client.stream->write("and again");
    world.run();
    CHECK(both.client.story == "answer;end");
}

TEST_CASE("sim/transport: what arrives before the start is kept for it") {
    TestWorld world;
    std::unique_ptr<ports::Stream> accepted;
    const auto listener = world.ports.transport.listen(
        here_socket, [&](std::unique_ptr<ports::Stream> stream) { accepted = std::move(stream); });
    const auto connecting = world.ports.transport.connect(
        here_socket,
        [&](Result<std::unique_ptr<ports::Stream>> stream) { (*stream)->write("early"); });
    world.run();
    Side side;
    side.take(world, std::move(accepted));
    CHECK(side.story.empty());
    world.run();
    CHECK(side.story == "early;end");
}

TEST_CASE("sim/transport: nobody there is an error that comes later, as the system words it") {
    TestWorld world;
    CHECK(connect_error(world, "/run/none.sock") ==
          "could not connect to /run/none.sock: no such file or directory (ENOENT)");
    CHECK(connect_error(world, "tcp:192.0.2.1:4444") ==
          "could not connect to tcp:192.0.2.1:4444: connection refused (ECONNREFUSED)");
}

TEST_CASE("sim/transport: a listener that is gone listens no more, and leaves its place") {
    TestWorld world;
    auto listener =
        world.ports.transport.listen(here_socket, [](std::unique_ptr<ports::Stream>) {});
    REQUIRE(listener);
    const auto second =
        world.ports.transport.listen(here_socket, [](std::unique_ptr<ports::Stream>) {});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == "EADDRINUSE");
    CHECK(connect_error(world, "/run/here.sock") == "connected");
    listener->reset();
    CHECK(connect_error(world, "/run/here.sock").find("ENOENT") != std::string::npos);
    CHECK(world.ports.transport.listen(here_socket, [](std::unique_ptr<ports::Stream>) {}));
}

TEST_CASE("sim/transport: who listens on all addresses is found by each of them") {
    TestWorld world;
    const auto listener = world.ports.transport.listen(*Endpoint::parse("tcp:[::]:4445"),
                                                       [](std::unique_ptr<ports::Stream>) {});
    CHECK(connect_error(world, "tcp:192.0.2.1:4445") == "connected");
    CHECK(connect_error(world, "tcp:[2001:db8::1]:4445") == "connected");
    CHECK(connect_error(world, "tcp:192.0.2.1:4446").find("ECONNREFUSED") != std::string::npos);
}

TEST_CASE("sim/transport: a connect that is given up does not call back") {
    TestWorld world;
    bool accepted = false;
    const auto listener = world.ports.transport.listen(
        here_socket, [&](std::unique_ptr<ports::Stream>) { accepted = true; });
    auto connecting = world.ports.transport.connect(
        here_socket, [](Result<std::unique_ptr<ports::Stream>>) { FAIL("it was given up"); });
    connecting->reset();
    world.run();
    CHECK_FALSE(accepted);
}

TEST_CASE("sim/transport: streams, attempts and listeners may be destroyed in their callbacks") {
    TestWorld world;
    std::unique_ptr<ports::Listener> listener;
    std::unique_ptr<ports::Pending> connecting;
    std::unique_ptr<ports::Stream> server;
    std::unique_ptr<ports::Stream> client;
    std::string story;
    listener = std::move(
        *world.ports.transport.listen(here_socket, [&](std::unique_ptr<ports::Stream> stream) {
            listener.reset();
            server = std::move(stream);
            server->start({[&](std::string_view) {
                               server.reset();
                               story += "server gone;";
                           },
                           [](std::optional<Error>) { FAIL("it is gone"); }});
        }));
    connecting = std::move(*world.ports.transport.connect(
        here_socket, [&](Result<std::unique_ptr<ports::Stream>> stream) {
            connecting.reset();
            client = std::move(*stream);
            client->start({[](std::string_view) { FAIL("nobody writes"); },
                           [&](std::optional<Error>) {
                               client.reset();
                               story += "client gone;";
                           }});
            client->write("hello");
        }));
    world.run();
    CHECK(story == "server gone;client gone;");
}

TEST_CASE("sim/transport: a world may end in the middle of everything") {
    std::unique_ptr<ports::Stream> kept;
    TestWorld world;
    world.leak_check = false;
    const auto listener = world.ports.transport.listen(
        here_socket, [](std::unique_ptr<ports::Stream>) { FAIL("it is too late"); });
    const auto connecting = world.ports.transport.connect(
        here_socket, [&](Result<std::unique_ptr<ports::Stream>>) { world.stop(); });
    world.run();
    CHECK(world.sim.virtual_clock().waiting() == 1);
}

namespace {

std::optional<ports::Ending> run_program(TestWorld& world, std::vector<std::string> argv,
                                         Bytes output_max = Bytes{1000}) {
    std::optional<ports::Ending> ending;
    const auto process = world.ports.processes.start(
        {std::move(argv), output_max}, [&](ports::Ending last) { ending = std::move(last); });
    REQUIRE(process);
    CHECK_FALSE(ending);
    world.run();
    return ending;
}

}  // namespace

TEST_CASE("sim/processes: a program ends as the table says, after its time") {
    TestWorld world;
    world.sim.processes().install("ip -j link show", {3, "[]\n", "warning\n", 20ms});
    const auto ending = run_program(world, {"ip", "-j", "link", "show"});
    REQUIRE(ending);
    CHECK(ending->exit_code == 3);
    CHECK(ending->signal == 0);
    CHECK(ending->out == "[]\n");
    CHECK(ending->err == "warning\n");
    CHECK(world.ports.clock.now() == Instant{20ms});
    const auto cut = run_program(world, {"ip", "-j", "link", "show"}, Bytes{2});
    CHECK(cut->out == "[]");
    CHECK(cut->err == "wa");
    CHECK(cut->output_lost.count == 7);
    CHECK(world.sim.processes().started() ==
          std::vector<std::string>{"ip -j link show", "ip -j link show"});
}

TEST_CASE("sim/processes: a program that is not in the table is not there") {
    TestWorld world;
    const auto process =
        world.ports.processes.start({{"/no/such", "-x"}, Bytes{1}}, [](ports::Ending) {});
    REQUIRE_FALSE(process);
    CHECK(process.error().code == "ENOENT");
    CHECK(process.error().during == "start '/no/such'");
    CHECK(world.ports.processes.start({{}, Bytes{1}}, [](ports::Ending) {}).error().code ==
          "no-program");
    CHECK(world.sim.processes().started().empty());
}

TEST_CASE("sim/processes: a signal ends a program, and one that has ended gets none") {
    TestWorld world;
    world.sim.processes().install("sleeper", {0, "never said", "", std::nullopt});
    std::optional<ports::Ending> ending;
    std::unique_ptr<ports::Process> process = std::move(*world.ports.processes.start(
        {{"sleeper"}, Bytes{100}}, [&](ports::Ending last) { ending = std::move(last); }));
    CHECK(process->pid() > 1);
    world.run();
    CHECK_FALSE(ending);
    CHECK(process->send_signal(0));
    CHECK(process->send_signal(SIGTERM));
    CHECK_FALSE(ending);
    world.run();
    REQUIRE(ending);
    CHECK(ending->signal == SIGTERM);
    CHECK(ending->out.empty());
    CHECK(process->send_signal(SIGTERM).error().code == "ESRCH");
}

TEST_CASE("sim/processes: a process that is destroyed tells no end, and may be destroyed by it") {
    TestWorld world;
    world.sim.processes().install("worker", {0, "", "", 5ms});
    auto given_up = world.ports.processes.start({{"worker"}, Bytes{1}},
                                                [](ports::Ending) { FAIL("nobody asked"); });
    given_up->reset();
    Result<std::unique_ptr<ports::Process>> self =
        world.ports.processes.start({{"worker"}, Bytes{1}}, [&](ports::Ending) { self->reset(); });
    world.run();
    CHECK(*self == nullptr);
}

TEST_CASE("sim/files: what was replaced is read, whole or in pieces") {
    TestWorld world;
    REQUIRE(world.ports.files.replace("/var/a/file", "first"));
    REQUIRE(world.ports.files.replace("/var/a/file", "second"));
    CHECK(*world.ports.files.read("/var/a/file", Bytes{6}) == "second");
    REQUIRE(world.ports.files.replace("/large", std::string(150'000, 'x')));
    std::vector<std::size_t> sizes;
    REQUIRE(world.ports.files.read_pieces("/large", [&](std::string_view piece) {
        sizes.push_back(piece.size());
        return sizes.size() < 2;
    }));
    CHECK(sizes == std::vector<std::size_t>{65536, 65536});
    CHECK(world.sim.files().all().size() == 2);
}

TEST_CASE("sim/files: errors are those of the system") {
    TestWorld world;
    REQUIRE(world.ports.files.replace("/var/a/file", "content"));
    CHECK(world.ports.files.read("/none", Bytes{1}).error().sentence() ==
          "could not open /none: no such file or directory (ENOENT)");
    CHECK(world.ports.files.read("/var/a/file", Bytes{6}).error().code == "too-large");
    CHECK(world.ports.files.read("/var/a", Bytes{6}).error().sentence() ==
          "could not read /var/a: is a directory (EISDIR)");
    CHECK(world.ports.files.replace("/var/a/file/below", "x").error().code == "ENOTDIR");
    CHECK(world.ports.files.replace("/var/a", "x").error().code == "EISDIR");
    CHECK(world.ports.files.list("/none").error().code == "ENOENT");
    CHECK(world.ports.files.list("/var/a/file").error().code == "ENOTDIR");
    CHECK(world.ports.files.spool("/var/a/file", nullptr).error().code == "EEXIST");
}

TEST_CASE("sim/files: a folder lists what is directly in it, sorted") {
    TestWorld world;
    for (const char* path : {"/run/b", "/run/a", "/run/c/deep/file", "/running", "/run/c/x"}) {
        REQUIRE(world.ports.files.replace(path, ""));
    }
    CHECK(*world.ports.files.list("/run") == std::vector<std::string>{"a", "b", "c"});
    CHECK(*world.ports.files.list("/") == std::vector<std::string>{"run", "running"});
}

TEST_CASE("sim/files: a spool appends through its filter, and ends it once") {
    TestWorld world;
    const auto filter = [](std::string_view bytes, bool last) {
        return std::string(bytes) + (last ? "end" : ",");
    };
    auto spool = world.ports.files.spool("/trace", filter);
    REQUIRE(spool);
    (*spool)->append("one");
    CHECK(*world.ports.files.read("/trace", Bytes{100}) == "one,");
    (*spool)->append("two");
    CHECK((*spool)->close(nullptr));
    CHECK((*spool)->close(nullptr));
    (*spool)->append("late");
    spool->reset();
    CHECK(*world.ports.files.read("/trace", Bytes{100}) == "one,two,end");
    CHECK(world.ports.files.spool("/other", filter));
    CHECK(*world.ports.files.read("/other", Bytes{100}) == "end");
}

TEST_CASE("sim/signals: a signal reaches those who watch for it, later and in their order") {
    TestWorld world;
    std::string story;
    const auto first = world.ports.signals.watch(SIGINT, [&] { story += "first;"; });
    const auto other = world.ports.signals.watch(SIGTERM, [&] { story += "other;"; });
    std::unique_ptr<ports::Watch> second;
    second = std::move(*world.ports.signals.watch(SIGINT, [&] {
        story += "second;";
        second.reset();
    }));
    world.sim.signals().deliver(SIGINT);
    CHECK(story.empty());
    world.run();
    CHECK(story == "first;second;");
    world.sim.signals().deliver(SIGINT);
    world.run();
    CHECK(story == "first;second;first;");
    CHECK(world.sim.signals().deadly().empty());
}

TEST_CASE("sim/signals: a signal that nobody watches for would have been deadly, and is told") {
    TestWorld world;
    auto watch = world.ports.signals.watch(SIGINT, [] { FAIL("it is gone"); });
    world.sim.signals().deliver(SIGINT);
    watch->reset();
    world.run();
    world.sim.signals().deliver(SIGINT);
    CHECK(world.sim.signals().deadly() == std::vector<int>{SIGINT});
    CHECK(world.ports.signals.watch(SIGKILL, [] {}).error().sentence() ==
          "could not watch for signal 9: invalid argument (EINVAL)");
}
