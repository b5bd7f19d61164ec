// SPDX-License-Identifier: Apache-2.0
// tests/unit/host/recovery_test.cc: what killed runs left, found with a journal and without one.
#include <algorithm>
#include <cerrno>

#include "unit/host/stage.hh"

using namespace ktm;
using namespace ktm::host;
using namespace ktm::host::testing;
using namespace std::chrono_literals;

namespace {

const std::string aa_journal = folder + "/00000000000000aa.journal";

/// A run that got these and was killed.
std::string leave(Stage& stage, const std::vector<std::string>& names) {
    const std::string before = stage.dump();
    stage.begin();
    for (const std::string& name : names) {
        const auto what = std::find_if(acquisitions().begin(), acquisitions().end(),
                                       [&](const Acquisition& one) { return one.name == name; });
        const auto id = acquire(stage, *what);
        REQUIRE(id);
        REQUIRE(*id);
    }
    stage.kill();
    CHECK(stage.dump() != before);
    return before;
}

int failed(const Recovering& recovering) {
    REQUIRE(recovering.done);
    REQUIRE(*recovering.done);
    return **recovering.done;
}

}  // namespace

TEST_CASE("host/recovery: entries are undone newest first, and each is told") {
    Stage stage;
    const std::string before = leave(stage, {"ring", "plug", "setting"});
    const Recovering recovering = recover(stage);
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told ==
          std::vector<std::string>{"undone: set ipv6/conf/br0/accept_ra back to 1",
                                   "undone: take the hold off tap0",
                                   "undone: put the queue length of tap0 back to 1000"});
    CHECK(stage.dump() == before);
    CHECK(stage.journals().empty());
    CHECK(recover(stage).told.empty());
}

TEST_CASE("host/recovery: where there are no journals nothing is done") {
    Stage stage;
    const Recovering recovering = recover(stage);
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told.empty());
    CHECK(find_journals(stage.world.files, "/nowhere")->empty());
}

TEST_CASE("host/recovery: a journal whose owner lives is left alone, and so is what it made") {
    Stage stage;
    stage.begin();
    for (const Acquisition& what : acquisitions()) {
        if (what.name != "bare plug") {
            REQUIRE(acquire(stage, what)->has_value());
        }
    }
    const std::string made = stage.dump();
    const Recovering recovering = recover(stage, {"", blue});
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told.empty());
    CHECK(stage.dump() == made);
    CHECK(stage.journals().size() == 1);
    CHECK(find_journals(stage.world.files, folder)->front().alive);
}

TEST_CASE("host/recovery: a dry one says what it would do, and does nothing") {
    for (const bool lost : {false, true}) {
        Stage stage;
        (void)leave(stage, {"tunnel", "routes", "plug", "redirect"});
        if (lost) {
            auto taken = stage.world.files.take_over(aa_journal);
            REQUIRE((*taken)->remove());
        }
        const std::string left = stage.dump();
        const std::string journal = stage.journal();
        const Recovering dry = recover(stage, {"", blue}, true);
        CHECK(failed(dry) == 0);
        CHECK(stage.dump() == left);
        CHECK(stage.journal() == journal);
        const Recovering wet = recover(stage, {"", blue});
        CHECK(wet.told == dry.told);
        CHECK(dry.told.size() > 5);
    }
}

TEST_CASE("host/recovery: a journal of an earlier boot is only removed") {
    Stage stage;
    (void)leave(stage, {"plug"});
    const std::string left = stage.dump();
    const Recovering dry = recover(stage, {}, true, "boot-2");
    CHECK(stage.journals().size() == 1);
    const Recovering recovering = recover(stage, {}, false, "boot-2");
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told == dry.told);
    CHECK(recovering.told ==
          std::vector<std::string>{"nothing left: remove the journal " + aa_journal +
                                   " (it is of an earlier boot, of which nothing is left)"});
    CHECK(stage.dump() == left);
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: a namespace that is gone took everything with it") {
    Stage stage;
    (void)leave(stage, {"plug", "tunnel"});
    stage.sim.networks().remove(blue);
    const Recovering recovering = recover(stage);
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told.back() == "namespace gone: take the hold off tap0");
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: a path that leads to another namespace now is not believed") {
    Stage stage;
    (void)leave(stage, {"setting"});
    stage.sim.networks().add(blue).set("ipv6/conf/br0/accept_ra", "0");
    const std::string now = stage.dump();
    const Recovering recovering = recover(stage);
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told.front().starts_with("namespace gone: "));
    CHECK(stage.dump() == now);
}

