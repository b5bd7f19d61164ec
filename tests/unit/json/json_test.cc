// SPDX-License-Identifier: Apache-2.0
// tests/unit/json/json_test.cc: strict reading, exact writing.
#include <catch2/catch.hpp>

#include "json/grammar.hh"
#include "json/parser.hh"
#include "json/writer.hh"

namespace json = ktm::json;
using ktm::Result;

namespace {

std::string echoed(std::string_view text) {
    const Result<json::Document> document = json::parse(text);
    return document ? json::compact(document->root()) : "refused: " + document.error().code;
}

}  // namespace

TEST_CASE("json/parser: every kind of value comes back as it was") {
    for (const char* text :
         {"null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808",
          "18446744073709551615", "0.5", "-1e-07", "\"\"", "\"a\"", "[]", "{}", "[1,[2,[]],{}]",
          R"({"a":{"b":[true,null,"c"]},"d":1})", R"("\"\\\n\t")", "\"ä✓😀\""}) {
        CHECK(echoed(text) == text);
    }
    CHECK(echoed(" { \"a\" : [ 1 , 2 ] } \r\n") == R"({"a":[1,2]})");
    CHECK(echoed(R"("A\u00e4\ud83d\ude00\/")") == "\"Aä😀/\"");
}

TEST_CASE("json/parser: numbers beyond 64 bits keep every digit") {
    for (const char* text : {"18446744073709551616", "-9223372036854775809",
                             "123456789012345678901234567890", "1e999"}) {
        CHECK(echoed(text) == text);
        const std::string inside = "{\"n\":[" + std::string(text) + ",1],\"s\":\"x\"}";
        CHECK(echoed(inside) == inside);
    }
    const Result<json::Document> big = json::parse(R"({"a":"text","n":18446744073709551616})");
    const json::View number = *big->root().find("n");
    CHECK(number.is_number());
    CHECK_FALSE(number.as_int());
    CHECK_FALSE(number.as_uint());
    CHECK(number.as_big_number() == "18446744073709551616");
}

TEST_CASE("json/parser: what is not JSON is refused, with the place and what was expected") {
    const auto refusal = [](std::string_view text) { return json::parse(text).error().what; };
    CHECK(refusal("") == "expected a value at column 1");
    CHECK(refusal("{\"a\" 1}") == "expected ':' behind the key at column 6");
    CHECK(refusal("[1 2]") == "expected ',' or ']' at column 4");
    CHECK(refusal("[1,]") == "expected a value at column 4");
    CHECK(refusal("{\"a\":1,}") == "expected a key in double quotes at column 8");
    CHECK(refusal("{} x") == "expected the end of the text at column 4");
    CHECK(refusal("\"abc") == "expected '\"' at the end of the string at column 5");
    CHECK(refusal("\"\xff\"") == "expected valid UTF-8 at column 2");
    CHECK(refusal("01") == "expected the end of the text at column 2");
    CHECK(refusal("\"\\u12g4\"").find("four hexadecimal digits") != std::string::npos);
    for (const char* text : {"tru",
                             "nul",
                             "nulll",
                             "+1",
                             "1.",
                             ".5",
                             "1e",
                             "--1",
                             "'a'",
                             "{a:1}",
                             "[1",
                             "{\"a\":",
                             "\"\\x\"",
                             "\"\n\"",
                             "[1]]",
                             "1 2",
                             "NaN",
                             "\"\\ud800\"",
                             "12345678901234567890123 4",
                             "{\"a\":1e999x}"}) {
        INFO(text);
        CHECK_FALSE(json::parse(text));
    }
}

TEST_CASE("json/parser: duplicate keys are refused, however they are spelt and wherever they are") {
    CHECK(echoed(R"({"a":1,"a":2})") == "refused: duplicate-key");
    CHECK(echoed(R"({"a":1,"\u0061":2})") == "refused: duplicate-key");
    CHECK(echoed(R"([{"x":{"id":1,"b":2,"id":3}}])") == "refused: duplicate-key");
    CHECK(echoed(R"({"a":{"a":1},"b":{"a":1}})") == R"({"a":{"a":1},"b":{"a":1}})");
    std::string many = "{";
    for (int i = 0; i < 5000; ++i) {
        many += "\"key" + std::to_string(i) + "\":0,";
    }
    CHECK(json::parse(many + "\"last\":0}"));
    CHECK(echoed(many + "\"key7\":0}") == "refused: duplicate-key");
}

