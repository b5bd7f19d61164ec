// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/recalled_exchanges_test.cc: a kernel, programs and files, recorded and recalled.
#include "json/parser.hh"
#include "json/writer.hh"
#include "monitor/recorded_world.hh"
#include "net/exchange_json.hh"
#include "sim/recalled_networks.hh"
#include "sim/recalled_ports.hh"
#include "sim/scenario_records.hh"
#include "trace/exchange.hh"
#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::RecalledExchanges;
using sim::testing::TestWorld;

namespace {

const std::string file = "/run.jsonl";

/// Records by hand: "do NAME on LINK" and its answer.
struct Written {
    void ask(const std::string& request, const std::string& place = "") {
        add(trace::Direction::out,
            trace::request_message(++id, place, request, "words " + request));
    }
    void answer(const std::string& text = "{}") {
        add(trace::Direction::in, trace::answer_message(id, text));
    }
    void refuse(int error) {
        add(trace::Direction::in, trace::error_message(id, system_error(error, "do it")));
    }
    void add(trace::Direction direction, const std::string& message) {
        time += 1ms;
        records.push_back({time, "net", direction, std::move(*json::parse(message)), "", ++line});
    }
    RecalledExchanges exchanges() { return {std::move(records), time}; }

    std::vector<trace::Record> records;
    std::uint64_t id = 0;
    Duration time{};
    std::size_t line = 0;
};

const std::string route_in = net::to_json(net::AddRoute{{*IpPrefix::parse("10.1.2.3/32"), "ktm0"}});
const std::string route_out =
    net::to_json(net::DeleteRoute{{*IpPrefix::parse("10.1.2.3/32"), "ktm0"}});
const std::string routes = net::to_json(net::FindRoutes{*IpPrefix::parse("10.1.2.3/32")});
const std::string ring = net::to_json(net::SetQueueLength{"tap0", 5000});
const std::string look = net::to_json(net::FindLink{"tap0"});
const std::string all = net::to_json(net::ListLinks{});

std::string code_of(const Result<RecalledExchanges::Answer>& answer) {
    return answer ? std::string{} : answer.error().code;
}

bool says(const Result<RecalledExchanges::Answer>& answer, const std::string& part) {
    return !answer && answer.error().what.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("sim/exchanges: requests that have nothing to do with each other may change places") {
    Written written;
    for (const std::string& request : {routes, look, route_in, ring, look}) {
        written.ask(request);
        written.answer();
    }
    RecalledExchanges exchanges = written.exchanges();
    for (const std::string& request : {look, ring, routes, look, route_in}) {
        CHECK(code_of(exchanges.answer("", request, "")) == "");
    }
    CHECK_FALSE(exchanges.untold());
}

TEST_CASE("sim/exchanges: a question behind a change that was not made has no honest answer") {
    Written written;
    for (const std::string& request : {look, ring, all}) {
        written.ask(request);
        written.answer();
    }
    RecalledExchanges exchanges = written.exchanges();
    CHECK(says(exchanges.answer("", all, "list"), "behind 'words " + ring +
                                                      "' (line 3), which has "
                                                      "not been done"));
    CHECK(exchanges.untold() == "'words " + ring + "' (line 3)");
    CHECK(exchanges.answer("", ring, "").has_value());
    CHECK(exchanges.answer("", all, "").has_value());
    CHECK(exchanges.answer("", all, "").has_value());
    CHECK(says(exchanges.answer("", look, ""), "before 'words "));
}

TEST_CASE(
    "sim/exchanges: a change is made as often as it was, and one that failed changed nothing") {
    Written written;
    written.ask(look);
    written.answer();
    written.ask(ring);
    written.refuse(EPERM);
    written.ask(ring);
    written.answer();
    RecalledExchanges exchanges = written.exchanges();
    CHECK(exchanges.answer("", ring, "")->message->root().find("error"));
    CHECK(exchanges.answer("", look, "").has_value());
    CHECK(exchanges.answer("", ring, "")->message->root().find("answer"));
    CHECK(says(exchanges.answer("", ring, ""), "as often already"));
}

TEST_CASE("sim/exchanges: what was asked otherwise, elsewhere or never is said to be so") {
    Written written;
    written.ask(ring, "blue");
    written.answer();
    RecalledExchanges exchanges = written.exchanges();
    CHECK(says(exchanges.answer("", ring, "grow"), "elsewhere (line 1): in blue"));
    CHECK(says(exchanges.answer("blue", net::to_json(net::SetQueueLength{"tap0", 1}), ""),
               "at packets: expected 5000, got 1"));
    CHECK(says(exchanges.answer("blue", look, ""), "does not have it"));
    CHECK(says(Written{}.exchanges().answer("", look, ""), "nothing of the kind"));
    CHECK(exchanges.answer("blue", ring, "")->after == 1ms);
}

TEST_CASE("sim/exchanges: an answer that never came is a silence until the recording ends") {
    Written written;
    written.ask(ring);
    written.ask(look);
    written.answer();
    RecalledExchanges exchanges = written.exchanges();
    const auto answer = exchanges.answer("", ring, "");
    REQUIRE(answer.has_value());
    CHECK(answer->message == nullptr);
    CHECK(answer->silent_for == 2ms);
}

namespace {

void put(TestWorld& test, const std::string& path, const std::string& content) {
    REQUIRE(test.ports.files.replace(path, content).has_value());
}

/// What somebody does with ports, told as text.
struct Doing {
    explicit Doing(const ports::World& of) : world(of) {}

    void all() {
        auto network = world.networks.open("");
        told += (*network)->identity() + "\n";
        auto watch = (*network)->watch(
            {[this](const net::Change& change) { told += "heard " + net::to_json(change) + "\n"; },
             [this] { told += "overrun\n"; },
             [this](const Error& error) { told += "end " + error.sentence() + "\n"; }});
        auto guard = (*network)->guard({net::OpenPlug{"tap0", false}});
        send(**network, {net::FindLink{"tap0"}, net::AddPlug{"tap0", false, 999},
                         net::OpenPlug{"tap0", false}});
        send(**network, {net::SetQueueLength{"none", 4}, net::SetQueueLength{"tap0", 77}});
        told += (*guard)->arm(5s).has_value() ? "armed\n" : "not armed\n";
        told += (*guard)->disarm() ? "in time\n" : "late\n";
        send(**network, {net::ListQdiscs{"tap0"}, net::ListLinks{}});
        told += (*network)->send_frame("none", "frame").has_value() ? "sent\n" : "not sent\n";
        told += world.networks.open("nowhere").has_value() ? "there\n" : "not there\n";
        auto program = world.processes.start({{"say", "it"}}, [this](const ports::Ending& ending) {
            told +=
                "exit " + std::to_string(ending.exit_code) + " " + ending.out + ending.err + "\n";
        });
        told +=
            world.processes.start({{"no"}}, [](const ports::Ending&) {}).has_value() ? "" : "no\n";
        told += *world.files.read("/sys/a", Bytes{99}) + "\n";
        told += world.files.read("/sys/b", Bytes{99}).error().code + "\n";
        told += world.files.list("/sys")->front() + "\n";
        auto stopping = world.clock.arm(1s, [this] { world.loop.stop(); });
        world.loop.run();
    }

    void send(ports::Network& network, net::Requests requests) {
        network.send(std::move(requests), [this](const ports::Network::Outcome& outcome) {
            for (const Result<net::Answer>& one : outcome) {
                told += (one ? net::to_json(*one) : one.error().sentence()) + "\n";
            }
        });
        // Perhaps it is answered later.
        auto stopping = world.clock.arm(10ms, [this] { world.loop.stop(); });
        world.loop.run();
    }

    const ports::World& world;
    std::string told;
};

}  // namespace

TEST_CASE(
    "sim/exchanges: what was recorded of a world is what is recalled to whoever does the same") {
    TestWorld test;
    test.sim.networks().kernel().add_tap("tap0");
    test.sim.processes().install("say it", {3, "out", "err", 20ms});
    put(test, "/sys/a", "one");
    std::string told;
    {
        auto recorder = monitor::Recorder::open(test.ports.files, test.ports.clock, file, "0");
        REQUIRE(recorder.has_value());
        monitor::RecordedWorld recorded{test.ports, **recorder};
        const ports::World world = recorded.ports();
        Doing doing{world};
        doing.all();
        REQUIRE((*recorder)->close().has_value());
        told = doing.told;
    }
    CAPTURE(told);
    CHECK(told.find("heard {\"of\":\"link\"") != std::string::npos);
    CHECK(told.find("(ENODEV)") != std::string::npos);
    CHECK(told.find("exit 3 outerr") != std::string::npos);

    Result<sim::Recording> recording = sim::read_recording(test.ports.files, file);
    REQUIRE(recording.has_value());
    CHECK_FALSE(recording->damage);
    TestWorld other;
    std::string unknown;
    const auto note = [&](const Error& error) { unknown += error.sentence() + "\n"; };
    const auto exchanges = [&](std::string_view port) {
        return RecalledExchanges{std::move(recording->exchanges[std::string{port}]),
                                 recording->end};
    };
    {
        sim::RecalledNetworks networks{other.sim.virtual_clock(), exchanges(trace::net_port), note};
        sim::RecalledProcesses processes{other.sim.virtual_clock(), exchanges(trace::exec_port),
                                         note};
        sim::RecalledFiles files{exchanges(trace::files_port), note};
        const ports::World world{
            other.ports.loop,    other.ports.clock, other.ports.transport, processes, files,
            other.ports.signals, networks,          other.ports.ciphers};
        Doing doing{world};
        doing.all();
        CHECK(doing.told == told);
        CHECK_FALSE(networks.exchanges().untold());
        CHECK(unknown.empty());
        CHECK_FALSE(processes.start({{"say", "it"}}, [](const ports::Ending&) {}).has_value());
        CHECK(unknown.find("run say it") != std::string::npos);
    }
}

TEST_CASE("sim/exchanges: a recording that was cut off is read up to the cut, and says so") {
    TestWorld test;
    put(test, file,
        "{\"magic\":\"katamaran-trace\",\"version\":1}\n"
        "{\"t\":1,\"port\":\"qmp\",\"dir\":\"out\",\"msg\":{\"execute\":\"stop\"}}\n"
        "{\"t\":5,\"port\":\"signal\",\"dir\":\"in\",\"text\":\"INT\"}\n"
        "{\"t\":7,\"po");
    const Result<sim::Recording> cut = sim::read_recording(test.ports.files, file);
    REQUIRE(cut.has_value());
    REQUIRE(cut->damage);
    CHECK(cut->damage->what.find("line 4") != std::string::npos);
    REQUIRE(cut->conversations.size() == 2);
    CHECK(cut->conversations.back()->turn == sim::Turn::signal);
    CHECK(cut->conversations.back()->port == "qmp");
    CHECK(cut->conversations.back()->at == 5ns);
    put(test, file, "nothing of the kind");
    CHECK_FALSE(sim::read_recording(test.ports.files, file).has_value());
}
