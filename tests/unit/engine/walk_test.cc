// SPDX-License-Identifier: Apache-2.0
// tests/unit/engine/walk_test.cc: random walks through the machine, and what holds in all of them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "unit/engine/rehearsal.hh"

using namespace ktm::engine;
using namespace ktm::engine::testing;

namespace {

/// A role with every kind of edge.
ktm::plan::Role crossroads() {
    return role_of({
        {.name = "a", .enter = function(1), .next = "b"},
        {.name = "b",
         .late = "c",
         .handlers = {on_run("E0", 2, "c"), on_run("E1", 3), on("E2", "a"), on("qmp:lost", "b")}},
        {.name = "c", .next = "d"},
        {.name = "d",
         .enter = function(4),
         .handlers = {on("E0", "e"), on_run("E1", 5, "abort"), on("E2", "done"),
                      on("E3", "stranded")}},
        {.name = "e",
         .late = "f",
         .enter = function(6),
         .commits = true,
         .handlers = {on("E0", "f"), on("E1", ""), on("qmp:lost", "f"), on("E3", "abort")}},
        {.name = "f", .late = "done", .handlers = {on_run("E0", 7, "e"), on("E2", "done")}},
    });
}

ktm::Error full() {
    return {ktm::Kind::io, "full", "no room", "", nullptr};
}

/// What an observer can know of the machine from its inputs and actions.
struct Observed {
    struct Body {
        RunBody run;
        bool awaits = false;
        bool cancelled = false;
    };
    struct Entry {
        Registered::Kind kind;
        std::string what;
        bool failed = false;
    };
    std::optional<Body> body;
    std::optional<DeadlineId> deadline;
    std::map<EntryId, Entry> entries;  ///< Neither undone nor released nor dropped.
    bool committed = false;
    bool ended = false;
};

class Walk {
public:
    explicit Walk(std::uint64_t seed) : chance_(seed) {}

    /// Gives that many inputs, to as many machines as it takes.
    void go(std::size_t inputs) {
        const ktm::plan::Role role = crossroads();
        const std::vector<ktm::Duration> within(role.states.size(), std::chrono::seconds{1});
        for (std::size_t given = 0; given < inputs;) {
            Machine machine{role, within};
            seen_ = Observed{};
            for (; given < inputs && !seen_.ended; ++given) {
                give(machine, below(500) == 0 ? Input{Start{}} : likely_input(machine));
            }
            for (int i = 0; seen_.ended && i < 10; ++i) {
                give(machine, likely_input(machine));
            }
        }
    }

    std::string log;
    std::vector<std::string> violations;
    std::map<std::string, int> ends;
    std::set<std::size_t> kinds;  ///< Of actions that were seen.

private:
    std::uint64_t below(std::uint64_t bound) {
        chance_ = chance_ * 6364136223846793005U + 1442695040888963407U;
        return (chance_ >> 33U) % bound;
    }

    void expect(bool claim, const std::string& text) {
        if (!claim && violations.size() < 10) {
            violations.push_back(text);
        }
    }

    [[nodiscard]] std::string some_event() { return "E" + std::to_string(below(6)); }

    /// Mostly what makes sense now, sometimes what does not.
    Input likely_input(const Machine& machine) {
        if (machine.state().empty() && below(10) > 0) {
            return Start{};
        }
        const std::uint64_t body =
            seen_.body && below(30) > 0 ? seen_.body->run.body.value : below(20);
        const std::uint64_t roll = below(100);
        if (roll < 32) {
            return BodyEnded{BodyId{body}, std::nullopt, below(2) == 0};
        }
        if (roll < 34) {
            return failed(body);
        }
        if (roll < 64) {
            return happened(some_event());
        }
        if (roll < 74) {
            return awaits(body, some_event());
        }
        return roll < 77 ? forgets(body) : rare_input(roll);
    }

    Input rare_input(std::uint64_t roll) {
        if (roll < 88) {
            const EntryId entry{++last_entry_};
            const bool holds = roll < 83;
            return Registered{entry, holds ? Registered::Kind::hold : Registered::Kind::undo,
                              "entry " + std::to_string(entry.value)};
        }
        if (roll < 92) {
            return released(last_entry_ - std::min(last_entry_, below(8)));
        }
        if (roll < 96) {
            return due(seen_.deadline && below(4) > 0 ? seen_.deadline->value : below(50));
        }
        if (roll < 98) {
            return below(6) == 0 ? interrupted() : happened("qmp:lost");
        }
        return roll < 99 ? lost(below(8) == 0 ? "w" : "") : peer_gone();
    }

    void give(Machine& machine, Input input) {
        log += "> " + describe(input) + "\n";
        const bool over = seen_.ended;
        note_input(input);
        Actions actions;
        machine.step(std::move(input), actions);
        if (!actions.empty() && std::holds_alternative<WriteCommit>(actions.back())) {
            machine.step(CommitWritten{below(4) == 0 ? std::optional{full()} : std::nullopt},
                         actions);
        }
        expect(!over || actions.empty(), "an action after the end");
        for (const Action& action : actions) {
            log += describe(action) + "\n";
            kinds.insert(action.index());
            expect(!seen_.ended, "an action behind the end");
            std::visit([this](const auto& one) { note(one); }, action);
        }
        expect(machine.has_ended() == seen_.ended, "has_ended");
        expect(machine.is_committed() == seen_.committed, "is_committed");
    }

