// SPDX-License-Identifier: Apache-2.0
// tests/unit/timeline/output_test.cc: a timeline as a picture, a page, a trace and a text.
#include <catch2/catch.hpp>

#include <chrono>
#include <map>

#include "harness/xml_reader.hh"
#include "json/parser.hh"
#include "timeline/axis.hh"
#include "timeline/page.hh"
#include "timeline/perfetto.hh"
#include "timeline/picture.hh"
#include "timeline/terminal.hh"
#include "unit/timeline/recordings.hh"

using namespace ktm;
using namespace ktm::timeline;
using namespace ktm::timeline::testing;
using ktm::testing::xml_fault;
using namespace std::chrono_literals;

namespace {

std::string drawn(const Timeline& timeline, int width = 1000) {
    return draw_svg(timeline, width);
}

/// Everything that a foreign program could send us to draw.
const std::string evil = "</title><script>alert(1)</script>&amp;\\u001b[31m\\\"'\\ufffe]]>";

std::string evil_lines() {
    return note(0, "plan " + evil + ", role " + evil + ", digest 0") + note(1, "enter " + evil) +
           event(2, evil, "{\"x\":\"" + evil + "\"}") + note(3, "undo 1/1: " + evil) +
           line(4, "qmp:" + evil, "in", "msg", "{\"event\":\"STOP\"}") +
           line(5, "net", "out", "msg",
                "{\"id\":1,\"request\":{\"what\":\"block-plug\",\"link\":\"" + evil +
                    "\"},\"words\":\"" + evil + "\"}") +
           line(6, "net", "in", "msg", "{\"id\":1,\"answer\":{}}") +
           note(7, "stranded in x after 1 s; " + evil);
}

}  // namespace

TEST_CASE("a picture is XML at every width, whatever is in it", "[timeline/picture]") {
    for (const int width : {0, 400, 600, 1000, 1600, 99999}) {
        INFO(width);
        CHECK(xml_fault(drawn(build_both("golden-storage-divert"), width)) == "");
        CHECK(xml_fault(drawn(build_both("ancestor-source-abort"), width)) == "");
        CHECK(xml_fault(drawn(build_one(evil_lines()), width)) == "");
        CHECK(xml_fault(drawn(build_one(""), width)) == "");
    }
}

TEST_CASE("nothing foreign in a picture or a page becomes markup", "[timeline/picture]") {
    const std::string page = draw_html(build_one(evil_lines()));
    CHECK(page.find("<script>alert") == std::string::npos);
    CHECK(page.find('\x1b') == std::string::npos);
    CHECK(page.find("http") == page.find("http-equiv"));
    CHECK(page.find("http", page.find("http-equiv") + 10) ==
          page.find("http://www.w3.org/2000/svg"));
}

TEST_CASE("a short dark window has a panel of its own, a long one has not", "[timeline/picture]") {
    const std::string both = drawn(build_both("golden-storage-divert"));
    CHECK(both.find("The dark window, enlarged") != std::string::npos);
    CHECK(both.find("dark 13.3 ms") != std::string::npos);
    const std::string one =
        drawn(build_one(event(0, "X") + event(10, "STOP") + event(90, "RESUME") + event(100, "X")));
    CHECK(one.find("enlarged") == std::string::npos);
    CHECK(one.find("dark 80 ms") != std::string::npos);
}

TEST_CASE("the same records are the same bytes in every form", "[timeline]") {
    const auto all = [] {
        const Timeline timeline = build_both("local-storage-success");
        return draw_html(timeline) + write_perfetto(timeline) + draw_text(timeline);
    };
    CHECK(all() == all());
}

TEST_CASE("a trace for Perfetto has spans that follow each other on each track",
          "[timeline/perfetto]") {
    for (const char* name : {"golden-storage-divert", "ancestor-source-abort",
                             "fail-connection-refused-then-retry", "tls-psk-storage-success"}) {
        INFO(name);
        const Result<json::Document> trace = json::parse(write_perfetto(build_both(name)));
        REQUIRE(trace);
        const auto events = trace->root().find("traceEvents");
        REQUIRE(events);
        std::map<std::int64_t, double> free_from;
        std::map<std::int64_t, std::string> tracks;
        std::size_t spans = 0;
        for (const json::View each : events->items()) {
            const std::int64_t track = each.find_int("tid").value_or(-1);
            if (each.find_string("name") == "thread_name") {
                CHECK(tracks.emplace(track, each.find("args")->find_string("name").value()).second);
            }
            if (each.find_string("ph") != "X") {
                continue;
            }
            ++spans;
            const double begin = each.find("ts")->as_double().value();
            CHECK(tracks.count(track) == 1);
            CHECK(begin + 0.0001 >= free_from[track]);
            free_from[track] = begin + each.find("dur")->as_double().value();
        }
        CHECK(spans > 10);
    }
    CHECK(json::parse(write_perfetto(build_one(evil_lines()))));
    CHECK(json::parse(write_perfetto(build_one(""))));
}

