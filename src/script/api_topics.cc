// SPDX-License-Identifier: Apache-2.0
// script/api_topics.cc: the described words by topic, and how a description is read.
#include "script/api_topics.hh"

#include <algorithm>

namespace ktm::script {

namespace {

constexpr std::string_view table_type = "table";

bool is_key(const Parameter& parameter) {
    return parameter.name.starts_with('.') ? parameter.name != "..."
                                           : parameter.name.starts_with('[');
}

/// Cuts the first line off a text.
std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

Returned read_returned(std::string_view line) {
    const std::size_t type_end = line.find(' ');
    std::string_view type = line.substr(0, type_end);
    if (type.ends_with(':')) {
        type.remove_suffix(1);
        return {type, "", line.substr(type_end + 1)};
    }
    const std::string_view rest = line.substr(type_end + 1);
    const std::size_t name_end = rest.find(": ");
    return {type, rest.substr(0, name_end), rest.substr(name_end + 2)};
}

}  // namespace

const std::vector<Topic>& all_topics() {
    static const std::vector<Topic> topics{
        plan_topic(), var_topic(),  machine_topic(), qmp_topic(),   vm_topic(),
        net_topic(),  peer_topic(), look_topic(),    exec_topic(),  time_topic(),
        log_topic(),  lua_topic(),  text_topic(),    table_topic(),
    };
    return topics;
}

std::vector<Argument> arguments_of(const Word& word) {
    std::vector<Argument> arguments;
    for (const Parameter& parameter : word.parameters) {
        if (is_key(parameter)) {
            arguments.back().keys.push_back(&parameter);
        } else {
            arguments.push_back({&parameter, {}, false});
        }
    }
    for (Argument& argument : arguments) {
        argument.is_body = argument.parameter->type == table_type && !argument.keys.empty() &&
                           (arguments.size() == 1 || argument.parameter->name == "body");
    }
    return arguments;
}

std::vector<Returned> returned_by(const Word& word) {
    std::vector<Returned> values;
    for (std::string_view rest = word.returns; !rest.empty();) {
        values.push_back(read_returned(take_line(rest)));
    }
    return values;
}

bool is_value(const Word& word) {
    const std::vector<Returned> values = returned_by(word);
    return values.size() == 1 && values.front().name.empty();
}

std::string usage_of(const Word& word) {
    const bool loads = (word.contexts & at_load) != 0;
    const bool acts = (word.contexts & in_actions) != 0;
    const bool looks = (word.contexts & in_looks) != 0;
    std::string use = loads && acts   ? "Everywhere"
                      : loads         ? "At load"
                      : acts && looks ? "In actions, undos and looks"
                      : looks         ? "In looks"
                                      : "In actions and undos";
    use += word.waits ? "; waits" : "";
    return use + ". Since api " + std::to_string(word.since) + ".";
}

std::string_view root_of(std::string_view word) noexcept {
    return word.substr(0, word.find_first_of(".:"));
}

std::string_view field_of(std::string_view word) noexcept {
    const std::string_view root = root_of(word);
    return root.size() == word.size() ? std::string_view{} : word.substr(root.size() + 1);
}

}  // namespace ktm::script
