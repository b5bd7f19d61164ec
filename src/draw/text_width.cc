// SPDX-License-Identifier: Apache-2.0
// draw/text_width.cc: how wide a text will be, whoever shows it.
#include "draw/text_width.hh"

#include <array>
#include <cstdint>

namespace ktm::draw {

namespace {

constexpr char first_letter = ' ';

/// Hundredths of the font's size, from the space to the tilde, as in DejaVu Sans.
constexpr std::array<std::uint8_t, 95> regular_widths{
    32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37,  32, 34, 64, 64, 64,      // space to 2
    64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64, 58,  // 3 to F
    78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62,  74, 69, 99, 69, 62, 69,  // G to Z
    40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64,  28, 28, 58, 28, 98, 64,  // [ to n
    62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34,  64, 84};                 // o to ~

constexpr std::array<std::uint8_t, 95> bold_widths{
    35, 46,  53, 84, 70, 101, 88, 31,  46, 46, 53, 84, 38, 42,  38, 37, 70, 70,  70,
    70, 70,  70, 70, 70, 70,  70, 40,  40, 84, 84, 84, 59, 100, 78, 77, 74, 84,  69,
    69, 83,  84, 38, 38, 78,  64, 100, 84, 86, 74, 86, 78, 73,  69, 82, 78, 111, 78,
    73, 73,  46, 37, 46, 84,  50, 50,  68, 72, 60, 72, 68, 44,  72, 72, 35, 35,  67,
    35, 105, 72, 69, 72, 72,  50, 60,  48, 72, 66, 93, 65, 66,  59, 72, 37, 72,  84};

// What has no width of its own in the tables: other scripts, and signs that are drawn as pictures.
constexpr int width_of_others = 100;
constexpr int width_of_pictures = 140;

bool begins_letter(char c) {
    return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
}

int width_of(char lead, Weight weight) {
    const auto byte = static_cast<std::uint8_t>(lead);
    const auto index = static_cast<std::size_t>(byte - first_letter);
    if (byte >= first_letter && index < regular_widths.size()) {
        return weight == Weight::bold ? bold_widths[index] : regular_widths[index];
    }
    return byte >= 0xF0 ? width_of_pictures : width_of_others;
}

}  // namespace

int text_width(std::string_view text, int font_size, Weight weight) {
    int width = 0;
    for (const char c : text) {
        width += begins_letter(c) ? width_of(c, weight) : 0;
    }
    return (width * font_size + 99) / 100;
}

std::string shortened(std::string_view text, std::size_t letters_max) {
    std::size_t letters = 0;
    std::size_t cut = 0;  // where the last letter that fits begins
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!begins_letter(text[i])) {
            continue;
        }
        if (++letters == letters_max) {
            cut = i;
        }
        if (letters > letters_max) {
            return std::string(text.substr(0, cut)) + "…";
        }
    }
    return std::string(text);
}

std::vector<std::string> wrapped(std::string_view text, int width_max, int font_size) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string word{text.substr(0, end)};
        text.remove_prefix(std::min(end + 1, text.size()));
        if (word.empty()) {
            continue;
        }
        const bool fits = !lines.empty() && text_width(lines.back() + " " + word, font_size,
                                                       Weight::regular) <= width_max;
        if (fits) {
            lines.back() += " " + word;
        } else {
            lines.push_back(word);
        }
    }
    return lines;
}

}  // namespace ktm::draw
