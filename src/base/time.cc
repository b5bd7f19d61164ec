// SPDX-License-Identifier: Apache-2.0
// base/time.cc: reading and writing of durations and dates.
#include "base/time.hh"

#include <array>
#include <cstdio>
#include <ctime>

#include "base/quantity.hh"

namespace ktm {

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

constexpr std::array<Unit, 7> duration_units{{{"ns", 1},
                                              {"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", ns_per_s},
                                              {"min", 60 * ns_per_s},
                                              {"h", 3600 * ns_per_s},
                                              {"d", 86400 * ns_per_s}}};

/// A value with up to three significant decimals and no trailing zeros.
std::string trimmed(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.3f", value);
    std::string text = buffer;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    const Result<std::int64_t> ns = parse_quantity(text, duration_units, "a duration", "25ms");
    if (!ns) {
        return ns.error();
    }
    return Duration{*ns};
}

std::string format_duration(Duration duration) {
    const std::int64_t ns = duration.count();
    if (ns < 0) {
        return ns == INT64_MIN ? "-292 years" : "-" + format_duration(Duration{-ns});
    }
    const double value = static_cast<double>(ns);
    if (ns < 1'000) {
        return std::to_string(ns) + " ns";
    }
    if (ns < 1'000'000) {
        return trimmed(value / 1e3) + " us";
    }
    if (ns < ns_per_s) {
        return trimmed(value / 1e6) + " ms";
    }
    if (ns < 60 * ns_per_s) {
        return trimmed(value / 1e9) + " s";
    }
    const std::int64_t seconds = ns / ns_per_s;
    const bool hours = seconds >= 3600;
    const std::int64_t big = hours ? seconds / 3600 : seconds / 60;
    const std::int64_t small = hours ? seconds % 3600 / 60 : seconds % 60;
    return std::to_string(big) + (hours ? " h " : " min ") + std::to_string(small) +
           (hours ? " min" : " s");
}

std::string format_wall_time(WallTime time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const auto rest = std::chrono::floor<std::chrono::microseconds>(time - whole);
    const std::time_t seconds = whole.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> date{};
    const std::size_t length = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 32> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%06ldZ", static_cast<long>(rest.count()));
    return std::string(date.data(), length) + fraction.data();
}

}  // namespace ktm
