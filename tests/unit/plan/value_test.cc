// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/value_test.cc: from what a person gives to a value, and back.
#include "plan/value.hh"

#include <array>
#include <catch2/catch.hpp>
#include <limits>

#include "base/address.hh"
#include "json/parser.hh"
#include "plan/var.hh"

using namespace ktm;
using namespace ktm::plan;
using namespace std::string_literals;

namespace {

Var of_type(Type type) {
    Var var;
    var.name = "x";
    var.type = type;
    if (type == Type::enumeration) {
        var.choices = {"ipip", "gre", "vxlan", "none"};
    }
    return var;
}

Var list_of(Type element) {
    Var var = of_type(element);
    var.type = Type::list;
    var.element = element;
    return var;
}

Var bounded(Type type, std::optional<std::int64_t> min, std::optional<std::int64_t> max) {
    Var var = of_type(type);
    var.min = min;
    var.max = max;
    return var;
}

/// The value as it is written, or "error: WHAT".
std::string said_of(const Result<Value>& value) {
    return value ? value->text() : "error: " + value.error().what;
}

std::string said_of(const Var& var, std::string_view text) {
    return said_of(read_text(var, text));
}

std::string said_of_json(const Var& var, std::string_view text) {
    const Result<json::Document> document = json::parse(text);
    REQUIRE(document);
    return said_of(read_json(var, document->root()));
}

/// The JSON of what was read from a text.
std::string json_of(const Var& var, std::string_view text) {
    const Result<Value> value = read_text(var, text);
    return value ? value->json() : "error: " + value.error().what;
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

struct Refused {
    Type type;
    std::string given;
};

}  // namespace

TEST_CASE("plan/value: each type has the name that stands in a plan") {
    const std::vector<std::pair<Type, std::string>> names = {
        {Type::ip, "ip"},
        {Type::ifname, "ifname"},
        {Type::duration, "duration"},
        {Type::size, "size"},
        {Type::rate, "rate"},
        {Type::integer, "int"},
        {Type::enumeration, "enum"},
        {Type::boolean, "bool"},
        {Type::path, "path"},
        {Type::text, "string"},
        {Type::secret, "secret"},
        {Type::list, "list"},
    };
    for (const auto& [type, name] : names) {
        CHECK(name_of(type) == name);
    }
}

TEST_CASE("plan/value: good texts of each type, as they are written again and as JSON") {
    struct Good {
        Type type;
        std::string given, text, json;
    };
    const std::vector<Good> all = {
        {Type::ip, "192.0.2.1", "192.0.2.1", "\"192.0.2.1\""},
        {Type::ip, "2001:DB8:0::1", "2001:db8::1", "\"2001:db8::1\""},
        {Type::ip, "::", "::", "\"::\""},
        {Type::ifname, "tap0_kata", "tap0_kata", "\"tap0_kata\""},
        {Type::ifname, "a", "a", "\"a\""},
        {Type::ifname, "fifteen.bytes-x", "fifteen.bytes-x", "\"fifteen.bytes-x\""},
        {Type::ifname, "...", "...", "\"...\""},
        {Type::duration, "25ms", "25ms", "25"},
        {Type::duration, "60min", "1h", "3600000"},
        {Type::duration, "1.5s", "1500ms", "1500"},
        {Type::duration, "60s", "60s", "60000"},
        {Type::duration, "120s", "2min", "120000"},
        {Type::duration, "24h", "1d", "86400000"},
        {Type::duration, "0ms", "0s", "0"},
        {Type::duration, "1500us", "1500us", "1.5"},
        {Type::duration, "1ns", "1ns", "0.000001"},
        {Type::duration, "1000000001ns", "1000000001ns", "1000.000001"},
        {Type::size, "16MiB", "16MiB", "16777216"},
        {Type::size, "16384KiB", "16MiB", "16777216"},
        {Type::size, "10GB", "10GB", "10000000000"},
        {Type::size, "123B", "123B", "123"},
        {Type::size, "0.5KiB", "512B", "512"},
        {Type::size, "0B", "0B", "0"},
        {Type::rate, "10GB/s", "10GB/s", "10000000000"},
        {Type::rate, "10Gbit/s", "1250MB/s", "1250000000"},
        {Type::rate, "2GiB/s", "2GiB/s", "2147483648"},
        {Type::rate, "100Mbit/s", "12500kB/s", "12500000"},
        {Type::rate, "8kbit/s", "1kB/s", "1000"},
        {Type::rate, "12bit/s", "2B/s", "2"},
        {Type::rate, "3MiB/s", "3MiB/s", "3145728"},
        {Type::rate, "1KiB/s", "1KiB/s", "1024"},
        {Type::rate, "7MB/s", "7MB/s", "7000000"},
        {Type::rate, "7kB/s", "7kB/s", "7000"},
        {Type::rate, "7B/s", "7B/s", "7"},
        {Type::integer, "0", "0", "0"},
        {Type::integer, "-17", "-17", "-17"},
        {Type::integer, "007", "7", "7"},
        {Type::integer, "9223372036854775807", "9223372036854775807", "9223372036854775807"},
        {Type::integer, "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"},
        {Type::enumeration, "vxlan", "vxlan", "\"vxlan\""},
        {Type::boolean, "true", "true", "true"},
        {Type::boolean, "yes", "true", "true"},
        {Type::boolean, "on", "true", "true"},
        {Type::boolean, "false", "false", "false"},
        {Type::boolean, "no", "false", "false"},
        {Type::boolean, "off", "false", "false"},
        {Type::path, "/proc/1/ns/net", "/proc/1/ns/net", "\"/proc/1/ns/net\""},
        {Type::path, "not \xFF utf8", "not \xFF utf8", "\"not \xEF\xBF\xBD utf8\""},
        {Type::text, "", "", "\"\""},
        {Type::text, "a \"b\"\n\\", "a \"b\"\n\\", "\"a \\\"b\\\"\\n\\\\\""},
        {Type::text, "fünf €", "fünf €", "\"fünf €\""},
        {Type::secret, "correct horse", "(secret)", "null"},
    };
    for (const Good& good : all) {
        INFO(name_of(good.type) << " " << good.given);
        CHECK(said_of(of_type(good.type), good.given) == good.text);
        CHECK(json_of(of_type(good.type), good.given) == good.json);
    }
}

TEST_CASE("plan/value: bad texts of each type are refused") {
    const std::vector<Refused> all = {
        {Type::ip, ""},
        {Type::ip, "192.0.2"},
        {Type::ip, "192.0.2.1/24"},
        {Type::ip, "fe80::1%eth0"},
        {Type::ip, "localhost"},
        {Type::ip, "192.0.2.1\0"s},
        {Type::ifname, ""},
        {Type::ifname, "sixteen.bytes-xx"},
        {Type::ifname, "."},
        {Type::ifname, ".."},
        {Type::ifname, "a/b"},
        {Type::ifname, "a b"},
        {Type::ifname, "a\tb"},
        {Type::ifname, "eth0:1"},
        {Type::ifname, "a\0b"s},
        {Type::duration, ""},
        {Type::duration, "5"},
        {Type::duration, "ms"},
        {Type::duration, "5 parsecs"},
        {Type::duration, "-5ms"},
        {Type::duration, "5MS"},
        {Type::duration, "999999999999d"},
        {Type::duration, std::string(80, '0') + "1ms"},
        {Type::size, "16"},
        {Type::size, "16Mib"},
        {Type::size, "-1B"},
        {Type::rate, "10GB"},
        {Type::rate, "10"},
        {Type::rate, "10Gb/s"},
        {Type::rate, "99999999999GB/s"},
        {Type::integer, ""},
        {Type::integer, "-"},
        {Type::integer, "+5"},
        {Type::integer, "5.0"},
        {Type::integer, " 5"},
        {Type::integer, "0x10"},
        {Type::integer, "9223372036854775808"},
        {Type::enumeration, ""},
        {Type::enumeration, "IPIP"},
        {Type::boolean, ""},
        {Type::boolean, "True"},
        {Type::boolean, "1"},
        {Type::path, ""},
        {Type::path, "/a\0b"s},
        {Type::text, "\xC3"},
        {Type::text, "\xC3"s + "A" + "\xA9"},
        {Type::text, "\xED\xA0\x80"},
        {Type::secret, ""},
        {Type::secret, "7 bytes"},
    };
    for (const Refused& bad : all) {
        INFO(name_of(bad.type) << " " << bad.given);
        const Result<Value> value = read_text(of_type(bad.type), bad.given);
        REQUIRE_FALSE(value);
        CHECK(value.error().kind == Kind::invalid);
        CHECK(holds(value.error().what, bad.given == "999999999999d" ? "too large" : " "));
    }
}

TEST_CASE("plan/value: an error says what was given and what was expected") {
    const auto says = [](Type type, std::string_view given) {
        return said_of(of_type(type), given);
    };
    CHECK(says(Type::duration, "5") ==
          "error: '5' has no unit; expected a duration with a unit, such as 25ms");
    CHECK(says(Type::size, "1.5") ==
          "error: '1.5' has no unit; expected a size with a unit, such as 16MiB");
    CHECK(says(Type::rate, "-1") ==
          "error: '-1' has no unit; expected a rate with a unit, such as 10GB/s");
    CHECK(holds(says(Type::duration, "5 parsecs"),
                "'5 parsecs' is not a duration; expected a number with a unit, such as 25ms"));
    CHECK(holds(says(Type::rate, "5"), "such as 10GB/s"));
    CHECK(says(Type::enumeration, "ipp") ==
          "error: 'ipp' is not one of the choices; expected ipip, gre, vxlan or none; "
          "did you mean 'ipip'?");
    CHECK(says(Type::boolean, "maybe") ==
          "error: 'maybe' is not a value of type bool; expected true or false (or yes, no, on, "
          "off)");
    CHECK(says(Type::integer, "abc") ==
          "error: 'abc' is not a value of type int; expected a whole number");
    CHECK(says(Type::integer, "99999999999999999999") ==
          "error: '99999999999999999999' does not fit into 64 bits; expected a whole number");
    CHECK(says(Type::path, "") == "error: a path cannot be empty; expected a path");
    CHECK(says(Type::secret, "short") ==
          "error: the secret has 5 bytes; expected a text of at least 8 bytes");
}

TEST_CASE("plan/value: what is out of range is refused with the range") {
    constexpr std::int64_t ms = 1'000'000;
    const Var port = bounded(Type::integer, 1, 60);
    CHECK(said_of(port, "1") == "1");
    CHECK(said_of(port, "60") == "60");
    CHECK(said_of(port, "0") == "error: '0' is out of range; expected a whole number from 1 to 60");
    CHECK(said_of(port, "61") ==
          "error: '61' is out of range; expected a whole number from 1 to 60");
    CHECK(said_of(port, "x") ==
          "error: 'x' is not a value of type int; expected a whole number from 1 to 60");
    CHECK(said_of(bounded(Type::duration, ms, 60'000 * ms), "90s") ==
          "error: '90s' is out of range; expected a duration from 1ms to 60s");
    CHECK(said_of(bounded(Type::size, 1024, std::nullopt), "1kB") ==
          "error: '1kB' is out of range; expected a size of at least 1KiB");
    CHECK(said_of(bounded(Type::rate, std::nullopt, 1000), "1KiB/s") ==
          "error: '1KiB/s' is out of range; expected a rate of at most 1kB/s");
    CHECK(said_of(bounded(Type::text, 2, 4), "a") ==
          "error: the string has 1 byte; expected a text of 2 to 4 bytes");
    CHECK(said_of(bounded(Type::text, 2, 4), "abcde") ==
          "error: the string has 5 bytes; expected a text of 2 to 4 bytes");
    CHECK(said_of(bounded(Type::path, std::nullopt, 4), "/tmp/") ==
          "error: the path has 5 bytes; expected a path of at most 4 bytes");
    CHECK(said_of(bounded(Type::secret, 1, std::nullopt), "1234567") ==
          "error: the secret has 7 bytes; expected a text of at least 8 bytes");
    CHECK(said_of(bounded(Type::secret, 10, std::nullopt), "123456789") ==
          "error: the secret has 9 bytes; expected a text of at least 10 bytes");
    CHECK(said_of(bounded(Type::duration, ms, 60'000 * ms), "5") ==
          "error: '5' has no unit; expected a duration with a unit, such as 25ms");
}

TEST_CASE("plan/value: a list is read from text with commas or from a JSON array") {
    CHECK(said_of(list_of(Type::ip), "192.0.2.1,2001:DB8::1") == "192.0.2.1,2001:db8::1");
    CHECK(json_of(list_of(Type::ip), "192.0.2.1,::1") == R"(["192.0.2.1","::1"])");
    CHECK(said_of(list_of(Type::ip), R"(["192.0.2.1", "::1"])") == "192.0.2.1,::1");
    CHECK(json_of(list_of(Type::duration), "1s,1500us") == "[1000,1.5]");
    CHECK(said_of(list_of(Type::integer), R"([1, "2", -3])") == "1,2,-3");
    CHECK(said_of(list_of(Type::boolean), "yes,off") == "true,false");
    CHECK(said_of(list_of(Type::enumeration), "gre,none") == "gre,none");
    CHECK(said_of(list_of(Type::integer), "5") == "5");
    CHECK(said_of(list_of(Type::text), R"(["a,b","c"])") == R"(["a,b","c"])");
    CHECK(said_of(list_of(Type::text), R"([""])") == R"([""])");
    CHECK(said_of(list_of(Type::text), "a,,b") == R"(["a","","b"])");
    CHECK(said_of(list_of(Type::text), "a,") == R"(["a",""])");
    CHECK(said_of(list_of(Type::secret), "correct horse,battery staple") == "(secret),(secret)");
    CHECK(json_of(list_of(Type::secret), "correct horse,battery staple") == "[null,null]");
}

TEST_CASE("plan/value: an error in a list says which item") {
    CHECK(holds(said_of(list_of(Type::ip), "192.0.2.1,nowhere"),
                "error: item 2: 'nowhere' is not an IP address"));
    CHECK(
        holds(said_of(list_of(Type::ip), "192.0.2.1,"), "error: item 2: '' is not an IP address"));
    CHECK(holds(said_of(list_of(Type::ip), ",192.0.2.1"), "error: item 1: ''"));
    CHECK(said_of(list_of(Type::integer), "[1, 2, true]") ==
          "error: item 3: true is not a value of type int; expected a whole number");
    CHECK(said_of(list_of(Type::enumeration), "gre,nune") ==
          "error: item 2: 'nune' is not one of the choices; expected ipip, gre, vxlan or none; "
          "did you mean 'none'?");
    CHECK(
        holds(said_of(list_of(Type::ip), "[1"), "error: the list begins with '[' and is no JSON"));
    CHECK(holds(said_of(list_of(Type::ip), "[::1]"), "items with commas between them"));
}

TEST_CASE("plan/value: a list may be empty unless min says otherwise") {
    CHECK(said_of(list_of(Type::ip), "") == "[]");
    CHECK(said_of(list_of(Type::ip), "[]") == "[]");
    CHECK(json_of(list_of(Type::ip), "") == "[]");
    Var some = list_of(Type::ip);
    some.min = 0;
    CHECK(said_of(some, "") == "[]");
    some.min = 1;
    CHECK(said_of(some, "") ==
          "error: the list has 0 items; expected a list of ip of at least 1 item");
    some.max = 2;
    CHECK(said_of(some, "::1,::2,::3") ==
          "error: the list has 3 items; expected a list of ip of 1 to 2 items");
    CHECK(said_of(some, "::1,::2") == "::1,::2");
}

TEST_CASE("plan/value: JSON gives texts with units, and numbers where they need none") {
    CHECK(said_of_json(of_type(Type::duration), "\"25ms\"") == "25ms");
    CHECK(said_of_json(of_type(Type::integer), "25") == "25");
    CHECK(said_of_json(of_type(Type::integer), "\"25\"") == "25");
    CHECK(said_of_json(of_type(Type::boolean), "true") == "true");
    CHECK(said_of_json(of_type(Type::boolean), "\"off\"") == "false");
    CHECK(said_of_json(of_type(Type::text), "\"a\\u0000b\"") == "a\0b"s);
    CHECK(said_of_json(of_type(Type::enumeration), "\"gre\"") == "gre");
    CHECK(said_of_json(list_of(Type::size), R"(["1KiB", "2B"])") == "1KiB,2B");
    CHECK(said_of_json(list_of(Type::ip), "\"::1,::2\"") == "::1,::2");
    CHECK(said_of_json(list_of(Type::integer), "[]") == "[]");
}

TEST_CASE("plan/value: JSON of another kind is refused, with what it is") {
    CHECK(said_of_json(of_type(Type::duration), "25") ==
          "error: the number 25 has no unit; expected a duration with a unit, such as 25ms");
    CHECK(said_of_json(of_type(Type::size), "2.5") ==
          "error: the number 2.5 has no unit; expected a size with a unit, such as 16MiB");
    CHECK(said_of_json(of_type(Type::rate), "1") ==
          "error: the number 1 has no unit; expected a rate with a unit, such as 10GB/s");
    CHECK(said_of_json(of_type(Type::integer), "2.5") ==
          "error: the number 2.5 is not a value of type int; expected a whole number");
    CHECK(said_of_json(of_type(Type::integer), "18446744073709551615") ==
          "error: the number 18446744073709551615 is not a value of type int; expected a whole "
          "number");
    CHECK(said_of_json(of_type(Type::text), "5") ==
          "error: the number 5 is not a value of type string; expected a text");
    CHECK(said_of_json(of_type(Type::ip), "null") ==
          "error: null is not a value of type ip; expected an address such as 192.0.2.1 or "
          "2001:db8::1");
    CHECK(said_of_json(of_type(Type::boolean), "1") ==
          "error: the number 1 is not a value of type bool; expected true or false (or yes, no, "
          "on, off)");
    CHECK(said_of_json(of_type(Type::path), "[\"/tmp\"]") ==
          "error: a list is not a value of type path; expected a path");
    CHECK(said_of_json(list_of(Type::ip), "{\"a\":1}") ==
          "error: a table is not a value of type list; expected a list of ip");
    CHECK(said_of_json(of_type(Type::text), "true") ==
          "error: true is not a value of type string; expected a text");
}

TEST_CASE("plan/value: a hostile text in an error cannot move the cursor nor flood the screen") {
    constexpr std::array types{Type::ip,   Type::ifname,  Type::duration,    Type::size,
                               Type::rate, Type::integer, Type::enumeration, Type::boolean};
    for (const Type type : types) {
        INFO(name_of(type));
        const std::string escape = said_of(of_type(type), "\x1B[2J 5\n");
        CHECK(holds(escape, "\\x1b[2J 5\\x0a"));
        CHECK(escape.find_first_of("\x1B\n") == escape.npos);
        const std::string flood = said_of(of_type(type), std::string(100'000, 'a'));
        CHECK(flood.size() < 400);
    }
}

TEST_CASE("plan/value: a secret is in no error, whatever is wrong with it") {
    const std::string secret = "S3CRET!";
    std::vector<std::string> errors;
    errors.push_back(said_of(of_type(Type::secret), secret));
    errors.push_back(said_of(bounded(Type::secret, 20, 10), secret + secret));
    errors.push_back(said_of(list_of(Type::secret), "long enough," + secret));
    for (const std::string& wrapped :
         {"[\"" + secret + "\"]", "[\"long enough\", " + secret, "[\"" + secret, "[" + secret + "]",
          "[\"long enough\"] " + secret, "[\"\\u" + secret + "\"]", "[{\"" + secret + "\":1}]",
          "[{\"" + secret + "\":1,\"" + secret + "\":2}]"}) {
        errors.push_back(said_of(list_of(Type::secret), wrapped));
    }
    for (const std::string& given :
         {"\"" + secret + "\"", "{\"" + secret + "\":\"" + secret + "\"}",
          "[\"" + secret + "\"]"}) {
        errors.push_back(said_of_json(of_type(Type::secret), given));
        errors.push_back(said_of_json(list_of(Type::secret), given));
    }
    for (const std::string& error : errors) {
        INFO(error);
        CHECK(error.starts_with("error: "));
        CHECK_FALSE(holds(error, "S3C"));
    }
    for (const char* given : {"314159265", "3.14159265", "314159265314159265314159265", "true"}) {
        const std::string error = said_of_json(of_type(Type::secret), given);
        INFO(error);
        CHECK(error.starts_with("error: "));
        CHECK_FALSE(holds(error, "14159"));
        CHECK_FALSE(holds(error, "true"));
    }
}

TEST_CASE("plan/value: a value that fits the var is allowed, whatever made it") {
    CHECK(allows(of_type(Type::integer), Value{Type::integer, 5}));
    CHECK_FALSE(allows(of_type(Type::integer), Value{Type::size, 5}));
    CHECK_FALSE(allows(bounded(Type::integer, 6, std::nullopt), Value{Type::integer, 5}));
    CHECK_FALSE(allows(of_type(Type::enumeration), Value{Type::enumeration, "sit"s}));
    CHECK_FALSE(allows(of_type(Type::secret), Value{Type::secret, "short"s}));
    const Value mixed{Type::list, Value::List{{Type::integer, 1}, {Type::text, "2"s}}};
    const Result<void> allowed = allows(list_of(Type::integer), mixed);
    REQUIRE_FALSE(allowed);
    CHECK(allowed.error().what == "item 2: a value of type string; expected a whole number");
}

TEST_CASE("plan/value: a type is described with its bounds and choices") {
    constexpr std::int64_t ms = 1'000'000;
    CHECK(describe_type(of_type(Type::ip)) == "ip");
    CHECK(describe_type(of_type(Type::secret)) == "secret");
    CHECK(describe_type(of_type(Type::enumeration)) == "ipip, gre, vxlan or none");
    CHECK(describe_type(bounded(Type::duration, ms, 60'000 * ms)) == "duration, 1ms to 60s");
    CHECK(describe_type(bounded(Type::integer, 1, 65535)) == "int, 1 to 65535");
    CHECK(describe_type(bounded(Type::size, 1024, std::nullopt)) == "size, at least 1KiB");
    CHECK(describe_type(bounded(Type::rate, std::nullopt, 1000)) == "rate, at most 1kB/s");
    CHECK(describe_type(bounded(Type::text, 1, 64)) == "string, 1 to 64 bytes");
    CHECK(describe_type(list_of(Type::ip)) == "list of ip");
    CHECK(describe_type(list_of(Type::enumeration)) == "list of ipip, gre, vxlan or none");
    Var some = list_of(Type::ip);
    some.min = 1;
    CHECK(describe_type(some) == "list of ip, at least 1 item");
}

// --- Texts are read back, over many values -----------------------------------------------------

namespace {

/// Knuth's generator: the same values in each run.
class Sequence {
public:
    std::uint64_t next() {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return state_ >> 16U;
    }
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }

    /// Of every magnitude, from 0; with many round ones among them.
    std::int64_t amount(std::int64_t max) {
        static constexpr std::array<std::int64_t, 8> round{
            1, 1000, 1024, 1'000'000, 1 << 20, 60'000'000'000, 3'600'000'000'000, 1 << 30};
        const std::uint64_t raw = (next() << 32U) >> (1 + below(63));
        const auto amount = static_cast<std::int64_t>(raw % (std::uint64_t{1} << 62U));
        const std::int64_t factor = round.at(below(round.size()));
        return amount < max / factor ? amount * factor : amount % max;
    }
    std::string text(std::size_t bytes_max) {
        static constexpr std::array<std::string_view, 14> pieces{
            "a", "Z", "0", ",", "[", "]", "\"", "\\", " ", "\n", "é", "€", "😀", "\x7F"};
        std::string text;
        for (std::size_t left = below(bytes_max + 1); left > 0; --left) {
            text += pieces.at(below(pieces.size()));
        }
        return text;
    }

private:
    std::uint64_t state_ = 20240229;
};

std::string generated_ip(Sequence& sequence) {
    std::array<std::uint8_t, 16> bytes{};
    const Family family = sequence.below(2) == 0 ? Family::v4 : Family::v6;
    for (std::size_t i = 0; i < (family == Family::v4 ? 4U : 16U); ++i) {
        const std::uint64_t byte = sequence.below(256);
        bytes.at(i) = static_cast<std::uint8_t>(sequence.below(2) * byte);
    }
    return IpAddress{family, bytes}.text();
}

Value generated(Sequence& sequence, Type type, Type element) {
    constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
    static constexpr std::array<std::string_view, 4> choices{"ipip", "gre", "vxlan", "none"};
    switch (type) {
        case Type::ip: return {type, generated_ip(sequence)};
        case Type::ifname: return {type, "tap" + std::to_string(sequence.below(1'000'000))};
        case Type::duration:
        case Type::size: return {type, sequence.amount(max)};
        case Type::rate: return {type, sequence.amount(max / 8)};
        case Type::integer: {
            const std::int64_t amount = sequence.amount(max);
            return {type, sequence.below(2) == 0 ? amount : -amount};
        }
        case Type::enumeration: return {type, std::string(choices.at(sequence.below(4)))};
        case Type::boolean: return {type, sequence.below(2) == 0};
        case Type::path: return {type, "/" + sequence.text(12)};
        case Type::text: return {type, sequence.text(12)};
        case Type::secret: return {type, "0123456789"s};
        case Type::list: break;
    }
    Value::List list;
    for (std::size_t left = sequence.below(5); left > 0; --left) {
        list.push_back(generated(sequence, element, element));
    }
    return {Type::list, std::move(list)};
}

constexpr std::array readable_types{Type::ip,      Type::ifname,      Type::duration, Type::size,
                                    Type::rate,    Type::integer,     Type::path,     Type::text,
                                    Type::boolean, Type::enumeration, Type::list};

}  // namespace

TEST_CASE("plan/value: the text of a value is read as the same value, over 40000 of them") {
    Sequence sequence;
    for (int i = 0; i < 40'000; ++i) {
        const Type type = readable_types.at(sequence.below(readable_types.size()));
        const Type element = readable_types.at(sequence.below(readable_types.size() - 1));
        const Var var = type == Type::list ? list_of(element) : of_type(type);
        const Value value = generated(sequence, type, element);
        const Result<Value> again = read_text(var, value.text());
        if (!again || *again != value) {
            FAIL(name_of(type) << " of " << name_of(element) << ": " << value.text() << " became "
                               << said_of(again));
        }
    }
    SUCCEED();
}

TEST_CASE("plan/value: the JSON of what has no unit is read as the same value") {
    Sequence sequence;
    for (int i = 0; i < 10'000; ++i) {
        Type type = readable_types.at(sequence.below(readable_types.size() - 1));
        if (type == Type::duration || type == Type::size || type == Type::rate) {
            type = Type::integer;
        }
        const Var var = i % 2 == 0 ? list_of(type) : of_type(type);
        const Value value = generated(sequence, var.type, var.element);
        const Result<json::Document> document = json::parse(value.json());
        REQUIRE(document);
        const Result<Value> again = read_json(var, document->root());
        if (!again || *again != value) {
            FAIL(name_of(type) << ": " << value.json() << " became " << said_of(again));
        }
    }
    SUCCEED();
}

TEST_CASE("plan/value: a duration's JSON is exactly its milliseconds") {
    Sequence sequence;
    for (int i = 0; i < 10'000; ++i) {
        const Value value = generated(sequence, Type::duration, Type::text);
        // The digits as milliseconds: a text that is read by the exact reader of base.
        const Result<Duration> again = parse_duration(value.json() + "ms");
        REQUIRE(again);
        REQUIRE(again->count() == value.as_int());
    }
}

TEST_CASE("plan/value: negative amounts, which no text can give, are still written") {
    CHECK(Value(Type::duration, -1'500'000).text() == "-1500us");
    CHECK(Value(Type::duration, -1'500'000).json() == "-1.5");
    CHECK(Value(Type::duration, -500'000).json() == "-0.5");
    CHECK(Value(Type::size, -1024).text() == "-1KiB");
}
