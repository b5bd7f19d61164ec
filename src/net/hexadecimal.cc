// SPDX-License-Identifier: Apache-2.0
// net/hexadecimal.cc: bytes that are no text, as digits.
#include "net/hexadecimal.hh"

#include <charconv>

namespace ktm::net {

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        out += digits[value / 16];
        out += digits[value % 16];
    }
    return out;
}

std::optional<std::string> from_hexadecimal(std::string_view digits) {
    std::string out;
    if (digits.size() % 2 != 0) {
        return std::nullopt;
    }
    for (std::size_t at = 0; at < digits.size(); at += 2) {
        unsigned value = 0;
        const char* first = digits.data() + at;
        const auto read = std::from_chars(first, first + 2, value, 16);
        if (read.ec != std::errc{} || read.ptr != first + 2) {
            return std::nullopt;
        }
        out += static_cast<char>(value);
    }
    return out;
}

}  // namespace ktm::net
