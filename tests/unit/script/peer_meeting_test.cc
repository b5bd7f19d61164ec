// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/peer_meeting_test.cc: how two runs meet, and how others do not get between.
#include <catch2/catch.hpp>

#include "script/two_runs.hh"

using namespace ktm;
using ktm::testing::ends_well;
using ktm::testing::TwoRuns;
using ktm::testing::waits;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Words = std::vector<std::string>;

namespace {

constexpr const char* place = "tcp:192.0.2.2:4445";

}  // namespace

TEST_CASE("a run waits for the other node as long as it is told, and begins nothing") {
    script::PeerOptions options;
    options.wait = seconds{20};
    TwoRuns runs{waits, waits, "", {{}, {}, options, ""}};
    SECTION("the side that connects says why it could not") {
        runs.source->start();
        runs.play();
        CHECK(runs.source->end() == "aborted no-peer");
        CHECK(runs.source->outcome->ended.cause->sentence().find("ECONNREFUSED") !=
              std::string::npos);
        CHECK(runs.source->ended_at == seconds{20});
        CHECK(runs.source->waited == 20);
        CHECK(runs.source->states.empty());
    }
    SECTION("the side that listens") {
        runs.dest->start();
        runs.play();
        CHECK(runs.dest->end() == "aborted no-peer");
        CHECK(runs.dest->states.empty());
    }
    SECTION("until somebody interrupts it") {
        runs.dest->start();
        runs.after(seconds{1}, [&] { runs.dest->interrupt(); });
        runs.play();
        CHECK(runs.dest->end() == "aborted interrupted");
        CHECK(runs.dest->ended_at == seconds{1});
    }
    CHECK(runs.world.loop().close() == 0);
}

TEST_CASE("an address on which nobody can listen ends the run at once") {
    TwoRuns runs{waits, waits};
    const auto busy =
        runs.transport.listen(*Endpoint::parse(place), [](std::unique_ptr<ports::Stream>) {});
    REQUIRE(busy);
    runs.dest->start();
    CHECK(runs.dest->end() == "aborted EADDRINUSE");
}

TEST_CASE("vars that must agree and do not end both runs, with both values") {
    const std::string vars = R"(vm = var.string { "a", agree = true, doc = "d" },
        key = var.secret { optional = true, agree = true, doc = "d" },
        own = var.string { "x", doc = "d" })";
    SECTION("a value") {
        TwoRuns runs{waits, waits, vars, {{{"vm", "one"}}, {{"vm", "two"}}, {}, ""}};
        runs.source->start();
        runs.dest->start();
        runs.play();
        CHECK(runs.source->end() == "aborted peer-mismatch");
        CHECK(runs.dest->end() == "aborted peer-mismatch");
        CHECK(runs.source->outcome->ended.cause->what ==
              "the var vm is 'one' here and 'two' at the other node");
        CHECK(runs.dest->outcome->ended.cause->what ==
              "the var vm is 'two' here and 'one' at the other node");
        CHECK(runs.source->ended_at == Duration::zero());
        CHECK(runs.source->states.empty());
    }
    SECTION("a secret, which is not shown") {
        TwoRuns runs{
            waits, waits, vars, {{{"key", "very secret"}}, {{"key", "very Secret"}}, {}, ""}};
        runs.source->start();
        runs.dest->start();
        runs.play();
        CHECK(runs.source->end() == "aborted peer-mismatch");
        const std::string what = runs.source->outcome->ended.cause->what;
        CHECK(what.find("secret, mark") != std::string::npos);
        CHECK(what.find("very") == std::string::npos);
    }
    SECTION("others may differ, and what agrees is no mismatch") {
        TwoRuns runs{ends_well,
                     waits,
                     vars,
                     {{{"own", "x"}, {"key", "very secret"}},
                      {{"own", "y"}, {"key", "very secret"}},
                      {},
                      ""}};
        runs.source->start();
        runs.dest->start();
        runs.play_until(milliseconds{500});
        CHECK(runs.dest->states == Words{"wait"});
    }
}

