// SPDX-License-Identifier: Apache-2.0
// script/api_pages.cc: the described words as a document, and the list for luacheck.
#include "script/api_pages.hh"

#include <string_view>

#include "script/api_topics.hh"

namespace ktm::script {

namespace {

constexpr std::string_view head = R"(# The words of plans

<!-- Written by tools/api from src/script; a change by hand is lost. -->

Each word that the code of a plan can use, in the words of the program itself.

## Where code runs

| Where | What runs there |
| --- | --- |
| load | The plan file, its parents and its modules. It declares and has no effect. |
| action | `enter` and `run` of a state. One at a time; it may wait. |
| undo | What `m:undo` and `m:hold` registered, when the run ends. It may wait. |

A word that is used where it does not belong raises a text that says so.

An action is *cancelled* when the deadline of its state is over (`timeout` `late`), when the
deadline of an undo is over (`timeout` `undo-late`), when a connection is lost and no `on` waits for
that, when more than 1024 events queue (`protocol` `event-storm`), or when somebody ends the run.
The word that waits raises that reason, and so does each one that would wait afterwards.
Inside `table.sort` and `string.gsub` no word can wait: `invalid` `bad-argument`.

## Errors

What words raise is a table of the type `ktm.Error`, or a text where the plan itself is wrong in a
way that no plan would handle. Both end the action; `pcall` and the words called `try` catch them.
In the lists below a kind and a code stand for such a table, *Text* for a text.

## Limits

A plan has 16 MiB of memory. From where an action begins or goes on to where it waits, it has 10
million instructions; one more is an error that no `pcall` can hold. A search in a text counts, too.

## All words

)";

// --- The document
// ---------------------------------------------------------------------------------

/// A text in a cell of a table.
std::string cell(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        safe += c == '|' ? "\\|" : std::string(1, c);
    }
    return safe;
}

std::string code(std::string_view text) {
    return "`" + std::string{text} + "`";
}

bool is_optional(std::string_view type) {
    return type.ends_with('?') || type.ends_with("|nil");
}

/// How the word is written: "qmp(command, arguments?)", `state "NAME" { … }`.
std::string form_of(const Word& word) {
    std::string form{word.name};
    if (is_value(word)) {
        return form;
    }
    std::string plain;
    bool has_body = false;
    for (const Argument& argument : arguments_of(word)) {
        has_body = has_body || argument.is_body;
        if (!argument.is_body) {
            plain += (plain.empty() ? "" : ", ") + std::string{argument.parameter->name} +
                     (is_optional(argument.parameter->type) ? "?" : "");
        }
    }
    if (!has_body) {
        return form + "(" + plain + ")";
    }
    return form + (plain.empty() ? "" : " \"" + plain + "\"") + " { … }";
}

/// A key as it is written in its table.
std::string shown_key(const Argument& argument, std::string_view key) {
    const std::string owner = argument.is_body ? "" : std::string{argument.parameter->name};
    if (key == "[integer]") {
        return "items";
    }
    if (key == "[string]") {
        return "any other key";
    }
    if (key.starts_with('[')) {
        return code(owner + std::string{key});
    }
    return code(owner.empty() ? key.substr(1) : owner + std::string{key});
}

void add_row(std::string& page, const std::string& name, const Parameter& parameter) {
    page += "| " + name + " | " + code(cell(parameter.type)) + " | " + cell(parameter.doc) + " |\n";
}

void add_parameters(std::string& page, const Word& word) {
    if (word.parameters.empty()) {
        return;
    }
    page += "| Given | Type | What it is |\n| --- | --- | --- |\n";
    for (const Argument& argument : arguments_of(word)) {
        if (!argument.is_body) {
            add_row(page, code(argument.parameter->name), *argument.parameter);
        }
        for (const Parameter* key : argument.keys) {
            add_row(page, shown_key(argument, key->name), *key);
        }
    }
    page += "\n";
}

