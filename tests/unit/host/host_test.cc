// SPDX-License-Identifier: Apache-2.0
// tests/unit/host/host_test.cc: acquiring and giving back, on good days and on bad ones.
#include <algorithm>
#include <cerrno>

#include "unit/host/stage.hh"

using namespace ktm;
using namespace ktm::host;
using namespace ktm::host::testing;
using namespace std::chrono_literals;

namespace {

const Acquisition& named(const std::string& name) {
    return *std::find_if(acquisitions().begin(), acquisitions().end(),
                         [&](const Acquisition& one) { return one.name == name; });
}

std::string give_back(Stage& stage, AcquiredId id) {
    const auto done =
        await(stage, [&](Host::Given given) { stage.host->give_back(id, std::move(given)); });
    return !done ? "nothing" : *done ? "done" : done->error().sentence();
}

/// The error of an acquisition; "acquired" or "nothing" otherwise.
std::string outcome(const std::optional<Result<AcquiredId>>& answer) {
    return !answer ? "nothing" : *answer ? "acquired" : answer->error().sentence();
}

std::string code_of(int error) {
    return system_error(error, "").code;
}

bool is_change(const net::Request& request) {
    return request.index() < net::Request{net::FindLink{}}.index();
}

/// How many requests the acquisition takes.
std::uint64_t requests_of(const Acquisition& what) {
    Stage stage;
    stage.begin();
    REQUIRE(outcome(acquire(stage, what)) == "acquired");
    return stage.sim.networks().heard().size();
}

void check_untouched(Stage& stage, const std::string& before) {
    CHECK(parting(before, stage.dump()).empty());
    const Result<std::string> closed = stage.host->close();
    REQUIRE(closed);
    CHECK(closed->empty());
    CHECK(stage.journals().empty());
}

}  // namespace

TEST_CASE("host: whatever is acquired is there, written down, and gone when it is given back") {
    for (const Acquisition& what : acquisitions()) {
        INFO(what.name);
        Stage stage;
        const std::string before = stage.dump();
        stage.begin();
        CHECK(stage.host->journal_path().empty());
        const auto id = acquire(stage, what);
        REQUIRE(outcome(id) == "acquired");
        CHECK(stage.dump() != before);
        CHECK(stage.host->journal_path() == folder + "/00000000000000aa.journal");
        CHECK_FALSE(read_journal(stage.journal())->entries.empty());
        CHECK(give_back(stage, **id) == "done");
        CHECK(read_journal(stage.journal())->entries.empty());
        CHECK(give_back(stage, **id) == "done");
        check_untouched(stage, before);
    }
}

TEST_CASE("host: what changes nothing leaves no journal") {
    Stage stage;
    stage.begin();
    net::Wanted nothing;
    nothing.what = "nothing";
    nothing.steps = [](const net::Answers& answers) -> Result<net::Steps> {
        CHECK(answers.empty());
        return net::Steps{};
    };
    std::optional<Result<AcquiredId>> id;
    stage.host->acquire(stage.enter(""), UndoKind::hold, std::move(nothing),
                        [&](Result<AcquiredId> got) { id = std::move(got); });
    CHECK(outcome(id) == "acquired");
    CHECK(stage.journals().empty());
    CHECK(stage.host->close()->empty());
}

