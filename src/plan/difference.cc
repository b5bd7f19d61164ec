// SPDX-License-Identifier: Apache-2.0
// plan/difference.cc: what one plan has that another has not.
#include "plan/difference.hh"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hh"

namespace ktm::plan {

namespace {

std::string yes(bool flag) {
    return flag ? "yes" : "";
}

std::string default_text(const Var& var) {
    return var.preset ? var.preset->text() : "";
}

/// A bound as a person would write it: of a text or list it is a size, and a plain number.
std::string bound_text(const Var& var, const std::optional<std::int64_t>& bound) {
    if (!bound) {
        return "";
    }
    const bool has_unit =
        var.type == Type::duration || var.type == Type::size || var.type == Type::rate;
    return has_unit ? Value{var.type, *bound}.text() : std::to_string(*bound);
}

std::string var_text(const Var& var) {
    return describe_kind(var) + (var.preset ? ", default " + default_text(var) : "") +
           (var.optional ? ", optional" : "");
}

std::string function_text(std::string_view what, const FunctionRef& function) {
    return std::string(what) + " at " + function.place.text();
}

/// "run at plans/move.lua:41, go done"; one that does neither says "nothing".
std::string handler_text(const Handler& handler) {
    std::vector<std::string> parts;
    if (handler.run) {
        parts.push_back(function_text("run", *handler.run));
    }
    if (!handler.go.empty()) {
        parts.push_back("go " + handler.go);
    }
    return parts.empty() ? "nothing" : joined(parts);
}

std::string state_text(const State& state) {
    std::vector<std::string> targets;
    const auto add = [&](const std::string& target) {
        if (!target.empty() && std::find(targets.begin(), targets.end(), target) == targets.end()) {
            targets.push_back(target);
        }
    };
    add(state.next);
    for (const Handler& handler : state.handlers) {
        add(handler.go);
    }
    add(state.late);
    std::vector<std::string> parts;
    if (state.within) {
        parts.push_back("within " + state.within->text());
    }
    if (state.commits) {
        parts.emplace_back("commits");
    }
    if (!targets.empty()) {
        parts.push_back("leads to " + joined(targets));
    }
    return parts.empty() ? "nothing" : joined(parts);
}

bool is_same_function(const std::optional<FunctionRef>& a, const std::optional<FunctionRef>& b) {
    return a.has_value() == b.has_value() && (!a || a->digest == b->digest);
}

bool has_digest_of(const FunctionRef& a, const FunctionRef& b) {
    return a.digest == b.digest;
}

bool is_same_event(const Handler& a, const Handler& b) {
    return a.event == b.event && a.vm == b.vm && a.matches == b.matches;
}

bool is_same_name(const auto& a, const auto& b) {
    return a.name == b.name;
}

bool is_same_relation(const Relation& a, const Relation& b) {
    return a.kind == b.kind && a.vars == b.vars;
}

/// Walks through both plans and collects.
class Comparison {
public:
    std::vector<Difference> of(const Plan& older, const Plan& newer) && {
        compare("summary", older.summary, newer.summary, newer.place);
        compare_vars(older, newer);
        compare_relations(older, newer);
        match(
            older.roles, newer.roles, is_same_name<Role, Role>,
            [&](const Role& role, const Role* of_newer) {
                of_newer == nullptr ? removed(role.name, role_text(role), role.place)
                                    : compare_role(role, *of_newer);
            },
            [&](const Role& role) { added(role.name, role_text(role), role.place); });
        return std::move(differences_);
    }

private:
    void added(std::string where, std::string text, const Place& place) {
        differences_.push_back(
            {Difference::Kind::added, std::move(where), "", std::move(text), place});
    }

    void removed(std::string where, std::string text, const Place& place) {
        differences_.push_back(
            {Difference::Kind::removed, std::move(where), std::move(text), "", place});
    }

