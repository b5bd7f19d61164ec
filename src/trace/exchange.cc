// SPDX-License-Identifier: Apache-2.0
// trace/exchange.cc: what is asked of the kernel, of programs and of files, and what they say.
#include "trace/exchange.hh"

#include <array>
#include <memory>
#include <utility>

#include "json/writer.hh"

namespace ktm::trace {

namespace {

constexpr std::array<Kind, 8> kinds{Kind::usage,   Kind::invalid, Kind::io,   Kind::protocol,
                                    Kind::refused, Kind::timeout, Kind::lost, Kind::cancelled};

json::ObjectWriter begin(std::uint64_t id) {
    json::ObjectWriter message;
    message.integer("id", static_cast<std::int64_t>(id));
    return message;
}

std::string object_of(const Error& error) {
    json::ObjectWriter object;
    object.text("kind", name_of(error.kind)).text("code", error.code).text("what", error.what);
    if (!error.during.empty()) {
        object.text("during", error.during);
    }
    if (error.cause) {
        object.json("cause", object_of(*error.cause));
    }
    return std::move(object).finish();
}

}  // namespace

std::string request_message(std::uint64_t id, std::string_view place, std::string_view request,
                            std::string_view words) {
    json::ObjectWriter message = begin(id);
    if (!place.empty()) {
        message.text("in", place);
    }
    message.json("request", request).text("words", words);
    return std::move(message).finish();
}

std::string answer_message(std::uint64_t id, std::string_view answer) {
    json::ObjectWriter message = begin(id);
    message.json("answer", answer);
    return std::move(message).finish();
}

std::string error_message(std::uint64_t id, const Error& error) {
    json::ObjectWriter message = begin(id);
    message.json("error", object_of(error));
    return std::move(message).finish();
}

std::optional<std::uint64_t> exchange_id(const json::View& message) noexcept {
    const std::optional<json::View> id = message.find("id");
    return id && (message.find("request") || message.find("answer") || message.find("error"))
               ? id->as_uint()
               : std::nullopt;
}

Error error_in(const json::View& error) {
    Error read;
    const std::string_view kind = error.find_string("kind").value_or("");
    for (const Kind one : kinds) {
        read.kind = name_of(one) == kind ? one : read.kind;
    }
    read.code = error.find_string("code").value_or("");
    read.what = error.find_string("what").value_or("");
    read.during = error.find_string("during").value_or("");
    if (const std::optional<json::View> cause = error.find("cause")) {
        read.cause = std::make_shared<const Error>(error_in(*cause));
    }
    return read;
}

}  // namespace ktm::trace
