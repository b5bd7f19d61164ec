// SPDX-License-Identifier: Apache-2.0
// timeline/axis.hh: where an instant stands on a line of so many pixels or columns.
#pragma once

#include <string>
#include <vector>

#include "timeline/timeline.hh"

namespace ktm::timeline {

/// A scale in pieces. A piece that is broken shows a long time in which nothing happened as a short
/// gap; all others have one scale, so that lengths can be compared.
class Axis {
public:
    struct Piece {
        Duration begin{};
        Duration end{};
        int left = 0;
        int right = 0;
        bool broken = false;
    };
    struct Tick {
        int x = 0;
        std::string text;
    };

    /// From `begin` to `end`, without breaks.
    Axis(Duration begin, Duration end, int left, int right);
    /// The whole timeline: up to three gaps in which nothing happens become breaks of that width.
    Axis(const Timeline& timeline, int left, int right, int break_width);

    /// Instants outside are at the ends.
    [[nodiscard]] int x(Duration at) const noexcept;
    [[nodiscard]] bool shows(Duration at) const noexcept { return at >= begin() && at <= end(); }
    /// Whether any of it is seen.
    [[nodiscard]] bool shows(Duration from, Duration to) const noexcept {
        return to >= begin() && from <= end();
    }
    [[nodiscard]] Duration begin() const noexcept { return pieces_.front().begin; }
    [[nodiscard]] Duration end() const noexcept { return pieces_.back().end; }
    [[nodiscard]] int left() const noexcept { return pieces_.front().left; }
    [[nodiscard]] int right() const noexcept { return pieces_.back().right; }
    /// The longest part of [from, to) in which the scale is not broken: for words.
    struct Part {
        int left = 0;
        int right = 0;
    };
    [[nodiscard]] Part unbroken(int from, int to) const noexcept;
    [[nodiscard]] const std::vector<Piece>& pieces() const noexcept { return pieces_; }

    /// At round times counted from `zero`, no nearer to each other than `distance_min`.
    [[nodiscard]] std::vector<Tick> ticks(Duration zero, int distance_min) const;

private:
    std::vector<Piece> pieces_;
};

}  // namespace ktm::timeline
