// SPDX-License-Identifier: Apache-2.0
// plan/check_graph.cc: what is wrong with the states of a role together.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "plan/check_parts.hh"
#include "plan/wording.hh"

namespace ktm::plan {

namespace {

using Names = std::set<std::string_view>;

/// The edges that somebody wrote: without the default of `late`.
std::vector<Edge> written_edges(const Role& role) {
    std::vector<Edge> edges = edges_of(role);
    std::erase_if(edges, [&](const Edge& edge) {
        return edge.kind == Edge::Kind::late && role.find(edge.from)->late.empty();
    });
    return edges;
}

std::vector<std::string> targets_of(const Role& role) {
    std::vector<std::string> names = role.state_names();
    for (const std::string_view end : {end_done, end_abort, end_stranded}) {
        names.emplace_back(end);
    }
    return names;
}

/// Adds a fault for each edge that leads nowhere, and lets it lead to what was probably meant: one
/// slip of the pen should not appear as ten faults.
void mend_targets(const Role& role, std::vector<Edge>& edges, Faults& faults) {
    const std::vector<std::string> targets = targets_of(role);
    for (Edge& edge : edges) {
        if (is_end(edge.to) || role.find(edge.to) != nullptr) {
            continue;
        }
        const std::string hint = meant(edge.to, targets);
        faults.push_back({edge.place, inside(role.name, edge.from), "no state " + shown(edge.to),
                          "a state of this role, or done, abort, stranded", hint});
        if (!hint.empty()) {
            edge.to = hint;
        }
    }
}

/// Which name leads to which others.
using Arrows = std::multimap<std::string_view, std::string_view>;

/// The seeds, and all that is reached from them.
Names spread(Names seeds, const Arrows& arrows) {
    std::vector<std::string_view> open(seeds.begin(), seeds.end());
    while (!open.empty()) {
        const auto [first, last] = arrows.equal_range(open.back());
        open.pop_back();
        for (auto arrow = first; arrow != last; ++arrow) {
            if (seeds.insert(arrow->second).second) {
                open.push_back(arrow->second);
            }
        }
    }
    return seeds;
}

Arrows arrows_of(const std::vector<Edge>& edges) {
    Arrows arrows;
    for (const Edge& edge : edges) {
        arrows.emplace(edge.from, edge.to);
    }
    return arrows;
}

/// The states that are reached from the first one.
Names reached_states(const Role& role, const std::vector<Edge>& edges) {
    return spread({role.states[0].name}, arrows_of(edges));
}

/// Whether a state is reached from which nothing leads on. That is a fault of its own, and what
/// would be reached behind it nobody knows.
bool breaks_off(const Role& role, const Names& reached) {
    return std::any_of(role.states.begin(), role.states.end(), [&](const State& state) {
        return reached.contains(state.name) && state.next.empty() && state.handlers.empty() &&
               state.late.empty();
    });
}

void check_reached(const Role& role, const std::vector<Edge>& edges, Faults& faults) {
    const Names reached = reached_states(role, edges);
    if (breaks_off(role, reached)) {
        return;
    }
    for (const State& state : role.states) {
        if (!reached.contains(state.name)) {
            faults.push_back({state.place, inside(role.name, state.name),
                              "the state is never reached from " + shown(role.states[0].name),
                              "an edge that leads to it", ""});
        }
    }
}

/// The states from which an end is reached along these edges. What has a fault of its own, an edge
/// to nowhere or a state without a way out, is given the benefit of the doubt.
Names ending_states(const Role& role, const std::vector<Edge>& edges) {
    Names states;
    Names ending;
    for (const State& state : role.states) {
        states.insert(state.name);
        if (state.next.empty() && state.handlers.empty() && state.late.empty()) {
            ending.insert(state.name);
        }
    }
    Arrows back;
    for (const Edge& edge : edges) {
        if (is_end(edge.to) || !states.contains(edge.to)) {
            ending.insert(edge.from);
        }
        back.emplace(edge.to, edge.from);
    }
    return spread(std::move(ending), back);
}

void check_ends(const Role& role, const std::vector<Edge>& edges, Faults& faults) {
    const Names ending = ending_states(role, edges);
    for (const State& state : role.states) {
        if (!ending.contains(state.name)) {
            faults.push_back({state.place, inside(role.name, state.name),
                              "from here no end can be reached but by its deadline",
                              "a way to done, abort or stranded by next, go or a written 'late'",
                              ""});
        }
    }
}

/// The committing state behind which this one comes; of several the first. None: null.
const State* commit_before(const Role& role, const State& state, const Arrows& arrows) {
    for (const State& other : role.states) {
        if (other.commits && other.name != state.name &&
            spread({other.name}, arrows).contains(state.name)) {
            return &other;
        }
    }
    return nullptr;
}

void check_commits(const Role& role, const std::vector<Edge>& edges, Faults& faults) {
    const Arrows arrows = arrows_of(edges);
    for (const State& state : role.states) {
        const State* before = state.commits ? commit_before(role, state, arrows) : nullptr;
        if (before != nullptr) {
            faults.push_back({state.place, inside(role.name, state.name),
                              "a second commit: " + shown(before->name) + " has committed already",
                              "one commit on each way" + first_at(before->place), ""});
        }
    }
    const std::vector<std::string> committed = committed_states(role);
    for (const Edge& edge : edges) {
        const bool behind =
            std::find(committed.begin(), committed.end(), edge.from) != committed.end();
        if (behind && edge.to == end_abort) {
            faults.push_back({edge.place, inside(role.name, edge.from),
                              "abort after the commit: nothing can be undone any more",
                              std::string(end_stranded), ""});
        }
    }
}

}  // namespace

void check_graph(const Role& role, Faults& faults) {
    if (role.states.empty()) {
        return;
    }
    std::vector<Edge> edges = written_edges(role);
    mend_targets(role, edges, faults);
    check_reached(role, edges, faults);
    check_ends(role, edges, faults);
    check_commits(role, edges, faults);
}

}  // namespace ktm::plan
