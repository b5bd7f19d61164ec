// SPDX-License-Identifier: Apache-2.0
// tests/unit/base/address_test.cc: addresses of both families, and every way to get them wrong.
#include <catch2/catch.hpp>

#include "base/address.hh"

using ktm::Endpoint;
using ktm::Family;
using ktm::IpAddress;
using ktm::IpPrefix;

TEST_CASE("base/address: both families are read and written in their canonical form") {
    CHECK(IpAddress::parse("192.0.2.1")->text() == "192.0.2.1");
    CHECK(IpAddress::parse("192.0.2.1")->family() == Family::v4);
    CHECK(IpAddress::parse("2001:DB8:0:0::1")->text() == "2001:db8::1");
    CHECK(IpAddress::parse("::")->is_unspecified());
    CHECK(IpAddress::parse("::ffff:192.0.2.1")->family() == Family::v6);
    CHECK(IpAddress::parse("127.1.2.3")->is_loopback());
    CHECK(IpAddress::parse("::1")->is_loopback());
    CHECK_FALSE(IpAddress::parse("::2")->is_loopback());
}

TEST_CASE("base/address: every malformed address is refused") {
    using namespace std::string_view_literals;
    for (const std::string_view text : {""sv,
                                        " 192.0.2.1"sv,
                                        "192.0.2.1 "sv,
                                        "192.0.2"sv,
                                        "192.0.2.1.5"sv,
                                        "192.0.2.256"sv,
                                        "192.0.2.01"sv,
                                        "0xC0.0.2.1"sv,
                                        "3221225985"sv,
                                        "192.0.2.-1"sv,
                                        "192.0.2.+1"sv,
                                        "192.0.2.1\0"sv,
                                        "192.0.2.1\n"sv,
                                        "192.0.2.1/24"sv,
                                        "1:2:3:4:5:6:7"sv,
                                        "1:2:3:4:5:6:7:8:9"sv,
                                        ":::"sv,
                                        "1::2::3"sv,
                                        "12345::"sv,
                                        "fe80::1%eth0"sv,
                                        "[::1]"sv,
                                        "::192.0.2.256"sv,
                                        ":1"sv,
                                        "1:"sv,
                                        "g::"sv,
                                        "localhost"sv,
                                        "192.0.2.1.example"sv}) {
        INFO(text);
        CHECK_FALSE(IpAddress::parse(text));
    }
    CHECK_FALSE(IpAddress::parse(std::string(100000, '1')));
}

TEST_CASE("base/address: an error names the text and what was expected") {
    CHECK(IpAddress::parse("10.0.0").error().sentence() ==
          "'10.0.0' is not an IP address; expected 192.0.2.1 or 2001:db8::1 (bad-address)");
}

TEST_CASE("base/prefix: lengths within the family, networks without host bits") {
    const IpPrefix prefix = *IpPrefix::parse("192.0.2.77/26");
    CHECK(prefix.text() == "192.0.2.77/26");
    CHECK(prefix.network().text() == "192.0.2.64/26");
    CHECK(prefix.contains(*IpAddress::parse("192.0.2.127")));
    CHECK_FALSE(prefix.contains(*IpAddress::parse("192.0.2.128")));
    CHECK_FALSE(prefix.contains(*IpAddress::parse("::1")));
    CHECK(IpPrefix::parse("10.1.2.3/0")->network().text() == "0.0.0.0/0");
    CHECK(IpPrefix::parse("2001:db8::ffff/121")->network().text() == "2001:db8::ff80/121");
    CHECK(IpPrefix::parse("10.0.0.1")->length() == 32);
    CHECK(IpPrefix::parse("::1")->length() == 128);
}

TEST_CASE("base/prefix: every malformed prefix is refused") {
    for (const char* text :
         {"", "/24", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8",
          "10.0.0.0/08", "10.0.0.0/8 ", "10.0.0.0 /8", "10.0.0.0/8/8", "10.0.0/8",
          "10.0.0.0/255.0.0.0", "10.0.0.0/99999999999"}) {
        INFO(text);
        CHECK_FALSE(IpPrefix::parse(text));
    }
}

TEST_CASE("base/endpoint: paths, unix and tcp are told apart and written back") {
    CHECK(Endpoint::parse("/run/vm.qmp")->text() == "/run/vm.qmp");
    CHECK(Endpoint::parse("./vm.qmp")->text() == "./vm.qmp");
    CHECK(Endpoint::parse("unix:vm.qmp")->text() == "unix:vm.qmp");
    CHECK(Endpoint::parse("unix:/run/vm.qmp")->text() == "/run/vm.qmp");
    CHECK(Endpoint::parse("unix:tcp:192.0.2.1:1")->text() == "unix:tcp:192.0.2.1:1");
    CHECK(Endpoint::parse("tcp:192.0.2.1:4444")->text() == "tcp:192.0.2.1:4444");
    CHECK(Endpoint::parse("tcp:[2001:db8::1]:4444")->text() == "tcp:[2001:db8::1]:4444");
}

TEST_CASE("base/endpoint: every malformed endpoint is refused") {
    for (const char* text : {"", "vm.qmp", "unix:", "tcp:", "tcp:192.0.2.1", "tcp:192.0.2.1:",
                             "tcp:192.0.2.1:0", "tcp:192.0.2.1:65536", "tcp:192.0.2.1:+1",
                             "tcp:192.0.2.1:01", "tcp:2001:db8::1:4444", "tcp:[192.0.2.1]:4444",
                             "tcp:[::1]4444", "tcp:[::1:4444", "tcp:host:4444", "udp:1.2.3.4:5"}) {
        INFO(text);
        CHECK_FALSE(Endpoint::parse(text));
    }
}

TEST_CASE("base/endpoint: a path that the kernel would cut is refused") {
    CHECK(Endpoint::parse("/" + std::string(106, 'a')));
    const auto cut = Endpoint::parse("/" + std::string(107, 'a'));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == "path-too-long");
}