TEST_CASE("host/recovery: a namespace that has another path now is found there") {
    for (const bool replaced : {false, true}) {
        Stage stage;
        (void)leave(stage, {"setting"});
        stage.sim.networks().also(blue, "green");
        stage.sim.networks().remove(blue);
        if (replaced) {
            (void)stage.sim.networks().add(blue);
        }
        const Recovering recovering = recover(stage, {"red", "green"});
        CHECK(failed(recovering) == 0);
        CHECK(recovering.told.front().starts_with("undone: "));
        CHECK(stage.sim.networks().kernel("green").state().settings.at("ipv6/conf/br0/accept_ra") ==
              "1");
    }
}

TEST_CASE("host/recovery: a namespace that may not be entered is a failure, and its entry stays") {
    Stage stage;
    const std::string before = leave(stage, {"setting", "tunnel"});
    stage.sim.networks().refuse_place(blue, EACCES);
    const Recovering recovering = recover(stage, {blue});
    CHECK(failed(recovering) == 2);
    CHECK(recovering.told.back().find("EACCES") != std::string::npos);
    CHECK(read_journal(stage.journal())->entries.size() == 1);
    stage.sim.networks().refuse_place(blue, 0);
    CHECK(failed(recover(stage)) == 0);
    CHECK(stage.dump() == before);
}

TEST_CASE("host/recovery: what fails does not stop the others, is counted, and is tried again") {
    Stage stage;
    const std::string before = leave(stage, {"ring", "plug", "setting"});
    stage.refuse(
        [](const net::Request& request) {
            return std::holds_alternative<net::DeleteRootQdisc>(request);
        },
        EPERM);
    const Recovering recovering = recover(stage, {blue});
    CHECK(failed(recovering) == 1);
    REQUIRE(recovering.told.size() == 3);
    CHECK(recovering.told[1].starts_with("failed: take the hold off tap0 (could not "));
    CHECK(read_journal(stage.journal())->entries.size() == 1);
    const Recovering again = recover(stage, {blue});
    CHECK(failed(again) == 0);
    CHECK(again.told.size() == 1);
    CHECK(stage.dump() == before);
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: a journal that cannot be read is told, and stays") {
    Stage stage;
    REQUIRE(stage.world.files.replace(aa_journal, "rubbish\n"));
    REQUIRE(stage.world.files.replace(folder + "/notes.txt", "rubbish\n"));
    const Recovering recovering = recover(stage);
    CHECK(failed(recovering) == 1);
    REQUIRE(recovering.told.size() == 1);
    CHECK(recovering.told.front().starts_with("failed: recover the journal " + aa_journal +
                                              " (could not read a journal: line 1: "));
    CHECK(stage.journals().size() == 2);
}

TEST_CASE("host/recovery: a journal that was not even begun is removed") {
    for (const std::string& text : {std::string{}, std::string{"{\"katamaran\":\"0."}}) {
        Stage stage;
        REQUIRE(stage.world.files.replace(aa_journal, text));
        CHECK(failed(recover(stage)) == 0);
        CHECK(stage.journals().empty());
    }
}

