// SPDX-License-Identifier: Apache-2.0
// base/quantity.hh: a decimal number followed by a unit, exactly, for durations and amounts.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hh"

namespace ktm {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

/// Reads NUMBER UNIT and returns number × factor, rounded to nearest. `noun` and `example` go into
/// the error: "'5 parsecs' is not a duration; expected a number with a unit, such as 25ms".
[[nodiscard]] Result<std::int64_t> parse_quantity(std::string_view text,
                                                  std::span<const Unit> units,
                                                  std::string_view noun, std::string_view example);

}  // namespace ktm