TEST_CASE("host: a request that is refused leaves everything as it was, and is the cause") {
    for (const Acquisition& what : acquisitions()) {
        const std::uint64_t count = requests_of(what);
        for (const int error : {EPERM, ENODEV, EEXIST, EBUSY, ENOBUFS}) {
            for (std::uint64_t nth = 1; nth <= count; ++nth) {
                for (const bool late : {false, true}) {
                    INFO(what.name << ": request " << nth << " gets " << code_of(error));
                    Stage stage;
                    const std::string before = stage.dump();
                    stage.begin();
                    stage.sim.networks().fail_nth(nth, error);
                    if (late) {
                        stage.sim.networks().answers_after(1ms);
                    }
                    const auto answer = acquire(stage, what);
                    const std::string said = outcome(answer);
                    if (said == "acquired") {
                        // What is asked may be absent, and not needed.
                        CHECK(error == ENODEV);
                        CHECK(give_back(stage, **answer) == "done");
                    } else {
                        CHECK(said.starts_with("could not get "));
                        const bool is_refusal = said.find(", because could not ") != said.npos &&
                                                said.find(code_of(error)) != said.npos;
                        CHECK((is_refusal || error == ENODEV));
                    }
                    CHECK(stage.sim.networks().faults_left() == 0);
                    check_untouched(stage, before);
                }
            }
        }
    }
}

TEST_CASE(
    "host: an answer that never comes is an error after 5 s, and what may be done is undone") {
    using Effect = sim::NetworkFault::Effect;
    for (const Acquisition& what : acquisitions()) {
        const std::uint64_t count = requests_of(what);
        for (const Effect effect : {Effect::lose_request, Effect::lose_answer}) {
            for (std::uint64_t nth = 1; nth <= count; ++nth) {
                INFO(what.name << ": request " << nth);
                Stage stage;
                const std::string before = stage.dump();
                stage.begin();
                stage.sim.networks().nth(nth, {.effect = effect});
                const Instant began = stage.world.clock.now();
                const auto answer = acquire(stage, what);
                REQUIRE(answer);
                REQUIRE_FALSE(*answer);
                CHECK(answer->error().kind == Kind::timeout);
                CHECK(answer->error().sentence().find("not known whether") != std::string::npos);
                CHECK(stage.world.clock.now() - began == answer_within);
                check_untouched(stage, before);
            }
        }
    }
}

TEST_CASE("host: an answer that comes too late is not heard") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    stage.sim.networks().next(is_change, {sim::NetworkFault::Effect::delay_answer, 0, 6s});
    const std::string said = outcome(acquire(stage, named("setting")));
    CHECK(said ==
          "could not get router advertisements: what had been changed was taken back (no-answer), "
          "because could not set ipv6/conf/br0/accept_ra to 0: the kernel has not answered within "
          "5 s; it is not known whether it was carried out (no-answer)");
    check_untouched(stage, before);
}

TEST_CASE("host: what cannot be written down is not done") {
    for (const Acquisition& what : acquisitions()) {
        for (const int error : {ENOSPC, EACCES}) {
            for (std::uint64_t nth = 1; nth <= 3; ++nth) {
                INFO(what.name << ": write " << nth);
                Stage stage;
                const std::string before = stage.dump();
                stage.begin();
                stage.sim.files().refuse_writes(nth, error);
                int changes = 0;
                stage.sim.networks().next(
                    [&](const net::Request& request) {
                        changes += is_change(request) ? 1 : 0;
                        return false;
                    },
                    {});
                const std::string said = outcome(acquire(stage, what));
                CHECK(said.find("cannot be written down, so nothing was changed") !=
                      std::string::npos);
                CHECK(said.find(code_of(error)) != std::string::npos);
                CHECK(parting(before, stage.dump()).empty());
                CHECK(changes == 0);
                stage.sim.files().take_writes();
                CHECK(outcome(acquire(stage, what)) == "acquired");
                REQUIRE(stage.host->close());
            }
        }
    }
}

TEST_CASE("host: a disk that is full when something is given back costs nothing") {
    for (const Acquisition& what : acquisitions()) {
        Stage stage;
        const std::string before = stage.dump();
        stage.begin();
        const auto id = acquire(stage, what);
        REQUIRE(outcome(id) == "acquired");
        stage.sim.files().refuse_writes(1, ENOSPC);
        CHECK(give_back(stage, **id) == "done");
        check_untouched(stage, before);
    }
}

