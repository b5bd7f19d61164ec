// SPDX-License-Identifier: Apache-2.0
// net/hexadecimal.hh: bytes that are no text, as digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ktm::net {

/// Two digits a byte, in lower case.
[[nodiscard]] std::string hexadecimal(std::string_view bytes);
/// The way back; nothing when these are no such digits.
[[nodiscard]] std::optional<std::string> from_hexadecimal(std::string_view digits);

}  // namespace ktm::net