TEST_CASE("host/recovery: undos of a run that has committed are skipped, and stay where they are") {
    Stage stage;
    stage.begin();
    REQUIRE(acquire(stage, acquisitions()[1], UndoKind::undo)->has_value());
    const std::string with_routes = stage.dump();
    REQUIRE(acquire(stage, acquisitions()[3], UndoKind::hold)->has_value());
    REQUIRE(stage.host->commit());
    stage.kill();
    const Recovering recovering = recover(stage, {blue});
    CHECK(failed(recovering) == 0);
    CHECK(std::count_if(recovering.told.begin(), recovering.told.end(), [](const std::string& one) {
              return one.starts_with("skipped: ") && one.ends_with(" (its run has committed)");
          }) == 4);
    CHECK(recovering.told.size() == 5);
    CHECK(stage.dump() == with_routes);
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: without a journal, what bears our marks is found and removed") {
    Stage stage;
    const std::string own = stage.sim.networks().kernel().dump();
    const std::string guest = stage.sim.networks().kernel(blue).dump();
    (void)leave(stage, {"tunnel", "routes", "plug", "redirect"});
    auto taken = stage.world.files.take_over(aa_journal);
    REQUIRE((*taken)->remove());
    taken->reset();
    stage.sim.networks().also(blue, "green");
    const Recovering recovering = recover(stage, {"", blue, "green", "red"});
    CHECK(failed(recovering) == 0);
    // Whether the clsact is ours, nobody knows.
    CHECK(stage.sim.networks().kernel().dump() == own);
    CHECK(parting(guest, stage.sim.networks().kernel(blue).dump()) ==
          std::vector<std::string>{"+   clsact"});
    const auto told = [&](const std::string& what) {
        return std::any_of(recovering.told.begin(), recovering.told.end(),
                           [&](const std::string& one) { return one.starts_with(what); });
    };
    CHECK(told("undone: delete the tunnel ktm"));
    CHECK(told("undone: delete the route of 10.1.2.3/32 to br0"));
    CHECK(told("undone: take the hold off tap0 (which qdisc was there before is not known"));
    CHECK(told("undone: end the redirection of "));
    CHECK(told("undone: forget the neighbour 10.1.2.3 on br0 (which neighbour"));
    CHECK(recover(stage, {"", blue}).told.empty());
}

TEST_CASE("host/recovery: what has no journal here is told, and taken only when somebody says so") {
    Stage stage;
    (void)leave(stage, {"routes"});
    REQUIRE(stage.world.files.take_over(aa_journal).value_or(nullptr)->remove());
    const std::string before = stage.sim.networks().kernel(blue).dump();
    std::vector<Recovered> told;
    Recovery recovery{stage.world, RecoverySettings{folder, "boot-1", {blue}, false, false},
                      nullptr, [&](const Recovered& one) { told.push_back(one); },
                      [](Result<int>) {}};
    recovery.start();
    stage.run();
    REQUIRE_FALSE(told.empty());
    for (const Recovered& one : told) {
        CHECK(one.end == Recovered::End::marked);
        CHECK(one.why.find("--by-mark") != std::string::npos);
    }
    CHECK(stage.sim.networks().kernel(blue).dump() == before);
}

TEST_CASE("host/recovery: what a living run has, too, is left to it") {
    Stage stage;
    const std::string before = stage.dump();
    stage.begin();
    stage.host->prepare(stage.enter(blue), UndoKind::hold, acquisitions()[1].wanted(*stage.host),
                        [](Result<AcquiredId> id) { REQUIRE(id); });
    stage.kill();
    stage.begin("00000000000000bb");
    const auto theirs = acquire(stage, acquisitions()[1]);
    REQUIRE(theirs->has_value());
    const std::string acquired = stage.dump();
    const Recovering early = recover(stage, {});
    CHECK(failed(early) > 0);
    CHECK(early.told.front().find("00000000000000bb, which lives") != std::string::npos);
    CHECK(parting(acquired, stage.dump()).empty());
    bool given = false;
    stage.host->give_back(**theirs, [&](const Result<void>& done) { given = done.has_value(); });
    CHECK(given);
    CHECK(failed(recover(stage, {})) == 0);
    CHECK(parting(before, stage.dump()).empty());
}

