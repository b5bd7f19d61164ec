// SPDX-License-Identifier: Apache-2.0
// tests/unit/host/journal_test.cc: what a journal says, whole, cut and damaged.
#include "unit/host/stage.hh"

using namespace ktm;
using namespace ktm::host;
using namespace ktm::host::testing;

namespace {

const net::Undo first{net::UndoTunnel{"ktm0", "katamaran/aa/bb"}};
const net::Undo second{net::UndoQueueLength{"tap0", 8000, 1000}};
const std::string path = folder + "/aa.journal";

struct Written {
    Written() {
        Result<std::unique_ptr<Journal>> begun = Journal::begin(files, path, header_of());
        REQUIRE(begun);
        journal = std::move(*begun);
        ids = *journal->will_undo(UndoKind::hold, blue, "4:1", {first, second});
    }
    [[nodiscard]] std::string text() { return *files.read(path, journal_max); }
    [[nodiscard]] Remains remains() {
        Result<Remains> read = read_journal(text());
        REQUIRE(read);
        return std::move(*read);
    }

    sim::VirtualFiles files;
    std::unique_ptr<Journal> journal;
    std::vector<UndoId> ids;
};

std::string fault_of(const std::string& text) {
    const Result<Remains> read = read_journal(text);
    return read ? "read" : read.error().sentence();
}

}  // namespace

TEST_CASE("host/journal: what was written is read again") {
    Written written;
    const Remains remains = written.remains();
    CHECK(remains.header == header_of());
    CHECK(remains.entries ==
          std::vector<Entry>{{written.ids[0], UndoKind::hold, blue, "4:1", first},
                             {written.ids[1], UndoKind::hold, blue, "4:1", second}});
    CHECK_FALSE(remains.committed);
    CHECK_FALSE(remains.cut);
    CHECK_FALSE(written.journal->is_empty());
}

TEST_CASE("host/journal: what a QEMU had before is read again as it was written") {
    Written written;
    const GuestUndo undo{"restore", "/run/vm.qmp", R"({"parameters":{"downtime-limit":300}})"};
    REQUIRE(written.journal->will_undo(undo));
    CHECK(written.remains().entries.back().guest == undo);
}

TEST_CASE("host/journal: what is undone is not left, and a journal of nothing is empty") {
    Written written;
    REQUIRE(written.journal->undone({written.ids[1]}));
    REQUIRE(written.journal->undone({written.ids[1]}));
    CHECK(written.remains().entries.size() == 1);
    REQUIRE(written.journal->undone({written.ids[0]}));
    CHECK(written.journal->is_empty());
    REQUIRE(written.journal->remove());
    CHECK(written.files.all().empty());
}

TEST_CASE(
    "host/journal: who may have got the guest is known from then on, as soon as it is written") {
    for (const bool dropped : {true, false}) {
        Written written;
        const auto waiting = written.journal->will_undo(GuestUndo{"end", "/run/vm.qmp"});
        REQUIRE(waiting);
        const auto hand_over = [&] {
            return dropped ? written.journal->dropped(*waiting) : written.journal->commit();
        };
        CHECK(written.remains().handed_over.empty());
        written.files.refuse_writes(1, ENOSPC);
        CHECK_FALSE(hand_over());
        CHECK(written.remains().handed_over.empty());
        CHECK(written.remains().entries.size() == 3);
        written.files.take_writes();
        REQUIRE(hand_over());
        CHECK(written.remains().handed_over == "/run/vm.qmp");
        REQUIRE(written.journal->dropped(*waiting));
        REQUIRE(written.journal->will_undo(GuestUndo{"end", "/run/another.qmp"}));
        CHECK(written.remains().handed_over == "/run/vm.qmp");
        REQUIRE(written.journal->will_undo(GuestUndo{"end", "/run/vm.qmp"}));
        CHECK(written.remains().handed_over.empty() == dropped);
    }
    Written undone;
    REQUIRE(undone.journal->undone({*undone.journal->will_undo(GuestUndo{"end", "/run/vm.qmp"})}));
    CHECK(undone.remains().handed_over.empty());
}

TEST_CASE("host/journal: many entries are one write, all of them or none") {
    Written written;
    written.files.refuse_writes(1, ENOSPC);
    const std::string before = written.text();
    const auto ids = written.journal->will_undo(UndoKind::hold, "", "4:2", {first, second});
    REQUIRE_FALSE(ids);
    CHECK(ids.error().code == "ENOSPC");
    CHECK(written.text() == before);
    written.files.take_writes();
    written.files.refuse_writes(2, ENOSPC);
    CHECK(written.journal->will_undo(UndoKind::hold, "", "4:2", {first, second}));
    CHECK(written.remains().entries.size() == 4);
}

TEST_CASE("host/journal: behind the commit undos do not count, and one that fails is none") {
    Written written;
    REQUIRE(written.journal->will_undo(UndoKind::undo, "", "4:2", {first}));
    REQUIRE(written.journal->undone(written.ids));
    CHECK_FALSE(written.journal->is_empty());
    written.files.refuse_writes(1, ENOSPC);
    CHECK_FALSE(written.journal->commit());
    CHECK_FALSE(written.journal->is_empty());
    written.files.take_writes();
    REQUIRE(written.journal->commit());
    CHECK(written.journal->is_empty());
    CHECK(written.remains().committed);
    CHECK(written.remains().entries.size() == 1);
}

TEST_CASE("host/journal: a journal that cannot be begun leaves no file") {
    for (const std::uint64_t nth : {1U, 2U}) {
        sim::VirtualFiles files;
        files.refuse_writes(nth, ENOSPC);
        CHECK(Journal::begin(files, path, header_of()).error().code == "ENOSPC");
        CHECK(files.all().empty());
        CHECK_FALSE(files.is_owned(path));
    }
}

