// SPDX-License-Identifier: Apache-2.0
// base/text.cc: foreign text made safe to show.
#include "base/text.hh"

#include <cstdint>

namespace ktm {

namespace {

/// Bytes of the valid UTF-8 sequence at `at`, or 0. C1 controls count as invalid: terminals obey
/// them.
std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = byte(at);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || at + length > text.size()) {
        return 0;
    }
    std::uint32_t code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) {
            return 0;
        }
        code = (code << 6) | (byte(at + i) & 0x3FU);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    // Marks that turn the direction of writing can make a line read as something else.
    const bool turning = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return overlong || surrogate || control || turning || code > 0x10FFFF ? 0 : length;
}

}  // namespace

std::string printable(std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string safe;
    safe.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        if (length > 0) {
            safe.append(text.substr(at, length));
            at += length;
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(text[at]);
        safe += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
        ++at;
    }
    return safe;
}

std::string excerpt(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) {
        return printable(text);
    }
    std::size_t cut = bytes_max;
    while (cut > 0 && (static_cast<std::uint8_t>(text[cut]) & 0xC0) == 0x80) {
        --cut;
    }
    return printable(text.substr(0, cut)) + "…";
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
    std::string all;
    for (const std::string& text : texts) {
        all += (all.empty() ? "" : std::string{between}) + text;
    }
    return all;
}

void append(std::string& out, std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) {
        out += part;
    }
}

}  // namespace ktm
