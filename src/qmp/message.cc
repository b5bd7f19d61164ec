// SPDX-License-Identifier: Apache-2.0
// qmp/message.cc: telling greetings, events and replies apart.
#include "qmp/message.hh"

#include <utility>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::qmp {

namespace {

constexpr std::size_t excerpt_bytes = 120;

Error violation(std::string what, std::string_view line) {
    return Error{Kind::protocol, "protocol-violation",
                 std::move(what) + ": " + excerpt(line, excerpt_bytes), "read a message of QEMU",
                 nullptr};
}

std::optional<int> small_int(const json::View& object, std::string_view key) {
    const std::optional<std::int64_t> value = object.find_int(key);
    const bool sane = value && *value >= 0 && *value < 1'000'000;
    return sane ? std::optional{static_cast<int>(*value)} : std::nullopt;
}

Result<Message> decode_greeting(const json::View& qmp, std::string_view line) {
    const std::optional<json::View> version = qmp.find("version");
    const std::optional<json::View> numbers = version ? version->find("qemu") : std::nullopt;
    if (!numbers) {
        return violation("a greeting without QEMU's version", line);
    }
    const std::optional<int> major = small_int(*numbers, "major");
    const std::optional<int> minor = small_int(*numbers, "minor");
    const std::optional<int> micro = small_int(*numbers, "micro");
    if (!major || !minor || !micro) {
        return violation("a greeting without QEMU's version", line);
    }
    Greeting greeting{
        *major, *minor, *micro, std::string(version->find_string("package").value_or("")), {}};
    if (const std::optional<json::View> capabilities = qmp.find("capabilities")) {
        for (const json::View item : capabilities->items()) {
            greeting.capabilities.emplace_back(item.as_string().value_or(""));
        }
    }
    return Message{std::move(greeting)};
}

/// QEMU says seconds = -1 when its clock failed; that is no time.
std::optional<WallTime> stamp_of(const json::View& message) {
    const std::optional<json::View> stamp = message.find("timestamp");
    if (!stamp) {
        return std::nullopt;
    }
    const std::optional<std::int64_t> seconds = stamp->find_int("seconds");
    const std::optional<std::int64_t> micros = stamp->find_int("microseconds");
    // LIMIT: nanoseconds in 64 bits reach to the year 2262.
    const bool sane = seconds && micros && *seconds >= 0 && *seconds < 9'000'000'000 &&
                      *micros >= 0 && *micros < 1'000'000;
    if (!sane) {
        return std::nullopt;
    }
    return WallTime{std::chrono::seconds{*seconds} + std::chrono::microseconds{*micros}};
}

Result<Message> decode_reply(json::Document body, bool is_error, std::string_view line) {
    if (is_error) {
        const std::optional<json::View> error = body.root().find("error");
        if (!error->find_string("class") || !error->find_string("desc")) {
            return violation("an error without class and text", line);
        }
    }
    std::optional<CommandId> id;
    if (const std::optional<json::View> value = body.root().find("id")) {
        // An id that is no number of ours still is an id: it names a command that we never sent.
        id = CommandId{value->as_uint().value_or(0)};
    }
    return Message{Reply{id, std::move(body), is_error}};
}

}  // namespace

std::string Greeting::version() const {
    const std::string number =
        std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(micro);
    return package.empty() ? number : number + " (" + package + ")";
}

Error Reply::refusal() const {
    const json::View error = *body.root().find("error");
    return Error{Kind::refused, std::string(*error.find_string("class")),
                 "QEMU says: " + printable(*error.find_string("desc")), "", nullptr};
}

Result<Message> decode(json::Parser& parser, std::string_view padded_line) {
    Result<json::Document> parsed = parser.parse_in_place(padded_line);
    if (!parsed) {
        Error cause = std::move(parsed).error();
        std::string code = cause.code;
        return std::move(cause).wrapped(
            Kind::protocol, std::move(code),
            "a line that is not JSON: " + excerpt(padded_line, excerpt_bytes),
            "read a message of QEMU");
    }
    const json::View root = parsed->root();
    if (const std::optional<std::string_view> name = root.find_string("event")) {
        const std::optional<WallTime> time = stamp_of(root);
        return Message{Event{std::string(*name), time, std::move(*parsed)}};
    }
    const bool is_result = root.find("return").has_value();
    const bool is_error = root.find("error").has_value();
    if (is_result != is_error) {
        return decode_reply(std::move(*parsed), is_error, padded_line);
    }
    if (const std::optional<json::View> qmp = root.find("QMP")) {
        return decode_greeting(*qmp, padded_line);
    }
    return violation("neither a greeting nor an event nor a reply", padded_line);
}

std::string encode(CommandId id, std::string_view command, std::string_view arguments) {
    json::ObjectWriter line;
    line.text("execute", command);
    if (!arguments.empty()) {
        line.json("arguments", arguments);
    }
    line.integer("id", static_cast<std::int64_t>(id.value));
    return std::move(line).finish() + "\n";
}

}  // namespace ktm::qmp
