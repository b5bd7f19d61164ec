// SPDX-License-Identifier: Apache-2.0
// tests/unit/base/shared_key_test.cc: what is a key, and what is none.
#include "base/shared_key.hh"

#include <catch2/catch.hpp>

using namespace ktm;

namespace {

std::string fault_of(const std::string& text) {
    const Result<SharedKey> key = SharedKey::parse(text);
    CHECK((key || key.error().code == "bad-key"));
    return key ? "" : key.error().what;
}

}  // namespace

TEST_CASE("a key is 64 hexadecimal digits, and the end of its line") {
    const std::string text(64, 'a');
    CHECK(fault_of(text).empty());
    CHECK(fault_of(text + "\n").empty());
    CHECK(fault_of(text + "\r\n").empty());
    const Result<SharedKey> key = SharedKey::parse("0123456789ABCDEF" + std::string(48, '0'));
    REQUIRE(key);
    CHECK(key->hex() == "0123456789abcdef" + std::string(48, '0'));
    CHECK(key->raw()[7] == 0xEF);
}

TEST_CASE("what is no key is refused with what is wrong, and without what it holds") {
    const std::string text(64, 'a');
    CHECK(fault_of("").starts_with("it is empty; expected 64 hexadecimal digits"));
    CHECK(fault_of("\n").starts_with("it is empty"));
    CHECK(fault_of(text.substr(1)).starts_with("it has 63 digits"));
    CHECK(fault_of(text + "a").starts_with("it has 65 digits"));
    CHECK(fault_of("secretword").starts_with("its character 1 is no hexadecimal digit"));
    CHECK(fault_of(text + "\n\n").starts_with("its character 65"));
    CHECK(fault_of(text.substr(1) + " ").starts_with("its character 64"));
    CHECK(fault_of("secretword").find("secret") == std::string::npos);
}
