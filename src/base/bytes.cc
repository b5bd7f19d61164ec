// SPDX-License-Identifier: Apache-2.0
// base/bytes.cc: reading and writing of amounts of data.
#include "base/bytes.hh"

#include <array>
#include <cstdio>

#include "base/quantity.hh"

namespace ktm {

namespace {

constexpr std::array<Unit, 9> byte_units{{{"B", 1},
                                          {"kB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"TB", 1'000'000'000'000},
                                          {"KiB", 1LL << 10},
                                          {"MiB", 1LL << 20},
                                          {"GiB", 1LL << 30},
                                          {"TiB", 1LL << 40}}};

}  // namespace

Result<Bytes> parse_bytes(std::string_view text) {
    const Result<std::int64_t> count =
        parse_quantity(text, byte_units, "an amount of data", "16MiB");
    if (!count) {
        return count.error();
    }
    return Bytes{static_cast<std::uint64_t>(*count)};
}

std::string format_bytes(Bytes bytes) {
    static constexpr std::array<const char*, 7> names{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = static_cast<double>(bytes.count);
    std::size_t name = 0;
    while (value >= 999.5 && name + 1 < names.size()) {
        value /= 1000;
        ++name;
    }
    const int decimals = name == 0 || value >= 99.95 ? 0 : (value >= 9.995 ? 1 : 2);
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.*f %s", decimals, value, names.at(name));
    return text.data();
}

}  // namespace ktm