TEST_CASE("host/recovery: a namespace without its name is found by a process that is in it") {
    Stage stage;
    const std::string before = leave(stage, {"routes"});
    stage.sim.networks().also(blue, "/proc/77/ns/net");
    REQUIRE(stage.sim.files().replace("/proc/77/ns/net", ""));
    stage.sim.networks().remove(blue);
    const Recovering recovering = recover(stage, {});
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told.front().starts_with("undone: "));
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: what a living run has written down is not taken for a leftover") {
    Stage stage;
    (void)leave(stage, {"tunnel", "routes"});
    auto taken = stage.world.files.take_over(aa_journal);
    REQUIRE((*taken)->remove());
    taken->reset();
    // Another one is alive, and has a tunnel and a plug of its own.
    stage.begin("00000000000000bb");
    net::TunnelWish wish;
    wish.remote = address("192.0.2.9");
    wish.lower_name = "ktmother0";
    wish.upper_name = "ktmother1";
    wish.tag = stage.host->tag().text();
    wish.id = 7;
    bool told = false;
    stage.host->acquire(stage.enter(""), UndoKind::hold,
                        net::want_tunnel(wish, std::make_shared<net::TunnelForm>()),
                        [&](Result<AcquiredId> id) { told = id.has_value(); });
    REQUIRE(told);
    REQUIRE(acquire(stage, acquisitions()[3])->has_value());
    // The tag of a living run is enough.
    stage.sim.networks().kernel().add_link("ktmother2", "gre").facts.tag = stage.host->tag().text();
    const Recovering recovering = recover(stage, {"", blue});
    CHECK(failed(recovering) == 0);
    CHECK(stage.sim.networks().kernel().link("ktmother2") != nullptr);
    CHECK(stage.sim.networks().kernel().link("ktmother0") != nullptr);
    CHECK(stage.sim.networks().kernel().link("ktmother1") != nullptr);
    CHECK(stage.sim.networks().kernel(blue).link("tap0")->root.plug);
    CHECK(stage.sim.networks().kernel().state().links.size() == 5);
    for (const auto& route : stage.sim.networks().kernel(blue).state().routes) {
        CHECK(route.facts.protocol != net::our_protocol);
    }
}

TEST_CASE("host/recovery: while a living run's journal cannot be read, nothing is a leftover") {
    Stage stage;
    (void)leave(stage, {"routes"});
    auto taken = stage.world.files.take_over(aa_journal);
    REQUIRE((*taken)->remove());
    taken->reset();
    auto living = stage.world.files.make_owned(folder + "/living.journal");
    REQUIRE((*living)->append("rubbish\n"));
    const std::string left = stage.dump();
    const Recovering recovering = recover(stage, {blue});
    CHECK(stage.dump() == left);
    REQUIRE(recovering.told.size() == 1);
    CHECK(recovering.told.front().starts_with("marked: search a namespace"));
}

TEST_CASE("host/recovery: a kernel that does not answer is a failure in the end, not an end") {
    Stage stage;
    const std::string before = leave(stage, {"ring", "plug"});
    for (int number = 1; number <= 6; ++number) {  // A look is two requests.
        stage.sim.networks().nth(number, {.effect = sim::NetworkFault::Effect::lose_request});
    }
    const Recovering recovering = recover(stage);
    CHECK(failed(recovering) == 1);
    const Duration took = stage.world.clock.now().time_since_epoch();
    CHECK(took > 3 * answer_within);
    CHECK(took < 3 * answer_within + 500ms);
    CHECK(failed(recover(stage)) == 0);
    CHECK(stage.dump() == before);
}

TEST_CASE("host/recovery: it may be destroyed at any moment, in its callbacks too") {
    for (const bool late : {false, true}) {
        for (int when = 0; when < 8; ++when) {
            Stage stage;
            const std::string before = leave(stage, {"ring", "plug", "setting"});
            if (late) {
                stage.sim.networks().answers_after(1ms);
            }
            int told = 0;
            bool done = false;
            std::unique_ptr<Recovery> recovery;
            const auto count = [&] {
                if (told++ == when) {
                    recovery.reset();
                }
            };
            recovery = std::make_unique<Recovery>(
                stage.world, RecoverySettings{folder, "boot-1", {blue}, true, false}, nullptr,
                [&](const Recovered&) { count(); },
                [&](Result<int>) {
                    done = true;
                    count();
                    recovery.reset();
                });
            recovery->start();
            if (late && when == 7) {
                recovery.reset();
            }
            stage.run();
            CHECK(done == (when >= 3 && !(late && when == 7)));
            CHECK(recovery == nullptr);
            CHECK(failed(recover(stage)) == 0);
            CHECK(stage.dump() == before);
        }
    }
}

