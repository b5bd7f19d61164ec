// SPDX-License-Identifier: Apache-2.0
// base/text.hh: foreign text made safe to show.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace ktm {

/// The text with control characters and invalid UTF-8 written as \xNN, so that a hostile peer
/// cannot move the cursor of the terminal on which its words are shown.
[[nodiscard]] std::string printable(std::string_view text);

/// The first `bytes_max` bytes of the printable text, with "…" where something was cut off.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t bytes_max);

/// The texts one after the other, with `between` between them.
[[nodiscard]] std::string joined(const std::vector<std::string>& texts,
                                 std::string_view between = ", ");

/// Adds the texts to the end of `out`; a sum of many parts without a text for each of its steps.
void append(std::string& out, std::initializer_list<std::string_view> parts);

}  // namespace ktm
