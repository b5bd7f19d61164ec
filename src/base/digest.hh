// SPDX-License-Identifier: Apache-2.0
// base/digest.hh: a short name for a long text. Nobody who wants to deceive is stopped by it.
#pragma once

#include <cstdint>

namespace ktm {

/// FNV-1a, to tell texts apart: where a digest begins, and how it goes on.
inline constexpr std::uint64_t digest_begin = 0xCBF2'9CE4'8422'2325U;
[[nodiscard]] constexpr std::uint64_t digest_with(std::uint64_t digest,
                                                  std::uint64_t value) noexcept {
    return (digest ^ value) * 0x0000'0100'0000'01B3U;
}

}  // namespace ktm
