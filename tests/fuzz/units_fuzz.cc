// SPDX-License-Identifier: Apache-2.0
// tests/fuzz/units_fuzz.cc: durations and amounts, read exactly and shown without a crash.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "base/bytes.hh"
#include "base/time.hh"

namespace {

using namespace ktm;

/// The same number again, by adding up in 128 bits; only for texts of up to 18 digits.
__int128 exact(std::string_view text, __int128 factor) {
    __int128 value = 0;
    __int128 divisor = 1;
    bool behind_point = false;
    for (const char c : text) {
        if (c == '.') {
            behind_point = true;
        } else if (c < '0' || c > '9') {
            break;
        } else {
            value = value * 10 + (c - '0');
            divisor *= behind_point ? 10 : 1;
        }
    }
    return (value * factor * 2 + divisor) / (divisor * 2);
}

void check_duration(std::string_view text) {
    const Result<Duration> duration = parse_duration(text);
    if (!duration) {
        KTM_ASSERT(!duration.error().what.empty());
        return;
    }
    KTM_ASSERT(duration->count() >= 0 && !format_duration(*duration).empty());
    const std::string_view unit = text.substr(text.find_last_of("0123456789") + 1);
    const __int128 factor = unit == "ns"    ? 1
                            : unit == "us"  ? 1'000
                            : unit == "ms"  ? 1'000'000
                            : unit == "s"   ? 1'000'000'000
                            : unit == "min" ? 60'000'000'000
                            : unit == "h"   ? 3'600'000'000'000
                                            : 86'400'000'000'000;
    KTM_ASSERT(text.size() > 18 || exact(text, factor) == duration->count());
}

void check_bytes(std::string_view text) {
    const Result<Bytes> bytes = parse_bytes(text);
    if (bytes) {
        KTM_ASSERT(bytes->count <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
        KTM_ASSERT(format_bytes(*bytes).size() <= 8);
    }
}

/// Anything that 64 bits can hold can be shown; a date from 1970 on, for no other is ever made.
void check_showing(std::string_view text) {
    std::int64_t number = 0;
    std::memcpy(&number, text.data(), std::min(text.size(), sizeof number));
    KTM_ASSERT(!format_duration(Duration{number}).empty());
    KTM_ASSERT(format_bytes(Bytes{static_cast<std::uint64_t>(number)}).size() <= 8);
    KTM_ASSERT(number < 0 || format_wall_time(WallTime{Duration{number}}).ends_with('Z'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_duration(text);
    check_bytes(text);
    if (!text.empty()) {
        check_showing(text);
    }
    return 0;
}
