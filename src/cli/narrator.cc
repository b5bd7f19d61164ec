// SPDX-License-Identifier: Apache-2.0
// cli/narrator.cc: the records of a trace, told one by one.
#include "cli/narrator.hh"

#include <optional>

#include "base/text.hh"
#include "cli/summary.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

constexpr std::size_t detail_bytes = 160;
constexpr std::size_t id_bytes = 20;

std::string joined(std::string first, const std::string& second) {
    return second.empty() ? std::move(first) : std::move(first) + "  " + second;
}

std::string number_of(const json::View& message) {
    const std::optional<json::View> id = message.find("id");
    return id ? "#" + excerpt(json::compact(*id), id_bytes) : "";
}

std::string greeting_text(const json::View& qmp) {
    const std::optional<json::View> version = qmp.find("version");
    const std::optional<json::View> number = version ? version->find("qemu") : std::nullopt;
    std::string text = "QEMU";
    if (number) {
        const char* joint = " ";
        for (const std::string_view part : {"major", "minor", "micro"}) {
            text += joint + std::to_string(number->find_int(part).value_or(0));
            joint = ".";
        }
        text += " " + printable(version->find_string("package").value_or(""));
    }
    return text;
}

}  // namespace

Telling Narrator::tell(const trace::Record& record) {
    if (!record.message) {
        const bool unreadable = record.direction == trace::Direction::in;
        return Telling{unreadable ? "unreadable" : std::string(name_of(record.direction)),
                       excerpt(record.text, detail_bytes),
                       record.direction == trace::Direction::open ? Colour::dim : Colour::yellow};
    }
    const json::View message = record.message->root();
    if (const auto command = message.find_string("execute")) {
        return tell_command(record, message, *command);
    }
    if (const auto event = message.find_string("event")) {
        return tell_event(record, message, *event);
    }
    if (const auto words = message.find_string("words")) {
        const std::string number = number_of(message);
        asked_[record.port + number] = Asked{std::string(*words), record.time};
        return Telling{excerpt(*words, detail_bytes), number, Colour::cyan};
    }
    if (const auto answer = message.find("answer")) {
        return Telling{"answer", joined(asked(record, message), summary_of(*answer, detail_bytes)),
                       Colour::plain};
    }
    if (const auto result = message.find("return")) {
        return Telling{"return", joined(asked(record, message), summary_of(*result, detail_bytes)),
                       Colour::plain};
    }
    if (const auto error = message.find("error")) {
        return tell_error(record, message, *error);
    }
    if (const auto qmp = message.find("QMP")) {
        return Telling{"greeting", greeting_text(*qmp), Colour::dim};
    }
    return Telling{"message", summary_of(message, detail_bytes), Colour::plain};
}

Telling Narrator::tell_command(const trace::Record& record, const json::View& message,
                               std::string_view command) {
    const std::string number = number_of(message);
    asked_[record.port + number] = Asked{std::string(command), record.time};
    const std::optional<json::View> arguments = message.find("arguments");
    return Telling{printable(command),
                   joined(number, arguments ? summary_of(*arguments, detail_bytes) : ""),
                   Colour::cyan};
}

Telling Narrator::tell_event(const trace::Record& record, const json::View& message,
                             std::string_view event) {
    const std::optional<json::View> data = message.find("data");
    Telling telling{printable(event), data ? summary_of(*data, detail_bytes) : "", Colour::bold};
    if (event == "STOP") {
        stopped_[record.port] = record.time;
        telling.colour = Colour::yellow;
    } else if (event == "RESUME") {
        telling.colour = Colour::green;
        const auto stop = stopped_.find(record.port);
        if (stop != stopped_.end()) {
            telling.detail = "(stopped for " + format_duration(record.time - stop->second) + ")";
            stopped_.erase(stop);
        }
    } else if (data && data->find_string("status") == "failed") {
        telling.colour = Colour::red;
    }
    return telling;
}

Telling Narrator::tell_error(const trace::Record& record, const json::View& message,
                             const json::View& error) {
    const bool is_qmp = error.find("class").has_value();
    const std::string what(error.find_string(is_qmp ? "desc" : "what").value_or("?"));
    const std::string kind(error.find_string(is_qmp ? "class" : "code").value_or("?"));
    return Telling{
        "error",
        joined(asked(record, message), excerpt(what, detail_bytes) + " (" + printable(kind) + ")"),
        Colour::red};
}

/// "#4 query-migrate, 0.41 ms": which command a reply answers, and how long it took.
std::string Narrator::asked(const trace::Record& record, const json::View& message) {
    const std::string number = number_of(message);
    const auto found = asked_.find(record.port + number);
    if (found == asked_.end()) {
        return number;
    }
    const Asked question = found->second;
    asked_.erase(found);
    return number + " " + printable(question.command) + ", " +
           format_duration(record.time - question.time);
}

}  // namespace ktm::cli
