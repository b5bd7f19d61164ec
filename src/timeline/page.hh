// SPDX-License-Identifier: Apache-2.0
// timeline/page.hh: a timeline as a page of HTML that needs nothing else.
#pragma once

#include <string>

#include "timeline/picture.hh"
#include "timeline/timeline.hh"

namespace ktm::timeline {

/// The picture, and below it everything in it as a table. What is pointed at tells its details,
/// what is clicked is found in the other. It asks the network for nothing.
[[nodiscard]] std::string draw_html(const Timeline& timeline, int width = picture_width);

}  // namespace ktm::timeline
