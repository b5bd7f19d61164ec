// SPDX-License-Identifier: Apache-2.0
// base/address.cc: strict reading of addresses. inet_pton does the notations; the rest is refusal.
#include "base/address.hh"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

namespace ktm {

namespace {

Error malformed(std::string_view text, std::string_view noun, std::string_view expected) {
    return Error{Kind::invalid, "bad-address",
                 "'" + std::string(text) + "' is not " + std::string(noun) + "; expected " +
                     std::string(expected),
                 "", nullptr};
}

/// A decimal number of at most `max`, without sign, spaces or leading zeros.
std::optional<unsigned> parse_decimal(std::string_view text, unsigned max) {
    unsigned value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, value);
    const bool leading_zero = text.size() > 1 && text[0] == '0';
    if (fault != std::errc{} || stop != end || leading_zero || value > max) {
        return std::nullopt;
    }
    return value;
}

Result<Endpoint> parse_tcp(std::string_view text, std::string_view whole) {
    static constexpr std::string_view expected =
        "tcp:192.0.2.1:4444 or tcp:[2001:db8::1]:4444 (names are not looked up)";
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return malformed(whole, "an endpoint", expected);
    }
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const Result<IpAddress> address = IpAddress::parse(host);
    const std::optional<unsigned> port = parse_decimal(text.substr(colon + 1), 65535);
    if (!address || !port || *port == 0 || bracketed != (address->family() == Family::v6)) {
        return malformed(whole, "an endpoint", expected);
    }
    return Endpoint{TcpEndpoint{*address, static_cast<std::uint16_t>(*port)}};
}

Result<Endpoint> parse_unix(std::string_view path, std::string_view whole) {
    if (path.empty() || path.find('\0') != std::string_view::npos) {
        return malformed(whole, "an endpoint", "unix:PATH");
    }
    // LIMIT: the kernel's sun_path; beyond it a path would be cut, and another socket opened.
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
        return Error{Kind::invalid, "path-too-long",
                     "'" + std::string(path) + "' has " + std::to_string(path.size()) +
                         " bytes; a unix socket's path has at most " +
                         std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                         " (use a shorter path, or change into the folder and use a relative one)",
                     "", nullptr};
    }
    return Endpoint{UnixEndpoint{std::string(path)}};
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
    // LIMIT: the longest notation, an IPv6 address that ends in an IPv4 one.
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    std::array<std::uint8_t, 16> bytes{};
    if (text.size() < terminated.size() && text.find('\0') == std::string_view::npos) {
        std::copy(text.begin(), text.end(), terminated.begin());
        if (::inet_pton(AF_INET, terminated.data(), bytes.data()) == 1) {
            return IpAddress{Family::v4, bytes};
        }
        if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1) {
            return IpAddress{Family::v6, bytes};
        }
    }
    return malformed(text, "an IP address", "192.0.2.1 or 2001:db8::1");
}

bool IpAddress::is_loopback() const noexcept {
    if (family_ == Family::v4) {
        return bytes_[0] == 127;
    }
    return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; }) &&
           bytes_[15] == 1;
}

bool IpAddress::is_unspecified() const noexcept {
    return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t b) { return b == 0; });
}

std::string IpAddress::text() const {
    if (family_ == Family::v4) {
        // The library's way is by sprintf: twenty times as long.
        std::string text;
        for (std::size_t at = 0; at < 4; ++at) {
            std::array<char, 3> digits;
            const unsigned byte = bytes_[at];
            const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), byte).ptr;
            text.append(at > 0 ? "." : "");
            text.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
        }
        return text;
    }
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    return ::inet_ntop(AF_INET6, bytes_.data(), buffer.data(), buffer.size());
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const Result<IpAddress> address = IpAddress::parse(text.substr(0, slash));
    if (!address) {
        return malformed(text, "an IP prefix", "192.0.2.0/24 or 2001:db8::/64");
    }
    if (slash == std::string_view::npos) {
        return IpPrefix{*address, address->bits()};
    }
    const std::optional<unsigned> length = parse_decimal(text.substr(slash + 1), address->bits());
    if (!length) {
        return malformed(
            text, "an IP prefix",
            "a length from 0 to " + std::to_string(address->bits()) + " behind the '/'");
    }
    return IpPrefix{*address, *length};
}

IpPrefix IpPrefix::network() const {
    std::array<std::uint8_t, 16> bytes = address_.bytes();
    for (unsigned bit = length_; bit < address_.bits(); ++bit) {
        bytes.at(bit / 8) = static_cast<std::uint8_t>(bytes.at(bit / 8) & ~(0x80U >> (bit % 8)));
    }
    return IpPrefix{IpAddress{address_.family(), bytes}, length_};
}

bool IpPrefix::contains(const IpAddress& address) const {
    return address.family() == address_.family() &&
           IpPrefix{address, length_}.network() == network();
}

std::string IpPrefix::text() const {
    return address_.text() + "/" + std::to_string(length_);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
    if (text.starts_with("tcp:")) {
        return parse_tcp(text.substr(4), text);
    }
    if (text.starts_with("unix:")) {
        return parse_unix(text.substr(5), text);
    }
    // A bare name could be a misspelt command; a slash says that a path is meant.
    if (text.find('/') != std::string_view::npos) {
        return parse_unix(text, text);
    }
    return malformed(text, "an endpoint",
                     "a path such as /run/vm.qmp or ./vm.qmp, unix:PATH, or tcp:ADDRESS:PORT");
}

std::string Endpoint::text() const {
    if (const auto* socket = std::get_if<UnixEndpoint>(&place_)) {
        // A path that could be read as something else says what it is.
        const bool plain = socket->path.find('/') != std::string::npos &&
                           !socket->path.starts_with("tcp:") && !socket->path.starts_with("unix:");
        return (plain ? "" : "unix:") + socket->path;
    }
    const auto& tcp = std::get<TcpEndpoint>(place_);
    const bool v6 = tcp.address.family() == Family::v6;
    return "tcp:" + std::string(v6 ? "[" : "") + tcp.address.text() + (v6 ? "]:" : ":") +
           std::to_string(tcp.port);
}

}  // namespace ktm
