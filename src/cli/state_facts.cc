// SPDX-License-Identifier: Apache-2.0
// cli/state_facts.cc: what `plan show` says of a plan beside what stands in it.
#include "cli/state_facts.hh"

#include <algorithm>

#include "plan/wording.hh"

namespace ktm::cli {

std::string words_of(const plan::Relation& relation) {
    const std::string vars = plan::listed(relation.vars, "and");
    switch (relation.kind) {
        case plan::Relation::Kind::same_family: return vars + " are all IPv4 or all IPv6";
        case plan::Relation::Kind::ascending: return "each of " + vars + " is at most the next";
        case plan::Relation::Kind::together: return vars + " are given together or not at all";
        case plan::Relation::Kind::one_of: return "exactly one of " + vars + " is given";
        case plan::Relation::Kind::different: return "no two of " + vars + " are equal";
    }
    return vars;
}

std::string late_of(const plan::Role& role, const plan::State& state) {
    for (const plan::Edge& edge : plan::edges_of(role)) {
        if (edge.kind == plan::Edge::Kind::late && edge.from == state.name) {
            return edge.to;
        }
    }
    return state.late;
}

std::vector<plan::Mention> mentions_of(const plan::State& state) {
    std::vector<plan::Mention> mentions;
    const auto add = [&](const plan::FunctionRef& function) {
        for (const plan::Mention& mention : function.mentions) {
            // A function that several handlers run is still one.
            const bool is_known =
                std::any_of(mentions.begin(), mentions.end(), [&](const plan::Mention& each) {
                    return each.kind == mention.kind && each.text == mention.text &&
                           each.place == mention.place;
                });
            if (!is_known) {
                mentions.push_back(mention);
            }
        }
    };
    if (state.enter) {
        add(*state.enter);
    }
    for (const plan::Handler& handler : state.handlers) {
        if (handler.run) {
            add(*handler.run);
        }
    }
    return mentions;
}

}  // namespace ktm::cli
