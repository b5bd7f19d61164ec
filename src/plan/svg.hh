// SPDX-License-Identifier: Apache-2.0
// plan/svg.hh: the shapes and colours of a picture.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/layout.hh"

namespace ktm::plan {

/// Text for XML: its five signs are escaped, and there is nothing in it that XML forbids.
[[nodiscard]] std::string xml(std::string_view text);

/// The picture's own style, for light and for dark paper. All of it counts only inside an element
/// of the class "ktm", so that the picture can be put into a page that has a style as well.
[[nodiscard]] std::string style_svg();

[[nodiscard]] std::string rectangle_svg(const Rectangle& area, int radius,
                                        std::string_view classes);

/// What of a text stands at its point.
enum class Anchor { start, middle, end };

[[nodiscard]] std::string text_svg(Point at, std::string_view classes, std::string_view text,
                                   Anchor anchor = Anchor::start);

/// A disc, as the mark of the start.
[[nodiscard]] std::string disc_svg(Point centre, int radius, std::string_view classes);

/// A line with round corners and a head. `kind` is what it leads to: state, done, abort, stranded
/// or unknown; a late one is dashed.
[[nodiscard]] std::string arrow_svg(const std::vector<Point>& points, const std::string& kind,
                                    bool late);

/// The same for one of several lines. What they share is drawn once, by the one that leads: on top
/// of each other they would look thicker, and their dashes like dirt.
[[nodiscard]] std::string route_svg(const Route& route, const std::string& kind, bool late);

}  // namespace ktm::plan
