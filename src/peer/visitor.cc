// SPDX-License-Identifier: Apache-2.0
// peer/visitor.cc: somebody who knocks, until it is known who.
#include "peer/visitor.hh"

#include "base/text.hh"

namespace ktm::peer {

namespace {

constexpr std::size_t knock_bytes_shown = 120;

Error no_hello(std::string code, std::string what) {
    return Error{Kind::protocol, std::move(code), std::move(what), "greet the other node", nullptr};
}

}  // namespace

std::optional<Result<Message>> Visitor::hello() const {
    if (is_tls(bytes_)) {
        return no_hello(std::string{tls_code},
                        "it speaks TLS, and this run has no key; expected --peer-key here, "
                        "with the key of the other node");
    }
    const std::size_t end = bytes_.find('\n');
    if (end > hello_bytes_max && bytes_.size() > hello_bytes_max) {
        return no_hello("line-too-long", "a hello of more than " + std::to_string(hello_bytes_max) +
                                             " bytes: " + excerpt(bytes_, knock_bytes_shown));
    }
    if (end == std::string::npos) {
        return std::nullopt;
    }
    json::Parser parser;
    const std::string padded = bytes_.substr(0, end) + std::string(json::padding_bytes, ' ');
    Result<Message> message = decode(parser, std::string_view{padded}.substr(0, end));
    if (message && message->form != Message::Form::hello) {
        return no_hello("no-hello", "what comes first is no hello: " +
                                        excerpt(bytes_.substr(0, end), knock_bytes_shown));
    }
    return message;
}

}  // namespace ktm::peer