TEST_CASE("a text keeps to its width, and to ASCII where that is wanted", "[timeline/terminal]") {
    for (const int columns : {40, 80, 200}) {
        TextLook look;
        look.columns = columns;
        look.plain = true;
        const std::string text = draw_text(build_both("golden-storage-divert"), std::move(look));
        std::size_t widest = 0;
        std::stringstream lines{text};
        std::string row;
        std::getline(lines, row);  // the headline is as long as it must be
        while (std::getline(lines, row) && !row.ends_with("s at source")) {
            const bool is_bar = row.starts_with("guest") || row.starts_with("source QEMU ");
            widest = is_bar ? std::max(widest, row.size()) : widest;
        }
        INFO(text);
        CHECK(widest > 20);
        CHECK(widest <= static_cast<std::size_t>(columns));
        CHECK(text.find("# dark #") != std::string::npos);
    }
}

TEST_CASE("a dark window is seen in a text however short it is", "[timeline/terminal]") {
    const std::string text = draw_text(build_both("golden-storage-divert"));
    const std::string first = text.substr(text.find("guest"), text.find("source QEMU") - 40);
    CHECK(first.substr(0, first.find('\n')).find("█") != std::string::npos);
}

TEST_CASE("an axis breaks where nothing happens, and nowhere in the dark", "[timeline/axis]") {
    const Timeline idle = build_one(event(0, "STOP") + event(1, "RESUME") + event(9000, "STOP") +
                                    event(9001, "RESUME"));
    const Axis axis{idle, 100, 1100, 50};
    REQUIRE(axis.pieces().size() == 3);
    CHECK(axis.pieces()[1].broken);
    CHECK(axis.x(0ms) == 100);
    CHECK(axis.x(9001ms) == 1100);
    CHECK(axis.x(1ms) > 500);
    const Axis dark{build_one(event(0, "X") + event(1, "STOP") + event(9000, "RESUME")), 0, 100, 5};
    CHECK(dark.pieces().size() == 1);
}

TEST_CASE("a hundred thousand records are drawn in all forms in no time", "[timeline]") {
    std::string lines;
    for (int i = 0; i < 25'000; ++i) {
        const double ms = i;
        lines += command(ms, i, i % 2 == 0 ? "query-status" : "cont",
                         "{\"running\":true,\"status\":\"running\"}") +
                 event(ms, i % 3 == 0 ? "STOP" : "RESUME") +
                 note(ms, "enter s" + std::to_string(i));
    }
    const std::vector<trace::Record> records = records_of(lines);
    REQUIRE(records.size() == 100'000);
    const auto began = std::chrono::steady_clock::now();
    Builder builder;
    builder.begin_source("many");
    for (const trace::Record& record : records) {
        builder.take(record);
    }
    const Timeline timeline = std::move(builder).finish();
    CHECK(!timeline.notes.empty());
    // What is drawn is bounded by the picture, not by the records.
    CHECK(drawn(timeline).size() < 3'000'000);
    CHECK(!write_perfetto(timeline).empty());
    CHECK(!draw_text(timeline).empty());
    // Two seconds, on a machine that has other things to do and with sanitizers.
    CHECK(std::chrono::steady_clock::now() - began < 20s);
}

TEST_CASE("times at the ends of all time are drawn", "[timeline]") {
    const std::string lines = event(0, "STOP") +
                              "{\"t\":9223372036854775807,\"port\":\"qmp\",\"dir\":\"in\",\"msg\":"
                              "{\"event\":\"RESUME\"}}\n";
    const Timeline timeline = build_one(lines);
    CHECK(xml_fault(drawn(timeline)) == "");
    CHECK(!draw_text(timeline).empty());
    CHECK(json::parse(write_perfetto(timeline)));
}
