// SPDX-License-Identifier: Apache-2.0
// draw/svg.hh: shapes and texts as SVG.
#pragma once

#include <string>
#include <string_view>

#include "draw/shapes.hh"

namespace ktm::draw {

/// Text for XML: its five signs are escaped, and there is nothing in it that XML forbids.
[[nodiscard]] std::string xml(std::string_view text);

[[nodiscard]] std::string rectangle_svg(const Rectangle& area, int radius,
                                        std::string_view classes);

/// What of a text stands at its point.
enum class Anchor { start, middle, end };

[[nodiscard]] std::string text_svg(Point at, std::string_view classes, std::string_view text,
                                   Anchor anchor = Anchor::start);

/// A disc, as the mark of the start.
[[nodiscard]] std::string disc_svg(Point centre, int radius, std::string_view classes);

}  // namespace ktm::draw