TEST_CASE("host: what could not be taken back is said, stays in the journal, and is recovered") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    const auto is_neighbour = [](const net::Request& request) {
        return std::holds_alternative<net::DeleteNeighbour>(request);
    };
    stage.sim.networks().fail_next(
        [](const net::Request& request) {
            const auto* route = std::get_if<net::AddRoute>(&request);
            return route != nullptr && route->route.to.address().family() == Family::v6;
        },
        EPERM);
    stage.refuse(is_neighbour, EBUSY);
    const std::string said = outcome(acquire(stage, named("routes")));
    CHECK(
        said.starts_with("could not get the way of 10.1.2.3 and others to br0: not all that had "
                         "been changed could be taken back: "));
    CHECK(said.find("EBUSY") != std::string::npos);
    CHECK(said.find("stays in the journal " + stage.host->journal_path()) != std::string::npos);
    CHECK(said.find("(EPERM), because could not") != std::string::npos);
    CHECK(read_journal(stage.journal())->entries.size() == 1);
    CHECK(*stage.host->close() == stage.host->journal_path());
    stage.kill();
    const Recovering recovered = recover(stage);
    CHECK(**recovered.done == 0);
    CHECK(recovered.told.size() == 1);
    CHECK(parting(before, stage.dump()).empty());
    CHECK(stage.journals().empty());
}

TEST_CASE("host: giving back goes on behind what fails, and says what stays") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    const auto id = acquire(stage, named("routes"));
    REQUIRE(outcome(id) == "acquired");
    stage.refuse(
        [](const net::Request& request) {
            return std::holds_alternative<net::DeleteRoute>(request);
        },
        EPERM);
    const std::string said = give_back(stage, **id);
    CHECK(said.starts_with("could not give the way of 10.1.2.3 and others to br0 back: "));
    CHECK(said.find("stays in the journal") != std::string::npos);
    CHECK(read_journal(stage.journal())->entries.size() == 1);
    CHECK_FALSE(stage.host->close()->empty());
    stage.kill();
    CHECK(**recover(stage).done == 0);
    CHECK(parting(before, stage.dump()).empty());
}

TEST_CASE("host: what is gone already is given back all the same") {
    for (const Acquisition& what : acquisitions()) {
        INFO(what.name);
        Stage stage;
        stage.begin();
        const auto id = acquire(stage, what);
        REQUIRE(outcome(id) == "acquired");
        stage.sim.networks().kernel(what.place) = sim::VirtualKernel{};
        CHECK(give_back(stage, **id) == "done");
        CHECK(stage.host->close()->empty());
    }
}

TEST_CASE("host: a deletion that comes too late is a deletion") {
    for (const int error : {ENOENT, ESRCH, ENODEV, EADDRNOTAVAIL}) {
        Stage stage;
        stage.begin();
        const auto id = acquire(stage, named("tunnel"));
        REQUIRE(outcome(id) == "acquired");
        // Somebody is faster than we are, each time between our look and our deletion.
        for (int count = 0; count < 2; ++count) {
            stage.sim.networks().fail_next(
                [&stage](const net::Request& request) {
                    const auto* deletion = std::get_if<net::DeleteLink>(&request);
                    if (deletion == nullptr) {
                        return false;
                    }
                    (void)stage.sim.networks().kernel().apply(*deletion);
                    return true;
                },
                error);
        }
        CHECK(give_back(stage, **id) == "done");
        CHECK(stage.host->close()->empty());
    }
}

TEST_CASE("host: what the kernel calls gone, and has, is not undone") {
    Stage stage;
    stage.begin();
    const auto id = acquire(stage, named("tunnel"));
    REQUIRE(outcome(id) == "acquired");
    stage.refuse(
        [](const net::Request& request) {
            return std::holds_alternative<net::DeleteLink>(request);
        },
        ENODEV);
    CHECK(give_back(stage, **id).find("ENODEV") != std::string::npos);
    CHECK_FALSE(stage.host->close()->empty());
}