TEST_CASE("a plan with another text at the other node ends both runs, with both digests") {
    TwoRuns runs{waits, waits, "", {{}, {}, {}, ends_well}};
    runs.source->start();
    runs.dest->start();
    runs.play();
    CHECK(runs.source->end() == "aborted peer-mismatch");
    CHECK(runs.dest->end() == "aborted peer-mismatch");
    CHECK(runs.source->outcome->ended.cause->what.find("the digest of the plan two is '") == 0);
}

TEST_CASE("strangers are refused, whenever they come, and the run goes on") {
    TwoRuns runs{waits, waits};
    std::vector<std::unique_ptr<ports::Stream>> callers;
    std::vector<std::unique_ptr<ports::Pending>> attempts;
    std::string answers;
    const auto call = [&](const std::string& line) {
        attempts.push_back(*runs.transport.connect(
            *Endpoint::parse(place), [&, line](Result<std::unique_ptr<ports::Stream>> stream) {
                REQUIRE(stream);
                callers.push_back(std::move(*stream));
                callers.back()->start({[&](std::string_view bytes) { answers += bytes; },
                                       [](std::optional<Error>) {}});
                callers.back()->write(line);
            }));
    };
    runs.dest->start();
    for (int i = 0; i < 20; ++i) {
        call(i % 2 == 0 ? "GET / HTTP/1.1\r\n" : "");
    }
    runs.play_until(seconds{6});
    CHECK(runs.dest->said("192.0.2.2 was refused: "));
    CHECK(runs.dest->said("no hello within 5 s"));
    runs.source->start();
    runs.play_until(seconds{7});
    CHECK(runs.dest->states == Words{"wait"});
    peer::Hello another;
    another.plan = "two";
    another.role = "source";
    another.run = "somebody else's";
    call(peer::encode_hello(another, "", {}));
    runs.play_until(seconds{8});
    CHECK(answers.find(R"({"refused":"this run is paired with run the run of source)") !=
          std::string::npos);
    CHECK(runs.dest->said("192.0.2.2 was refused: this run is paired with"));
    CHECK(!runs.dest->is_over());
    CHECK(!runs.source->is_over());
}

TEST_CASE("what the other node says before our VM has greeted waits for the beginning") {
    const std::string vars = R"(qmp = var.path { "/vm.qmp", role = "dest", doc = "d" })";
    TwoRuns runs{R"(
      state "say" { within = "1min", next = "done", enter = function()
        peer.send("first", 1)
        log.info("answer %s", peer.ask("second"))
      end })",
                 R"(
      state "hear" { within = "1min",
        on { "peer:first", run = function(m, event) log.info("first %d", event.data.value) end },
        on { "peer:second", go = "done", run = function() peer.reply("second", "yes") end } })",
                 vars};
    std::unique_ptr<ports::Stream> monitor;
    const auto listener = runs.transport.listen(
        *Endpoint::parse("unix:/vm.qmp"), [&](std::unique_ptr<ports::Stream> stream) {
            monitor = std::move(stream);
            monitor->start(
                {[&](std::string_view) { monitor->write("{\"return\":{},\"id\":1}\r\n"); },
                 [](std::optional<Error>) {}});
        });
    REQUIRE(listener);
    runs.source->start();
    runs.dest->start();
    runs.after(seconds{4}, [&] {
        monitor->write(R"({"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},)"
                       R"("package":"Debian"},"capabilities":["oob"]}})"
                       "\r\n");
    });
    runs.play();
    CHECK(runs.dest->said("first 1"));
    CHECK(runs.source->said("answer yes"));
    CHECK(runs.source->ended_at == seconds{4});
    CHECK(runs.dest->end() == "done");
}

