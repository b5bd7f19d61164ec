// SPDX-License-Identifier: Apache-2.0
// base/wall_time.cc: reading of dates.
#include "base/wall_time.hh"

#include <array>

#include "base/text.hh"

namespace ktm {

namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

}  // namespace

Result<WallTime> parse_wall_time(std::string_view text) {
    const Error error{Kind::invalid, "bad-time",
                      "'" + excerpt(text, 40) + "' is not a time; expected one such as " +
                          "2026-11-21T10:15:30.123456Z",
                      "", nullptr};
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
    std::array<std::int64_t, 6> parts{};  // year to second
    std::size_t part = 0;
    if (text.size() <= form.size() || text.back() != 'Z') {
        return error;
    }
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool wants_digit = form[i] == 'd';
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (wants_digit ? !is_digit : text[i] != form[i]) {
            return error;
        }
        part += wants_digit ? 0 : 1;
        parts[part] = wants_digit ? parts[part] * 10 + (text[i] - '0') : parts[part];
    }
    const std::string_view rest = text.substr(form.size(), text.size() - form.size() - 1);
    if (!rest.empty() && (rest.front() != '.' || rest.size() == 1)) {
        return error;
    }
    std::int64_t fraction_ns = 0;
    std::int64_t weight = nanoseconds_per_second / 10;
    for (std::size_t i = 1; i < rest.size(); ++i, weight /= 10) {
        if (rest[i] < '0' || rest[i] > '9') {
            return error;
        }
        fraction_ns += weight * (rest[i] - '0');
    }
    const std::chrono::year_month_day day{std::chrono::year{static_cast<int>(parts[0])},
                                          std::chrono::month{static_cast<unsigned>(parts[1])},
                                          std::chrono::day{static_cast<unsigned>(parts[2])}};
    // Nanoseconds of 64 bits begin in 1678 and end in 2261.
    const bool is_time = day.ok() && parts[3] < 24 && parts[4] < 60 && parts[5] <= 60;
    if (!is_time || parts[0] < 1700 || parts[0] > 2200) {
        return error;
    }
    return WallTime{std::chrono::sys_days{day}.time_since_epoch() + std::chrono::hours{parts[3]} +
                    std::chrono::minutes{parts[4]} + std::chrono::seconds{parts[5]} +
                    Duration{fraction_ns}};
}

}  // namespace ktm
