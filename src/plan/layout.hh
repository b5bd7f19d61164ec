// SPDX-License-Identifier: Apache-2.0
// plan/layout.hh: where the boxes, lines and labels of a role's graph are drawn.
//
// Theory of operation. The picture has one spine: the boxes of the states, in reading order, from
// top to bottom. A link to the next box goes straight down. Every other link leaves its box at the
// side: to the right when it leads to an exit, which are the boxes in the right lower corner, to
// the left when it jumps along the spine. Beside the boxes there is a zone for labels, and beyond
// it the lanes, vertical lines that lead to one target each. A box is as high as the labels at its
// sides need, the gap below it as high as the label in it; so that no label can meet a box, a lane
// or another label, and no line a box. Links that come to one target from one side share a lane.
// Lanes whose rows do not meet stand in one column, the shortest next to the boxes.
#pragma once

#include <cstddef>
#include <vector>

#include "draw/shapes.hh"

namespace ktm::plan {

using draw::Point;
using draw::Rectangle;
using draw::Size;

/// A graph without words. Boxes have numbers: first those of the spine, then the exits.
struct Graph {
    struct Link {
        std::size_t from = 0;  ///< Of the spine.
        std::size_t to = 0;    ///< At most one link leads from a box to another.
        Size label;            ///< Empty for none.
    };
    std::vector<Size> spine;  ///< At least so large; a box with many links grows in height.
    std::vector<Size> exits;
    std::vector<Link> links;
};

struct Route {
    std::vector<Point> points;  ///< Corners, from the edge of one box to the edge of the other.
    /// The corner behind which other links to the same target come along; the number of points when
    /// there are none.
    std::size_t shared_from = 0;
    bool leads = true;  ///< Of those that share the one that comes from farthest.
    Rectangle label;    ///< Empty for none.

    [[nodiscard]] bool is_shared() const noexcept { return shared_from < points.size(); }
};

struct Layout {
    std::vector<Rectangle> boxes;  ///< By their numbers.
    std::vector<Route> routes;     ///< One for each link, in their order.
    std::vector<Point> entry;  ///< The line from the start's mark, on its first point, to box 0.
    Size size;                 ///< Of everything; it begins at 0, 0.
};

[[nodiscard]] Layout lay_out(const Graph& graph);

}  // namespace ktm::plan
