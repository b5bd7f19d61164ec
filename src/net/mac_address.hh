// SPDX-License-Identifier: Apache-2.0
// net/mac_address.hh: an Ethernet address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace ktm::net {

class MacAddress {
public:
    using Octets = std::array<std::uint8_t, 6>;

    MacAddress() = default;
    explicit MacAddress(const Octets& octets) : octets_(octets) {}

    /// Accepts six pairs of hexadecimal digits with colons: "02:aa:00:00:00:01".
    [[nodiscard]] static Result<MacAddress> parse(std::string_view text);

    [[nodiscard]] const Octets& octets() const noexcept { return octets_; }
    /// Broadcast and multicast: no guest has such an address.
    [[nodiscard]] bool is_group() const noexcept { return (octets_[0] & 1U) != 0; }
    /// In lower case.
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const MacAddress&, const MacAddress&) = default;

private:
    Octets octets_{};
};

}  // namespace ktm::net
