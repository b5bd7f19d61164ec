// SPDX-License-Identifier: Apache-2.0
// plan/plan.cc: a plan as a value: finding in it, and its edges.
#include "plan/plan.hh"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "json/writer.hh"

namespace ktm::plan {

namespace {

/// The element of that name; the first one, should a wrong plan have two.
template <class T>
const T* find_named(const std::vector<T>& all, std::string_view name) noexcept {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const T& each) { return each.name == name; });
    return found == all.end() ? nullptr : &*found;
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& all) {
    std::vector<std::string> names;
    names.reserve(all.size());
    for (const T& each : all) {
        names.push_back(each.name);
    }
    return names;
}

std::string number_text(double number) {
    // LIMIT: up to here each whole number is a double of its own.
    constexpr double whole_max = 9007199254740992.0;
    if (std::abs(number) <= whole_max && number == std::floor(number)) {
        return std::to_string(static_cast<std::int64_t>(number));
    }
    char buffer[32];
    const auto [end, fault] = std::to_chars(std::begin(buffer), std::end(buffer), number);
    return fault == std::errc{} ? std::string(buffer, end) : "?";
}

/// Whether a text can stand without quotes and be taken for nothing else.
bool is_word(std::string_view text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_plain = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    return !text.empty() && is_letter(text[0]) && text != "true" && text != "false" &&
           std::all_of(text.begin(), text.end(), is_plain);
}

std::string wanted_text(const Match::Wanted& wanted) {
    if (const auto* flag = std::get_if<bool>(&wanted)) {
        return *flag ? "true" : "false";
    }
    if (const auto* number = std::get_if<double>(&wanted)) {
        return number_text(*number);
    }
    const std::string& text = *std::get_if<std::string>(&wanted);
    return is_word(text) ? text : json::quoted(text);
}

/// Where an edge was written, without the default of `late`; empty for no such edge.
std::vector<std::string_view> written_targets(const State& state) {
    std::vector<std::string_view> targets;
    if (!state.next.empty()) {
        targets.push_back(state.next);
    }
    for (const Handler& handler : state.handlers) {
        if (!handler.go.empty()) {
            targets.push_back(handler.go);
        }
    }
    if (!state.late.empty()) {
        targets.push_back(state.late);
    }
    return targets;
}

bool is_small(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_qmp_event(std::string_view name) {
    const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto is_allowed = [&](char c) {
        return is_capital(c) || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.empty() && is_capital(name[0]) &&
           std::all_of(name.begin(), name.end(), is_allowed);
}

bool is_own_event(std::string_view name) {
    const std::size_t colon = name.find(':');
    if (colon == name.npos || colon == 0 || colon + 1 == name.size()) {
        return false;
    }
    const std::string_view source = name.substr(0, colon);
    const std::string_view word = name.substr(colon + 1);
    const auto in_source = [](char c) { return is_small(c) || c == '-' || c == '_'; };
    const auto in_word = [&](char c) { return in_source(c) || c == '.'; };
    return source[0] >= 'a' && source[0] <= 'z' && is_small(word[0]) &&
           std::all_of(source.begin(), source.end(), in_source) &&
           std::all_of(word.begin(), word.end(), in_word);
}

bool is_signal_event(std::string_view name) noexcept {
    return name == "signal:USR1" || name == "signal:USR2";
}

bool is_end(std::string_view target) noexcept {
    return target == end_done || target == end_abort || target == end_stranded;
}

std::string Within::text() const {
    if (!fixed) {
        return var;
    }
    std::string exact = Value{Type::duration, fixed->count()}.text();
    exact.insert(std::min(exact.find_first_not_of("-0123456789"), exact.size()), " ");
    return exact;
}

std::string Handler::label() const {
    std::string text = event;
    if (!vm.empty()) {
        text += " vm=" + (is_word(vm) ? vm : json::quoted(vm));
    }
    for (const Match& match : matches) {
        text += " " + match.field + "=" + wanted_text(match.wanted);
    }
    return text;
}

const State* Role::find(std::string_view state) const noexcept {
    return find_named(states, state);
}

std::vector<std::string> Role::state_names() const {
    return names_of(states);
}

std::string_view name_of(Relation::Kind kind) noexcept {
    switch (kind) {
        case Relation::Kind::same_family: return "same_family";
        case Relation::Kind::ascending: return "ascending";
        case Relation::Kind::together: return "together";
        case Relation::Kind::one_of: return "one_of";
        case Relation::Kind::different: return "different";
    }
    return "unknown";
}

const Role* Plan::find(std::string_view role) const noexcept {
    return find_named(roles, role);
}

const Var* Plan::find_var(std::string_view var) const noexcept {
    return find_named(vars, var);
}

std::vector<std::string> Plan::role_names() const {
    return names_of(roles);
}

std::vector<std::string> Plan::var_names() const {
    return names_of(vars);
}

std::vector<Edge> edges_of(const Role& role) {
    const std::vector<std::string> committed = committed_states(role);
    std::vector<Edge> edges;
    for (const State& state : role.states) {
        if (!state.next.empty()) {
            edges.push_back({Edge::Kind::next, state.name, state.next, "", state.place});
        }
        for (const Handler& handler : state.handlers) {
            if (!handler.go.empty()) {
                edges.push_back(
                    {Edge::Kind::go, state.name, handler.go, handler.label(), handler.place});
            }
        }
        const bool behind =
            std::find(committed.begin(), committed.end(), state.name) != committed.end();
        const std::string late =
            !state.late.empty() ? state.late : std::string(behind ? end_stranded : end_abort);
        const std::string label = state.within ? "after " + state.within->text() : "late";
        edges.push_back({Edge::Kind::late, state.name, late, label, state.place});
    }
    return edges;
}

std::vector<std::string> committed_states(const Role& role) {
    std::set<std::string_view> reached;
    std::vector<const State*> open;
    const auto reach = [&](const State* state) {
        if (state != nullptr && reached.insert(state->name).second) {
            open.push_back(state);
        }
    };
    for (const State& state : role.states) {
        if (state.commits) {
            reach(&state);
        }
    }
    while (!open.empty()) {
        const State* state = open.back();
        open.pop_back();
        for (const std::string_view target : written_targets(*state)) {
            reach(role.find(target));
        }
    }
    std::vector<std::string> names = role.state_names();
    std::erase_if(names, [&](const std::string& name) { return !reached.contains(name); });
    return names;
}

}  // namespace ktm::plan
