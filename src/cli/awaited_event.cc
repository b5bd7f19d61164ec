// SPDX-License-Identifier: Apache-2.0
// cli/awaited_event.cc: the event that `--wait` names.
#include "cli/awaited_event.hh"

#include "json/writer.hh"

namespace ktm::cli {

Result<AwaitedEvent> AwaitedEvent::parse(std::string_view text) {
    const Error malformed{Kind::usage, "bad-wait",
                          "'" + std::string(text) +
                              "' does not name an event; expected EVENT or EVENT,FIELD=VALUE, such "
                              "as MIGRATION,status=completed",
                          "", nullptr};
    AwaitedEvent awaited;
    std::size_t comma = text.find(',');
    awaited.name_ = std::string(text.substr(0, comma));
    while (comma != std::string_view::npos) {
        text.remove_prefix(comma + 1);
        comma = text.find(',');
        const std::string_view field = text.substr(0, comma);
        const std::size_t equals = field.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            return malformed;
        }
        awaited.fields_.emplace_back(field.substr(0, equals), field.substr(equals + 1));
    }
    const bool named = !awaited.name_.empty() && awaited.name_.find('=') == std::string::npos;
    return named ? Result<AwaitedEvent>{std::move(awaited)} : malformed;
}

bool AwaitedEvent::matches(const qmp::Event& event) const {
    if (event.name() != name_) {
        return false;
    }
    const std::optional<json::View> data = event.data();
    for (const auto& [key, wanted] : fields_) {
        const std::optional<json::View> value = data ? data->find(key) : std::nullopt;
        if (!value) {
            return false;
        }
        const std::optional<std::string_view> text = value->as_string();
        if (text ? *text != wanted : json::compact(*value) != wanted) {
            return false;
        }
    }
    return true;
}

std::string AwaitedEvent::text() const {
    std::string text = name_;
    for (const auto& [key, value] : fields_) {
        text += "," + key + "=" + value;
    }
    return text;
}

}  // namespace ktm::cli
