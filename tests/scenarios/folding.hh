// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/folding.hh: what happens again and again, told a few times.
#pragma once

#include <string>

namespace ktm::testing {

/// The text, where some lines that are repeated many times, but for their numbers, stand as their
/// first rounds, a line that counts the rest, and the last round.
[[nodiscard]] std::string folded(const std::string& text);

}  // namespace ktm::testing
