// SPDX-License-Identifier: Apache-2.0
// cli/columns.hh: lines whose parts stand below each other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hh"

namespace ktm::cli {

struct Cell {
    std::string text;
    Colour colour = Colour::plain;
};

/// Rows of cells, of which all but the last are as wide as the widest of their column. What comes
/// from a plan may be put in as it is: it is made one safe line.
class Columns {
public:
    void add(std::vector<Cell> row);

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

    /// The lines, each behind so many blanks and without any at its end.
    [[nodiscard]] std::vector<std::string> lines(const Console& console, std::size_t indent) const;

private:
    std::vector<std::vector<Cell>> rows_;
    std::vector<std::size_t> widths_;
};

/// The columns of a time in front of a line.
inline constexpr std::size_t time_columns = 10;

/// The text with blanks in front, so that it is at least so wide.
[[nodiscard]] std::string right_aligned(std::string text, std::size_t width);

/// The text with every break of the line made one blank, safe to show.
[[nodiscard]] std::string one_line(std::string_view text);

/// "1 role", "3 roles".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

/// Prints the lines and returns the exit code: done, unless they could not be written.
[[nodiscard]] int print(Console& console, const std::vector<std::string>& lines);

}  // namespace ktm::cli
