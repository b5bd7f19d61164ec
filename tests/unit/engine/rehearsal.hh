// SPDX-License-Identifier: Apache-2.0
// tests/unit/engine/rehearsal.hh: a machine on a role written by hand, and its actions as text.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/machine.hh"
#include "json/parser.hh"

namespace ktm::engine::testing {

using Lines = std::vector<std::string>;

// --- Roles ------------------------------------------------------------------------------------

inline plan::FunctionRef function(int id) {
    plan::FunctionRef function;
    function.id = id;
    return function;
}

inline plan::Handler on(std::string event, std::string go) {
    plan::Handler handler;
    handler.event = std::move(event);
    handler.go = std::move(go);
    return handler;
}

inline plan::Handler on_run(std::string event, int run, std::string go = "") {
    plan::Handler handler = on(std::move(event), std::move(go));
    handler.run = function(run);
    return handler;
}

inline plan::Role role_of(std::vector<plan::State> states) {
    plan::Role role;
    role.name = "source";
    role.states = std::move(states);
    return role;
}

// --- Inputs -----------------------------------------------------------------------------------

inline Event event(std::string name, const std::string& data = "", std::string vm = "") {
    Event event{std::move(name), std::move(vm), nullptr};
    if (!data.empty()) {
        event.data = std::make_shared<const json::Document>(*json::parse(data));
    }
    return event;
}

inline Input happened(std::string name, const std::string& data = "") {
    return Happened{event(std::move(name), data)};
}

inline Input ended(std::uint64_t body) {
    return BodyEnded{BodyId{body}, std::nullopt, true};
}

inline Input failed(std::uint64_t body) {
    return BodyEnded{BodyId{body}, Error{Kind::refused, "bad", "no", "", nullptr}, true};
}

inline Input awaits(std::uint64_t body, std::string event) {
    return Awaits{BodyId{body}, Pattern{std::move(event), "", {}}};
}

inline Input forgets(std::uint64_t body) {
    return Forgets{BodyId{body}};
}

inline Input hold(std::uint64_t entry, std::string what) {
    return Registered{EntryId{entry}, Registered::Kind::hold, std::move(what)};
}

inline Input undo(std::uint64_t entry, std::string what) {
    return Registered{EntryId{entry}, Registered::Kind::undo, std::move(what)};
}

inline Input released(std::uint64_t entry) {
    return Released{EntryId{entry}};
}

inline Input due(std::uint64_t deadline) {
    return Due{DeadlineId{deadline}};
}

inline Input interrupted() {
    return Interrupted{Error{Kind::cancelled, "signal", "stop", "", nullptr}};
}

inline Input lost(std::string vm = "") {
    return Lost{std::move(vm), Error{Kind::lost, "gone", "hung up", "", nullptr}};
}

inline Input peer_gone() {
    return PeerGone{Event{"peer:lost", "", nullptr},
                    Error{Kind::lost, "gone", "silent", "", nullptr}};
}

// --- The rehearsal ----------------------------------------------------------------------------

/// All states have ten seconds.
class Rehearsal {
public:
    explicit Rehearsal(plan::Role role)
        : role_(std::make_unique<plan::Role>(std::move(role))),
          machine(*role_, std::vector<Duration>(role_->states.size(), std::chrono::seconds{10})) {}

    /// What the machine wants done upon this input. A commit is written down, without a word; or
    /// it is not.
    Lines give(Input input) {
        actions.clear();
        machine.step(std::move(input), actions);
        if (!actions.empty() && std::holds_alternative<WriteCommit>(actions.back())) {
            actions.pop_back();
            machine.step(CommitWritten{no_commit}, actions);
        }
        Lines lines;
        for (const Action& action : actions) {
            lines.push_back(describe(action));
        }
        return lines;
    }

    /// The same for several inputs, when it is the last one that counts.
    Lines give_all(std::vector<Input> inputs) {
        Lines lines;
        for (Input& input : inputs) {
            lines = give(std::move(input));
        }
        return lines;
    }

private:
    std::unique_ptr<plan::Role> role_;

public:
    Machine machine;
    Actions actions;  ///< Of the last input.
    std::optional<Error> no_commit;
};

}  // namespace ktm::engine::testing
