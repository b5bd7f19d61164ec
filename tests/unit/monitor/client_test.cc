// SPDX-License-Identifier: Apache-2.0
// tests/unit/monitor/client_test.cc: a client against a scripted monitor on a real loop.
#include "monitor/client.hh"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "monitor/schema_cache.hh"
#include "trace/reader.hh"
#include "unit/os/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using ktm::monitor::Client;
using ktm::os::testing::TestWorld;

namespace {

const std::string greeting =
    R"({"QMP":{"version":{"qemu":{"micro":1,"minor":2,"major":8},"package":""},"capabilities":[]}})"
    "\r\n";
const std::string tiny_schema = R"([{"name":"stop","meta-type":"command","arg-type":"0"},)"
                                R"({"name":"0","meta-type":"object","members":[]}])";

/// A monitor that serves one client after another, and answers each line as the script says.
class Monitor {
public:
    using Script = UniqueFunction<std::string(const std::string& line)>;

    Monitor(TestWorld& world, Script script)
        : endpoint(*Endpoint::parse(world.path("qmp"))), script_(std::move(script)) {
        auto listening =
            world.ports.transport.listen(endpoint, [this](std::unique_ptr<ports::Stream> accepted) {
                stream = std::move(accepted);
                stream->start(
                    {[this](std::string_view bytes) { hear(bytes); }, [](std::optional<Error>) {}});
                stream->write(greeting);
            });
        REQUIRE(listening);
        listener_ = std::move(*listening);
    }

    Endpoint endpoint;
    std::vector<std::string> heard;
    std::unique_ptr<ports::Stream> stream;

private:
    void hear(std::string_view bytes) {
        text_ += bytes;
        for (std::size_t end = 0; (end = text_.find('\n')) != std::string::npos;) {
            const std::string line = text_.substr(0, end);
            text_.erase(0, end + 1);
            heard.push_back(line);
            const std::string id = line.substr(line.rfind("\"id\""));
            const std::string answer = line.find("qmp_capabilities") != std::string::npos
                                           ? "{\"return\":{},"
                                           : script_(line);
            if (stream && !answer.empty()) {
                stream->write(answer + id + "\r\n");
            }
        }
    }

    Script script_;
    std::string text_;
    std::unique_ptr<ports::Listener> listener_;
};

std::string answer_all(const std::string& line) {
    if (line.find("query-target") != std::string::npos) {
        return "{\"return\":{\"arch\":\"x86_64\"},";
    }
    if (line.find("query-qmp-schema") != std::string::npos) {
        return "{\"return\":" + tiny_schema + ",";
    }
    return "{\"return\":{\"ok\":true},";
}

Client::Handlers handlers(TestWorld& world, std::string& story) {
    return {
        [&story](const qmp::Greeting& greeted) { story += "ready " + greeted.version() + ";"; },
        [&story](const qmp::Event& event) { story += "event " + std::string(event.name()) + ";"; },
        [&story, &world](std::optional<Error> error) {
            story += "closed " + (error ? error->code : std::string("by us")) + ";";
            world.stop();
        }};
}

}  // namespace

TEST_CASE("monitor/client: connects, runs commands given early, and ends when it is closed") {
    TestWorld world;
    Monitor monitor{world, answer_all};
    std::string story;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    client.connect(monitor.endpoint, handlers(world, story));
    REQUIRE(client.run("stop", "", 5s, [&](Result<qmp::Reply> reply) {
        story += reply ? "replied;" : "failed;";
        client.close();
    }));
    CHECK(story.empty());
    world.run();
    CHECK(story == "ready 8.2.1;replied;closed by us;");
    CHECK(monitor.heard.size() == 2);
}

TEST_CASE("monitor/client: a socket that is not there is told once, with a hint") {
    TestWorld world;
    std::string story;
    std::optional<Error> told;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    client.connect(*Endpoint::parse(world.path("none")),
                   {[](const qmp::Greeting&) {}, [](const qmp::Event&) {},
                    [&](std::optional<Error> error) {
                        told = std::move(error);
                        world.stop();
                    }});
    REQUIRE(client.run("stop", "", std::nullopt,
                       [&](Result<qmp::Reply> reply) { story += reply.error().what; }));
    world.run();
    CHECK(story == "the connection ended before the command was sent");
    CHECK(told->code == "ENOENT");
    CHECK(told->what.find("is QEMU running") != std::string::npos);
}