TEST_CASE("host/recovery: a journal of ten thousand entries does not need a deep stack") {
    Stage stage;
    {
        auto journal = Journal::begin(stage.world.files, aa_journal, header_of());
        REQUIRE(journal);
        const std::vector<net::Undo> undos(10'000, net::UndoQueueLength{"tap0", 5, 1000});
        REQUIRE((*journal)->will_undo(UndoKind::hold, blue, stage.sim.networks().identity(blue),
                                      undos));
    }
    const Recovering recovering = recover(stage);
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told.size() == 10'000);
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: journals are found by the VM that they are of") {
    Stage stage;
    (void)leave(stage, {"ring"});
    auto found = find_journals(stage.world.files, folder);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK_FALSE(found->front().alive);
    CHECK(of_vm(*found, "/run/vm.sock").size() == 1);
    CHECK(of_vm(*found, "/run/other.sock").empty());
}

namespace {

/// Who would go to the guests: what was wished, and what it answers.
struct Visits {
    std::vector<std::string> wished;
    std::vector<Result<bool>> answers;

    AtGuest at_guest() {
        return [this](const GuestUndo& undo, UniqueFunction<void(Result<bool>)> done) {
            wished.push_back(undo.wish + " " + undo.vm +
                             (undo.before.empty() ? "" : " " + undo.before));
            Result<bool> answer = answers.empty() ? Result<bool>{true} : std::move(answers.front());
            if (!answers.empty()) {
                answers.erase(answers.begin());
            }
            done(std::move(answer));
        };
    }
};

/// A run whose QEMU waited for a guest, or may have got it, and that was killed.
void leave_waiting(Stage& stage, bool dropped, bool committed) {
    stage.begin();
    const auto waiting = stage.host->will_undo(GuestUndo{"end", "/run/vm.qmp"});
    REQUIRE((waiting && *waiting));
    REQUIRE(acquire(stage, acquisitions().front())->has_value());
    if (dropped) {
        REQUIRE(stage.host->drop(**waiting));
    }
    if (committed) {
        REQUIRE(stage.host->commit());
    }
    stage.kill();
}

/// A run that had a guest to wake, changed the kernel, and was killed.
void leave_with_guest(Stage& stage, bool committed) {
    stage.begin();
    REQUIRE(stage.host->will_undo(GuestUndo{"wake", "/run/vm.qmp"}));
    REQUIRE(acquire(stage, acquisitions().front())->has_value());
    if (committed) {
        REQUIRE(stage.host->commit());
    }
    stage.kill();
}

}  // namespace

TEST_CASE("host/recovery: a guest is woken in its turn, and once") {
    Stage stage;
    leave_with_guest(stage, false);
    Visits visits;
    const Recovering recovering = recover(stage, {}, false, "boot-1", visits.at_guest());
    CHECK(failed(recovering) == 0);
    REQUIRE(recovering.told.size() > 1);
    CHECK(recovering.told.back() == "undone: wake the guest of /run/vm.qmp");
    CHECK(visits.wished == std::vector<std::string>{"wake /run/vm.qmp"});
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: what was changed in a QEMU is put back, and told in words") {
    Stage stage;
    stage.begin();
    const std::string before =
        R"({"job":"mirror-a","node":"a","parameters":{"downtime-limit":300,"max-bandwidth":1}})";
    REQUIRE(stage.host->will_undo(GuestUndo{"restore", "/run/vm.qmp", before}));
    stage.kill();
    Visits visits;
    const Recovering recovering = recover(stage, {}, false, "boot-1", visits.at_guest());
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told ==
          std::vector<std::string>{"undone: end the job mirror-a and remove the block node a and "
                                   "put back the parameters downtime-limit, max-bandwidth of "
                                   "/run/vm.qmp"});
    CHECK(visits.wished == std::vector<std::string>{"restore /run/vm.qmp " + before});
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: behind the commit no guest is touched") {
    Stage stage;
    leave_with_guest(stage, true);
    Visits visits;
    const Recovering recovering = recover(stage, {}, false, "boot-1", visits.at_guest());
    CHECK(failed(recovering) == 0);
    CHECK(recovering.told.back() ==
          "skipped: wake the guest of /run/vm.qmp (its run has committed)");
    CHECK(visits.wished.empty());
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: a guest that could not be woken stays written down") {
    Stage stage;
    leave_with_guest(stage, false);
    Visits visits;
    visits.answers.push_back(Error{Kind::timeout, "no-answer", "QEMU is deaf", "", nullptr});
    const Recovering first = recover(stage, {}, false, "boot-1", visits.at_guest());
    CHECK(failed(first) == 1);
    CHECK(stage.journals().size() == 1);
    CHECK(recover(stage, {}, true, "boot-1", visits.at_guest()).told ==
          std::vector<std::string>{"undone: wake the guest of /run/vm.qmp"});
    CHECK(visits.wished.size() == 1);
    const Recovering second = recover(stage, {}, false, "boot-1", visits.at_guest());
    CHECK(failed(second) == 0);
    CHECK(stage.journals().empty());
}

