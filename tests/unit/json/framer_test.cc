// SPDX-License-Identifier: Apache-2.0
// tests/unit/json/framer_test.cc: bytes to lines, in whatever pieces they come.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "json/framer.hh"

using ktm::json::Framer;

namespace {

std::vector<std::string> lines_of(Framer& framer) {
    std::vector<std::string> lines;
    while (const auto line = framer.next()) {
        lines.emplace_back(*line);
    }
    return lines;
}

const std::string stream = "{\"a\":1}\r\n\r\n\n{\"b\":2}\n{\"c\"";
const std::vector<std::string> complete{"{\"a\":1}", "{\"b\":2}"};

}  // namespace

TEST_CASE("json/framer: two lines in one piece, blank lines skipped, the rest kept") {
    Framer framer{100};
    framer.receive(stream);
    CHECK(lines_of(framer) == complete);
    CHECK(framer.unfinished() == "{\"c\"");
    framer.receive(":3}\n");
    CHECK(lines_of(framer) == std::vector<std::string>{"{\"c\":3}"});
    CHECK(framer.unfinished().empty());
}

TEST_CASE("json/framer: a split at every byte gives the same lines") {
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Framer framer{100};
        framer.receive(std::string_view{stream}.substr(0, cut));
        std::vector<std::string> lines = lines_of(framer);
        framer.receive(std::string_view{stream}.substr(cut));
        for (const std::string& line : lines_of(framer)) {
            lines.push_back(line);
        }
        CHECK(lines == complete);
    }
}

TEST_CASE("json/framer: a line of exactly the limit passes, one byte more does not") {
    Framer framer{8};
    framer.receive("12345678\n");
    CHECK(lines_of(framer) == std::vector<std::string>{"12345678"});
    framer.receive("123456789\n");
    CHECK(lines_of(framer).empty());
    CHECK(framer.overflowed());
}

TEST_CASE("json/framer: a line that never ends is noticed at the limit, not at its end") {
    Framer framer{1000};
    for (int i = 0; i < 100; ++i) {
        framer.receive(std::string(11, 'x'));
        CHECK_FALSE(framer.next());
        CHECK(framer.overflowed() == ((i + 1) * 11 > 1000));
    }
    framer.receive("\nmore\n");
    CHECK_FALSE(framer.next());
}
