// SPDX-License-Identifier: Apache-2.0
// script/reader.cc: from the tree that a plan file returned to a plan.
#include "script/reader.hh"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/nearest.hh"
#include "base/time.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "script/api.hh"
#include "script/var_reader.hh"

namespace ktm::script {

namespace {

/// Reads one file's tree. `where_` follows the descent: "source.precopy".
class Reader {
public:
    Reader(const SourceTexts& sources, plan::Faults& faults) : form_(sources, faults) {}

    std::variant<plan::Plan, Derivation> read(const Datum& returned) {
        if (returned.is("derive")) {
            return read_derivation(returned);
        }
        if (returned.kind == "unknown") {
            return plan::Plan{};  // Reported where it stands.
        }
        if (!returned.is("plan")) {
            form_.fault(returned, "", "the file returns " + returned.described(),
                        "return plan { … } or return derive \"parent\" { … }");
            return plan::Plan{};
        }
        return read_plan(returned);
    }

private:
    plan::Plan read_plan(const Datum& node) {
        form_.allow(node, "", {"name", "api", "summary", "vars", "relations"});
        plan::Plan plan;
        plan.place = node.place();
        plan.file = node.place().file;
        plan.name = form_.text(node, "", "name");
        plan.summary = form_.text(node, "", "summary");
        if (const std::optional<double> api = form_.number(node, "", "api")) {
            plan.api = static_cast<int>(*api);
        } else {
            plan.api = node.find("api") == nullptr ? 0 : plan::api_version;
        }
        plan.vars = read_vars(node, nullptr);
        plan.relations = read_relations(node);
        for (const Datum& item : node.items) {
            if (item.is("role")) {
                plan.roles.push_back(read_role(item));
            } else {
                form_.stray(item, "", "role \"name\" { … }");
            }
        }
        return plan;
    }

    /// `defaults` takes what a derived plan gives for the vars of its parent.
    std::vector<plan::Var> read_vars(const Datum& node, std::vector<plan::NewDefault>* defaults) {
        std::vector<plan::Var> vars;
        const Datum* table = node.find("vars");
        if (table == nullptr) {
            return vars;
        }
        if (table->type != Datum::Type::table || !table->items.empty()) {
            form_.fault_at(form_.place_of(node, "vars"), "vars", "vars is no table with names",
                           "vars = { downtime = var.duration { … } }");
        }
        for (const auto& [name, value] : table->fields) {
            if (value.is("var")) {
                vars.push_back(read_var(name, value, form_));
            } else if (defaults != nullptr) {
                if (std::optional<json::Document> given = form_.json(value, "vars." + name, "it")) {
                    defaults->push_back({name, std::move(*given), form_.place_of(*table, name)});
                }
            } else {
                form_.fault_at(form_.place_of(*table, name), "vars." + name,
                               "it is " + value.described(), "a type, such as var.duration { … }");
            }
        }
        std::stable_sort(vars.begin(), vars.end(), [](const plan::Var& a, const plan::Var& b) {
            return a.place.line < b.place.line;
        });
        vars.shrink_to_fit();
        return vars;
    }

    std::vector<plan::Relation> read_relations(const Datum& node) {
        std::vector<plan::Relation> relations;
        const Datum* table = node.find("relations");
        if (table == nullptr) {
            return relations;
        }
        using Kind = plan::Relation::Kind;
        for (const Datum& item : table->items) {
            plan::Relation relation;
            relation.place = item.place();
            bool known = false;
            for (const Kind kind : {Kind::same_family, Kind::ascending, Kind::together,
                                    Kind::one_of, Kind::different}) {
                if (item.is(plan::name_of(kind))) {
                    relation.kind = kind;
                    known = true;
                }
            }
            if (!known) {
                form_.stray(item, "relations",
                            "same_family, ascending, together, one_of or different");
                continue;
            }
            relation.vars = form_.texts(item, "relations");
            relations.push_back(std::move(relation));
        }
        if (table->type != Datum::Type::table || !table->fields.empty()) {
            form_.fault_at(form_.place_of(node, "relations"), "relations", "relations is no list",
                           "relations = { same_family { \"a\", \"b\" } }");
        }
        return relations;
    }

