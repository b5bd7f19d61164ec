// SPDX-License-Identifier: Apache-2.0
// sim/argument_difference.hh: where what was sent differs from what was recorded.
#pragma once

#include <optional>
#include <string>

#include "json/document.hh"

namespace ktm::sim {

/// LIMIT: bytes that are shown of what was sent or recorded.
inline constexpr std::size_t shown_bytes_max = 200;

/// The first place where the two differ: `at capabilities[1].state: expected true, got false`;
/// nothing when they are equal. The order of keys does not count, and 1 is 1.0. What a recording
/// hides, "(secret)", is equal to any text in its place.
[[nodiscard]] std::optional<std::string> difference(const json::View& expected,
                                                    const json::View& got);

}  // namespace ktm::sim
