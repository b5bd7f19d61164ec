// SPDX-License-Identifier: Apache-2.0
// engine/course.cc: edges looked up, events matched.
#include "engine/course.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"

namespace ktm::engine {

namespace {

Target target_of(const plan::Role& role, std::string_view name) {
    if (name.empty()) {
        return Target{};
    }
    if (name == plan::end_done) {
        return Target{Target::Kind::done};
    }
    if (name == plan::end_abort) {
        return Target{Target::Kind::abort};
    }
    if (name == plan::end_stranded) {
        return Target{Target::Kind::stranded};
    }
    const auto found = std::find_if(role.states.begin(), role.states.end(),
                                    [&](const plan::State& state) { return state.name == name; });
    KTM_ASSERT(found != role.states.end());
    return Target{Target::Kind::state, static_cast<std::size_t>(found - role.states.begin())};
}

bool equals(const json::View& value, const plan::Match::Wanted& wanted) {
    if (const auto* truth = std::get_if<bool>(&wanted)) {
        return value.as_bool() == *truth;
    }
    if (const auto* number = std::get_if<double>(&wanted)) {
        return value.as_double() == *number;
    }
    return value.as_string() == std::get<std::string>(wanted);
}

/// For handlers and patterns, which have the same three fields.
template <class Wanted>
bool is_meant(const Wanted& wanted, const Event& event) {
    if (event.name != wanted.event || event.vm != wanted.vm) {
        return false;
    }
    return std::all_of(wanted.matches.begin(), wanted.matches.end(), [&](const plan::Match& match) {
        const std::optional<json::View> value =
            event.data ? event.data->root().find(match.field) : std::nullopt;
        return value && equals(*value, match.wanted);
    });
}

}  // namespace

bool Pattern::fits(const Event& candidate) const {
    return is_meant(*this, candidate);
}

const plan::Handler* Node::handler_for(const Event& event) const {
    for (const plan::Handler& handler : state->handlers) {
        if (is_meant(handler, event)) {
            return &handler;
        }
    }
    return nullptr;
}

Target Node::go_of(const plan::Handler& handler) const {
    return go[static_cast<std::size_t>(&handler - state->handlers.data())];
}

std::vector<Node> course_of(const plan::Role& role, const std::vector<Duration>& within) {
    KTM_ASSERT(!role.states.empty() && within.size() == role.states.size());
    std::vector<Node> nodes;
    for (const plan::State& state : role.states) {
        Node node{&state, within[nodes.size()], target_of(role, state.next),
                  target_of(role, state.late)};
        for (const plan::Handler& handler : state.handlers) {
            node.go.push_back(target_of(role, handler.go));
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

}  // namespace ktm::engine
