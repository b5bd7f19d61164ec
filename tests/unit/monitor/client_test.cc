// SPDX-License-Identifier: Apache-2.0
// tests/unit/monitor/client_test.cc: a client against a scripted monitor on a real loop.
#include "monitor/client.hh"

#include <fstream>
#include <sstream>

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

TEST_CASE("monitor/schema_cache: two who want it at once ask QEMU once") {
    TestWorld world;
    Monitor monitor{world, answer_all};
    monitor::SchemaCache cache{world.ports.files, ""};
    Client client{world.ports.clock, world.ports.transport, nullptr, "qmp"};
    int found = 0;
    client.connect(monitor.endpoint,
                   {[&](const qmp::Greeting&) {
                        for (int i = 0; i < 2; ++i) {
                            cache.find(client, monitor::SchemaCache::Want::any,
                                       [&](Result<monitor::FoundSchema> result) {
                                           CHECK(result);
                                           if (++found == 2) {
                                               client.close();
                                           }
                                       });
                        }
                    },
                    [](const qmp::Event&) {}, [&](std::optional<Error>) { world.stop(); }});
    world.run();
    CHECK(found == 2);
    const auto asked = std::count_if(
        monitor.heard.begin(), monitor.heard.end(),
        [](const std::string& line) { return line.find("schema") != std::string::npos; });
    CHECK(asked == 1);
}
