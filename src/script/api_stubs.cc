// SPDX-License-Identifier: Apache-2.0
// script/api_stubs.cc: the described words as stubs for editors, in the form of LuaCATS.
#include <algorithm>
#include <string_view>

#include "script/api_pages.hh"
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

/// LIMIT: of the stubs as of all code.
constexpr std::size_t columns_max = 100;
constexpr std::string_view comment = "---";
constexpr std::string_view any_name = "NAME";

std::string joined_parts(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) {
        text += part;
    }
    return text;
}

// --- Comments
// -------------------------------------------------------------------------------------

/// Adds a paragraph, broken at blanks.
void add_prose(std::string& stub, std::string_view text) {
    std::string line{comment};
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        const bool first = line.size() == comment.size();
        if (!first && line.size() + 1 + word.size() > columns_max) {
            stub += line + "\n";
            line = comment;
        }
        line += (line.size() == comment.size() ? "" : " ") + std::string{word};
    }
    stub += line + "\n";
}

void add_lines(std::string& stub, std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        stub += joined_parts({comment, line, "\n"});
    }
}

/// A tag with its doc behind it, or in front of it where the line would be too long.
void add_tag(std::string& stub, const std::string& tag, std::string_view name,
             std::string_view doc) {
    if (comment.size() + tag.size() + 1 + doc.size() <= columns_max) {
        stub += joined_parts({comment, tag, " ", doc, "\n"});
        return;
    }
    add_prose(stub, name.empty() ? std::string{doc} : joined_parts({"`", name, "`: ", doc}));
    stub += joined_parts({comment, tag, "\n"});
}

// --- Types
// ----------------------------------------------------------------------------------------

/// A type without the sign that says it may be left out.
struct Spelled {
    std::string type;
    std::string_view sign;  ///< "?" or nothing.
};

Spelled spelled(std::string_view type) {
    if (type.ends_with('?')) {
        return {std::string{type.substr(0, type.size() - 1)}, "?"};
    }
    return {std::string{type}, ""};
}

/// The name of the class that describes a table with keys: "ktm.qmp.options".
std::string class_of(const Word& word, const Argument& argument) {
    std::string name = joined_parts({"ktm.", word.name, ".", argument.parameter->name});
    std::replace(name.begin(), name.end(), ':', '.');
    return name;
}

Spelled type_of(const Word& word, const Argument& argument) {
    Spelled type = spelled(argument.parameter->type);
    if (!argument.keys.empty()) {
        type.type = class_of(word, argument);
    }
    return type;
}

void add_field(std::string& stub, std::string_view name, const Spelled& type,
               std::string_view doc) {
    const bool bracket = name.starts_with('[');
    const std::string tag = bracket ? joined_parts({"@field ", name, " ", type.type, type.sign})
                                    : joined_parts({"@field ", name, type.sign, " ", type.type});
    add_tag(stub, tag, "", doc);
}

void add_named_type(std::string& stub, const NamedType& type) {
    stub += "\n";
    add_prose(stub, type.doc);
    if (!type.means.empty()) {
        stub += joined_parts({"---@alias ", type.name, " ", type.means, "\n"});
        return;
    }
    stub += joined_parts({"---@class ", type.name, "\n"});
    for (const Parameter& field : type.fields) {
        add_field(stub, field.name, spelled(field.type), field.doc);
    }
}

void add_classes_of(std::string& stub, const Word& word) {
    for (const Argument& argument : arguments_of(word)) {
        if (argument.keys.empty()) {
            continue;
        }
        stub += joined_parts({"\n---@class ", class_of(word, argument), "\n"});
        for (const Parameter* key : argument.keys) {
            const std::string_view name = key->name;
            add_field(stub, name.starts_with('.') ? name.substr(1) : name, spelled(key->type),
                      key->doc);
        }
    }
}

// --- Words
// ----------------------------------------------------------------------------------------

void add_doc(std::string& stub, const Word& word) {
    add_prose(stub, word.doc);
    stub += "---\n";
    add_prose(stub, usage_of(word));
    if (!word.errors.empty()) {
        stub += "---\n---Raises:\n";
        std::string_view rest = word.errors;
        while (!rest.empty()) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            add_prose(stub, joined_parts({"- ", line}));
        }
    }
    stub += "---```lua\n";
    add_lines(stub, word.example);
    stub += "---```\n";
}

/// The arguments of the first call; a body behind them is left for the second.
std::vector<Argument> called_with(const Word& word) {
    std::vector<Argument> arguments = arguments_of(word);
    if (arguments.size() > 1 && arguments.back().is_body) {
        arguments.pop_back();
    }
    return arguments;
}