TEST_CASE("json/parser: where duplicate keys are allowed, both readers give the first one") {
    const json::Rules rules{json::depth_max, json::Keys::first_counts};
    json::Parser parser{rules};
    // The second text has a number that only the slow reader takes.
    for (const char* text : {R"({"a":1,"b":2,"a":3})", R"({"a":1,"b":1e999,"a":3})"}) {
        const Result<json::Document> document = parser.parse(text);
        REQUIRE(document);
        CHECK(document->root().find_int("a") == 1);
        CHECK(document->root().size() == 3);
    }
}

TEST_CASE("json/parser: doubles of many digits are read as they are") {
    CHECK(echoed("[1234567890123456789.5]") == "[1234567890123456768.0]");
    CHECK(echoed("[0.045123456789012345678]") == "[0.04512345678901235]");
    CHECK(echoed("552325278901234560.0") == "552325278901234560.0");
}

TEST_CASE("json/parser: a word at the root is read to its end, whatever lies behind it") {
    for (const char* text : {"nullx", "null1", "falsex", "truefalse"}) {
        INFO(text);
        CHECK_FALSE(json::parse(text));
    }
    for (const char* text : {"null ", "null\n", "false\r\n", " true"}) {
        INFO(text);
        CHECK(json::parse(text));
    }
}

TEST_CASE("json/document: views stay right when memory is used again") {
    json::Parser parser;
    std::vector<json::Document> kept;
    for (int i = 0; i < 100; ++i) {
        kept.push_back(std::move(*parser.parse("{\"n\":[" + std::to_string(i) + "],\"s\":\"x\"}")));
        if (i % 3 == 0) {
            kept.erase(kept.begin());
        }
    }
    int expected = 99 - static_cast<int>(kept.size());
    for (const json::Document& document : kept) {
        ++expected;
        CHECK(json::compact(document.root()) ==
              "{\"n\":[" + std::to_string(expected) + "],\"s\":\"x\"}");
    }
}

TEST_CASE("json/parser: nesting has a limit, and nothing breaks beyond it") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(json::parse(nested(json::depth_max)));
    CHECK(echoed(nested(json::depth_max + 1)) == "refused: too-deep");
    CHECK(echoed(nested(10000)) == "refused: too-deep");
    CHECK(echoed(std::string(1000000, '[')) == "refused: too-deep");
}

TEST_CASE("json/parser: one parser reads many texts, also after a refusal") {
    json::Parser parser;
    for (int i = 0; i < 100; ++i) {
        CHECK(parser.parse(R"({"a":["b"]})"));
        CHECK_FALSE(parser.parse(R"({"a":["b"})"));
    }
}

TEST_CASE("json/view: a value of another type is nothing, not a guess") {
    const Result<json::Document> document = json::parse(R"({"a":"1","b":-1,"c":1.5,"d":[1]})");
    const json::View root = document->root();
    CHECK_FALSE(root.find_int("a"));
    CHECK_FALSE(root.find("b")->as_uint());
    CHECK(root.find("b")->as_double() == -1.0);
    CHECK_FALSE(root.find("c")->as_int());
    CHECK_FALSE(root.find("d")->as_bool());
    CHECK_FALSE(root.find("missing"));
    CHECK_FALSE(root.find("d")->find("a"));
    CHECK(root.find("d")->size() == 1);
    CHECK(root.find("a")->size() == 0);
    CHECK(root.as_string() == std::nullopt);
}