TEST_CASE("host: what is refused or not answered twice is given back the third time") {
    using Effect = sim::NetworkFault::Effect;
    for (const sim::NetworkFault& fault :
         {sim::NetworkFault{.error = ENOBUFS}, sim::NetworkFault{.error = EPERM},
          sim::NetworkFault{.effect = Effect::lose_request},
          sim::NetworkFault{.effect = Effect::lose_answer}}) {
        for (const Acquisition& what : acquisitions()) {
            INFO(what.name << ", error " << fault.error);
            Stage stage;
            const std::string before = stage.dump();
            stage.begin();
            const auto id = acquire(stage, what);
            REQUIRE(outcome(id) == "acquired");
            stage.sim.networks().nth(1, fault);
            stage.sim.networks().nth(2, fault);
            CHECK(give_back(stage, **id) == "done");
            CHECK(parting(before, stage.dump()).empty());
            CHECK(stage.host->close()->empty());
        }
    }
}

TEST_CASE("host: what is there of somebody else is not undone when ours is refused") {
    Stage stage;
    stage.begin();
    const net::Route route{
        *IpPrefix::parse("10.9.0.1/32"), "br0", std::nullopt, net::main_table, 0, std::nullopt};
    REQUIRE(stage.sim.networks().kernel(blue).apply(net::AddRoute{route}));
    const std::string before = stage.dump();
    net::Wanted wanted;
    wanted.what = "a route";
    wanted.steps = [route](const net::Answers&) -> Result<net::Steps> {
        net::Steps steps;
        steps.push_back({net::AddRoute{route}, net::UndoRoute{route}, false});
        return steps;
    };
    std::optional<Result<AcquiredId>> id;
    stage.host->acquire(stage.enter(blue), UndoKind::hold, std::move(wanted),
                        [&](Result<AcquiredId> got) { id = std::move(got); });
    CHECK(outcome(id).starts_with("could not get a route: nothing was changed (EEXIST), because"));
    check_untouched(stage, before);
}

TEST_CASE("host: steps that belong together go out in one message") {
    Stage stage;
    stage.begin();
    // An answer that is lost is lost for its whole message, and its first request is the cause.
    stage.sim.networks().next(
        [](const net::Request& request) { return std::holds_alternative<net::OpenPlug>(request); },
        {.effect = sim::NetworkFault::Effect::lose_answer});
    CHECK(outcome(acquire(stage, named("plug"))).find("pacer") != std::string::npos);
}

TEST_CASE("host: behind a step that failed nothing is done") {
    Stage stage;
    stage.begin();
    stage.sim.networks().fail_next(
        [](const net::Request& request) { return std::holds_alternative<net::AddTunnel>(request); },
        EPERM);
    CHECK(outcome(acquire(stage, named("tunnel"))).find("EPERM") != std::string::npos);
    // Three questions and that step.
    CHECK(stage.sim.networks().heard().size() == 4);
}

TEST_CASE("host: what an earlier undo takes back is taken back, though that step failed") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    // The plug stands alone when the pacer in front of it was refused; it has no undo of its own.
    net::Wanted wanted;
    wanted.what = "a plug";
    wanted.steps = [](const net::Answers&) -> Result<net::Steps> {
        net::Steps steps;
        steps.push_back({net::AddPacer{"tap0"}, net::UndoRootQdisc{"tap0", std::nullopt}, true});
        steps.push_back({net::AddPlug{"tap0", false, 1}, std::nullopt, false});
        return steps;
    };
    stage.sim.networks().fail_nth(1, ENOBUFS);
    std::optional<Result<AcquiredId>> id;
    stage.host->acquire(stage.enter(blue), UndoKind::hold, std::move(wanted),
                        [&](Result<AcquiredId> got) { id = std::move(got); });
    CHECK(outcome(id).find("taken back (ENOBUFS)") != std::string::npos);
    check_untouched(stage, before);
}

