// SPDX-License-Identifier: Apache-2.0
// cli/plan_json.cc: a plan as JSON, for scripts.
#include "cli/plan_json.hh"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "cli/state_facts.hh"

namespace ktm::cli {

namespace {

/// As a file of vars gives it: amounts with their units.
std::string given_json(const plan::Value& value) {
    switch (value.type()) {
        case plan::Type::duration:
        case plan::Type::size:
        case plan::Type::rate: return json::quoted(value.text());
        case plan::Type::list: {
            std::vector<std::string> items;
            for (const plan::Value& item : value.as_list()) {
                items.push_back(given_json(item));
            }
            return json_list(items);
        }
        case plan::Type::integer:
        case plan::Type::boolean:
        case plan::Type::ip:
        case plan::Type::ifname:
        case plan::Type::enumeration:
        case plan::Type::path:
        case plan::Type::text:
        case plan::Type::secret: return value.json();
    }
    return "null";
}

std::string var_json(const plan::Var& var) {
    json::ObjectWriter object;
    object.text("name", var.name).text("type", plan::name_of(var.type));
    if (var.type == plan::Type::list) {
        object.text("of", plan::name_of(var.element));
    }
    object.text("accepts", plan::describe_type(var))
        .boolean("required", var.required())
        .boolean("optional", var.optional)
        .boolean("agree", var.agree);
    if (!var.choices.empty()) {
        object.json("choices", json_texts(var.choices));
    }
    if (var.preset && var.type != plan::Type::secret) {
        object.json("default", given_json(*var.preset));
    }
    if (!var.role.empty()) {
        object.text("role", var.role);
    }
    object.text("doc", var.doc);
    return std::move(object).finish();
}

std::string relation_json(const plan::Relation& relation) {
    json::ObjectWriter object;
    object.text("kind", plan::name_of(relation.kind))
        .json("vars", json_texts(relation.vars))
        .text("words", words_of(relation));
    return std::move(object).finish();
}

json::ObjectWriter& add_place(json::ObjectWriter& object, const plan::Place& place) {
    return object.text("file", place.file.text()).integer("line", place.line);
}

std::string function_json(const plan::FunctionRef& function) {
    json::ObjectWriter object;
    add_place(object, function.place).integer("last_line", function.last_line);
    return std::move(object).finish();
}

std::string number_json(double number) {
    char buffer[32];
    const auto [end, fault] = std::to_chars(std::begin(buffer), std::end(buffer), number);
    return fault == std::errc{} ? std::string(buffer, end) : "null";
}

std::string wanted_json(const plan::Match::Wanted& wanted) {
    if (const auto* flag = std::get_if<bool>(&wanted)) {
        return *flag ? "true" : "false";
    }
    const auto* number = std::get_if<double>(&wanted);
    return number != nullptr ? number_json(*number)
                             : json::quoted(*std::get_if<std::string>(&wanted));
}

std::string handler_json(const plan::Handler& handler) {
    json::ObjectWriter matches;
    for (const plan::Match& match : handler.matches) {
        matches.json(match.field, wanted_json(match.wanted));
    }
    json::ObjectWriter object;
    object.text("event", handler.event);
    if (!handler.vm.empty()) {
        object.text("vm", handler.vm);
    }
    object.json("matches", std::move(matches).finish());
    if (handler.run) {
        object.json("run", function_json(*handler.run));
    }
    if (!handler.go.empty()) {
        object.text("go", handler.go);
    }
    object.integer("line", handler.place.line);
    return std::move(object).finish();
}

std::string mentions_json(const plan::State& state, plan::Mention::Kind kind) {
    std::vector<std::string> list;
    for (const plan::Mention& mention : mentions_of(state)) {
        if (mention.kind == kind) {
            json::ObjectWriter object;
            add_place(object.text("text", mention.text), mention.place);
            list.push_back(std::move(object).finish());
        }
    }
    return json_list(list);
}

std::string state_json(const plan::Role& role, const plan::State& state) {
    json::ObjectWriter object;
    object.text("name", state.name);
    add_place(object, state.place).boolean("commits", state.commits);
    if (state.within) {
        object.text(state.within->fixed ? "within" : "within_var", state.within->text());
    }
    object.text("late", late_of(role, state));
    if (state.enter) {
        object.json("enter", function_json(*state.enter));
    }
    if (!state.next.empty()) {
        object.text("next", state.next);
    }
    std::vector<std::string> handlers;
    for (const plan::Handler& handler : state.handlers) {
        handlers.push_back(handler_json(handler));
    }
    object.json("on", json_list(handlers))
        .json("holds", mentions_json(state, plan::Mention::Kind::hold))
        .json("undos", mentions_json(state, plan::Mention::Kind::undo));
    return std::move(object).finish();
}

std::string role_json(const plan::Role& role) {
    std::vector<std::string> states;
    for (const plan::State& state : role.states) {
        states.push_back(state_json(role, state));
    }
    json::ObjectWriter object;
    object.text("name", role.name);
    for (const auto& [key, var] :
         {std::pair{"peer_to", role.peer.to}, std::pair{"peer_from", role.peer.from},
          std::pair{"peer_port", role.peer.port}}) {
        if (!var.empty()) {
            object.text(key, var);
        }
    }
    std::vector<std::string> looks;
    std::transform(role.looks.begin(), role.looks.end(), std::back_inserter(looks), function_json);
    if (!looks.empty()) {
        object.json("looks", json_list(looks));
    }
    object.json("states", json_list(states));
    return std::move(object).finish();
}

std::string_view name_of(plan::Edge::Kind kind) {
    switch (kind) {
        case plan::Edge::Kind::next: return "next";
        case plan::Edge::Kind::go: return "go";
        case plan::Edge::Kind::late: return "late";
    }
    return "";
}

std::string edge_json(const plan::Edge& edge) {
    json::ObjectWriter object;
    object.text("from", edge.from)
        .text("to", edge.to)
        .text("kind", name_of(edge.kind))
        .text("label", edge.label);
    return std::move(object).finish();
}

template <class T, class ToJson>
std::string list_of(const std::vector<T>& all, const ToJson& to_json) {
    std::vector<std::string> values;
    std::transform(all.begin(), all.end(), std::back_inserter(values), to_json);
    return json_list(values);
}

}  // namespace

std::string json_list(const std::vector<std::string>& values) {
    std::string list = "[";
    for (const std::string& value : values) {
        list += (list.size() > 1 ? "," : "") + value;
    }
    return list + "]";
}

std::string json_texts(const std::vector<std::string>& texts) {
    return list_of(texts, [](const std::string& text) { return json::quoted(text); });
}

void add_parts(json::ObjectWriter& object, const plan::Plan& plan) {
    object.json("vars", list_of(plan.vars, var_json))
        .json("relations", list_of(plan.relations, relation_json))
        .json("roles", list_of(plan.roles, role_json));
}

std::string graph_json(const plan::Plan& plan) {
    return list_of(plan.roles, [](const plan::Role& role) {
        json::ObjectWriter object;
        object.text("name", role.name)
            .json("states", json_texts(role.state_names()))
            .json("edges", list_of(plan::edges_of(role), edge_json));
        return std::move(object).finish();
    });
}

}  // namespace ktm::cli