TEST_CASE("two runs with one key meet and meet again, and who has another one does not") {
    SharedKey::Raw raw{};
    script::PeerOptions options;
    options.key = SharedKey{raw};
    raw.fill(1);
    script::PeerOptions others;
    others.key = SharedKey{raw};
    SECTION("also when the connection breaks") {
        TwoRuns runs{waits, waits, "", {{}, {}, options, ""}};
        runs.source->start();
        runs.dest->start();
        runs.after(seconds{1}, [&] { runs.transport.tear(); });
        runs.play_until(seconds{3});
        CHECK(runs.source->states == Words{"wait"});
        CHECK(runs.source->said("the other node is there again"));
        CHECK(runs.dest->said("the other node is there again"));
        CHECK_FALSE(runs.source->is_over());
    }
    SECTION("the side that connects with another key ends at once, the other waits on") {
        TwoRuns runs{waits, waits, "", {{}, {}, options, ""}};
        runs.source->start();
        std::unique_ptr<ports::Stream> caller;
        runs.dest->start();
        const auto attempt = runs.transport.connect(
            *Endpoint::parse(place), [&](Result<std::unique_ptr<ports::Stream>> stream) {
                REQUIRE(stream);
                caller = runs.world.ports().ciphers.secure(std::move(*stream), *others.key,
                                                           ports::Ciphers::End::connects);
                caller->start({[](std::string_view) {}, [](std::optional<Error>) {}});
            });
        REQUIRE(attempt);
        runs.play_until(seconds{1});
        CHECK(runs.dest->said("192.0.2.2 was refused: the other end has another key"));
        CHECK(runs.dest->states == Words{"wait"});
    }
    SECTION("a listener with another key") {
        TwoRuns runs{waits, waits, "", {{}, {}, options, ""}};
        std::unique_ptr<ports::Stream> answers;
        const auto listener = runs.transport.listen(
            *Endpoint::parse(place), [&](std::unique_ptr<ports::Stream> stream) {
                answers = runs.world.ports().ciphers.secure(std::move(stream), *others.key,
                                                            ports::Ciphers::End::listens);
                answers->start({[](std::string_view) {}, [](std::optional<Error>) {}});
            });
        REQUIRE(listener);
        runs.source->start();
        runs.play();
        CHECK(runs.source->end() == "aborted wrong-key");
        CHECK(runs.source->ended_at == Duration::zero());
        CHECK(runs.source->states.empty());
    }
    SECTION("a key at one node alone") {
        TwoRuns runs{waits, waits, "", {{}, {}, options, ""}};
        std::unique_ptr<ports::Stream> caller;
        runs.dest->start();
        const auto attempt = runs.transport.connect(
            *Endpoint::parse(place), [&](Result<std::unique_ptr<ports::Stream>> stream) {
                REQUIRE(stream);
                caller = std::move(*stream);
                caller->start({[](std::string_view) {}, [](std::optional<Error>) {}});
                caller->write("{\"katamaran\":1}\n");
            });
        REQUIRE(attempt);
        runs.play_until(seconds{1});
        CHECK(runs.dest->said("192.0.2.2 was refused: the other end does not speak TLS 1.3"));
        CHECK_FALSE(runs.dest->is_over());
    }
}

TEST_CASE("one that speaks TLS to a run without a key is told from other garbage") {
    TwoRuns runs{waits, waits};
    const auto says = [&](const std::string& bytes) {
        return [&, bytes](Result<std::unique_ptr<ports::Stream>> stream) {
            REQUIRE(stream);
            (*stream)->write(bytes);
        };
    };
    SECTION("to the side that listens") {
        runs.dest->start();
        const auto attempt = runs.transport.connect(*Endpoint::parse(place), says("\x16\x03\x01"));
        REQUIRE(attempt);
        runs.play_until(seconds{1});
        CHECK(runs.dest->said("was refused: it speaks TLS, and this run has no key"));
        CHECK_FALSE(runs.dest->is_over());
    }
    SECTION("to the side that connects") {
        const auto listener = runs.transport.listen(
            *Endpoint::parse(place),
            [](std::unique_ptr<ports::Stream> stream) { stream->write("\x15\x03\x03"); });
        REQUIRE(listener);
        runs.source->start();
        runs.play();
        CHECK(runs.source->end() == "aborted tls");
    }
}