    void note_input(const Input& input) {
        if (const auto* ended = std::get_if<BodyEnded>(&input)) {
            note_end_of_body(*ended);
        } else if (const auto* awaits = std::get_if<Awaits>(&input)) {
            if (seen_.body && seen_.body->run.body == awaits->body && !seen_.body->cancelled) {
                seen_.body->awaits = true;
            }
        } else if (const auto* forgets = std::get_if<Forgets>(&input)) {
            if (seen_.body && seen_.body->run.body == forgets->body) {
                seen_.body->awaits = false;
            }
        } else if (const auto* registered = std::get_if<Registered>(&input)) {
            if (!seen_.ended) {
                seen_.entries[registered->entry] = {registered->kind, registered->what};
            }
        } else if (const auto* released = std::get_if<Released>(&input)) {
            note_release(released->entry);
        } else if (const auto* due = std::get_if<Due>(&input)) {
            if (seen_.deadline == due->deadline) {
                seen_.deadline.reset();
            }
        }
    }

    void note_end_of_body(const BodyEnded& ended) {
        if (!seen_.body || seen_.body->run.body != ended.body) {
            return;
        }
        const auto entry = seen_.entries.find(seen_.body->run.entry);
        if (entry != seen_.entries.end()) {
            if (ended.error || seen_.body->cancelled) {
                entry->second.failed = true;
            } else {
                seen_.entries.erase(entry);
            }
        }
        seen_.body.reset();
    }

    void note_release(EntryId id) {
        const auto entry = seen_.entries.find(id);
        const bool running = seen_.body && seen_.body->run.entry == id;
        if (entry != seen_.entries.end() && !running && !seen_.ended) {
            seen_.entries.erase(entry);
        }
    }

    void note(const RunBody& run) {
        expect(!seen_.body, "two bodies at once");
        expect(run.kind != BodyKind::undo || !seen_.committed, "an undo after the commit");
        expect(seen_.deadline.has_value(), "a body without a deadline");
        seen_.body = Observed::Body{run};
    }
    void note(const CancelBody& cancel) {
        expect(seen_.body && seen_.body->run.body == cancel.body, "a cancelled body does not run");
        if (seen_.body) {
            seen_.body->cancelled = true;
            seen_.body->awaits = false;
        }
    }
    void note(const Deliver& deliver) {
        expect(seen_.body && seen_.body->run.body == deliver.body && seen_.body->awaits,
               "an event for nobody");
        if (seen_.body) {
            seen_.body->awaits = false;
        }
    }
    void note(const Arm& arm) {
        expect(!seen_.deadline, "two deadlines at once");
        seen_.deadline = arm.deadline;
    }
    void note(const Disarm& disarm) {
        expect(seen_.deadline == disarm.deadline, "a disarmed deadline is not armed");
        seen_.deadline.reset();
    }
    void note(const WriteCommit&) {
        expect(!seen_.body && !seen_.committed, "a commit where there can be none");
    }
    void note(const Entered& entered) {
        expect(!seen_.body, "a state is entered while a body runs");
        seen_.committed = seen_.committed || entered.commits;
    }
    void note(const Dropped& dropped) {
        for (const std::string& what : dropped.undos) {
            const std::size_t count = std::erase_if(seen_.entries, [&](const auto& entry) {
                return entry.second.what == what && entry.second.kind == Registered::Kind::undo;
            });
            expect(count == 1, "a dropped undo was not there");
        }
    }
    void note(const Ended& ended) {
        expect(!seen_.ended, "a second end");
        expect(!seen_.body, "a body is still to be answered");
        expect(!seen_.deadline, "a deadline is still armed");
        expect(ended.committed == seen_.committed, "Ended::committed");
        expect(ended.end != End::aborted || !seen_.committed, "aborted after the commit");
        expect(ended.cause.has_value() == (ended.end != End::done), "the cause of an end");
        std::vector<std::string> open;
        for (const auto& [id, entry] : seen_.entries) {
            open.push_back(entry.what);
            expect(entry.failed || ended.end == End::stranded, "an entry was not worked off");
        }
        std::vector<std::string> left;
        for (const Left& one : ended.left) {
            left.push_back(one.what);
        }
        expect(open == left, "what is left is not what was reported");
        seen_.ended = true;
        ++ends[std::string{name_of(ended.end)}];
    }
    void note(const Ignored&) {}
    void note(const Trouble&) {}
    void note(const Unwinding& unwinding) {
        expect(unwinding.number >= 1 && unwinding.number <= unwinding.count, "a wrong count");
    }
    void note(const Unwound&) {}
    void note(const Left&) {}

    std::uint64_t chance_;
    std::uint64_t last_entry_ = 0;
    Observed seen_;
};

constexpr std::size_t steps = 100'000;

}  // namespace

TEST_CASE("engine/walk: what must hold holds in a hundred thousand random inputs") {
    Walk walk{20261121};
    walk.go(steps);
    CHECK(walk.violations == std::vector<std::string>{});
    CHECK(walk.ends["done"] > 50);
    CHECK(walk.ends["aborted"] > 50);
    CHECK(walk.ends["stranded"] > 50);
    CHECK(walk.kinds.size() == std::variant_size_v<Action>);
}

TEST_CASE("engine/walk: the same inputs give the same actions, to the byte") {
    Walk first{7};
    Walk second{7};
    Walk other{8};
    first.go(steps / 5);
    second.go(steps / 5);
    other.go(steps / 5);
    CHECK(first.log.size() > steps);
    CHECK((first.log == second.log));
    CHECK((first.log != other.log));
}