    plan::Role read_role(const Datum& node) {
        plan::Role role;
        role.name = node.name;
        role.place = node.place();
        form_.allow(node, role.name, {"peer_to", "peer_from", "peer_port", "looks"});
        role.peer = read_peer(node);
        role.looks = read_looks(node);
        for (const Datum& item : node.items) {
            if (item.is("state")) {
                role.states.push_back(read_state(item, role.name));
            } else {
                form_.stray(item, role.name, "state \"name\" { … }");
            }
        }
        role.states.shrink_to_fit();
        return role;
    }

    std::vector<plan::FunctionRef> read_looks(const Datum& node) {
        std::vector<plan::FunctionRef> looks;
        if (std::optional<plan::FunctionRef> function = form_.function(node, node.name, "looks")) {
            looks.push_back(*std::move(function));
        }
        return looks;
    }

    plan::PeerKeys read_peer(const Datum& node) {
        plan::PeerKeys peer;
        peer.place = node.place();
        peer.to = read_reference(node, "peer_to", peer.place);
        peer.from = read_reference(node, "peer_from", peer.place);
        peer.port = read_reference(node, "peer_port", peer.place);
        return peer;
    }

    /// The name of a var; `place` becomes the key's, where it is given.
    std::string read_reference(const Datum& node, std::string_view key, plan::Place& place) {
        const Datum* value = node.find(key);
        if (value == nullptr) {
            return "";
        }
        place = form_.place_of(node, key);
        if (value->is("reference")) {
            return value->name;
        }
        if (value->kind != "unknown") {
            form_.fault_at(place, node.name, std::string{key} + " is " + value->described(),
                           "var \"name\"");
        }
        return "";
    }

    plan::State read_state(const Datum& node, const std::string& role) {
        const std::string where = role + "." + node.name;
        form_.allow(node, where, {"within", "late", "enter", "next", "commits"});
        plan::State state;
        state.name = node.name;
        state.place = node.place();
        state.within = read_within(node, where);
        state.late = form_.text(node, where, "late");
        state.next = form_.text(node, where, "next");
        state.enter = form_.function(node, where, "enter");
        state.commits = form_.boolean(node, where, "commits").value_or(false);
        for (const Datum& item : node.items) {
            if (item.is("on")) {
                state.handlers.push_back(read_handler(item, where));
            } else {
                form_.stray(item, where, "on { EVENT, go = \"state\" }");
            }
        }
        state.handlers.shrink_to_fit();
        return state;
    }

    std::optional<plan::Within> read_within(const Datum& node, const std::string& where) {
        const Datum* value = node.find("within");
        if (value == nullptr) {
            return std::nullopt;
        }
        if (value->is("reference")) {
            return plan::Within{std::nullopt, value->name};
        }
        if (value->type == Datum::Type::text) {
            if (Result<Duration> duration = parse_duration(value->text)) {
                return plan::Within{*duration, ""};
            }
        }
        if (value->kind != "unknown") {
            form_.fault_at(form_.place_of(node, "within"), where, "within is " + value->described(),
                           "a duration with a unit, such as \"10s\", or var \"name\"");
        }
        // So that the missing deadline is not reported as well.
        return plan::Within{std::chrono::seconds{1}, ""};
    }

    plan::Handler read_handler(const Datum& node, const std::string& where) {
        plan::Handler handler;
        handler.place = node.place();
        const bool has_event = !node.items.empty() && node.items[0].type == Datum::Type::text;
        if (has_event) {
            handler.event = node.items[0].text;
        } else {
            form_.fault(node, where,
                        node.items.empty() ? "on without an event"
                                           : "the event is " + node.items[0].described(),
                        "its name first, such as on { \"STOP\", go = \"dark\" }");
            // A name that passes the other checks.
            handler.event = "NONE";
        }
        for (std::size_t index = 1; index < node.items.size(); ++index) {
            form_.stray(node.items[index], where, "one event in each on");
        }
        handler.go = form_.text(node, where, "go");
        handler.vm = form_.text(node, where, "vm");
        handler.run = form_.function(node, where, "run");
        for (const auto& [field, value] : node.fields) {
            if (field != "go" && field != "vm" && field != "run") {
                add_match(handler, field, value, where);
            }
        }
        if (has_event && node.find("go") == nullptr && node.find("run") == nullptr) {
            form_.fault(node, where, "on \"" + handler.event + "\" does nothing",
                        "go = \"state\", run = function, or both");
        }
        return handler;
    }

