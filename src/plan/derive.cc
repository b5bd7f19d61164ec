// SPDX-License-Identifier: Apache-2.0
// plan/derive.cc: a plan from another plan.
//
// Each change is applied to what the ones before it have made. What stands in the result because of
// a change has the change's place, so that a fault found later points to the plan that made it.
#include "plan/derive.hh"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "plan/wording.hh"

namespace ktm::plan {

namespace {

template <class T>
typename std::vector<T>::iterator find_named(std::vector<T>& all, std::string_view name) {
    return std::find_if(all.begin(), all.end(), [&](const T& each) { return each.name == name; });
}

/// What a state says of its edges, for reading and for leading them elsewhere. ORDER: as written.
template <class AnyState>
auto targets_of(AnyState& state) {
    std::vector<decltype(&state.next)> targets{&state.next};
    for (auto& handler : state.handlers) {
        targets.push_back(&handler.go);
    }
    targets.push_back(&state.late);
    return targets;
}

/// Leads all edges of the state that go to `from` to `to`; says whether there was one.
bool redirect(State& state, const std::string& from, const std::string& to) {
    bool any = false;
    for (std::string* target : targets_of(state)) {
        if (*target == from) {
            *target = to;
            any = true;
        }
    }
    return any;
}

/// Applies the changes of one role.
class RoleEditor {
public:
    RoleEditor(Role& role, const Plan& parent, Faults& faults)
        : role_(role), parent_(parent), faults_(faults) {}

    void apply(const StateChange& change) {
        const auto target = find_named(role_.states, change.target);
        if (target == role_.states.end()) {
            refuse_unknown(change);
            return;
        }
        switch (change.kind) {
            case StateChange::Kind::replace: replace(*target, change); break;
            case StateChange::Kind::change: modify(*target, change); break;
            case StateChange::Kind::before: insert_before(target, change); break;
            case StateChange::Kind::after: insert_after(target, change); break;
        }
    }

private:
    using Iterator = std::vector<State>::iterator;

    [[nodiscard]] std::string where(std::string_view state) const {
        return inside(role_.name, state);
    }

    void refuse_unknown(const StateChange& change) {
        const std::string expected =
            "a state of role " + shown(role_.name) + " of plan " + shown(parent_.name);
        if (is_end(change.target)) {
            faults_.push_back({change.place, where(change.target),
                               shown(change.target) + " is an end and no state", expected, ""});
            return;
        }
        const bool is_new = change.kind == StateChange::Kind::replace;
        faults_.push_back(
            {change.place, where(change.target), "no state " + shown(change.target),
             expected + (is_new ? "; a new state is put 'before' or 'after' one of them" : ""),
             meant(change.target, role_.state_names())});
    }

    /// A replaced state takes with it what was changed in it before, which nobody can have meant.
    void replace(State& state, const StateChange& change) {
        if (!given_.insert(change.target).second) {
            faults_.push_back({change.place, where(change.target),
                               "state " + shown(change.target) + " is given twice",
                               "one that has everything", ""});
            return;
        }
        state = change.state;
        state.name = change.target;
    }

    void modify(State& state, const StateChange& change) {
        given_.insert(change.target);
        const State& keys = change.state;
        if (keys.within) {
            state.within = keys.within;
        }
        if (!keys.late.empty()) {
            state.late = keys.late;
        }
        if (keys.enter) {
            state.enter = keys.enter;
        }
        if (!keys.next.empty()) {
            state.next = keys.next;
        }
        if (change.gives_commits) {
            state.commits = keys.commits;
        }
        add_handlers(state.handlers, keys.handlers);
        state.place = change.place;
    }

    /// A handler for the very same event stands where the parent's stood: in front it would hide
    /// the parent's narrower ones. One that is given twice is kept twice: that is for check() to
    /// say.
    static void add_handlers(std::vector<Handler>& handlers, const std::vector<Handler>& given) {
        std::vector<Handler> in_front;
        std::set<std::size_t> replaced;
        for (const Handler& handler : given) {
            const auto same =
                std::find_if(handlers.begin(), handlers.end(), [&](const Handler& each) {
                    return each.event == handler.event && each.vm == handler.vm &&
                           each.matches == handler.matches;
                });
            const auto index = static_cast<std::size_t>(same - handlers.begin());
            if (same != handlers.end() && replaced.insert(index).second) {
                *same = handler;
            } else {
                in_front.push_back(handler);
            }
        }
        handlers.insert(handlers.begin(), in_front.begin(), in_front.end());
    }