TEST_CASE("json/view: fields and items come in the order of the text") {
    const Result<json::Document> document = json::parse(R"({"z":[3,1],"a":{"k":{}},"m":null})");
    std::string order;
    for (const json::View::Field field : document->root().fields()) {
        order += std::string(field.key) + ";";
        for (const json::View item : field.value.items()) {
            order += std::to_string(*item.as_int()) + ",";
        }
    }
    CHECK(order == "z;3,1,a;m;");
    CHECK(document->root().find("z")->fields().begin() ==
          document->root().find("z")->fields().end());
}

TEST_CASE("json/document: a part of a document stands on its own") {
    const Result<json::Document> whole =
        json::parse(R"({"x":"prefix","part":{"s":"text","n":1e999,"l":[{"deep":"er"},2]},"y":1})");
    const json::Document part = json::Document::extract(*whole->root().find("part"));
    CHECK(json::compact(part.root()) == R"({"s":"text","n":1e999,"l":[{"deep":"er"},2]})");
    CHECK(json::compact(part.copy().root()) == json::compact(part.root()));
    CHECK(json::compact(json::Document{}.root()) == "null");
}

TEST_CASE("json/writer: what is written can be read, whatever bytes it was given") {
    CHECK(json::quoted("a\"\\\n\x01\x7f") == R"("a\"\\\n\u0001\u007f")");
    CHECK(json::quoted("a\xff\xc3") == "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK(json::quoted("✓") == "\"✓\"");
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all += static_cast<char>(byte);
    }
    CHECK(json::parse(json::quoted(all)));
}

TEST_CASE("json/writer: a byte that needs an escape gets it wherever it stands") {
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t at = 0; at < 20; ++at) {
            std::string text(20, 'x');
            text[at] = static_cast<char>(byte);
            const std::string one = json::quoted(text.substr(at, 1));
            std::string out = "before ";
            json::append_quoted(out, text);
            CHECK(out == "before \"" + std::string(at, 'x') + one.substr(1, one.size() - 2) +
                             std::string(19 - at, 'x') + "\"");
        }
    }
}

TEST_CASE("json/parser: a key that stands twice is seen among few and among many") {
    for (std::size_t keys = 1; keys < 20; ++keys) {
        std::string text = "{";
        for (std::size_t key = 0; key < keys; ++key) {
            text += "\"k" + std::to_string(key) + "\":0,";
        }
        CHECK(json::parse(text + "\"other\":0}"));
        CHECK(!json::parse(text + "\"k0\":0}"));
        CHECK(!json::parse("[{}," + text + "\"k" + std::to_string(keys - 1) + "\":0}]"));
    }
}

TEST_CASE("json/writer: doubles are shortest and stay doubles") {
    CHECK(echoed("1.0") == "1.0");
    CHECK(echoed("984.82327") == "984.82327");
    CHECK(echoed("0.10000000000000001") == "0.1");
    CHECK(echoed("1e300") == "1e+300");
    CHECK(echoed("-0.0") == "-0.0");
}

TEST_CASE("json/writer: the pretty form is indented and equal in meaning") {
    const Result<json::Document> document =
        json::parse(R"({"a":{"b":[1,2]},"c":[],"d":{},"e":[{"f":1}]})");
    const std::string pretty = json::pretty(document->root());
    CHECK(pretty ==
          "{\n  \"a\": {\n    \"b\": [1, 2]\n  },\n  \"c\": [],\n  \"d\": {},\n  \"e\": [\n    {\n"
          "      \"f\": 1\n    }\n  ]\n}");
    CHECK(echoed(pretty) == json::compact(document->root()));
}

TEST_CASE("json/grammar: the fast parser and the slow one agree on what is JSON") {
    for (const char* text :
         {"{}", "[1,2", "\"\\u0000\"", "\"a\\\"\"", "-", "-0", "1E+2", "[true,fals]",
          "{\"a\":{\"a\":[]}}", " 1 ", "\t[\n]\r", "\"\xc3\xa4\"", "\"\xc3\"", "\"\xed\xa0\x80\"",
          "[\"\xf4\x90\x80\x80\"]", "{\"\":1,\"\":2}", "[,]"}) {
        INFO(text);
        CHECK(json::parse(text).has_value() == !json::find_fault(text));
    }
}