    void changed(std::string where, std::string before, std::string after, const Place& place) {
        differences_.push_back({Difference::Kind::changed, std::move(where), std::move(before),
                                std::move(after), place});
    }

    /// One key, whose text is empty where it is not given. `place` is the newer plan's: a key that
    /// is gone has no place of its own, but its owner is still there.
    void compare(const std::string& where, std::string before, std::string after,
                 const Place& place) {
        if (before == after) {
            return;
        }
        if (before.empty()) {
            added(where, std::move(after), place);
        } else if (after.empty()) {
            removed(where, std::move(before), place);
        } else {
            changed(where, std::move(before), std::move(after), place);
        }
    }

    /// Calls `both` for each of the newer ones that the older have too, `only_newer` for the rest,
    /// in reading order of the newer; then `both` with nothing for each that is gone.
    template <class T, class Same, class Both, class OnlyNewer>
    static void match(const std::vector<T>& older, const std::vector<T>& newer, const Same& same,
                      const Both& both, const OnlyNewer& only_newer) {
        std::set<std::size_t> matched;
        for (const T& each : newer) {
            std::size_t i = 0;
            while (i < older.size() && (matched.contains(i) || !same(older[i], each))) {
                ++i;
            }
            if (i < older.size()) {
                matched.insert(i);
                both(older[i], &each);
            } else {
                only_newer(each);
            }
        }
        for (std::size_t i = 0; i < older.size(); ++i) {
            if (!matched.contains(i)) {
                both(older[i], nullptr);
            }
        }
    }

    void compare_vars(const Plan& older, const Plan& newer) {
        match(
            older.vars, newer.vars, is_same_name<Var, Var>,
            [&](const Var& var, const Var* of_newer) {
                of_newer == nullptr ? removed("vars." + var.name, var_text(var), var.place)
                                    : compare_var(var, *of_newer);
            },
            [&](const Var& var) { added("vars." + var.name, var_text(var), var.place); });
    }

    void compare_var(const Var& older, const Var& newer) {
        const std::string where = "vars." + newer.name + ".";
        const auto key = [&](const char* name, std::string before, std::string after) {
            compare(where + name, std::move(before), std::move(after), newer.place);
        };
        key("type", describe_kind(older), describe_kind(newer));
        // Compared as values: two secrets have one text.
        if (older.preset && newer.preset && *older.preset != *newer.preset) {
            changed(where + "default", default_text(older), default_text(newer), newer.place);
        } else if (older.preset.has_value() != newer.preset.has_value()) {
            compare_presence(where + "default", older, newer);
        }
        key("min", bound_text(older, older.min), bound_text(newer, newer.min));
        key("max", bound_text(older, older.max), bound_text(newer, newer.max));
        key("choices", joined(older.choices), joined(newer.choices));
        key("optional", yes(older.optional), yes(newer.optional));
        key("agree", yes(older.agree), yes(newer.agree));
        key("role", older.role, newer.role);
        key("doc", older.doc, newer.doc);
    }

    /// A default may be the empty text, and is there all the same.
    void compare_presence(const std::string& where, const Var& older, const Var& newer) {
        newer.preset ? added(where, default_text(newer), newer.place)
                     : removed(where, default_text(older), newer.place);
    }

    void compare_relations(const Plan& older, const Plan& newer) {
        const auto where = [](const Relation& relation) {
            return "relations." + std::string(name_of(relation.kind));
        };
        match(
            older.relations, newer.relations, is_same_relation,
            [&](const Relation& relation, const Relation* of_newer) {
                if (of_newer == nullptr) {
                    removed(where(relation), joined(relation.vars), relation.place);
                }
            },
            [&](const Relation& relation) {
                added(where(relation), joined(relation.vars), relation.place);
            });
    }

    static std::string role_text(const Role& role) {
        return "states " + joined(role.state_names());
    }

    static std::string start_of(const Role& role) {
        return role.states.empty() ? "" : role.states.front().name;
    }