TEST_CASE("monitor/client: a monitor that accepts and says nothing is given up by the deadline") {
    TestWorld world;
    std::vector<std::unique_ptr<ports::Stream>> silent;
    const Endpoint endpoint = *Endpoint::parse(world.path("qmp"));
    const auto listener = world.ports.transport.listen(
        endpoint,
        [&](std::unique_ptr<ports::Stream> accepted) { silent.push_back(std::move(accepted)); });
    std::string story;
    qmp::Limits limits;
    limits.greeting_within = 30ms;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp", limits};
    client.connect(endpoint, handlers(world, story));
    world.run();
    CHECK(story == "closed no-greeting;");
}

TEST_CASE("monitor/client: a deadline ends a command and leaves the connection usable") {
    TestWorld world;
    int asked = 0;
    Monitor monitor{world, [&](const std::string&) {
                        return ++asked == 1 ? std::string() : std::string("{\"return\":{},");
                    }};
    std::string story;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    client.connect(monitor.endpoint, handlers(world, story));
    (void)client.run("slow", "", 30ms, [&](Result<qmp::Reply> reply) {
        story += reply.error().code + ";";
        (void)client.run("fast", "", 5s, [&](Result<qmp::Reply> second) {
            story += second ? "replied;" : "failed;";
            client.close();
        });
    });
    world.run();
    CHECK(story == "ready 8.2.1;no-reply;replied;closed by us;");
}

TEST_CASE("monitor/client: each command in flight is told when QEMU goes away") {
    TestWorld world;
    Monitor monitor{world, [](const std::string&) { return std::string(); }};
    std::string story;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    client.connect(monitor.endpoint, handlers(world, story));
    for (int i = 0; i < 3; ++i) {
        (void)client.run("stop", "", std::nullopt,
                         [&](Result<qmp::Reply> reply) { story += reply.error().code + ";"; });
    }
    const auto hang_up = world.ports.clock.arm(30ms, [&] { monitor.stream.reset(); });
    world.run();
    CHECK(story ==
          "ready 8.2.1;connection-lost;connection-lost;connection-lost;"
          "closed connection-lost;");
}

TEST_CASE("monitor/client: it may be destroyed in its own callback") {
    TestWorld world;
    Monitor monitor{world, answer_all};
    auto client =
        std::make_unique<Client>(world.ports.clock, world.ports.transport, nullptr, "qmp");
    client->connect(monitor.endpoint,
                    {[&](const qmp::Greeting&) {
                         client.reset();
                         world.stop();
                     },
                     [](const qmp::Event&) {}, [](std::optional<Error>) { FAIL("it is gone"); }});
    (void)client->run("stop", "", 5s, [](Result<qmp::Reply>) { FAIL("it is gone"); });
    world.run();
    CHECK(client == nullptr);
}

TEST_CASE("monitor/recorder: the whole conversation is in the file, in its order") {
    TestWorld world;
    Monitor monitor{world, answer_all};
    auto recorder =
        monitor::Recorder::open(world.ports.files, world.ports.clock, world.path("r.zst"), "9.9");
    REQUIRE(recorder);
    std::string story;
    Client client{world.ports.clock, world.ports.transport, recorder->get(), "qmp:a"};
    client.connect(monitor.endpoint, handlers(world, story));
    (void)client.run("stop", "", 5s, [&](Result<qmp::Reply>) { client.close(); });
    world.run();
    CHECK((*recorder)->close());

    trace::Reader reader;
    std::vector<trace::Record> records;
    reader.receive(*world.ports.files.read(world.path("r.zst"), Bytes{1U << 20U}), records);
    reader.finish(records);
    CHECK_FALSE(reader.damage());
    CHECK(reader.header()->tool == "9.9");
    std::string directions;
    for (const trace::Record& record : records) {
        CHECK(record.port == "qmp:a");
        directions += std::string(name_of(record.direction)) + " ";
    }
    CHECK(directions == "open in out in out in eof ");
}

namespace {

/// Asks the cache through a fresh connection; returns "fresh", "known" or the error.
std::string find_schema(TestWorld& world, const Endpoint& endpoint, monitor::SchemaCache& cache,
                        monitor::SchemaCache::Want want) {
    std::string found;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    client.connect(
        endpoint,
        {[&](const qmp::Greeting&) {
             cache.find(client, want, [&](Result<monitor::FoundSchema> result) {
                 found = !result ? result.error().code : result->fresh ? "fresh" : "known";
                 CHECK((!result || result->schema->has_command("stop")));
                 world.stop();
             });
         },
         [](const qmp::Event&) {}, [](std::optional<Error>) {}});
    world.run();
    client.close();
    return found;
}

}  // namespace

