// SPDX-License-Identifier: Apache-2.0
// trial/sequence.cc: two sequences side by side: what was expected, and what came.
#include "trial/sequence.hh"

#include <algorithm>
#include <cstddef>

namespace ktm::trial {

namespace {

/// How many rows do not fit, at least, from any two places on.
class Costs {
public:
    Costs(const std::vector<std::string>& expected, const std::vector<std::string>& got)
        : expected_(expected), got_(got), width_(got.size() + 1) {
        costs_.resize((expected.size() + 1) * width_, 0);
        for (std::size_t row = expected.size() + 1; row-- > 0;) {
            for (std::size_t column = got.size() + 1; column-- > 0;) {
                costs_[row * width_ + column] = least(row, column);
            }
        }
    }

    [[nodiscard]] std::size_t at(std::size_t row, std::size_t column) const {
        return costs_[row * width_ + column];
    }
    [[nodiscard]] bool is_open(std::size_t row) const {
        return row < expected_.size() && expected_[row] == anything;
    }
    [[nodiscard]] bool are_equal(std::size_t row, std::size_t column) const {
        return row < expected_.size() && column < got_.size() && expected_[row] == got_[column];
    }

private:
    [[nodiscard]] std::size_t least(std::size_t row, std::size_t column) const {
        const std::size_t rows = expected_.size() - row;
        const std::size_t columns = got_.size() - column;
        if (is_open(row)) {
            return columns == 0 ? at(row + 1, column)
                                : std::min(at(row + 1, column), at(row, column + 1));
        }
        if (rows == 0 || columns == 0) {
            return columns == 0 && rows > 0 ? 1 + at(row + 1, column) : columns;
        }
        const std::size_t apart = 1 + std::min(at(row + 1, column), at(row, column + 1));
        return are_equal(row, column) ? std::min(at(row + 1, column + 1), apart) : apart;
    }

    const std::vector<std::string>& expected_;
    const std::vector<std::string>& got_;
    std::size_t width_;
    std::vector<std::size_t> costs_;
};

}  // namespace

SideBySide side_by_side(const std::vector<std::string>& expected,
                        const std::vector<std::string>& got) {
    const Costs costs{expected, got};
    SideBySide both;
    both.fits = costs.at(0, 0) == 0;
    std::size_t row = 0;
    std::size_t column = 0;
    bool stands = false;  // The sign for anything is in its first row only.
    while (row < expected.size() || column < got.size()) {
        const std::size_t cost = costs.at(row, column);
        if (costs.is_open(row)) {
            if (column < got.size() && costs.at(row, column + 1) == cost) {
                both.rows.push_back({stands ? "" : expected[row], got[column++], true});
                stands = true;
                continue;
            }
            if (!stands) {
                both.rows.push_back({expected[row], "", true});
            }
            stands = false;
            ++row;
        } else if (costs.are_equal(row, column) && costs.at(row + 1, column + 1) == cost) {
            both.rows.push_back({expected[row++], got[column++], true});
        } else if (row < expected.size() && costs.at(row + 1, column) + 1 == cost) {
            both.rows.push_back({expected[row++], "", false});
        } else {
            both.rows.push_back({"", got[column++], false});
        }
    }
    return both;
}

}  // namespace ktm::trial
