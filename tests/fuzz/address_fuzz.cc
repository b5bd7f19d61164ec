// SPDX-License-Identifier: Apache-2.0
// tests/fuzz/address_fuzz.cc: what is accepted as an address is the same address after text().
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.hh"
#include "base/assert.hh"

namespace {

using namespace ktm;

void check_address(std::string_view text) {
    const Result<IpAddress> address = IpAddress::parse(text);
    if (!address) {
        KTM_ASSERT(!address.error().sentence().empty());
        return;
    }
    const Result<IpAddress> again = IpAddress::parse(address->text());
    KTM_ASSERT(again && *again == *address);
    // An IPv4 address has one notation; that of IPv6 may be shortened.
    KTM_ASSERT(address->family() == Family::v6 || address->text() == text);
    KTM_ASSERT(text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos);
    KTM_ASSERT(!(address->is_loopback() && address->is_unspecified()));
}

void check_prefix(std::string_view text) {
    const Result<IpPrefix> prefix = IpPrefix::parse(text);
    if (!prefix) {
        return;
    }
    const Result<IpPrefix> again = IpPrefix::parse(prefix->text());
    KTM_ASSERT(again && *again == *prefix);
    const IpPrefix network = prefix->network();
    KTM_ASSERT(network.network() == network && network.length() == prefix->length());
    KTM_ASSERT(prefix->contains(prefix->address()) && prefix->contains(network.address()));
    KTM_ASSERT(network.contains(prefix->address()));
    const Result<IpAddress> v4 = IpAddress::parse("192.0.2.1");
    KTM_ASSERT(prefix->address().family() == Family::v4 || !prefix->contains(*v4));
    // The last bit of the prefix is the first that matters.
    if (prefix->length() > 0) {
        std::array<std::uint8_t, 16> bytes = network.address().bytes();
        const unsigned bit = prefix->length() - 1;
        bytes.at(bit / 8) = static_cast<std::uint8_t>(bytes.at(bit / 8) ^ (0x80U >> (bit % 8)));
        KTM_ASSERT(!prefix->contains(IpAddress{prefix->address().family(), bytes}));
    }
}

void check_endpoint(std::string_view text) {
    const Result<Endpoint> endpoint = Endpoint::parse(text);
    if (!endpoint) {
        return;
    }
    const Result<Endpoint> again = Endpoint::parse(endpoint->text());
    KTM_ASSERT(again && again->place() == endpoint->place());
    KTM_ASSERT(again->text() == endpoint->text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_address(text);
    check_prefix(text);
    check_endpoint(text);
    return 0;
}
