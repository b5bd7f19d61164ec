// SPDX-License-Identifier: Apache-2.0
// tests/unit/model/socket_test.cc: claims about the monitor of a modelled QEMU, and its judge.
#include "model/qemu_socket.hh"
#include "sim/virtual_transport.hh"
#include "unit/model/pair.hh"

using namespace ktm;
using namespace ktm::model;
using namespace ktm::model::testing;

namespace {

using Fate = QemuSocket::Fate;
using Of = QemuSocket::Kind;

const Endpoint here{UnixEndpoint{"/run/vm.qmp"}};

/// A client that keeps each line, without stamps: "return 1", "error 2 text", "event STOP".
class Client {
public:
    Client(sim::VirtualClock& clock, ports::Transport& transport) : clock_(clock) {
        Result<std::unique_ptr<ports::Pending>> pending =
            transport.connect(here, [this](Result<std::unique_ptr<ports::Stream>> stream) {
                REQUIRE(stream);
                stream_ = std::move(*stream);
                stream_->start({[this](std::string_view bytes) { receive(bytes); },
                                [this](std::optional<Error>) { lines.push_back("eof"); }});
            });
        REQUIRE(pending);
        pending_ = std::move(*pending);
        settle();
    }
    void write(std::string text) {
        stream_->write(std::move(text));
        settle();
    }
    void command(const std::string& name, const std::string& arguments = "") {
        write(R"({"execute":")" + name + R"(","id":)" + std::to_string(++last_id_) +
              (arguments.empty() ? "" : R"(,"arguments":)" + arguments) + "}\r\n");
    }
    void settle() {
        while (clock_.is_busy()) {
            (void)clock_.run_next();
        }
    }
    std::string take() { return joined(std::exchange(lines, {})); }

    std::vector<std::string> lines;

private:
    void receive(std::string_view bytes) {
        received_ += bytes;
        for (std::size_t end = received_.find("\r\n"); end != std::string::npos;
             end = received_.find("\r\n")) {
            const Result<json::Document> line = json::parse(received_.substr(0, end));
            REQUIRE(line);
            keep(line->root());
            received_.erase(0, end + 2);
        }
    }
    void keep(const json::View& line) {
        const auto id = line.find("id");
        const std::string number = id ? " " + json::compact(*id) : "";
        if (line.find("QMP")) {
            lines.push_back("greeting");
        } else if (const auto event = line.find_string("event")) {
            lines.push_back("event " + std::string(*event));
        } else if (const auto error = line.find("error")) {
            lines.push_back("error" + number + " " + std::string(*error->find_string("desc")));
        } else {
            lines.push_back("return" + number);
        }
    }

    sim::VirtualClock& clock_;
    std::unique_ptr<ports::Pending> pending_;
    std::unique_ptr<ports::Stream> stream_;
    std::string received_;
    int last_id_ = 0;
};

struct Stage {
    Pair pair;
    sim::VirtualTransport transport{pair.clock};
    std::unique_ptr<QemuSocket> socket;

    Stage() {
        auto opened = QemuSocket::open(pair.clock, transport, here, *pair.source.qemu);
        REQUIRE(opened);
        socket = std::move(*opened);
    }
    void judge(Of kind, std::string name, Fate fate, Duration delay = {}) {
        socket->judge_by([=](const QemuSocket::Message& message) {
            QemuSocket::Verdict verdict;
            if (message.kind == kind && message.name == name) {
                verdict.fate = fate;
                verdict.delay = delay;
            }
            return verdict;
        });
    }
};

}  // namespace

TEST_CASE(
    "model/socket: nothing but the negotiation is known before it, and it is not done twice") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    client.command("stop");
    client.command("qmp_capabilities");
    client.command("qmp_capabilities");
    client.command("stop");
    CHECK(client.take() ==
          "greeting, error 1 Expecting capabilities negotiation with 'qmp_capabilities', return 2, "
          "error 3 Capabilities negotiation is already complete, command ignored, event STOP, "
          "return 4");
}

TEST_CASE("model/socket: garbage is answered without an id, and the connection lives") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    client.command("qmp_capabilities");
    client.write("garbage\r\n{\"id\":7}\r\n");
    client.write(R"({"execute":"stop","extra":1})"
                 "\r\n");
    client.command("query-status");
    CHECK(client.take() ==
          "greeting, return 1, error JSON parse error, expecting value, error QMP input lacks "
          "member 'execute', error QMP input member 'extra' is unexpected, return 2");
}

TEST_CASE("model/socket: events come before the reply of the command that caused them") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    client.command("qmp_capabilities");
    client.command("migrate-set-capabilities",
                   R"({"capabilities":[{"capability":"events","state":true}]})");
    client.take();
    client.command("stop");
    client.command("cont");
    client.command("migrate", R"({"uri":"tcp:10.99.0.2:1"})");
    client.command("quit");
    stage.pair.run(10ms);
    CHECK(client.take() ==
          "event STOP, return 3, event RESUME, return 4, event MIGRATION, return 5, event "
          "SHUTDOWN, event MIGRATION, return 6, eof");
}

