// SPDX-License-Identifier: Apache-2.0
// model/seconds.hh: durations as real numbers, for what has a rate.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.hh"

namespace ktm::model {

[[nodiscard]] inline double in_seconds(Duration duration) {
    return static_cast<double>(duration.count()) / 1e9;
}

/// Rounded up, so that what is due has happened; what never comes is years away.
[[nodiscard]] inline Duration duration_of(double seconds) {
    constexpr double longest = 1e9;
    return Duration{static_cast<std::int64_t>(std::clamp(seconds, 0.0, longest) * 1e9) + 1};
}

}  // namespace ktm::model
