// SPDX-License-Identifier: Apache-2.0
// timeline/panel.hh: all lanes of a timeline on one axis, as SVG.
//
// Theory of operation. A lane is as high as it needs: its rows of spans, and below them lines for
// the words of what has no room for them inside. Words are given out by their weight: trouble, the
// guest's stop and start, the commit, then the rest by time; a word that meets no free place is
// left to the title of its shape. What matters most is drawn last, on top. What would fall on one
// pixel is drawn once, so that a lane never has more shapes than the picture has pixels.
#pragma once

#include <string>

#include "draw/shapes.hh"
#include "timeline/axis.hh"
#include "timeline/timeline.hh"

namespace ktm::timeline {

struct PanelLook {
    std::string title;
    Duration zero{};           ///< Where the axis counts from.
    std::size_t label_lines;   ///< Per lane, at most.
    bool is_overview = false;  ///< Another panel shows the dark window large.
};

struct Panel {
    std::string svg;
    int lanes_top = 0;
    int bottom = 0;
};

/// The names of the lanes stand left of the axis, from `left` on; the panel begins at `top`.
[[nodiscard]] Panel draw_panel(const Timeline& timeline, const Axis& axis, const PanelLook& look,
                               int left, int top);

}  // namespace ktm::timeline
