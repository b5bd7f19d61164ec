// SPDX-License-Identifier: Apache-2.0
// base/wall_time.hh: reading of dates.
#pragma once

#include <string_view>

#include "base/result.hh"
#include "base/time.hh"

namespace ktm {

/// Reads what format_wall_time() writes; the fraction of a second may be shorter, or missing.
[[nodiscard]] Result<WallTime> parse_wall_time(std::string_view text);

}  // namespace ktm