    void compare_role(const Role& older, const Role& newer) {
        compare(newer.name + ".start", start_of(older), start_of(newer), newer.place);
        const std::string prefix = newer.name + ".";
        compare(prefix + "peer_to", older.peer.to, newer.peer.to, newer.place);
        compare(prefix + "peer_from", older.peer.from, newer.peer.from, newer.place);
        compare(prefix + "peer_port", older.peer.port, newer.peer.port, newer.place);
        match(
            older.looks, newer.looks, has_digest_of,
            [&](const FunctionRef& look, const FunctionRef* of_newer) {
                if (of_newer == nullptr) {
                    removed(prefix + "looks", function_text("function", look), look.place);
                }
            },
            [&](const FunctionRef& look) {
                added(prefix + "looks", function_text("function", look), look.place);
            });
        match(
            older.states, newer.states, is_same_name<State, State>,
            [&](const State& state, const State* of_newer) {
                of_newer == nullptr ? removed(prefix + state.name, state_text(state), state.place)
                                    : compare_state(prefix + state.name, state, *of_newer);
            },
            [&](const State& state) {
                added(prefix + state.name, state_text(state), state.place);
            });
    }

    void compare_state(const std::string& where, const State& older, const State& newer) {
        const auto within = [](const State& state) {
            return state.within ? state.within->text() : std::string();
        };
        compare(where + ".within", within(older), within(newer), newer.place);
        compare(where + ".late", older.late, newer.late, newer.place);
        compare_enter(where + ".enter", older, newer);
        compare(where + ".next", older.next, newer.next, newer.place);
        compare(where + ".commits", yes(older.commits), yes(newer.commits), newer.place);
        match(
            older.handlers, newer.handlers, is_same_event,
            [&](const Handler& handler, const Handler* of_newer) {
                compare_handler(where + ".on " + handler.label(), handler, of_newer);
            },
            [&](const Handler& handler) {
                added(where + ".on " + handler.label(), handler_text(handler), handler.place);
            });
        compare_order(where + ".order", older, newer);
    }

    void compare_enter(const std::string& where, const State& older, const State& newer) {
        if (is_same_function(older.enter, newer.enter)) {
            return;
        }
        const auto text = [](const State& state) {
            return state.enter ? function_text("enter", *state.enter) : std::string();
        };
        const Place& place = newer.enter ? newer.enter->place : newer.place;
        if (older.enter && newer.enter) {
            changed(where, text(older), text(newer), place);
        } else {
            compare(where, text(older), text(newer), place);
        }
    }

    void compare_handler(const std::string& where, const Handler& older, const Handler* newer) {
        if (newer == nullptr) {
            removed(where, handler_text(older), older.place);
        } else if (older.go != newer->go || !is_same_function(older.run, newer->run)) {
            changed(where, handler_text(older), handler_text(*newer), newer->place);
        }
    }

    /// The first handler that fits an event is the one that counts, so their order is no matter of
    /// taste.
    void compare_order(const std::string& where, const State& older, const State& newer) {
        const auto shared = [](const State& of, const State& with) {
            std::vector<std::string> labels;
            for (const Handler& handler : of.handlers) {
                const bool in_both =
                    std::any_of(with.handlers.begin(), with.handlers.end(),
                                [&](const Handler& each) { return is_same_event(each, handler); });
                if (in_both) {
                    labels.push_back(handler.label());
                }
            }
            return labels;
        };
        const std::vector<std::string> before = shared(older, newer);
        const std::vector<std::string> after = shared(newer, older);
        if (before.size() == after.size()) {
            compare(where, joined(before), joined(after), newer.place);
        }
    }

    std::vector<Difference> differences_;
};

}  // namespace

std::vector<Difference> differences(const Plan& older, const Plan& newer) {
    return Comparison{}.of(older, newer);
}

}  // namespace ktm::plan
