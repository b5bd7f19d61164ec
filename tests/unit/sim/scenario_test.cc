// SPDX-License-Identifier: Apache-2.0
// tests/unit/sim/scenario_test.cc: what is replayed, as it is read; and how arguments are compared.
#include <filesystem>

#include "json/parser.hh"
#include "sim/argument_difference.hh"
#include "unit/sim/world.hh"

using namespace ktm;
using namespace std::chrono_literals;
using sim::ScenarioRecords;
using sim::testing::data;

namespace {

/// One word a record: its turn, its distance in microseconds, its line.
std::string outline(const ScenarioRecords& records) {
    std::string text;
    for (const auto& record : records) {
        switch (record->turn) {
            case sim::Turn::in: text += "in"; break;
            case sim::Turn::out: text += "out"; break;
            case sim::Turn::eof: text += "eof"; break;
            case sim::Turn::left: text += "left"; break;
            case sim::Turn::signal: text += "signal" + std::to_string(record->signal); break;
        }
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(record->after);
        text += "+" + std::to_string(us.count()) + "/" + std::to_string(record->line) + " ";
    }
    return text;
}

std::string outline(std::string_view text) {
    const Result<ScenarioRecords> records = sim::read_scenario(text);
    return records ? outline(*records) : records.error().what;
}

}  // namespace

TEST_CASE("sim/scenario: records may be without times and ids") {
    CHECK(outline("{\"dir\":\"out\",\"msg\":{\"execute\":\"stop\"}}\n"
                  "\n"
                  "{\"after\":\"5ms\",\"dir\":\"in\",\"msg\":{\"event\":\"STOP\"}}\r\n"
                  "{\"dir\":\"in\",\"msg\":{\"return\":{}}}\n"
                  "{\"dir\":\"note\",\"text\":\"here it comes\"}\n"
                  "{\"after\":\"2s\",\"dir\":\"signal\",\"text\":\"INT\"}\n"
                  "{\"dir\":\"signal\",\"text\":\"SIGTERM\"}\n"
                  "{\"dir\":\"eof\"}") ==
          "out+0/1 in+5000/3 in+0/4 signal2+2000000/6 signal15+0/7 eof+0/8 ");
}

TEST_CASE("sim/scenario: times are distances on the same port, with notes between them or not") {
    const std::string text =
        "{\"t\":5,\"port\":\"a\",\"dir\":\"in\",\"msg\":1}\n"
        "{\"t\":5.25,\"port\":\"a\",\"dir\":\"note\",\"text\":\"x\"}\n"
        "{\"t\":7,\"port\":\"b\",\"dir\":\"open\"}\n"
        "{\"t\":7.5,\"port\":\"b\",\"dir\":\"in\",\"msg\":1}\n"
        "{\"t\":8,\"port\":\"a\",\"dir\":\"in\",\"msg\":1}\n"
        "{\"after\":\"1s\",\"port\":\"a\",\"dir\":\"in\",\"msg\":1}\n"
        "{\"t\":9.5,\"port\":\"a\",\"dir\":\"in\",\"msg\":1}\n"
        "{\"t\":4,\"port\":\"a\",\"dir\":\"in\",\"msg\":1}\n";
    const Result<ScenarioRecords> records = sim::read_scenario(text);
    REQUIRE(records);
    CHECK(sim::ports_of(*records) == std::vector<std::string>{"a", "b"});
    CHECK(outline(sim::on_port(*records, "a")) ==
          "in+0/1 in+3000000/5 in+1000000/6 in+500000/7 in+0/8 ");
    CHECK(outline(sim::on_port(*records, "b")) == "in+500000/4 ");
    CHECK(sim::on_port(*records, "c").empty());
}

TEST_CASE("sim/scenario: what is wrong is told with its line") {
    struct Case {
        const char* text;
        const char* what;
    };
    const Case cases[] = {
        {"", "line 1: expected a record"},
        {"\n[]",
         "line 2: expected a record, such as {\"dir\":\"out\",\"msg\":{\"execute\":"
         "\"stop\"}}"},
        {"{\"dir\":\"in\"}", "line 1: expected \"msg\" with what QEMU says, or \"text\""},
        {"{\"dir\":\"out\",\"msg\":{\"return\":{}}}",
         "line 1: expected \"msg\" with a command, such as {\"execute\":\"stop\"}"},
        {"{\"dir\":\"up\",\"msg\":{}}",
         "line 1: expected \"dir\" with in, out, open, eof, note or signal"},
        {"{\"dir\":\"signal\",\"text\":\"HUGO\"}",
         "line 1: expected \"text\" with the name of a signal, such as \"INT\""},
        {"{\"t\":-1,\"dir\":\"eof\"}", "line 1: expected \"t\" with seconds, 0 or more"},
        {"{\"t\":1,\"after\":\"1s\",\"dir\":\"eof\"}",
         "line 1: expected \"t\" or \"after\", not both"},
        {"{\"after\":5,\"dir\":\"eof\"}",
         "line 1: expected \"after\" with a duration, such as \"5ms\""},
    };
    for (const Case& wrong : cases) {
        INFO(wrong.text);
        CHECK(outline(wrong.text) == wrong.what);
    }
    CHECK(outline("{\"dir\":\"eof\"}\n{\"dir\"").starts_with("line 2: "));
    CHECK(sim::read_scenario("{\"dir\":\"eof\"}\n{\"dir\"").error().code == "invalid-json");
}

