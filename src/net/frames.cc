// SPDX-License-Identifier: Apache-2.0
// net/frames.cc: ARP, RARP and neighbour advertisements, byte by byte.
#include "net/frames.hh"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace ktm::net {

namespace {

constexpr MacAddress::Octets broadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
/// All nodes, ff02::1, as an Ethernet address.
constexpr MacAddress::Octets all_nodes_mac{0x33, 0x33, 0, 0, 0, 1};
constexpr std::array<std::uint8_t, 16> all_nodes{0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                 0,    0,    0, 0, 0, 0, 0, 1};

constexpr std::uint16_t type_arp = 0x0806;
constexpr std::uint16_t type_rarp = 0x8035;
constexpr std::uint16_t type_ipv6 = 0x86dd;
constexpr std::uint16_t arp_request = 1;
constexpr std::uint16_t rarp_request = 3;
/// The shortest frame without its checksum.
constexpr std::size_t frame_bytes_min = 60;

class Frame {
public:
    Frame& octet(std::uint8_t value) {
        bytes_ += static_cast<char>(value);
        return *this;
    }
    Frame& word(std::uint16_t value) {
        return octet(static_cast<std::uint8_t>(value >> 8U))
            .octet(static_cast<std::uint8_t>(value & 0xffU));
    }
    Frame& octets(std::span<const std::uint8_t> values) {
        for (const std::uint8_t value : values) {
            octet(value);
        }
        return *this;
    }
    [[nodiscard]] std::string finish() && {
        if (bytes_.size() < frame_bytes_min) {
            bytes_.resize(frame_bytes_min, '\0');
        }
        return std::move(bytes_);
    }
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

private:
    std::string bytes_;
};

Frame ethernet(const MacAddress::Octets& to, const MacAddress& from, std::uint16_t type) {
    Frame frame;
    frame.octets(to).octets(from.octets()).word(type);
    return frame;
}

Frame& arp(Frame& frame, std::uint16_t operation) {
    constexpr std::uint16_t ethernet_hardware = 1;
    constexpr std::uint16_t ipv4_protocol = 0x0800;
    return frame.word(ethernet_hardware).word(ipv4_protocol).octet(6).octet(4).word(operation);
}

std::uint32_t sum_of(std::string_view bytes) {
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])) << 8U;
        sum += static_cast<unsigned char>(bytes[at + 1]);
    }
    return sum;
}

/// Of ICMPv6, over the pseudo header and the message.
std::uint16_t checksum(const std::array<std::uint8_t, 16>& from, std::string_view message) {
    constexpr std::uint8_t icmpv6 = 58;
    Frame pseudo;
    pseudo.octets(from).octets(all_nodes).word(0).word(static_cast<std::uint16_t>(message.size()));
    pseudo.word(0).octet(0).octet(icmpv6);
    std::uint32_t sum = sum_of(pseudo.bytes()) + sum_of(message);
    while ((sum >> 16U) != 0) {
        sum = (sum & 0xffffU) + (sum >> 16U);
    }
    return static_cast<std::uint16_t>(~sum & 0xffffU);
}

std::string neighbour_advertisement(const std::array<std::uint8_t, 16>& address,
                                    const MacAddress& mac) {
    constexpr std::uint8_t advertisement = 136;
    constexpr std::uint8_t override_flag = 0x20;
    constexpr std::uint8_t target_link_address = 2;
    const auto message = [&](std::uint16_t sum) {
        Frame body;
        body.octet(advertisement).octet(0).word(sum).octet(override_flag).octet(0).word(0);
        body.octets(address).octet(target_link_address).octet(1).octets(mac.octets());
        return body.bytes();
    };
    const std::string body = message(checksum(address, message(0)));
    constexpr std::uint8_t icmpv6 = 58;
    constexpr std::uint8_t hops = 255;
    Frame frame = ethernet(all_nodes_mac, mac, type_ipv6);
    frame.octet(0x60).octet(0).word(0).word(static_cast<std::uint16_t>(body.size()));
    frame.octet(icmpv6).octet(hops).octets(address).octets(all_nodes);
    for (const char byte : body) {
        frame.octet(static_cast<std::uint8_t>(byte));
    }
    return std::move(frame).finish();
}

}  // namespace

std::string announcement(const IpAddress& address, const MacAddress& mac) {
    if (address.family() == Family::v6) {
        return neighbour_advertisement(address.bytes(), mac);
    }
    const std::span<const std::uint8_t> octets{address.bytes().data(), 4};
    constexpr MacAddress::Octets unknown{};
    Frame frame = ethernet(broadcast, mac, type_arp);
    arp(frame, arp_request).octets(mac.octets()).octets(octets).octets(unknown).octets(octets);
    return std::move(frame).finish();
}

std::string reverse_arp(const MacAddress& mac) {
    constexpr std::array<std::uint8_t, 4> nowhere{};
    Frame frame = ethernet(broadcast, mac, type_rarp);
    arp(frame, rarp_request).octets(mac.octets()).octets(nowhere).octets(mac.octets());
    frame.octets(nowhere);
    return std::move(frame).finish();
}

}  // namespace ktm::net