TEST_CASE("host: nobody is told anything when it is destroyed, wherever that happens") {
    for (const bool late : {false, true}) {
        for (int when = 0; when < 3; ++when) {
            Stage stage;
            stage.begin();
            if (late) {
                stage.sim.networks().answers_after(1ms);
            }
            Host& host = *stage.host;
            bool told = false;
            host.acquire(stage.enter(blue), UndoKind::hold, routes(host),
                         [&](Result<AcquiredId> id) {
                             told = true;
                             REQUIRE(id);
                             if (when == 0) {
                                 stage.host.reset();
                                 return;
                             }
                             host.give_back(*id, [&](Result<void> done) {
                                 CHECK(done);
                                 stage.host.reset();
                             });
                         });
            if (late && when == 2) {
                stage.host.reset();
            }
            stage.run();
            CHECK(told == !(late && when == 2));
            CHECK(stage.host == nullptr);
        }
    }
}

TEST_CASE("host: it may be destroyed in the answer of what failed") {
    for (const bool late : {false, true}) {
        Stage stage;
        stage.begin();
        if (late) {
            stage.sim.networks().answers_after(1ms);
        }
        stage.sim.networks().fail_next(
            [](const net::Request& request) {
                return std::holds_alternative<net::AddRoute>(request);
            },
            EPERM);
        const std::string before = stage.dump();
        stage.host->acquire(stage.enter(blue), UndoKind::hold, routes(*stage.host),
                            [&](Result<AcquiredId> id) {
                                CHECK_FALSE(id);
                                stage.host.reset();
                            });
        stage.run();
        CHECK(stage.host == nullptr);
        CHECK(parting(before, stage.dump()).empty());
    }
}

TEST_CASE("host: what is prepared changes nothing until it is acted upon, as often as wanted") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    const auto id = prepare(stage, named("routes"));
    REQUIRE(outcome(id) == "acquired");
    CHECK(parting(before, stage.dump()).empty());
    CHECK(read_journal(stage.journal())->entries.size() == 4);
    const auto act = [&](Host::Given done) { stage.host->act(**id, std::move(done)); };
    const auto take_back = [&](Host::Given done) { stage.host->take_back(**id, std::move(done)); };
    for (int turn = 0; turn < 3; ++turn) {
        CHECK(await(stage, act)->has_value());
        const std::string acted = stage.dump();
        CHECK(acted != before);
        // What is done already is not done again, and keeps its undo.
        CHECK(await(stage, act)->has_value());
        CHECK(parting(acted, stage.dump()).empty());
        CHECK(await(stage, take_back)->has_value());
        CHECK(parting(before, stage.dump()).empty());
        CHECK(read_journal(stage.journal())->entries.size() == 4);
    }
    stage.sim.networks().fail_next(
        [](const net::Request& request) { return std::holds_alternative<net::AddRoute>(request); },
        EPERM);
    const auto refused = await(stage, act);
    CHECK(refused->error().code == "EPERM");
    CHECK(parting(before, stage.dump()).empty());
    CHECK(read_journal(stage.journal())->entries.size() == 4);
    CHECK(await(stage, act)->has_value());
    CHECK(give_back(stage, **id) == "done");
    CHECK(await(stage, act)->error().code == "given-back");
    CHECK(await(stage, take_back)->has_value());
    check_untouched(stage, before);
}

TEST_CASE("host: what is given back while it is made is not made") {
    for (const bool forget : {true, false}) {
        Stage stage;
        const std::string before = stage.dump();
        stage.begin();
        const auto id = prepare(stage, named("tunnel"));
        REQUIRE(outcome(id) == "acquired");
        stage.sim.networks().answers_after(1ms);
        std::string acted;
        std::string given;
        stage.host->act(**id,
                        [&](Result<void> done) { acted = done ? "done" : done.error().code; });
        const auto note = [&](Result<void> done) { given = done ? "done" : done.error().code; };
        if (forget) {
            stage.host->give_back(**id, note);
        } else {
            stage.host->take_back(**id, note);
        }
        stage.run();
        CHECK(acted == "given-back");
        CHECK(given == "done");
        CHECK(parting(before, stage.dump()).empty());
    }
}

