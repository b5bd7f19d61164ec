// SPDX-License-Identifier: Apache-2.0
// qmp/message.cc: telling greetings, events and replies apart.
#include "qmp/message.hh"

#include <utility>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::qmp {

namespace {

constexpr std::size_t excerpt_bytes = 120;

Error violation(std::string code, std::string what, std::string_view line) {
    return Error{Kind::protocol, std::move(code),
                 std::move(what) + ": " + excerpt(line, excerpt_bytes), "read a message of QEMU",
                 nullptr};
}

std::optional<int> small_int(const json::View& object, std::string_view key) {
    const std::optional<std::int64_t> value = object.find_int(key);
    const bool sane = value && *value >= 0 && *value < 1'000'000;
    return sane ? std::optional{static_cast<int>(*value)} : std::nullopt;
}

/// The fields of a message that tell what it is, found in one look.
struct Envelope {
    std::optional<json::View> event;
    std::optional<json::View> result;
    std::optional<json::View> error;
    std::optional<json::View> id;
    std::optional<json::View> greeting;

    bool twice = false;  ///< One of them stands there twice.

    explicit Envelope(const json::View& message) {
        for (const json::View::Field field : message.fields()) {
            std::optional<json::View>* place = place_of(field.key);
            if (place != nullptr) {
                twice = twice || place->has_value();
                *place = field.value;
            }
        }
    }

    [[nodiscard]] std::optional<Message::Form> form() const {
        if (event && event->is_string()) {
            return Message::Form::event;
        }
        if (result.has_value() != error.has_value()) {
            return result ? Message::Form::result : Message::Form::error;
        }
        return greeting && !result ? std::optional{Message::Form::greeting} : std::nullopt;
    }

private:
    /// By the length first: it tells nearly all keys apart without a look at them.
    std::optional<json::View>* place_of(std::string_view key) {
        switch (key.size()) {
            case 2: return key == "id" ? &id : nullptr;
            case 3: return key == "QMP" ? &greeting : nullptr;
            case 5: return key == "event" ? &event : key == "error" ? &error : nullptr;
            case 6: return key == "return" ? &result : nullptr;
            default: return nullptr;
        }
    }
};

/// An id that is no number of ours still is an id: it names a command that we never sent.
std::optional<CommandId> id_of(const Envelope& envelope) {
    return envelope.id ? std::optional{CommandId{envelope.id->as_uint().value_or(0)}}
                       : std::nullopt;
}

}  // namespace

std::string Greeting::version() const {
    const std::string number =
        std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(micro);
    return package.empty() ? number : number + " (" + package + ")";
}

std::optional<WallTime> Event::time() const {
    const std::optional<json::View> stamp = body.root().find("timestamp");
    if (!stamp) {
        return std::nullopt;
    }
    const std::optional<std::int64_t> seconds = stamp->find_int("seconds");
    const std::optional<std::int64_t> micros = stamp->find_int("microseconds");
    // QEMU says -1 when its clock failed. LIMIT: nanoseconds in 64 bits reach to the year 2262.
    const bool sane = seconds && micros && *seconds >= 0 && *seconds < 9'000'000'000 &&
                      *micros >= 0 && *micros < 1'000'000;
    if (!sane) {
        return std::nullopt;
    }
    return WallTime{std::chrono::seconds{*seconds} + std::chrono::microseconds{*micros}};
}

Result<Greeting> greeting_of(const json::Document& body) {
    const json::View qmp = *body.root().find("QMP");
    const std::optional<json::View> version = qmp.find("version");
    const std::optional<json::View> numbers = version ? version->find("qemu") : std::nullopt;
    const std::optional<int> major = numbers ? small_int(*numbers, "major") : std::nullopt;
    const std::optional<int> minor = numbers ? small_int(*numbers, "minor") : std::nullopt;
    const std::optional<int> micro = numbers ? small_int(*numbers, "micro") : std::nullopt;
    if (!major || !minor || !micro) {
        return violation("protocol-violation", "a greeting without QEMU's version",
                         json::compact(body.root()));
    }
    Greeting greeting{
        *major, *minor, *micro, std::string(version->find_string("package").value_or("")), {}};
    if (const std::optional<json::View> capabilities = qmp.find("capabilities")) {
        for (const json::View item : capabilities->items()) {
            greeting.capabilities.emplace_back(item.as_string().value_or(""));
        }
    }
    return greeting;
}

Error refusal_of(const json::Document& body) {
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
    const Envelope envelope{parsed->root()};
    if (envelope.twice) {
        return violation("duplicate-key", "a message that says twice what it is", padded_line);
    }
    const std::optional<Message::Form> form = envelope.form();
    if (!form) {
        return violation("protocol-violation", "neither a greeting nor an event nor a reply",
                         padded_line);
    }
    const bool refusal = form == Message::Form::error;
    if (refusal &&
        (!envelope.error->find_string("class") || !envelope.error->find_string("desc"))) {
        return violation("protocol-violation", "an error without class and text", padded_line);
    }
    const std::optional<CommandId> id = id_of(envelope);
    return Message{*form, id, std::move(*parsed)};
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
