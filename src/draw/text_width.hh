// SPDX-License-Identifier: Apache-2.0
// draw/text_width.hh: how wide a text will be, whoever shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktm::draw {

enum class Weight { regular, bold };

/// The width of UTF-8 text in a sans-serif font of that size, in the same unit, rounded up. It is
/// rather too large: which font a viewer has is not known, so the widest of the usual ones is
/// meant.
[[nodiscard]] int text_width(std::string_view text, int font_size, Weight weight);

/// The text with at most `letters_max` letters, with "…" where something was cut off.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t letters_max);

/// The text in lines that are at most so wide, broken at spaces; a longer word has its own line.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, int width_max, int font_size);

}  // namespace ktm::draw
