// SPDX-License-Identifier: Apache-2.0
// tests/unit/net/values_test.cc: names, tags, Ethernet addresses and frames.
#include <catch2/catch.hpp>

#include <string>

#include "net/frames.hh"
#include "net/mac_address.hh"
#include "net/request.hh"
#include "net/tag.hh"

using ktm::IpAddress;
using ktm::net::announcement;
using ktm::net::is_link_name;
using ktm::net::MacAddress;
using ktm::net::Tag;

namespace {

std::string hex(const std::string& bytes) {
    constexpr const char* digits = "0123456789abcdef";
    std::string out;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        out += digits[value / 16];
        out += digits[value % 16];
    }
    return out;
}

const MacAddress guest = *MacAddress::parse("02:aa:00:00:00:01");

}  // namespace

TEST_CASE("net/values: an Ethernet address is read as it is written, in lower case") {
    REQUIRE(MacAddress::parse("02:AA:0b:00:00:01")->text() == "02:aa:0b:00:00:01");
    REQUIRE(*MacAddress::parse("02:AA:0b:00:00:01") == *MacAddress::parse("02:aa:0b:00:00:01"));
    REQUIRE(MacAddress::parse("ff:ff:ff:ff:ff:ff")->is_group());
    REQUIRE(MacAddress::parse("33:33:00:00:00:01")->is_group());
    REQUIRE_FALSE(guest.is_group());
}

TEST_CASE("net/values: what is no Ethernet address is refused, with an example") {
    for (const char* text :
         {"", "02:aa:00:00:00", "02:aa:00:00:00:01:02", "02-aa-00-00-00-01", "02:aa:00:00:00:0g",
          "2:aa:0:0:0:1", " 02:aa:00:00:00:01", "02:aa:00:00:00:01 ", "02aa.0000.0001",
          "02:aa:00:00:00:+1", "02::aa:00:00:001"}) {
        INFO(text);
        const auto read = MacAddress::parse(text);
        REQUIRE_FALSE(read);
        REQUIRE(read.error().code == "bad-mac");
        REQUIRE(read.error().what.find("02:aa:00:00:00:01") != std::string::npos);
    }
}

TEST_CASE("net/values: names of interfaces are those that the kernel takes") {
    for (const char* name : {"tap0", "a", "ktm0123456789a1", "tap0_kata", "br-lan", "eth0.100"}) {
        INFO(name);
        REQUIRE(is_link_name(name));
    }
    for (const char* name :
         {"", ".", "..", "a/b", "a b", "a:b", "sixteen-bytes-xx", "tab\t", "\x7f"}) {
        INFO(name);
        REQUIRE_FALSE(is_link_name(name));
    }
}

TEST_CASE("net/values: a tag is found again in an alias, and nobody else's alias is one") {
    const Tag tag{"0123456789abcdef", "fedcba9876543210"};
    REQUIRE(tag.text() == "katamaran/0123456789abcdef/fedcba9876543210");
    REQUIRE(Tag::parse(tag.text()) == tag);
    for (const char* alias :
         {"", "uplink", "katamaran", "katamaran/", "katamaran/a", "katamaran//b", "katamaran/a/",
          "katamaran/a/b/c", "my katamaran/a/b"}) {
        INFO(alias);
        REQUIRE_FALSE(Tag::parse(alias));
    }
}

TEST_CASE("net/values: devices of a run have names of their own, that the kernel takes") {
    const Tag one{"run-1", "vm"};
    const Tag two{"run-2", "vm"};
    const Tag other_vm{"run-1", "other"};
    REQUIRE(ktm::net::link_name(one, 0) != ktm::net::link_name(two, 0));
    REQUIRE(ktm::net::link_name(one, 0) != ktm::net::link_name(other_vm, 0));
    REQUIRE(ktm::net::link_name(one, 0) != ktm::net::link_name(one, 1));
    REQUIRE(is_link_name(ktm::net::link_name(one, 99)));
    REQUIRE(ktm::net::link_name(one, 0).starts_with("ktm"));
}

TEST_CASE("net/values: a gratuitous ARP asks for its own address, from the guest, to all") {
    const std::string frame = announcement(*IpAddress::parse("10.1.2.3"), guest);
    REQUIRE(frame.size() == 60);
    REQUIRE(hex(frame.substr(0, 42)) ==
            "ffffffffffff"
            "02aa00000001"
            "0806"
            "0001"
            "0800"
            "06"
            "04"
            "0001"
            "02aa00000001"
            "0a010203"
            "000000000000"
            "0a010203");
}

TEST_CASE("net/values: an unsolicited neighbour advertisement overrides, and its checksum fits") {
    const std::string frame = announcement(*IpAddress::parse("2001:db8::5"), guest);
    REQUIRE(hex(frame.substr(0, 14)) == "33330000000102aa0000000186dd");
    REQUIRE(hex(frame.substr(14, 8)) == "6000000000203aff");
    REQUIRE(hex(frame.substr(22, 16)) == "20010db8000000000000000000000005");
    REQUIRE(hex(frame.substr(38, 16)) == "ff020000000000000000000000000001");
    REQUIRE(hex(frame.substr(54, 2)) == "8800");
    REQUIRE(hex(frame.substr(58, 4)) == "20000000");
    REQUIRE(hex(frame.substr(62, 16)) == "20010db8000000000000000000000005");
    REQUIRE(hex(frame.substr(78)) == "020102aa00000001");
    // The sum over pseudo header and message, the checksum included, is all ones.
    const std::string message = frame.substr(54);
    const std::string pseudo = frame.substr(22, 32) + std::string{"\0\0\0\x20\0\0\0\x3a", 8};
    std::uint32_t sum = 0;
    for (const std::string& part : {pseudo, message}) {
        for (std::size_t at = 0; at < part.size(); at += 2) {
            sum += static_cast<std::uint32_t>(static_cast<unsigned char>(part[at])) * 256 +
                   static_cast<unsigned char>(part[at + 1]);
        }
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    REQUIRE(sum == 0xffff);
}

TEST_CASE("net/values: a RARP names the guest as sender and target") {
    const std::string frame = ktm::net::reverse_arp(guest);
    REQUIRE(frame.size() == 60);
    REQUIRE(hex(frame.substr(0, 42)) ==
            "ffffffffffff"
            "02aa00000001"
            "8035"
            "0001"
            "0800"
            "06"
            "04"
            "0003"
            "02aa00000001"
            "00000000"
            "02aa00000001"
            "00000000");
}
