// SPDX-License-Identifier: Apache-2.0
// base/bytes.hh: an amount of data.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace ktm {

/// A number of bytes; not an index and not a count of packets.
struct Bytes {
    std::uint64_t count = 0;

    friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

/// Reads "4096B", "16MiB", "10GB"; the unit is required. B, kB, MB, GB, TB, KiB, MiB, GiB, TiB.
[[nodiscard]] Result<Bytes> parse_bytes(std::string_view text);

/// Three significant digits in decimal units, as links are sold: "134 MB", "2.25 GB".
[[nodiscard]] std::string format_bytes(Bytes bytes);

}  // namespace ktm
