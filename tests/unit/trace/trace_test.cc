// SPDX-License-Identifier: Apache-2.0
// tests/unit/trace/trace_test.cc: what is written can be read, and damage is told exactly.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "json/writer.hh"
#include "trace/reader.hh"
#include "trace/writer.hh"

using namespace ktm::trace;
using namespace std::chrono_literals;

namespace {

const std::string header = header_line("0.1.0", ktm::WallTime{1795227836s});
const std::string three =
    header + message_line(5ns, "qmp", Direction::out, R"({"execute":"stop","id":1})") +
    message_line(1500ns, "qmp", Direction::in, R"({"event":"STOP","data":{"n":1e999}})") +
    text_line(2s, "qmp", Direction::eof, "QEMU closed\nthe connection \xff");

struct Reading {
    std::vector<Record> records;
    std::string damage;
    std::optional<Header> header;
};

Reading read_in_pieces(std::string_view bytes, std::size_t piece) {
    Reader reader;
    Reading reading;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.receive(bytes.substr(at, piece), reading.records);
    }
    reader.finish(reading.records);
    reading.damage = reader.damage() ? reader.damage()->what : "";
    reading.header = reader.header();
    return reading;
}

Reading read(std::string_view bytes) {
    return read_in_pieces(bytes, std::max<std::size_t>(bytes.size(), 1));
}

std::string compressed(std::string_view text, std::size_t piece) {
    Compressor compressor;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        out += compressor.compress(text.substr(at, piece), false);
    }
    return out + compressor.compress("", true);
}

}  // namespace

TEST_CASE("trace: what is written is read again, every field") {
    const Reading reading = read(three);
    CHECK(reading.damage.empty());
    REQUIRE(reading.header);
    CHECK(reading.header->tool == "0.1.0");
    CHECK(reading.header->started == "2026-11-21T02:23:56.000000Z");
    REQUIRE(reading.records.size() == 3);
    CHECK(reading.records[0].time == 5ns);
    CHECK(reading.records[0].direction == Direction::out);
    CHECK(ktm::json::compact(reading.records[1].message->root()) ==
          R"({"event":"STOP","data":{"n":1e999}})");
    CHECK(reading.records[2].port == "qmp");
    CHECK(reading.records[2].text == "QEMU closed\\x0athe connection \\xff");
    CHECK(reading.records[2].line == 4);
}

TEST_CASE("trace: the pieces in which a file arrives do not matter") {
    const std::string zipped = compressed(three, 40);
    for (const std::size_t piece : {1, 2, 3, 7, 64}) {
        CHECK(read_in_pieces(three, piece).records.size() == 3);
        CHECK(read_in_pieces(zipped, piece).records.size() == 3);
        CHECK(read_in_pieces(zipped, piece).damage.empty());
    }
}

TEST_CASE("trace: the plain form of other recorders is read, seconds and all") {
    const Reading reading = read(
        "{\"t\": 0.04501, \"dir\": \"in\", \"msg\": {\"QMP\": {}}}\n"
        "{\"t\": 3, \"dir\": \"eof\"}\n");
    CHECK(reading.damage.empty());
    CHECK_FALSE(reading.header);
    REQUIRE(reading.records.size() == 2);
    CHECK(reading.records[0].time == 45010us);
    CHECK(reading.records[0].port == "qmp");
    CHECK(reading.records[1].time == 3s);
}

TEST_CASE("trace: every recorded conversation in the tests' data is read without damage") {
    std::size_t files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(std::getenv("KTM_DATA")) + "/traces")) {
        INFO(entry.path().string());
        std::ifstream file{entry.path()};
        std::stringstream text;
        text << file.rdbuf();
        const std::string content = text.str();
        const Reading reading = read(content);
        CHECK(reading.damage.empty());
        CHECK(reading.records.size() ==
              static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')));
        ++files;
    }
    CHECK(files >= 40);
}

