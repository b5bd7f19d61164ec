// SPDX-License-Identifier: Apache-2.0
// draw/shapes.hh: points, sizes and rectangles of a picture, in its own units.
#pragma once

namespace ktm::draw {

struct Point {
    int x = 0;
    int y = 0;
    [[nodiscard]] bool operator==(const Point&) const = default;
};

struct Size {
    int width = 0;
    int height = 0;
    [[nodiscard]] bool operator==(const Size&) const = default;
};

struct Rectangle {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;

    [[nodiscard]] int right() const noexcept { return x + width; }
    [[nodiscard]] int bottom() const noexcept { return y + height; }
    [[nodiscard]] bool is_empty() const noexcept { return width <= 0 || height <= 0; }
    /// Whether they have more than an edge in common.
    [[nodiscard]] bool overlaps(const Rectangle& other) const noexcept {
        return x < other.right() && other.x < right() && y < other.bottom() && other.y < bottom();
    }
    [[nodiscard]] bool operator==(const Rectangle&) const = default;
};

}  // namespace ktm::draw
