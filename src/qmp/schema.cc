// SPDX-License-Identifier: Apache-2.0
// qmp/schema.cc: what this QEMU can do, from its own answer to query-qmp-schema.
#include "qmp/schema.hh"

#include <algorithm>

#include "base/nearest.hh"
#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::qmp {

namespace {

Error malformed(std::string what) {
    return Error{Kind::protocol, "bad-schema", std::move(what), "read QEMU's schema", nullptr};
}

/// The name of the type of a member, or nothing.
std::optional<std::string_view> member_type(const json::View& object, std::string_view member) {
    const std::optional<json::View> members = object.find("members");
    if (!members) {
        return std::nullopt;
    }
    for (const json::View item : members->items()) {
        if (item.find_string("name") == member) {
            return item.find_string("type");
        }
    }
    return std::nullopt;
}

/// Whether an entry has what its kind must have; who walks the schema relies on it.
bool is_complete(const json::View& entry) {
    const std::string_view meta = entry.find_string("meta-type").value_or("");
    const auto has_list = [&](std::string_view key) {
        const std::optional<json::View> list = entry.find(key);
        return list && list->is_array();
    };
    if (meta == "command" || meta == "event") {
        return entry.find_string("arg-type").has_value();
    }
    if (meta == "object") {
        return has_list("members") && (!entry.find("tag") || has_list("variants"));
    }
    if (meta == "array") {
        return entry.find_string("element-type").has_value();
    }
    return meta == "builtin" || (meta == "enum" && has_list("values")) ||
           (meta == "alternate" && has_list("members"));
}

/// The names of the types that an entry refers to.
std::vector<std::string_view> references_of(const json::View& entry) {
    std::vector<std::string_view> names;
    for (const std::string_view key : {"arg-type", "ret-type", "element-type"}) {
        if (const std::optional<std::string_view> name = entry.find_string(key)) {
            names.push_back(*name);
        }
    }
    for (const std::string_view key : {"members", "variants"}) {
        if (const std::optional<json::View> list = entry.find(key)) {
            for (const json::View item : list->items()) {
                // The members of an enum have names alone.
                const bool typed = entry.find_string("meta-type") != "enum";
                if (typed) {
                    names.push_back(item.find_string("type").value_or(""));
                }
            }
        }
    }
    return names;
}

}  // namespace

Schema::Schema(json::Document types)
    : types_(std::make_unique<const json::Document>(std::move(types))) {}

Result<Schema> Schema::read(json::Document types) {
    Schema schema{std::move(types)};
    const json::View list = schema.types_->root();
    if (!list.is_array() || list.size() == 0) {
        return malformed("it is not a list of types");
    }
    for (const json::View entry : list.items()) {
        const std::optional<std::string_view> name = entry.find_string("name");
        if (!name || !is_complete(entry)) {
            return malformed("the entry '" + printable(name.value_or("without a name")) +
                             "' is not complete");
        }
        schema.by_name_.emplace(*name, entry);
    }
    for (const auto& [name, entry] : schema.by_name_) {
        for (const std::string_view used : references_of(entry)) {
            if (!schema.type(used)) {
                return malformed("'" + printable(name) + "' refers to '" + printable(used) +
                                 "', which is not in it");
            }
        }
    }
    return schema;
}

std::optional<json::View> Schema::type(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<json::View> Schema::command(std::string_view name) const {
    const std::optional<json::View> entry = type(name);
    const bool right = entry && entry->find_string("meta-type") == "command";
    return right ? entry : std::nullopt;
}

bool Schema::has_command(std::string_view name) const {
    return command(name).has_value();
}

bool Schema::has_event(std::string_view name) const {
    const std::optional<json::View> entry = type(name);
    return entry && entry->find_string("meta-type") == "event";
}

bool Schema::has_argument(std::string_view command_name, std::string_view argument) const {
    const std::vector<std::string> all = arguments(command_name);
    return std::find(all.begin(), all.end(), argument) != all.end();
}

std::vector<std::string> Schema::names_of(std::string_view meta_type) const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : by_name_) {
        if (entry.find_string("meta-type") == meta_type) {
            names.emplace_back(name);
        }
    }
    return names;
}

std::vector<std::string> Schema::commands() const {
    return names_of("command");
}

std::vector<std::string> Schema::events() const {
    return names_of("event");
}

std::vector<std::string> Schema::arguments(std::string_view command_name) const {
    std::vector<std::string> names;
    const std::optional<json::View> entry = command(command_name);
    const std::optional<json::View> object =
        entry ? type(entry->find_string("arg-type").value_or("")) : std::nullopt;
    const std::optional<json::View> members = object ? object->find("members") : std::nullopt;
    if (members) {
        for (const json::View member : members->items()) {
            names.emplace_back(member.find_string("name").value_or(""));
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> Schema::capabilities() const {
    std::vector<std::string> names;
    const std::optional<json::View> set = command("migrate-set-capabilities");
    std::optional<json::View> here =
        set ? type(set->find_string("arg-type").value_or("")) : std::nullopt;
    here = here ? type(member_type(*here, "capabilities").value_or("")) : std::nullopt;
    here = here ? type(here->find_string("element-type").value_or("")) : std::nullopt;
    here = here ? type(member_type(*here, "capability").value_or("")) : std::nullopt;
    const std::optional<json::View> values = here ? here->find("values") : std::nullopt;
    if (values) {
        for (const json::View value : values->items()) {
            names.emplace_back(value.as_string().value_or(""));
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string Schema::text() const {
    return json::compact(types_->root());
}

Error Schema::unknown_command(std::string_view name) const {
    return Error{
        Kind::usage, "unknown-command",
        "this QEMU has no command '" + std::string(name) + "'" + did_you_mean(name, commands()), "",
        nullptr};
}

Error Schema::unknown_event(std::string_view name) const {
    return Error{
        Kind::usage, "unknown-event",
        "this QEMU has no event '" + std::string(name) + "'" + did_you_mean(name, events()), "",
        nullptr};
}

}  // namespace ktm::qmp