TEST_CASE("sim/scenario: our own recordings are read, and know who closed the connection") {
    const std::string head =
        "{\"magic\":\"katamaran-trace\",\"version\":1,\"tool\":\"0\",\"started\":\"\"}\n";
    const std::string open = "{\"t\":1000,\"port\":\"qmp\",\"dir\":\"open\",\"text\":\"x\"}\n";
    const std::string in = "{\"t\":6000,\"port\":\"qmp\",\"dir\":\"in\",\"msg\":{}}\n";
    const std::string note = "{\"t\":7000,\"port\":\"qmp\",\"dir\":\"note\",\"text\":\"x\"}\n";
    const std::string eof = "{\"t\":9000,\"port\":\"qmp\",\"dir\":\"eof\",\"text\":";
    CHECK(outline(head + open + in + note + eof + "\"closed on our side\"}\n") ==
          "in+5/3 left+3/5 ");
    CHECK(outline(head + open + in + note + eof + "\"QEMU is gone\"}\n") == "in+5/3 eof+3/5 ");
    CHECK(outline(head + open + in + "{\"t\":9") == "line 4, column 7: expected ',' or '}'");
}

TEST_CASE("sim/scenario: a file that is not there, or is damaged, is told by its name") {
    sim::VirtualFiles files;
    CHECK(sim::read_scenario(files, "/none").error().code == "ENOENT");
    REQUIRE(files.replace("/bad", "{}"));
    CHECK(sim::read_scenario(files, "/bad").error().sentence() ==
          "could not read the trace /bad: line 1: expected \"dir\" with in, out, open, eof, note "
          "or signal (bad-scenario)");
    REQUIRE(files.replace("/good", "{\"dir\":\"eof\"}"));
    CHECK(sim::read_scenario(files, "/good")->size() == 1);
}

TEST_CASE("sim/scenario: every recorded trace is read, with a record for each of its lines") {
    int count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(std::getenv("KTM_DATA")) + "/traces")) {
        INFO(entry.path().filename().string());
        const std::string text = data("traces/" + entry.path().filename().string());
        const Result<ScenarioRecords> records = sim::read_scenario(text);
        REQUIRE(records);
        CHECK(records->size() ==
              static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
        ++count;
    }
    CHECK(count >= 40);
}

namespace {

std::string compare(std::string_view expected, std::string_view got) {
    const json::Document one = *json::parse(expected);
    const json::Document other = *json::parse(got);
    return sim::difference(one.root(), other.root()).value_or("equal");
}

}  // namespace

TEST_CASE("sim/difference: the first place where two values differ is named") {
    CHECK(compare(R"({"a":1,"b":[1,{"c":null}]})", R"({"b":[1.0,{"c":null}],"a":1})") == "equal");
    CHECK(compare(R"({"uri":"tcp:x"})", R"({"uri":"tcp:y"})") ==
          R"(at uri: expected "tcp:x", got "tcp:y")");
    CHECK(compare(R"({"c":[{"s":true},{"s":true}]})", R"({"c":[{"s":true},{"s":false}]})") ==
          "at c[1].s: expected true, got false");
    CHECK(compare("{\"a\":1}", "{}") == "at a: expected 1, got nothing");
    CHECK(compare("{}", "{\"a\":{\"b\":1}}") == "at a: expected nothing, got {\"b\":1}");
    CHECK(compare("[1,2]", "[1]") == "at [1]: expected 2, got nothing");
    CHECK(compare("[1]", "[1,2]") == "at [1]: expected nothing, got 2");
    CHECK(compare("{}", "[]") == "expected {}, got []");
    CHECK(compare("1", "\"1\"") == "expected 1, got \"1\"");
    CHECK(compare("18446744073709551615", "18446744073709551615") == "equal");
    CHECK(compare("18446744073709551615", "-1") == "expected 18446744073709551615, got -1");
    CHECK(compare("1.5", "null") == "expected 1.5, got null");
    CHECK(compare("true", "false") == "expected true, got false");
}
