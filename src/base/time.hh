// SPDX-License-Identifier: Apache-2.0
// base/time.hh: durations and the two kinds of now.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace ktm {

using Duration = std::chrono::nanoseconds;

/// Tag of the monotonic clock; it has no now(), because time comes from the Clock port alone.
struct Monotonic {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Monotonic>;
    static constexpr bool is_steady = true;
};

/// A point on the monotonic clock: for deadlines and for distances, never shown as a date.
using Instant = std::chrono::time_point<Monotonic>;

/// A point in civil time (UTC), as QEMU stamps its events: for people and for logs.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// Reads "25ms", "1.5s", "2min", "1h"; the unit is required. ns, us, ms, s, min, h, d.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// The shortest exact-looking form for a person: "25 ms", "1.5 s", "2 min 5 s".
[[nodiscard]] std::string format_duration(Duration duration);

/// RFC 3339 in UTC with microseconds: "2026-11-21T10:15:30.123456Z".
[[nodiscard]] std::string format_wall_time(WallTime time);

}  // namespace ktm
