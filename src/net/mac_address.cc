// SPDX-License-Identifier: Apache-2.0
// net/mac_address.cc: an Ethernet address, read and written.
#include "net/mac_address.hh"

#include "base/text.hh"

namespace ktm::net {

namespace {

constexpr std::size_t text_bytes = 17;

int digit_of(char character) noexcept {
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    if (character >= 'a' && character <= 'f') {
        return character - 'a' + 10;
    }
    if (character >= 'A' && character <= 'F') {
        return character - 'A' + 10;
    }
    return -1;
}

}  // namespace

Result<MacAddress> MacAddress::parse(std::string_view text) {
    const auto no_mac_address = [&] {
        return Error{Kind::invalid, "bad-mac",
                     "'" + printable(excerpt(text, 64)) +
                         "' is no Ethernet address; expected one such as 02:aa:00:00:00:01",
                     "", nullptr};
    };
    if (text.size() != text_bytes) {
        return no_mac_address();
    }
    Octets octets{};
    for (std::size_t at = 0; at < octets.size(); ++at) {
        const int high = digit_of(text[3 * at]);
        const int low = digit_of(text[3 * at + 1]);
        const bool parted = at + 1 == octets.size() || text[3 * at + 2] == ':';
        if (high < 0 || low < 0 || !parted) {
            return no_mac_address();
        }
        octets[at] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return MacAddress{octets};
}

std::string MacAddress::text() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t octet : octets_) {
        if (!out.empty()) {
            out += ':';
        }
        out += digits[octet / 16];
        out += digits[octet % 16];
    }
    return out;
}

}  // namespace ktm::net
