// SPDX-License-Identifier: Apache-2.0
// plan/svg.hh: the lines and colours of a plan's picture.
#pragma once

#include <string>
#include <vector>

#include "draw/svg.hh"
#include "plan/layout.hh"

namespace ktm::plan {

/// The picture's own style, for light and for dark paper. All of it counts only inside an element
/// of the class "ktm", so that the picture can be put into a page that has a style as well.
[[nodiscard]] std::string style_svg();

/// A line with round corners and a head. `kind` is what it leads to: state, done, abort, stranded
/// or unknown; a late one is dashed.
[[nodiscard]] std::string arrow_svg(const std::vector<Point>& points, const std::string& kind,
                                    bool late);

/// The same for one of several lines. What they share is drawn once, by the one that leads: on top
/// of each other they would look thicker, and their dashes like dirt.
[[nodiscard]] std::string route_svg(const Route& route, const std::string& kind, bool late);

}  // namespace ktm::plan
