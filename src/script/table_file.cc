// SPDX-License-Identifier: Apache-2.0
// script/table_file.cc: a file of Lua that returns a table of plain values.
#include "script/table_file.hh"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "script/interpreter.hh"
#include "script/modules.hh"
#include "script/source_text.hh"

namespace ktm::script {

namespace {

constexpr std::string_view plain_values = "a text in quotes, a number, true, false or a table";

/// Follows a table and its text side by side. What the text does not show, because it is computed,
/// keeps the line of what it stands in.
class Walk {
public:
    explicit Walk(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    void place(Datum& table) {
        for (std::size_t at = tokens_.size(); at > 1; --at) {
            if (tokens_[at - 2].text == "return" && is(at - 1, "{")) {
                put(table, tokens_[at - 2].line);
                (void)enter(table, at - 1);
                return;
            }
        }
        put(table, 1);
    }

private:
    [[nodiscard]] bool is(std::size_t at, std::string_view text) const {
        return at < tokens_.size() && tokens_[at].text == text;
    }

    static void put(Datum& datum, int line) {
        datum.line = line;
        for (Datum& item : datum.items) {
            put(item, line);
        }
        for (Datum::Field& field : datum.fields) {
            put(field.value, line);
        }
    }

    static Datum* field_of(Datum& table, std::string_view name) {
        const auto found =
            std::find_if(table.fields.begin(), table.fields.end(),
                         [&](const Datum::Field& field) { return field.name == name; });
        return found == table.fields.end() ? nullptr : &found->value;
    }

    /// From the brace at `open`; returns where its closing one is.
    std::size_t enter(Datum& table, std::size_t open) {
        std::size_t items = 0;
        std::size_t at = open + 1;
        while (at < tokens_.size() && !is(at, "}")) {
            const std::size_t begin = at;
            Datum* value = nullptr;
            if (tokens_[at].type == Token::Type::name && is(at + 1, "=") && !is(at + 2, "=")) {
                value = field_of(table, tokens_[at].text);
                at += 2;
            } else if (is(at, "[") && is(at + 2, "]") && is(at + 3, "=")) {
                const std::string_view quoted = tokens_[at + 1].text;
                value = field_of(table, quoted.substr(1, quoted.size() - 2));
                at += 4;
            } else if (items < table.items.size()) {
                value = &table.items[items++];
            }
            if (value != nullptr) {
                put(*value, tokens_[begin].line);
                if (value->type == Datum::Type::table && is(at, "{")) {
                    at = enter(*value, at) + 1;
                }
            }
            at = behind_value(at);
        }
        return at;
    }

    /// Behind the comma that ends a value, or at the brace that ends its table.
    [[nodiscard]] std::size_t behind_value(std::size_t at) const {
        int depth = 0;
        for (; at < tokens_.size(); ++at) {
            const std::string_view text = tokens_[at].text;
            const bool closes = text == "}" || text == ")" || text == "]";
            if (depth == 0 && closes) {
                return at;
            }
            if (depth == 0 && (text == "," || text == ";")) {
                return at + 1;
            }
            depth += text == "{" || text == "(" || text == "[" ? 1 : closes ? -1 : 0;
        }
        return at;
    }

    std::vector<Token> tokens_;
};

/// What is no plain value; an unknown word has been told where it stands.
void refuse_others(const Datum& datum, plan::Faults& faults) {
    using Type = Datum::Type;
    const bool is_plain = datum.type == Type::boolean || datum.type == Type::number ||
                          datum.type == Type::text || datum.type == Type::table;
    if (!is_plain && datum.kind != "unknown") {
        faults.push_back({datum.place(), "", datum.described() + " does not belong here",
                          std::string{plain_values}, ""});
    }
    if (datum.type != Type::table) {
        return;
    }
    for (const Datum& item : datum.items) {
        refuse_others(item, faults);
    }
    for (const Datum::Field& field : datum.fields) {
        refuse_others(field.value, faults);
    }
}

/// The file's name is kept for the life of the process, unlike the sources.
void keep_name(Datum& datum, const std::string& name) {
    datum.file = &name;
    for (Datum& item : datum.items) {
        keep_name(item, name);
    }
    for (Datum::Field& field : datum.fields) {
        keep_name(field.value, name);
    }
}

}  // namespace

TableFile read_table(ports::Files& files, const std::string& file) {
    TableFile read;
    Interpreter interpreter;
    Modules modules{files, {}, interpreter};
    interpreter.attach_modules(&modules);
    Result<void> done = modules.compile(file);
    if (done) {
        done = interpreter.call(0, 1, Context::load);
    }
    for (const Modules::UnknownGlobal& global : modules.unknown_globals()) {
        read.faults.push_back({{global.file, global.line},
                               "",
                               "no word '" + global.name + "'",
                               std::string{plain_values},
                               ""});
    }
    if (!done) {
        read.faults.push_back(modules.fault_of(file, done.error()));
    } else {
        Datum table = take_datum(interpreter, file, modules.sources());
        keep_name(table, plan::FileName{file}.text());
        const SourceText& source = *modules.sources().find(file);
        Walk{source.tokens(1, source.lines())}.place(table);
        if (table.type == Datum::Type::table) {
            refuse_others(table, read.faults);
        } else if (read.faults.empty()) {
            read.faults.push_back({{file, std::max(table.line, 1)},
                                   "",
                                   "the file returns " + table.described(),
                                   "return { … }",
                                   ""});
        }
        if (read.faults.empty()) {
            read.table = std::move(table);
        }
    }
    plan::sort_faults(read.faults);
    return read;
}

}  // namespace ktm::script