bool is_called_twice(const Word& word) {
    return called_with(word).size() < arguments_of(word).size();
}

/// What the first call gives: for `state "x" { … }` a function that takes the body.
std::vector<std::string> result_types(const Word& word) {
    std::vector<std::string> types;
    for (const Returned& value : returned_by(word)) {
        types.emplace_back(value.type);
    }
    if (is_called_twice(word)) {
        const std::string body = class_of(word, arguments_of(word).back());
        types = {"fun(body:" + body + "):" + types.front()};
    }
    return types;
}

void add_function(std::string& stub, const Word& word) {
    stub += "\n";
    add_doc(stub, word);
    std::string names;
    for (const Argument& argument : called_with(word)) {
        const std::string_view name = argument.parameter->name;
        const Spelled type = type_of(word, argument);
        add_tag(stub, joined_parts({"@param ", name, type.sign, " ", type.type}), name,
                argument.parameter->doc);
        names += (names.empty() ? "" : ", ") + std::string{name};
    }
    const std::vector<Returned> values = returned_by(word);
    const std::vector<std::string> types = result_types(word);
    for (std::size_t index = 0; index < types.size(); ++index) {
        const std::string_view name = is_called_twice(word) ? "make" : values[index].name;
        add_tag(stub, joined_parts({"@return ", types[index], " ", name}), name, values[index].doc);
    }
    stub += joined_parts({"function ", word.name, "(", names, ") end\n"});
}

/// `qmp(…)` of a word that has others behind its dot.
std::string overload_of(const Word& word) {
    std::string parameters;
    for (const Argument& argument : called_with(word)) {
        const Spelled type = type_of(word, argument);
        parameters += joined_parts(
            {parameters.empty() ? "" : ", ", argument.parameter->name, type.sign, ": ", type.type});
    }
    const std::vector<std::string> types = result_types(word);
    const std::string result = types.empty() ? "" : ": " + types.front();
    return "---@overload fun(" + parameters + ")" + result + "\n";
}

/// The class of what stands before the dots: "ktm.M" for what comes as a value.
std::string class_of_root(const Topic& topic, std::string_view root) {
    if (topic.is_global) {
        return joined_parts({"ktm.word.", root});
    }
    std::string name{root};
    name.front() = static_cast<char>(name.front() - 'a' + 'A');
    return "ktm." + name;
}

/// The table behind a word that has fields, and those of them that are values.
void add_root(std::string& stub, const Topic& topic, std::string_view root) {
    const auto own = std::find_if(topic.words.begin(), topic.words.end(),
                                  [&](const Word& word) { return word.name == root; });
    stub += "\n";
    if (own != topic.words.end()) {
        add_doc(stub, *own);
    }
    stub += joined_parts({"---@class ", class_of_root(topic, root), "\n"});
    for (const Word& word : topic.words) {
        if (root_of(word.name) == root && word.name != root && is_value(word)) {
            const Returned value = returned_by(word).front();
            const std::string_view field = field_of(word.name);
            add_field(stub, field == any_name ? "[string]" : field, spelled(value.type), value.doc);
        }
    }
    if (own != topic.words.end() && !is_value(*own)) {
        stub += overload_of(*own);
    }
    stub += joined_parts({topic.is_global ? "" : "local ", root, " = {}\n"});
}

bool has_fields(const Topic& topic, std::string_view root) {
    return std::any_of(topic.words.begin(), topic.words.end(), [&](const Word& word) {
        return root_of(word.name) == root && word.name != root;
    });
}

std::string stub_of(const Topic& topic) {
    std::string stub = joined_parts(
        {"---@meta\n-- SPDX-License-Identifier: Apache-2.0\n-- lua/meta/", topic.name,
         ".lua: ", topic.title,
         ", for editors.\n-- Written by tools/api from src/script; a change by hand is "
         "lost.\n"});
    for (const NamedType& type : topic.types) {
        add_named_type(stub, type);
    }
    std::string_view root;
    for (const Word& word : topic.words) {
        add_classes_of(stub, word);
        const bool is_new = root_of(word.name) != root;
        root = root_of(word.name);
        if (is_new && has_fields(topic, root)) {
            add_root(stub, topic, root);
        }
        const bool is_root = word.name == root && has_fields(topic, root);
        if (!is_root && !is_value(word)) {
            add_function(stub, word);
        }
    }
    return stub;
}

}  // namespace

std::map<std::string, std::string> api_stubs() {
    std::map<std::string, std::string> stubs;
    for (const Topic& topic : all_topics()) {
        stubs[std::string{topic.name} + ".lua"] = stub_of(topic);
    }
    return stubs;
}

}  // namespace ktm::script
