// SPDX-License-Identifier: Apache-2.0
// base/error.cc: rendering of errors.
#include "base/error.hh"

#include <cstring>
#include <utility>

namespace ktm {

namespace {

/// The system's words start with a capital letter; inside our sentence they must not.
std::string system_text(int errno_value) {
    char buffer[128];
    std::string text = ::strerror_r(errno_value, buffer, sizeof buffer);
    const bool one_word_capital = text.size() > 1 && text[1] >= 'A' && text[1] <= 'Z';
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z' && !one_word_capital) {
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    }
    return text;
}

std::string system_code(int errno_value) {
    const char* name = ::strerrorname_np(errno_value);
    return name != nullptr ? name : "errno-" + std::to_string(errno_value);
}

}  // namespace

std::string_view name_of(Kind kind) noexcept {
    switch (kind) {
        case Kind::usage: return "usage";
        case Kind::invalid: return "invalid";
        case Kind::io: return "io";
        case Kind::protocol: return "protocol";
        case Kind::refused: return "refused";
        case Kind::timeout: return "timeout";
        case Kind::lost: return "lost";
        case Kind::cancelled: return "cancelled";
    }
    return "unknown";
}

std::string Error::sentence() const {
    std::string text;
    if (!during.empty()) {
        text += "could not " + during + ": ";
    }
    text += what;
    if (!code.empty()) {
        text += " (" + code + ")";
    }
    if (cause) {
        text += ", because " + cause->sentence();
    }
    return text;
}

Error Error::while_trying(std::string intent) && {
    if (during.empty()) {
        during = std::move(intent);
    }
    return std::move(*this);
}

Error Error::wrapped(Kind outer, std::string code_token, std::string text, std::string intent) && {
    return Error{outer, std::move(code_token), std::move(text), std::move(intent),
                 std::make_shared<const Error>(std::move(*this))};
}

Error system_error(int errno_value, std::string during) {
    return Error{Kind::io, system_code(errno_value), system_text(errno_value), std::move(during),
                 nullptr};
}

}  // namespace ktm