void add_values(std::string& page, const Word& word) {
    const std::vector<Returned> values = returned_by(word);
    if (values.empty()) {
        return;
    }
    page += is_value(word) ? "Value:\n\n" : "Returns:\n\n";
    for (const Returned& value : values) {
        page += "- " + code(value.type) +
                (value.name.empty() ? "" : " " + std::string{value.name}) + ": " +
                std::string{value.doc} + "\n";
    }
    page += "\n";
}

void add_errors(std::string& page, const Word& word) {
    if (word.errors.empty()) {
        return;
    }
    page += "Raises:\n\n- ";
    for (const char c : word.errors) {
        page += c == '\n' ? "\n- " : std::string(1, c);
    }
    page += "\n\n";
}

void add_word(std::string& page, const Word& word) {
    page += "### " + code(word.name) + "\n\n";
    page += "```lua\n" + form_of(word) + "\n```\n\n";
    page += std::string{word.doc} + " *" + usage_of(word) + "*\n\n";
    add_parameters(page, word);
    add_values(page, word);
    add_errors(page, word);
    page += "```lua\n" + std::string{word.example} + "\n```\n\n";
}

void add_type(std::string& page, const NamedType& type) {
    page += "### " + code(type.name) + "\n\n" + std::string{type.doc} + "\n\n";
    if (!type.means.empty()) {
        page += "It is " + code(type.means) + ".\n\n";
    }
    if (type.fields.empty()) {
        return;
    }
    page += "| Field | Type | What it is |\n| --- | --- | --- |\n";
    for (const Parameter& field : type.fields) {
        add_row(page, code(field.name), field);
    }
    page += "\n";
}

/// The place that GitHub gives to a heading: letters, digits, '-' and '_' of it, in small letters.
std::string anchor_of(std::string_view heading) {
    std::string anchor;
    for (const char c : heading) {
        const bool capital = c >= 'A' && c <= 'Z';
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (capital || plain || c == ' ') {
            anchor += capital ? static_cast<char>(c - 'A' + 'a') : c == ' ' ? '-' : c;
        }
    }
    return anchor;
}

void add_contents(std::string& page) {
    for (const Topic& topic : all_topics()) {
        page += "- [" + std::string{topic.title} + "](#" + anchor_of(topic.title) + "):";
        const char* between = " ";
        for (const Word& word : topic.words) {
            page += between + ("[" + code(word.name) + "](#" + anchor_of(word.name) + ")");
            between = ", ";
        }
        page += "\n";
    }
}

// --- luacheck
// -------------------------------------------------------------------------------------

constexpr std::string_view luacheck_head = R"(-- SPDX-License-Identifier: Apache-2.0
-- lua/.luacheckrc: the globals of plans, for luacheck.
-- Written by tools/api from src/script; a change by hand is lost.
std = "none"
max_line_length = false  -- tests/tidy looks at that.
exclude_files = { "meta" }
read_globals = {
)";

}  // namespace

std::string api_document() {
    std::string page{head};
    add_contents(page);
    for (const Topic& topic : all_topics()) {
        page += "\n## " + std::string{topic.title} + "\n\n" + std::string{topic.doc} + "\n\n";
        for (const Word& word : topic.words) {
            add_word(page, word);
        }
        for (const NamedType& type : topic.types) {
            add_type(page, type);
        }
        page.pop_back();
    }
    return page;
}

std::string api_luacheckrc() {
    std::string text{luacheck_head};
    for (const std::string& word : global_words()) {
        text += "  " + word + " = {";
        const std::vector<std::string> fields = fields_of(word);
        for (const std::string& field : fields) {
            text += (&field == &fields.front() ? " fields = {\n    " : "\n    ") + field + " = {},";
        }
        text += fields.empty() ? "},\n" : "\n  } },\n";
    }
    return text + "}\n";
}

std::map<std::string, std::string> api_pages() {
    std::map<std::string, std::string> pages;
    pages["docs/api.md"] = api_document();
    pages["lua/.luacheckrc"] = api_luacheckrc();
    for (auto& [name, text] : api_stubs()) {
        pages["lua/meta/" + name] = text;
    }
    return pages;
}

}  // namespace ktm::script
