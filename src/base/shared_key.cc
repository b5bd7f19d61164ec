// SPDX-License-Identifier: Apache-2.0
// base/shared_key.cc: a key that two nodes have, and nobody else.
#include "base/shared_key.hh"

#include <cstddef>
#include <optional>

namespace ktm {

namespace {

constexpr std::size_t hex_size = 2 * std::tuple_size_v<SharedKey::Raw>;
constexpr const char* key_digits = "0123456789abcdef";

std::optional<unsigned> key_nibble(char digit) {
    if (digit >= '0' && digit <= '9') {
        return static_cast<unsigned>(digit - '0');
    }
    if (digit >= 'a' && digit <= 'f') {
        return static_cast<unsigned>(digit - 'a') + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return static_cast<unsigned>(digit - 'A') + 10;
    }
    return std::nullopt;
}

Error no_key(std::string what) {
    return Error{Kind::invalid, "bad-key",
                 std::move(what) + "; expected " + std::to_string(hex_size) +
                     " hexadecimal digits, as 'katamaran peer key FILE' writes them",
                 "", nullptr};
}

}  // namespace

Result<SharedKey> SharedKey::parse(std::string_view text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    }
    if (text.empty()) {
        return no_key("it is empty");
    }
    Raw raw{};
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::optional<unsigned> nibble = key_nibble(text[at]);
        if (!nibble) {
            return no_key("its character " + std::to_string(at + 1) + " is no hexadecimal digit");
        }
        if (at < hex_size) {
            raw[at / 2] = static_cast<std::uint8_t>(raw[at / 2] << 4U | *nibble);
        }
    }
    if (text.size() != hex_size) {
        return no_key("it has " + std::to_string(text.size()) + " digits");
    }
    return SharedKey{raw};
}

std::string SharedKey::hex() const {
    std::string text;
    for (const std::uint8_t byte : raw_) {
        text += key_digits[byte >> 4U];
        text += key_digits[byte & 15U];
    }
    return text;
}

}  // namespace ktm
