// SPDX-License-Identifier: Apache-2.0
// timeline/picture_style.hh: colours, patterns and letters of a timeline's picture.
#pragma once

#include <string>

namespace ktm::timeline {

inline constexpr int font_small = 11;
inline constexpr int font_name = 12;
inline constexpr int font_title = 20;
inline constexpr int font_headline = 15;

/// The style and the patterns. All of it counts only inside an element of the class "ktm-time".
[[nodiscard]] std::string picture_style();

}  // namespace ktm::timeline