    /// Whether the name of a new state is free.
    bool is_free(const StateChange& change) {
        const State* existing = std::as_const(role_).find(change.state.name);
        if (existing == nullptr) {
            return true;
        }
        faults_.push_back(
            {change.state.place, where(change.state.name),
             "state " + shown(change.state.name) + " exists already" + first_at(existing->place),
             "a new name", ""});
        return false;
    }

    void insert_before(Iterator target, const StateChange& change) {
        if (!is_free(change)) {
            return;
        }
        for (auto state = role_.states.begin(); state != role_.states.end(); ++state) {
            if (state != target) {
                redirect(*state, change.target, change.state.name);
            }
        }
        insert(target, change);
    }

    void insert_after(Iterator target, const StateChange& change) {
        if (!is_free(change)) {
            return;
        }
        const Iterator behind = std::next(target);
        if (behind == role_.states.end()) {
            faults_.push_back({change.place, where(change.target),
                               "no state stands behind " + shown(change.target),
                               "an edge for the new state; " + edges_of_target(*target), ""});
            return;
        }
        if (!redirect(*target, behind->name, change.state.name)) {
            faults_.push_back({change.place, where(change.target),
                               "no edge to " + shown(behind->name) + ", the state behind it",
                               "an edge for the new state; " + edges_of_target(*target), ""});
            return;
        }
        insert(behind, change);
    }

    void insert(Iterator place, const StateChange& change) {
        given_.insert(change.state.name);
        role_.states.insert(place, change.state);
    }

    [[nodiscard]] static std::string edges_of_target(const State& state) {
        std::vector<std::string> targets;
        for (const std::string* target : targets_of(state)) {
            const bool is_known =
                std::find(targets.begin(), targets.end(), *target) != targets.end();
            if (!target->empty() && !is_known) {
                targets.push_back(*target);
            }
        }
        return targets.empty() ? "it leads nowhere" : "it leads to " + listed(targets, "and");
    }

    Role& role_;
    const Plan& parent_;
    Faults& faults_;
    std::set<std::string, std::less<>> given_;  ///< Names of states that the changes have touched.
};

/// A var that is given twice is added twice: that is for check() to say.
void apply_vars(Plan& plan, const std::vector<Var>& vars) {
    std::set<std::string_view> given;
    for (const Var& var : vars) {
        const auto existing = find_named(plan.vars, var.name);
        if (given.insert(var.name).second && existing != plan.vars.end()) {
            *existing = var;
        } else {
            plan.vars.push_back(var);
        }
    }
}

void apply_default(Plan& plan, const Plan& parent, const NewDefault& given, Faults& faults) {
    const std::string where = inside("vars", given.var);
    const auto var = find_named(plan.vars, given.var);
    if (var == plan.vars.end()) {
        faults.push_back({given.place, where, "no var " + shown(given.var),
                          "a var of plan " + shown(parent.name),
                          meant(given.var, plan.var_names())});
        return;
    }
    Result<Value> value = read_json(*var, given.value.root());
    if (!value) {
        faults.push_back({given.place, where, value.error().what, "", ""});
        return;
    }
    var->preset = std::move(*value);
    var->optional = false;
    var->place = given.place;
}

/// A role that listens may come to connect: the two are one choice.
void apply_peer(PeerKeys& peer, const PeerKeys& given) {
    if (given.given()) {
        peer.to = given.to;
        peer.from = given.from;
    }
    if (!given.port.empty()) {
        peer.port = given.port;
    }
    if (given.given() || !given.port.empty()) {
        peer.place = given.place;
    }
}

}  // namespace

Plan derive(const Plan& parent, const Changes& changes, Faults& faults) {
    Plan plan = parent;
    plan.name = changes.name;
    plan.file = changes.file;
    plan.parent = parent.name;
    plan.place = changes.place;
    if (!changes.summary.empty()) {
        plan.summary = changes.summary;
    }
    apply_vars(plan, changes.vars);
    for (const NewDefault& given : changes.defaults) {
        apply_default(plan, parent, given, faults);
    }
    plan.relations.insert(plan.relations.end(), changes.relations.begin(), changes.relations.end());
    for (const RoleChange& given : changes.roles) {
        const auto role = find_named(plan.roles, given.name);
        if (role == plan.roles.end()) {
            faults.push_back(
                {given.place, given.name, "no role " + shown(given.name),
                 "a role of plan " + shown(parent.name) + ": " + listed(parent.role_names()),
                 meant(given.name, parent.role_names())});
            continue;
        }
        apply_peer(role->peer, given.peer);
        role->looks.insert(role->looks.end(), given.looks.begin(), given.looks.end());
        RoleEditor editor{*role, parent, faults};
        for (const StateChange& change : given.changes) {
            editor.apply(change);
        }
    }
    return plan;
}

}  // namespace ktm::plan