TEST_CASE("host: an act that was overtaken does not undo the next one") {
    Stage stage;
    stage.begin();
    const auto id = prepare(stage, named("tunnel"));
    REQUIRE(outcome(id) == "acquired");
    std::string first;
    std::string second;
    stage.sim.networks().next(is_change, {sim::NetworkFault::Effect::delay_answer, 0, 2s});
    stage.host->act(**id, [&](Result<void> done) { first = done ? "done" : done.error().code; });
    stage.host->take_back(**id, [](Result<void> done) { CHECK(done); });
    stage.host->act(**id, [&](Result<void> done) { second = done ? "done" : done.error().code; });
    const std::string made = stage.dump();
    stage.run();
    CHECK(first == "given-back");
    CHECK(second == "done");
    CHECK(parting(made, stage.dump()).empty());
}

TEST_CASE("host: behind the commit undos are void, and holds are not") {
    Stage stage;
    stage.begin();
    const auto undo = acquire(stage, named("routes"), UndoKind::undo);
    REQUIRE(outcome(undo) == "acquired");
    const std::string with_routes = stage.dump();
    const auto hold = acquire(stage, named("plug"));
    REQUIRE(stage.host->commit());
    REQUIRE(stage.host->commit());
    const auto waking = stage.host->will_undo(GuestUndo{"wake", "/run/vm.qmp"});
    CHECK((waking && !*waking));
    const auto late = acquire(stage, named("setting"), UndoKind::undo);
    REQUIRE(outcome(late) == "acquired");
    CHECK(give_back(stage, **late) == "done");
    CHECK(give_back(stage, **undo) == "done");
    CHECK(give_back(stage, **hold) == "done");
    CHECK(stage.sim.networks().kernel(blue).state().settings.at("ipv6/conf/br0/accept_ra") == "0");
    stage.sim.networks().kernel(blue).set("ipv6/conf/br0/accept_ra", "1");
    check_untouched(stage, with_routes);
}

TEST_CASE("host: a commit that cannot be written down is none") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    const auto undo = acquire(stage, named("routes"), UndoKind::undo);
    stage.sim.files().refuse_writes(1, ENOSPC);
    const Result<void> committed = stage.host->commit();
    REQUIRE_FALSE(committed);
    CHECK(committed.error().sentence().starts_with("could not commit: it cannot be written down"));
    stage.sim.files().take_writes();
    CHECK(give_back(stage, **undo) == "done");
    check_untouched(stage, before);
}

TEST_CASE("host: a journal that is begun behind the commit says so") {
    Stage stage;
    stage.begin();
    REQUIRE(stage.host->commit());
    REQUIRE(outcome(acquire(stage, named("plug"))) == "acquired");
    CHECK(read_journal(stage.journal())->committed);
}

TEST_CASE("host: two runs of one name have two journals") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    REQUIRE(outcome(acquire(stage, named("ring"))) == "acquired");
    const std::unique_ptr<Host> first = std::move(stage.host);
    stage.begin();
    REQUIRE(outcome(acquire(stage, named("setting"))) == "acquired");
    CHECK(stage.journals() ==
          std::vector<std::string>{"00000000000000aa.2.journal", "00000000000000aa.journal"});
    CHECK(stage.host->journal_path() == folder + "/00000000000000aa.2.journal");
}

TEST_CASE("host: a namespace is entered once, and one that is not there is an error") {
    Stage stage;
    stage.begin();
    CHECK(&stage.enter(blue) == &stage.enter(blue));
    CHECK(stage.enter(blue).identity() == stage.sim.networks().identity(blue));
    CHECK(stage.host->enter("red").error().code == "ENOENT");
    CHECK(stage.host->next_link_name() != stage.host->next_link_name());
    CHECK(stage.host->tag() == tag_of(header_of()));
}