TEST_CASE("model/socket: a second client gets its greeting when the first has gone") {
    Stage stage;
    auto first = std::make_unique<Client>(stage.pair.clock, stage.transport);
    Client second{stage.pair.clock, stage.transport};
    CHECK(second.lines.empty());
    first->command("qmp_capabilities");
    first->command("stop");
    first.reset();
    second.settle();
    // What was told to the first is not told again.
    CHECK(second.take() == "greeting");
    second.command("qmp_capabilities");
    second.command("cont");
    CHECK(second.take() == "return 1, event RESUME, return 2");
}

TEST_CASE("model/socket: a command that was sent before the connection ended is executed") {
    Stage stage;
    auto client = std::make_unique<Client>(stage.pair.clock, stage.transport);
    client->command("qmp_capabilities");
    client->write(R"({"execute":"stop"})"
                  "\r\n");
    client.reset();
    stage.pair.run(1ms);
    CHECK(stage.pair.source.qemu->run_state() == RunState::paused);
}

TEST_CASE("model/socket: the end of the process is an end without SHUTDOWN") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    client.command("qmp_capabilities");
    stage.pair.source.qemu->kill();
    client.settle();
    CHECK(client.take() == "greeting, return 1, eof");
    CHECK(stage.pair.source.told.back() == "gone 137");
}

TEST_CASE("model/socket: a judge loses, doubles and refuses messages") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    client.command("qmp_capabilities");
    client.take();
    stage.judge(Of::event, "STOP", Fate::is_lost);
    client.command("stop");
    CHECK(client.take() == "return 2");
    stage.judge(Of::event, "RESUME", Fate::comes_twice);
    client.command("cont");
    CHECK(client.take() == "event RESUME, event RESUME, return 3");
    stage.judge(Of::reply, "stop", Fate::is_refused);
    client.command("stop");
    CHECK(client.take() == "event STOP, error 4 refused by the fault injector");
    stage.judge(Of::command, "cont", Fate::is_refused);
    client.command("cont");
    CHECK(client.take() == "error 5 refused by the fault injector");
    CHECK(stage.pair.source.qemu->run_state() == RunState::paused);
    stage.judge(Of::command, "cont", Fate::is_lost);
    client.command("cont");
    CHECK(client.take().empty());
    stage.judge(Of::command, "query-status", Fate::comes_twice);
    client.command("query-status");
    CHECK(client.take() == "return 7, return 7");
}

TEST_CASE("model/socket: a judge delays and reorders messages") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    client.command("qmp_capabilities");
    client.take();
    stage.judge(Of::event, "STOP", Fate::waits_for_next);
    client.command("stop");
    CHECK(client.take() == "return 2, event STOP");
    stage.judge(Of::reply, "cont", Fate::is_late, 5ms);
    client.command("cont");
    client.command("query-status");
    CHECK(client.take() == "event RESUME, return 4");
    stage.pair.run(5ms);
    CHECK(client.take() == "return 3");
    stage.judge(Of::command, "stop", Fate::is_late, 5ms);
    client.command("stop");
    client.command("query-status");
    CHECK(client.take().empty());
    stage.pair.run(5ms);
    CHECK(client.take() == "event STOP, return 5, return 6");
}

TEST_CASE("model/socket: a judge closes the connection in the place of a message") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    client.command("qmp_capabilities");
    client.take();
    stage.judge(Of::reply, "stop", Fate::ends_the_line);
    client.command("stop");
    stage.pair.run(1ms);
    CHECK(client.take() == "event STOP, eof");
    CHECK(stage.pair.source.qemu->run_state() == RunState::paused);
    Client next{stage.pair.clock, stage.transport};
    CHECK(next.take() == "greeting");
}

TEST_CASE("model/socket: each message has a number, also those that are lost") {
    Stage stage;
    Client client{stage.pair.clock, stage.transport};
    std::string seen;
    stage.socket->judge_by([&](const QemuSocket::Message& message) {
        constexpr std::string_view kinds = "cre";
        seen += std::to_string(message.number) + kinds[static_cast<std::size_t>(message.kind)];
        seen += " " + std::string(message.name) + ", ";
        return QemuSocket::Verdict{Fate::passes, {}, ""};
    });
    client.command("qmp_capabilities");
    client.command("stop");
    CHECK(seen == "1c qmp_capabilities, 2r qmp_capabilities, 3c stop, 4e STOP, 5r stop, ");
    CHECK(stage.socket->messages() == 5);
}

TEST_CASE("model/socket: while the main loop waits for the wire, commands do too") {
    Stage stage;
    Pair& pair = stage.pair;
    pair.prepare();
    pair.export_disk();
    Client client{pair.clock, stage.transport};
    client.command("qmp_capabilities");
    client.take();
    pair.wire.cut();
    client.command("blockdev-add",
                   R"({"driver":"nbd","node-name":"nbd0","export":"disk0",)"
                   R"("server":{"type":"inet","host":"10.99.0.2","port":"10809"}})");
    client.command("query-status");
    pair.run(60s);
    CHECK(client.take().empty());
    pair.wire.heal();
    pair.run(10ms);
    CHECK(client.take() == "return 2, return 3");
}
