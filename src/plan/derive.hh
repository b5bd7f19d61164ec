// SPDX-License-Identifier: Apache-2.0
// plan/derive.hh: a plan from another plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json/document.hh"
#include "plan/plan.hh"

namespace ktm::plan {

/// What happens to a state of the parent.
struct StateChange {
    enum class Kind {
        replace,  ///< `state "x" {…}`: the whole state; a name that the parent lacks is a fault.
        change,   ///< `change "x" {…}`: the given keys replace; handlers go before the parent's.
        before,   ///< `before "x" { state "new" {…} }`: every edge to x leads to new instead.
        after,  ///< `after "x" { state "new" {…} }`: x's edges to the state behind it in reading
                ///< order lead to new.
    };
    Kind kind = Kind::replace;
    std::string target;  ///< The state of the parent.
    State state;         ///< The new state; for `change`: the given keys, the rest as in State{}.
    bool gives_commits = false;  ///< For `change`: `commits` was given.
    Place place;
};

struct RoleChange {
    std::string name;
    std::vector<StateChange> changes;
    Place place;
    PeerKeys peer;  ///< What is given of it; an address takes the place of the parent's.
    std::vector<FunctionRef> looks;  ///< Come behind the parent's.
};

/// A new default for a var of the parent.
struct NewDefault {
    std::string var;
    json::Document value;
    Place place;
};

struct Changes {
    std::string name;
    std::string summary;  ///< Empty: the parent's.
    std::string file;
    std::vector<NewDefault> defaults;
    std::vector<Var> vars;            ///< New ones; one with the name of a parent's replaces it.
    std::vector<Relation> relations;  ///< Beside the parent's.
    std::vector<RoleChange> roles;
    Place place;
};

/// The parent with the changes, in order. What cannot be applied is added to the faults: an unknown
/// role, state or var with the nearest name, a new state whose name exists, `after` a state that
/// has no edge to the one behind it. The result is not checked yet: check() does that.
[[nodiscard]] Plan derive(const Plan& parent, const Changes& changes, Faults& faults);

}  // namespace ktm::plan
