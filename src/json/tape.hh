// SPDX-License-Identifier: Apache-2.0
// json/tape.hh: the flat form of a JSON value: words and strings.
//
// Theory of operation. A value is written as 64-bit words in reading order: eight bits of kind, 56
// of payload. The layout is simdjson's own, so that its result is taken over as it is. The first
// word is the root, which nobody reads; the value begins at index 1:
//
//     null true false    one word
//     integers, real     one word, and one more with the value
//     string             one word; the payload is the place of its text in the strings
//     big number         like a string; simdjson refuses it, our slow reader writes it
//     object, array      one word; the payload has the index behind the container (32 bits) and the
//                        number of children (24 bits, all ones for that many or more); then the
//                        children, an object's as key and value; then one word for the end
//
// A text in the strings is its length in four bytes, its bytes, and a zero.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ktm::json::tape {

enum class Kind : std::uint8_t {
    null = 'n',
    yes = 't',
    no = 'f',
    integer = 'l',
    positive = 'u',
    real = 'd',
    string = '"',
    big_number = 'b',
    object = '{',
    object_end = '}',
    array = '[',
    array_end = ']',
};

/// The number of children that stands for this many or more.
inline constexpr std::uint32_t children_max = 0xFFFFFF;

[[nodiscard]] inline Kind kind_of(std::uint64_t word) noexcept {
    return static_cast<Kind>(word >> 56U);
}

[[nodiscard]] inline std::uint64_t payload_of(std::uint64_t word) noexcept {
    return word & 0x00FF'FFFF'FFFF'FFFFU;
}

[[nodiscard]] inline std::uint64_t make_word(Kind kind, std::uint64_t payload) noexcept {
    return static_cast<std::uint64_t>(kind) << 56U | payload;
}

/// The index behind a container, and how many children it says to have.
[[nodiscard]] inline std::uint32_t end_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word);
}
[[nodiscard]] inline std::uint32_t children_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32U) & children_max;
}

[[nodiscard]] inline bool is_container(Kind kind) noexcept {
    return kind == Kind::object || kind == Kind::array;
}

/// Whether the word behind is not an entry but the value of this one.
[[nodiscard]] inline bool has_value_word(Kind kind) noexcept {
    return kind == Kind::integer || kind == Kind::positive || kind == Kind::real;
}

/// The index of the value behind the one at `index`.
[[nodiscard]] inline std::uint32_t behind(const std::uint64_t* words,
                                          std::uint32_t index) noexcept {
    const Kind kind = kind_of(words[index]);
    if (is_container(kind)) {
        return end_of(words[index]);
    }
    return index + (has_value_word(kind) ? 2 : 1);
}

inline constexpr std::size_t length_bytes = 4;

[[nodiscard]] inline std::string_view text_at(const char* strings, std::uint64_t place) noexcept {
    std::uint32_t size = 0;
    std::memcpy(&size, strings + place, length_bytes);
    return {strings + place + length_bytes, size};
}

}  // namespace ktm::json::tape
