// SPDX-License-Identifier: Apache-2.0
// script/form.cc: asks a tree for what it must have, and notes what it has not.
#include "script/form.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "json/parser.hh"
#include "json/writer.hh"
#include "plan/wording.hh"

namespace ktm::script {

namespace {

/// An unknown word has been reported where it stands.
bool is_reported(const Datum& datum) {
    return datum.kind == "unknown";
}

bool write_json(const Datum& datum, std::string& out) {
    switch (datum.type) {
        case Datum::Type::boolean: out += datum.truth ? "true" : "false"; return true;
        case Datum::Type::text: out += json::quoted(datum.text); return true;
        case Datum::Type::number: {
            std::array<char, 32> digits;
            const bool whole =
                std::trunc(datum.number) == datum.number && std::fabs(datum.number) < 9e15;
            const auto end =
                whole ? std::to_chars(digits.data(), digits.data() + digits.size(),
                                      static_cast<long long>(datum.number))
                      : std::to_chars(digits.data(), digits.data() + digits.size(), datum.number);
            out.append(digits.data(), end.ptr);
            return std::isfinite(datum.number);
        }
        case Datum::Type::table: {
            if (!datum.fields.empty()) {
                return false;
            }
            const char* between = "[";
            for (const Datum& item : datum.items) {
                out += between;
                between = ",";
                if (!write_json(item, out)) {
                    return false;
                }
            }
            out += datum.items.empty() ? "[]" : "]";
            return true;
        }
        case Datum::Type::nil:
        case Datum::Type::function:
        case Datum::Type::node:
        case Datum::Type::unfinished:
        case Datum::Type::other: return false;
    }
    return false;
}

}  // namespace

void Form::fault(const Datum& at, std::string where, std::string what, std::string expected) {
    fault_at(at.place(), std::move(where), std::move(what), std::move(expected));
}

void Form::fault_at(plan::Place place, std::string where, std::string what, std::string expected) {
    add({std::move(place), std::move(where), std::move(what), std::move(expected), ""});
}

void Form::stray(const Datum& item, const std::string& where, const std::string& expected) {
    if (is_reported(item)) {
        return;
    }
    if (item.type == Datum::Type::unfinished) {
        fault(item, where, item.described(), item.kind + " \"name\" { … }");
        return;
    }
    fault(item, where, item.described() + " does not belong here", expected);
}

void Form::allow(const Datum& node, const std::string& where,
                 const std::vector<std::string_view>& keys) {
    const std::vector<std::string> names{keys.begin(), keys.end()};
    for (const auto& [key, value] : node.fields) {
        if (std::find(names.begin(), names.end(), key) == names.end()) {
            const std::string_view none = names.empty() ? ", which has no keys" : "";
            add({place_of(node, key), where,
                 "no key '" + key + "' in " + node.kind + std::string{none}, plan::listed(names),
                 plan::meant(key, names)});
        }
    }
}

std::string Form::text(const Datum& node, const std::string& where, std::string_view key) {
    const Datum* value = node.find(key);
    if (value == nullptr || is_reported(*value)) {
        return "";
    }
    if (value->type == Datum::Type::text && !value->text.empty()) {
        return value->text;
    }
    fault_at(place_of(node, key), where, std::string{key} + " is " + value->described(),
             "a text that is not empty");
    return "";
}

std::optional<double> Form::number(const Datum& node, const std::string& where,
                                   std::string_view key) {
    const Datum* value = node.find(key);
    if (value == nullptr || is_reported(*value)) {
        return std::nullopt;
    }
    if (value->type == Datum::Type::number) {
        return value->number;
    }
    fault_at(place_of(node, key), where, std::string{key} + " is " + value->described(),
             "a number");
    return std::nullopt;
}

std::optional<bool> Form::boolean(const Datum& node, const std::string& where,
                                  std::string_view key) {
    const Datum* value = node.find(key);
    if (value == nullptr || is_reported(*value)) {
        return std::nullopt;
    }
    if (value->type == Datum::Type::boolean) {
        return value->truth;
    }
    fault_at(place_of(node, key), where, std::string{key} + " is " + value->described(),
             "true or false");
    return std::nullopt;
}

std::optional<plan::FunctionRef> Form::function(const Datum& node, const std::string& where,
                                                std::string_view key) {
    const Datum* value = node.find(key);
    if (value == nullptr || is_reported(*value)) {
        return std::nullopt;
    }
    if (value->type == Datum::Type::function) {
        return value->function;
    }
    fault_at(place_of(node, key), where, std::string{key} + " is " + value->described(),
             "a function, such as function(m) … end");
    return std::nullopt;
}

std::vector<std::string> Form::texts(const Datum& node, const std::string& where) {
    std::vector<std::string> found;
    for (const Datum& item : node.items) {
        if (item.type == Datum::Type::text) {
            found.push_back(item.text);
        } else {
            stray(item, where, "a name as a text");
        }
    }
    allow(node, where, {});
    return found;
}

std::optional<json::Document> Form::json(const Datum& value, const std::string& where,
                                         const std::string& subject) {
    std::string text;
    if (write_json(value, text)) {
        if (Result<json::Document> document = json::parse(text)) {
            return std::move(*document);
        }
    }
    if (!is_reported(value)) {
        fault(value, where, subject + " is " + value.described(),
              "a text, a number, a boolean or a list");
    }
    return std::nullopt;
}

plan::Place Form::place_of(const plan::Place& node, std::string_view key) const {
    const SourceText* source = sources_.find(node.file.text());
    return source == nullptr ? node : plan::Place{node.file, source->line_of_key(key, node.line)};
}

}  // namespace ktm::script