TEST_CASE("monitor/schema_cache: asked once, remembered here and in the next process") {
    using Want = monitor::SchemaCache::Want;
    TestWorld world;
    Monitor monitor{world, answer_all};
    monitor::SchemaCache cache{world.ports.files, world.path("cache")};
    CHECK(find_schema(world, monitor.endpoint, cache, Want::any) == "fresh");
    CHECK(find_schema(world, monitor.endpoint, cache, Want::any) == "known");
    CHECK(find_schema(world, monitor.endpoint, cache, Want::fresh) == "fresh");
    monitor::SchemaCache next{world.ports.files, world.path("cache")};
    CHECK(find_schema(world, monitor.endpoint, next, Want::any) == "known");
    monitor::SchemaCache forgetful{world.ports.files, ""};
    CHECK(find_schema(world, monitor.endpoint, forgetful, Want::any) == "fresh");
}

TEST_CASE("monitor/schema_cache: a damaged or foreign file is not believed") {
    using Want = monitor::SchemaCache::Want;
    TestWorld world;
    Monitor monitor{world, answer_all};
    const std::string path = world.path("cache/qmp-schema-8.2.1-x86_64.json");
    for (const std::string& content :
         {std::string("rubbish"), std::string("{}"),
          R"({"key":"8.2.1 aarch64","types":)" + tiny_schema + "}",
          std::string(R"({"key":"8.2.1 x86_64","types":[{"name":"stop"}]})")}) {
        REQUIRE(world.ports.files.replace(path, content));
        monitor::SchemaCache cache{world.ports.files, world.path("cache")};
        CHECK(find_schema(world, monitor.endpoint, cache, Want::any) == "fresh");
        monitor::SchemaCache repaired{world.ports.files, world.path("cache")};
        CHECK(find_schema(world, monitor.endpoint, repaired, Want::any) == "known");
    }
}

TEST_CASE("monitor/schema_cache: an asker that is destroyed leaves nothing that others wait for") {
    TestWorld world;
    bool mute = true;
    Monitor monitor{world, [&](const std::string& line) {
                        const bool schema = line.find("schema") != std::string::npos;
                        return mute && schema ? std::string() : answer_all(line);
                    }};
    monitor::SchemaCache cache{world.ports.files, ""};
    auto first = std::make_unique<Client>(world.ports.clock, world.ports.transport, nullptr, "a");
    first->connect(monitor.endpoint,
                   {[&](const qmp::Greeting&) {
                        cache.find(*first, monitor::SchemaCache::Want::any,
                                   [](Result<monitor::FoundSchema>) { FAIL("it is gone"); });
                    },
                    [](const qmp::Event&) {}, [](std::optional<Error>) {}});
    const auto end = world.ports.clock.arm(50ms, [&] { world.stop(); });
    world.run();
    first.reset();
    mute = false;
    CHECK(find_schema(world, monitor.endpoint, cache, monitor::SchemaCache::Want::any) == "fresh");
}

namespace {

/// A TCP address of loopback where a connect neither succeeds nor fails: the queue of its listener,
/// which accepts nobody, is full.
class FullListener {
public:
    FullListener() {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(socket_, 0) == 0);
        REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        for (int& client : fillers_) {
            client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            (void)::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address);
        }
    }
    ~FullListener() {
        for (const int client : fillers_) {
            (void)::close(client);
        }
        (void)::close(socket_);
    }
    FullListener(const FullListener&) = delete;
    FullListener& operator=(const FullListener&) = delete;

    [[nodiscard]] Endpoint endpoint() const {
        return *Endpoint::parse("tcp:127.0.0.1:" + std::to_string(port_));
    }

private:
    int socket_ = -1;
    int port_ = 0;
    std::array<int, 3> fillers_{};
};

}  // namespace

TEST_CASE("monitor/client: a command given early keeps its deadline, and so does the connect") {
    TestWorld world;
    const FullListener full;
    qmp::Limits limits;
    limits.greeting_within = 120ms;
    std::string story;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp", limits};
    client.connect(full.endpoint(), handlers(world, story));
    REQUIRE(client.run("stop", "", 40ms,
                       [&](Result<qmp::Reply> reply) { story += reply.error().code + ";"; }));
    world.run();
    CHECK(story == "no-reply;closed no-connection;");
}

TEST_CASE("monitor/client: the greeting's time begins with the connection, not before") {
    TestWorld world;
    Monitor monitor{world, answer_all};
    std::string story;
    qmp::Limits limits;
    limits.greeting_within = 100ms;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp", limits};
    const auto later = world.ports.clock.arm(
        150ms, [&] { client.connect(monitor.endpoint, handlers(world, story)); });
    const auto end = world.ports.clock.arm(250ms, [&] { client.close(); });
    world.run();
    CHECK(story == "ready 8.2.1;closed by us;");
}

TEST_CASE("monitor/client: it may be closed before it was connected") {
    TestWorld world;
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    client.close();
    CHECK_FALSE(client.run("stop", "", std::nullopt, [](Result<qmp::Reply>) {}));
}
