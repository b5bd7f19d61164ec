// SPDX-License-Identifier: Apache-2.0
// base/nearest.hh: "did you mean", for every place where a person can misspell a name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktm {

/// The names closest to `wanted`, best first, at most `count`; empty when none is close.
[[nodiscard]] std::vector<std::string> nearest(std::string_view wanted,
                                               const std::vector<std::string>& names,
                                               std::size_t count = 3);

/// "; did you mean 'a', 'b' or 'c'?", or an empty text when nothing is close.
[[nodiscard]] std::string did_you_mean(std::string_view wanted,
                                       const std::vector<std::string>& names);

}  // namespace ktm
