// SPDX-License-Identifier: Apache-2.0
// base/address.hh: IP addresses of both families, prefixes and endpoints.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hh"

namespace ktm {

enum class Family : std::uint8_t { v4, v6 };

/// One address; the bytes are in network order and an IPv4 address uses the first four.
class IpAddress {
public:
    IpAddress() = default;
    IpAddress(Family family, const std::array<std::uint8_t, 16>& bytes)
        : family_(family), bytes_(bytes) {}

    /// Accepts the canonical notations alone: no spaces, zones, ports, octal or short forms.
    [[nodiscard]] static Result<IpAddress> parse(std::string_view text);

    [[nodiscard]] Family family() const noexcept { return family_; }
    [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
    [[nodiscard]] unsigned bits() const noexcept { return family_ == Family::v4 ? 32 : 128; }
    [[nodiscard]] bool is_loopback() const noexcept;
    [[nodiscard]] bool is_unspecified() const noexcept;
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    Family family_ = Family::v4;
    std::array<std::uint8_t, 16> bytes_{};
};

/// An address with a prefix length: an interface address or, with no host bits set, a network.
class IpPrefix {
public:
    IpPrefix() = default;

    /// Reads ADDRESS/LENGTH. An address alone is a host: /32 or /128.
    [[nodiscard]] static Result<IpPrefix> parse(std::string_view text);

    [[nodiscard]] const IpAddress& address() const noexcept { return address_; }
    [[nodiscard]] unsigned length() const noexcept { return length_; }
    /// The same prefix with its host bits cleared.
    [[nodiscard]] IpPrefix network() const;
    [[nodiscard]] bool contains(const IpAddress& address) const;
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;

private:
    IpPrefix(IpAddress address, unsigned length) : address_(address), length_(length) {}

    IpAddress address_;
    unsigned length_ = 32;
};

struct UnixEndpoint {
    std::string path;
    friend auto operator<=>(const UnixEndpoint&, const UnixEndpoint&) = default;
};

struct TcpEndpoint {
    IpAddress address;
    std::uint16_t port = 0;
    friend auto operator<=>(const TcpEndpoint&, const TcpEndpoint&) = default;
};

/// Where a byte stream is found.
class Endpoint {
public:
    using Place = std::variant<UnixEndpoint, TcpEndpoint>;

    Endpoint(UnixEndpoint place) : place_(std::move(place)) {}
    Endpoint(TcpEndpoint place) : place_(place) {}

    /// Reads "unix:PATH", "tcp:192.0.2.1:4444", "tcp:[2001:db8::1]:4444" or a PATH with a slash in
    /// it.
    [[nodiscard]] static Result<Endpoint> parse(std::string_view text);

    [[nodiscard]] const Place& place() const noexcept { return place_; }
    [[nodiscard]] std::string text() const;

private:
    Place place_;
};

}  // namespace ktm
