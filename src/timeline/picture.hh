// SPDX-License-Identifier: Apache-2.0
// timeline/picture.hh: a timeline as SVG, for paper, a runbook or a page.
#pragma once

#include <string>

#include "timeline/timeline.hh"

namespace ktm::timeline {

inline constexpr int picture_width = 1000;
inline constexpr int picture_width_min = 400;
inline constexpr int picture_width_max = 10'000;

/// Two panels on white paper: the whole run, and the dark window on a scale of its own where it is
/// too short to be seen in the first. Every shape has a title for who points at it, and the key of
/// its entry in the chronicle. Readable without colours.
[[nodiscard]] std::string draw_svg(const Timeline& timeline, int width = picture_width);

}  // namespace ktm::timeline
