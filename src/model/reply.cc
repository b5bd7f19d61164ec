// SPDX-License-Identifier: Apache-2.0
// model/reply.cc: QEMU's words about arguments.
#include "model/reply.hh"

#include <utility>

namespace ktm::model {

namespace {

bool fits(char type, const json::View& value) {
    switch (type) {
        case 's': return value.is_string();
        case 'b': return value.type() == json::Type::boolean;
        case 'i': return value.is_number();
        case 'o': return value.is_object();
        case 'a': return value.is_array();
        default: return true;
    }
}

std::string_view type_name(char type) {
    switch (type) {
        case 's': return "string";
        case 'b': return "boolean";
        case 'i': return "integer";
        case 'o': return "object";
        default: return "array";
    }
}

struct Wanted {
    std::string_view name;
    char type = '*';
    bool required = false;
};

/// Takes the first entry off the list.
Wanted next_wanted(std::string_view& list) {
    const std::string_view entry = list.substr(0, list.find(' '));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    const std::size_t colon = entry.find(':');
    if (colon == std::string_view::npos) {
        return {entry};
    }
    return {entry.substr(0, colon), entry[colon + 1], entry.back() == '!'};
}

bool is_wanted(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        const Wanted wanted = next_wanted(list);
        if (wanted.name == name || wanted.name == "...") {
            return true;
        }
    }
    return false;
}

std::string about(std::string_view name, std::string_view fault) {
    return "Parameter '" + std::string(name) + "' is " + std::string(fault);
}

}  // namespace

Reply done() {
    return {"{}", {}, {}};
}

Reply answered(std::string value) {
    return {std::move(value), {}, {}};
}

Reply refused(std::string desc, std::string error_class) {
    return {{}, std::move(error_class), std::move(desc)};
}

std::optional<std::string> argument_fault(std::string_view list, const json::View& arguments) {
    for (std::string_view rest = list; !rest.empty();) {
        const Wanted wanted = next_wanted(rest);
        const std::optional<json::View> value = arguments.find(wanted.name);
        if (!value && wanted.required) {
            return about(wanted.name, "missing");
        }
        if (value && !fits(wanted.type, *value)) {
            return "Invalid parameter type for '" + std::string(wanted.name) +
                   "', expected: " + std::string(type_name(wanted.type));
        }
    }
    for (const json::View::Field field : arguments.fields()) {
        if (!is_wanted(list, field.key)) {
            return about(field.key, "unexpected");
        }
    }
    return std::nullopt;
}

std::string_view text_of(const json::View& arguments, std::string_view key) {
    return arguments.find_string(key).value_or(std::string_view{});
}

bool flag_of(const json::View& arguments, std::string_view key, bool otherwise) {
    const std::optional<json::View> value = arguments.find(key);
    return value ? value->as_bool().value_or(otherwise) : otherwise;
}

}  // namespace ktm::model
