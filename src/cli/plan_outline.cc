// SPDX-License-Identifier: Apache-2.0
// cli/plan_outline.cc: the text of a new plan that is derived from another and changes nothing yet.
#include "cli/plan_outline.hh"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/text.hh"
#include "cli/columns.hh"
#include "plan/settings.hh"

namespace ktm::cli {

namespace {

/// A text as Lua reads it, on one line.
std::string lua_text(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        escaped += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    }
    // What cannot be shown becomes \xNN, which Lua reads.
    return "\"" + printable(escaped) + "\"";
}

std::string lua_value(const plan::Value& value) {
    if (value.type() == plan::Type::boolean || value.type() == plan::Type::integer) {
        return value.text();
    }
    if (value.type() != plan::Type::list) {
        return lua_text(value.text());
    }
    std::string items;
    for (const plan::Value& item : value.as_list()) {
        items += (items.empty() ? " " : ", ") + lua_value(item);
    }
    return "{" + items + (items.empty() ? "}" : " }");
}

/// The name as a key of a table. A var may be called like a word of Lua.
std::string lua_key(const std::string& name) {
    constexpr std::array<std::string_view, 22> words{
        "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
        "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
        "repeat",   "return", "then", "true", "until",  "while"};
    const bool is_word = std::find(words.begin(), words.end(), name) != words.end();
    return is_word ? "[" + lua_text(name) + "]" : name;
}

std::string meaning_of(const plan::Var& var) {
    const std::string need = var.required() ? ", required" : var.preset ? "" : ", optional";
    return "-- " + plan::describe_type(var) + need + ": " + var.doc;
}

/// Nothing of a secret belongs into a file that is read by everybody.
bool is_secret(const plan::Var& var) {
    return var.type == plan::Type::secret ||
           (var.type == plan::Type::list && var.element == plan::Type::secret);
}

/// What a var could have for a default: an example of its type.
std::string example_value(plan::Var var) {
    const bool is_list = var.type == plan::Type::list;
    var.type = is_list ? var.element : var.type;
    const std::string example = lua_text(plan::example_of(var));
    return is_list ? "{ " + example + " }" : example;
}

std::string outline_of(const plan::Var& var) {
    if (is_secret(var)) {
        return "-- (" + var.name + " is a secret: --var " + var.name + "=@FILE)";
    }
    return "-- " + lua_key(var.name) + " = " +
           (var.preset ? lua_value(*var.preset) : example_value(var)) + ",";
}

std::string outline_of(const plan::State& state) {
    std::string keys;
    const auto add = [&](const char* key, const std::string& value) {
        keys += (keys.empty() ? "" : ", ") + std::string(key) + " = " + value;
    };
    if (state.within && state.within->fixed) {
        add("within", lua_value({plan::Type::duration, state.within->fixed->count()}));
    } else if (state.within) {
        add("within", "var " + lua_text(state.within->var));
    }
    if (!state.late.empty()) {
        add("late", lua_text(state.late));
    }
    if (!state.next.empty()) {
        add("next", lua_text(state.next));
    }
    return "-- change " + lua_text(state.name) + " { " + keys + " },";
}

/// How a state is put in front of another, with names of the parent's.
std::string example_of_before(const plan::Plan& parent) {
    const std::vector<plan::State>& states = parent.roles.front().states;
    const std::string place = lua_text(states[states.size() > 1 ? 1 : 0].name);
    return "before " + place + " { state \"look\" { within = \"5s\", next = " + place +
           ",\n---     enter = function(m) qmp(\"query-status\") end } },";
}

class Outline {
public:
    Outline(const plan::Plan& parent, const std::string& name) : parent_(parent), name_(name) {}

    std::string write() && {
        add("--- What " + parent_.name + " does, with changes of your own.");
        add("---");
        add("--- Take the dashes in front of a line away to change what stands there; all that is");
        add("--- not given here is as in " + parent_.name + ". A state can also be replaced, with");
        add("--- state \"NAME\" { … }, and a new one be put before or after another:");
        add("---   " + example_of_before(parent_));
        add("--- What has changed so far: katamaran plan diff " + name_);
        add("return derive " + lua_text(parent_.name) + " {");
        add("  name = " + lua_text(name_) + ",");
        add("  -- summary = " + lua_text(parent_.summary) + ",");
        add_vars();
        for (const plan::Role& role : parent_.roles) {
            add_role(role);
        }
        add("}");
        return std::move(text_);
    }

private:
    void add(const std::string& line) { text_ += line + "\n"; }

    void add(const Columns& columns) {
        const Console plain{true};
        for (const std::string& line : columns.lines(plain, 4)) {
            add(line);
        }
    }

    void add_vars() {
        if (parent_.vars.empty()) {
            return;
        }
        Columns table;
        for (const plan::Var& var : parent_.vars) {
            table.add({{outline_of(var)}, {meaning_of(var)}});
        }
        add("");
        add("  vars = {  -- new defaults");
        add(table);
        add("  },");
    }

    void add_role(const plan::Role& role) {
        Columns table;
        for (const plan::State& state : role.states) {
            table.add({{outline_of(state)}});
        }
        add("");
        add("  role " + lua_text(role.name) + " {");
        add(table);
        add("  },");
    }

    const plan::Plan& parent_;
    const std::string& name_;
    std::string text_;
};

}  // namespace

std::string outline_of(const plan::Plan& parent, const std::string& name) {
    return Outline{parent, name}.write();
}

}  // namespace ktm::cli