TEST_CASE("host/recovery: a guest that was handed over is looked after, and touched by nobody") {
    const Error gone{Kind::lost, "qemu-gone", "its QEMU is gone", "", nullptr};
    for (const bool lives : {true, false}) {
        for (const bool dropped : {true, false}) {
            for (const bool committed : {true, false}) {
                if (!dropped && !committed) {
                    continue;
                }
                INFO("lives " << lives << ", dropped " << dropped << ", committed " << committed);
                Stage stage;
                leave_waiting(stage, dropped, committed);
                Visits visits;
                visits.answers.push_back(lives ? Result<bool>{false} : Result<bool>{Error{gone}});
                CHECK(recover(stage, {}, true, "boot-1", visits.at_guest()).told.size() > 1);
                CHECK(visits.wished.empty());
                const Recovering recovering =
                    recover(stage, {}, false, "boot-1", visits.at_guest());
                CHECK(failed(recovering) == (lives ? 0 : 1));
                CHECK(visits.wished == std::vector<std::string>{"see /run/vm.qmp"});
                const std::string last = recovering.told.back();
                CHECK(last.starts_with("failed: look after the guest of /run/vm.qmp (its QEMU is "
                                       "gone (qemu-gone); ") == !lives);
                CHECK((last.find("must be started anew") != std::string::npos) ==
                      (!lives && committed));
                CHECK((last.find("only the other node knows") != std::string::npos) ==
                      (!lives && !committed));
                CHECK(stage.journals().empty());
            }
        }
    }
}

TEST_CASE("host/recovery: a guest that is not seen to run is looked after again") {
    for (const char* code : {"stands", "no-answer"}) {
        Stage stage;
        leave_waiting(stage, false, true);
        Visits visits;
        visits.answers.push_back(Error{Kind::refused, code, "it stands", "", nullptr});
        CHECK(failed(recover(stage, {}, false, "boot-1", visits.at_guest())) == 1);
        CHECK(stage.journals().size() == 1);
        const Recovering dry = recover(stage, {}, true, "boot-1", visits.at_guest());
        CHECK(dry.told.back() == "undone: look after the guest of /run/vm.qmp");
        CHECK(visits.wished.size() == 1);
        CHECK(failed(recover(stage, {}, false, "boot-1", visits.at_guest())) == 0);
        CHECK(visits.wished.size() == 2);
        CHECK(stage.journals().empty());
    }
}

TEST_CASE("host/recovery: a QEMU that still waits is ended, and not looked after") {
    Stage stage;
    leave_waiting(stage, false, false);
    Visits visits;
    CHECK(failed(recover(stage, {}, false, "boot-1", visits.at_guest())) == 0);
    CHECK(visits.wished == std::vector<std::string>{"end /run/vm.qmp"});
}