TEST_CASE("host/journal: cut off at every byte it is read as far as it is whole") {
    Written written;
    REQUIRE(written.journal->undone({written.ids[1]}));
    REQUIRE(written.journal->commit());
    const std::string text = written.text();
    for (std::size_t length = 0; length < text.size(); ++length) {
        INFO("cut behind " << length << " bytes");
        const std::string cut = text.substr(0, length);
        const Result<Remains> remains = read_journal(cut);
        REQUIRE(remains);
        const bool at_line = length == 0 || cut.back() == '\n';
        CHECK(remains->cut == !at_line);
        CHECK_FALSE(remains->committed);
        const auto lines = std::count(cut.begin(), cut.end(), '\n');
        CHECK(remains->entries.size() == (lines <= 1   ? 0U
                                          : lines == 2 ? 1U
                                          : lines == 3 ? 2U
                                                       : 1U));
    }
}

TEST_CASE("host/journal: one that was cut is gone on with, and cut again, wherever") {
    Written written;
    const std::string text = written.text();
    const std::size_t third = text.find("{\"do\":2");
    for (std::size_t length = third; length < text.size(); length += 7) {
        sim::VirtualFiles files;
        REQUIRE(files.replace(path, text.substr(0, length)));
        const Result<Remains> remains = read_journal(text.substr(0, length));
        REQUIRE(remains);
        REQUIRE(remains->entries.size() == 1);
        Journal journal{std::move(*files.take_over(path)), *remains};
        REQUIRE(journal.will_undo(UndoKind::undo, "", "4:2", {second}));
        const std::string longer = *files.read(path, journal_max);
        for (std::size_t again = length; again <= longer.size(); ++again) {
            INFO("cut behind " << length << " and again behind " << again);
            const Result<Remains> later = read_journal(longer.substr(0, again));
            REQUIRE(later);
            CHECK(later->entries.size() == (again == longer.size() ? 2 : 1));
            // And whoever goes on with that one is understood as well.
            sim::VirtualFiles others;
            REQUIRE(others.replace(path, longer.substr(0, again)));
            Journal third_one{std::move(*others.take_over(path)), *later};
            REQUIRE(third_one.undone({UndoId{1}}));
            const Result<Remains> last = read_journal(*others.read(path, journal_max));
            REQUIRE(last);
            CHECK(last->entries.size() == (again == longer.size() ? 1 : 0));
        }
    }
}

TEST_CASE("host/journal: numbers go on where they ended") {
    Written written;
    REQUIRE(written.journal->undone(written.ids));
    const Remains remains = written.remains();
    CHECK(remains.entries.empty());
    CHECK(remains.last == 2);
    written.journal = nullptr;
    Journal journal{std::move(*written.files.take_over(path)), remains};
    CHECK(journal.is_empty());
    const auto ids = journal.will_undo(UndoKind::hold, "", "4:2", {first});
    REQUIRE(ids);
    CHECK(ids->front().value == 3);
    CHECK(written.remains().entries.size() == 1);
}

TEST_CASE("host/journal: a damaged line is an error that names it") {
    Written written;
    const std::string text = written.text();
    const std::string header = text.substr(0, text.find('\n') + 1);
    CHECK(fault_of("rubbish\n").starts_with("could not read a journal: line 1: "));
    CHECK(fault_of("{\"katamaran\":\"0.1.0\"}\n") ==
          "could not read a journal: line 1: expected a text 'run' (bad-journal)");
    CHECK(fault_of(header + "{\"do\":1}x\n" + header)
              .starts_with("could not read a journal: line 2: "));
    CHECK(fault_of(header + "[]\n") ==
          "could not read a journal: line 2: expected an object (bad-journal)");
    CHECK(fault_of(header + "{\"dance\":1}\n").find("a newer katamaran") != std::string::npos);
    CHECK(fault_of(header + "{\"done\":1}\n").find("never to be done") != std::string::npos);
    CHECK(fault_of(header + "{\"do\":0}\n").find("expected the number") != std::string::npos);
    CHECK(fault_of(header + "{\"do\":1,\"kind\":\"x\",\"in\":\"\",\"space\":\"\"}\n")
              .find("'x' is no kind of undo") != std::string::npos);
    CHECK(fault_of(header + "{\"do\":1,\"kind\":\"hold\",\"in\":\"\",\"space\":\"\"}\n")
              .find("expected an 'undo'") != std::string::npos);
    CHECK(fault_of(header + "{\"do\":1,\"kind\":\"hold\",\"in\":\"\",\"space\":\"\",\"undo\":{}}\n")
              .starts_with("could not read a journal: line 2: "));
    CHECK(fault_of(header + "{\"do\":1,\"kind\":\"undo\",\"guest\":\"sing\",\"vm\":\"\"}\n")
              .find("'sing' is no undo of a guest; a newer katamaran") != std::string::npos);
    const std::string entry = text.substr(header.size());
    CHECK(fault_of(text + entry).find("line 4: the numbers do not grow") != std::string::npos);
}

TEST_CASE("host/journal: it is named after its run, and a name that is no name after its digest") {
    CHECK(journal_path(folder, header_of()) == folder + "/00000000000000aa.journal");
    CHECK(journal_path(folder, header_of(), 2) == folder + "/00000000000000aa.2.journal");
    const std::vector<std::string> bad_names{"../x", ".x", "", "a b", std::string(65, 'a')};
    for (const std::string& bad : bad_names) {
        CHECK(journal_path(folder, header_of(bad)) ==
              folder + "/" + net::digest_of(bad) + ".journal");
        CHECK(tag_of(header_of(bad)).run == net::digest_of(bad));
    }
}
