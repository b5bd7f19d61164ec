// SPDX-License-Identifier: Apache-2.0
// trial/sequence.hh: two sequences side by side: what was expected, and what came.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktm::trial {

/// Stands for any number of things, none included.
inline constexpr std::string_view anything = "…";

struct SequenceRow {
    std::string expected;  ///< Empty where nothing of the kind was.
    std::string got;
    bool fits = true;
};

struct SideBySide {
    bool fits = true;
    std::vector<SequenceRow> rows;
};

/// Puts them beside each other so that as few as can be do not fit.
[[nodiscard]] SideBySide side_by_side(const std::vector<std::string>& expected,
                                      const std::vector<std::string>& got);

}  // namespace ktm::trial