    void add_match(plan::Handler& handler, const std::string& field, const Datum& value,
                   const std::string& where) {
        switch (value.type) {
            case Datum::Type::text: handler.matches.push_back({field, value.text}); return;
            case Datum::Type::number: handler.matches.push_back({field, value.number}); return;
            case Datum::Type::boolean: handler.matches.push_back({field, value.truth}); return;
            case Datum::Type::nil:
            case Datum::Type::function:
            case Datum::Type::table:
            case Datum::Type::node:
            case Datum::Type::unfinished:
            case Datum::Type::other: break;
        }
        plan::Fault fault{form_.place_of(handler.place, field), where,
                          "on has the key '" + field + "' with " + value.described(),
                          "go, run, vm, or a field of the event that equals a text, a number or a "
                          "boolean",
                          ""};
        if (const std::vector<std::string> near = nearest(field, {"go", "run", "vm"});
            !near.empty()) {
            fault.hint = near.front();
        }
        form_.add(std::move(fault));
    }

    // --- derive -------------------------------------------------------------------------------

    Derivation read_derivation(const Datum& node) {
        form_.allow(node, "", {"name", "summary", "vars", "relations"});
        Derivation derivation;
        derivation.parent = node.name;
        plan::Changes& changes = derivation.changes;
        changes.place = node.place();
        changes.file = node.place().file;
        changes.name = form_.text(node, "", "name");
        changes.summary = form_.text(node, "", "summary");
        changes.vars = read_vars(node, &changes.defaults);
        changes.relations = read_relations(node);
        for (const Datum& item : node.items) {
            if (item.is("role")) {
                changes.roles.push_back(read_role_change(item));
            } else {
                form_.stray(item, "", "role \"name\" { … }");
            }
        }
        return derivation;
    }

    plan::RoleChange read_role_change(const Datum& node) {
        plan::RoleChange role;
        role.name = node.name;
        role.place = node.place();
        form_.allow(node, role.name, {"peer_to", "peer_from", "peer_port", "looks"});
        role.peer = read_peer(node);
        role.looks = read_looks(node);
        using Kind = plan::StateChange::Kind;
        for (const Datum& item : node.items) {
            if (item.is("state")) {
                role.changes.push_back(
                    {Kind::replace, item.name, read_state(item, node.name), true, item.place()});
            } else if (item.is("change")) {
                role.changes.push_back({Kind::change, item.name, read_state(item, node.name),
                                        item.find("commits") != nullptr, item.place()});
            } else if (item.is("before") || item.is("after")) {
                read_insertion(item, role);
            } else {
                form_.stray(item, node.name, "state, change, before or after");
            }
        }
        return role;
    }

    void read_insertion(const Datum& node, plan::RoleChange& role) {
        using Kind = plan::StateChange::Kind;
        const std::string where = role.name + "." + node.name;
        form_.allow(node, where, {});
        const Kind kind = node.is("before") ? Kind::before : Kind::after;
        std::size_t states = 0;
        for (const Datum& item : node.items) {
            if (item.is("state")) {
                ++states;
                role.changes.push_back(
                    {kind, node.name, read_state(item, role.name), true, item.place()});
            } else {
                form_.stray(item, where, "state \"name\" { … }");
            }
        }
        if (states != 1) {
            form_.fault(
                node, where,
                node.kind + " \"" + node.name + "\" has " + std::to_string(states) + " states",
                "one state in each");
        }
    }

    Form form_;
};

}  // namespace

std::variant<plan::Plan, Derivation> read_declaration(const Datum& returned,
                                                      const SourceTexts& sources,
                                                      plan::Faults& faults) {
    return Reader{sources, faults}.read(returned);
}

}  // namespace ktm::script
