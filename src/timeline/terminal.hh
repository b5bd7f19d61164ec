// SPDX-License-Identifier: Apache-2.0
// timeline/terminal.hh: a timeline as text, for a terminal or a mail.
#pragma once

#include <string>
#include <string_view>

#include "base/unique_function.hh"
#include "timeline/timeline.hh"

namespace ktm::timeline {

struct TextLook {
    int columns = 100;
    bool plain = false;  ///< Bars of ASCII alone.
    /// Gives a text the colour of a look; without it there are none.
    UniqueFunction<std::string(Look, std::string_view)> paint;
};

inline constexpr int text_columns_min = 40;
inline constexpr int text_columns_max = 1000;

/// Bars for the whole run, bars for the dark window where it is short, and what happened as a list.
[[nodiscard]] std::string draw_text(const Timeline& timeline, TextLook look = {});

}  // namespace ktm::timeline