TEST_CASE("trace: a file cut at every byte gives its intact records and says where it ends") {
    for (std::size_t cut = 0; cut < three.size(); ++cut) {
        INFO(cut);
        const std::string part = three.substr(0, cut);
        const Reading reading = read(part);
        const auto lines = static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
        const bool newline_lost = cut + 1 < three.size() && three[cut] == '\n';
        const bool whole = part.ends_with('\n') || newline_lost || cut + 1 == three.size();
        CHECK(reading.damage.empty() == (cut > 0 && whole));
        CHECK(reading.records.size() + 1 >= lines);
    }
}

TEST_CASE("trace: a compressed file cut at every byte never gives a wrong record") {
    const std::string zipped = compressed(three, 60);
    for (std::size_t cut = 0; cut < zipped.size(); ++cut) {
        const Reading reading = read(zipped.substr(0, cut));
        CHECK_FALSE(reading.damage.empty());
        CHECK(reading.records.size() <= 3);
    }
}

TEST_CASE("trace: a piece that was flushed is there, though the end is missing") {
    Compressor compressor;
    std::string zipped = compressor.compress(three, false);
    const Reading reading = read(zipped);
    CHECK(reading.records.size() == 3);
    CHECK(reading.damage ==
          "line 5, column 1: expected the end of the compressed stream; the recording was cut off "
          "here");
}

TEST_CASE("trace: damage names line, column and what was expected; what precedes it is kept") {
    const auto damage = [](const std::string& line) {
        const Reading reading = read(three + line + "\n" + three.substr(header.size()));
        CHECK(reading.records.size() == 3);
        return reading.damage;
    };
    CHECK(damage("{\"t\":1,\"port\":\"qmp\" \"dir\":\"in\"}") ==
          "line 5, column 21: expected ',' or '}'");
    CHECK(damage("rubbish") == "line 5, column 1: expected a value");
    CHECK(damage("[1]").find("line 5, column 1: expected a record, such as") == 0);
    CHECK(damage(R"({"t":-1,"port":"qmp","dir":"in","msg":1})") ==
          "line 5, column 2: expected \"t\" with whole nanoseconds, 0 or more");
    CHECK(damage(R"({"t":1.5,"port":"qmp","dir":"in","msg":1})").find("nanoseconds") !=
          std::string::npos);
    CHECK(damage(R"({"t":1,"port":"qmp","dir":"up","msg":1})") ==
          "line 5, column 21: expected \"dir\" with in, out, open, eof or note");
    CHECK(damage(R"({"t":1,"dir":"in","msg":1})") ==
          "line 5, column 1: expected \"port\" with the name of the port");
    CHECK(damage(R"({"t":1,"port":"qmp","dir":"in"})").find("expected \"msg\"") !=
          std::string::npos);
}

TEST_CASE("trace: a newer format and a wrong header are refused by name") {
    CHECK(read("{\"magic\":\"katamaran-trace\",\"version\":2}\n").damage ==
          "line 1, column 1: expected format 1 or older; a newer katamaran wrote format 2");
    CHECK(read("{\"magic\":\"other\",\"version\":1}\n").damage.find("expected the header") !=
          std::string::npos);
    CHECK(read("").damage == "line 1, column 1: expected a trace; the file is empty");
    CHECK(read("\x28\xB5\x2F\xFDnonsense").damage.find("expected intact compressed data") !=
          std::string::npos);
}

TEST_CASE("trace: a line without end is given up at a limit, not at the end of memory") {
    Reader reader;
    std::vector<Record> records;
    const std::string block(1U << 20U, 'x');
    int blocks = 0;
    while (!reader.damage() && blocks < 100) {
        reader.receive(block, records);
        ++blocks;
    }
    CHECK(blocks == 21);
}

TEST_CASE("trace: the deepest message that a session accepts is read from its record") {
    const std::string deepest(ktm::json::depth_max, '[');
    const std::string message = deepest + std::string(ktm::json::depth_max, ']');
    REQUIRE(ktm::json::parse(message));
    const Reading reading = read(header + message_line(1ns, "qmp", Direction::in, message));
    CHECK(reading.damage.empty());
    CHECK(reading.records.size() == 1);
}

TEST_CASE("trace: names end in .zst for the compressed form") {
    CHECK(wants_compression("run.jsonl.zst"));
    CHECK_FALSE(wants_compression("run.jsonl"));
}
