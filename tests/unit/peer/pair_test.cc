// SPDX-License-Identifier: Apache-2.0
// tests/unit/peer/pair_test.cc: two sessions, tied together by a connection that breaks.
#include <catch2/catch.hpp>

#include <random>

#include "peer/conversation.hh"

using namespace ktm::peer;
using namespace ktm::peer::testing;
using ktm::Duration;
using std::chrono::milliseconds;

namespace {

/// Two sides and the bytes that are under way between them.
class Tied {
public:
    explicit Tied(Limits limits = {}) : source{"source", limits}, dest{"dest", limits} {}

    void connect() {
        to_source.clear();
        to_dest.clear();
        source.session.open(source.now);
        dest.session.open(dest.now);
    }
    /// What was under way is lost.
    void cut() {
        to_source.clear();
        to_dest.clear();
        source.session.hang_up(std::nullopt);
        dest.session.hang_up(std::nullopt);
    }
    void collect() {
        to_dest += source.out();
        to_source += dest.out();
    }
    /// Hands over so many bytes at most, in each direction.
    void move(std::size_t bytes_to_dest, std::size_t bytes_to_source) {
        collect();
        hand_over(dest, to_dest, bytes_to_dest);
        hand_over(source, to_source, bytes_to_source);
        collect();
    }
    /// All that is under way arrives.
    void settle() {
        do {
            move(std::string::npos, std::string::npos);
        } while (!to_dest.empty() || !to_source.empty());
    }
    void pass(Duration time) {
        source.pass(time);
        dest.pass(time);
    }

    Conversation source;
    Conversation dest;
    std::string to_source;
    std::string to_dest;

private:
    static void hand_over(Conversation& side, std::string& bytes, std::size_t most) {
        const std::string piece = bytes.substr(0, most);
        bytes.erase(0, piece.size());
        if (!piece.empty()) {
            side.hear(piece);
        }
    }
};

Lines words_in(const Lines& lines) {
    Lines words;
    for (const std::string& line : lines) {
        if (line.starts_with("said") || line.starts_with("asked") || line.starts_with("answer")) {
            words.push_back(line);
        }
    }
    return words;
}

bool is_lost(const Lines& lines) {
    return std::any_of(lines.begin(), lines.end(),
                       [](const std::string& line) { return line.starts_with("lost"); });
}

}  // namespace

TEST_CASE("peer/pair: two sessions greet and know each other's clock") {
    Tied tied;
    tied.dest.now += std::chrono::seconds{40};
    tied.connect();
    tied.settle();
    CHECK(tied.source.happened() == Lines{"greeted dest"});
    CHECK(tied.dest.happened() == Lines{"greeted source"});
    REQUIRE((tied.source.session.their_clock() && tied.dest.session.their_clock()));
    CHECK(tied.source.session.their_clock()->offset == std::chrono::seconds{40});
    CHECK(tied.dest.session.their_clock()->offset == -std::chrono::seconds{40});
}

TEST_CASE("peer/pair: they stay together as long as both are there") {
    Tied tied;
    tied.connect();
    for (int i = 0; i < 600; ++i) {
        tied.settle();
        tied.pass(milliseconds{100});
    }
    CHECK(tied.source.happened() == Lines{"greeted dest"});
    CHECK(tied.dest.happened() == Lines{"greeted source"});
}

TEST_CASE("peer/pair: words that were said without a connection come with the next one") {
    Tied tied;
    tied.connect();
    tied.settle();
    tied.cut();
    REQUIRE(tied.source.session.say("one", "{}"));
    REQUIRE(tied.source.session.ask("two", "{}"));
    tied.connect();
    tied.settle();
    CHECK(words_in(tied.dest.happened()) == Lines{"said one {}", "asked two {}"});
    REQUIRE(tied.dest.session.reply("two", "[7]"));
    tied.cut();
    tied.connect();
    tied.settle();
    CHECK(words_in(tied.source.happened()) == Lines{"answer to 2 [7]"});
    CHECK(tied.source.session.is_delivered());
    CHECK(tied.dest.session.is_delivered());
}

TEST_CASE("peer/pair: the side that listens takes a new connection for the old one") {
    Tied tied;
    tied.connect();
    tied.settle();
    // The source alone has noticed that the connection is gone.
    tied.source.session.hang_up(std::nullopt);
    (void)tied.source.happened();
    (void)tied.dest.happened();
    tied.connect();
    tied.settle();
    CHECK(tied.source.happened() == Lines{"resumed"});
    CHECK(tied.dest.happened() == Lines{"resumed"});
}

TEST_CASE("peer/pair: each word comes once and in order, however the connection breaks") {
    std::mt19937 random{7};
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    for (int round = 0; round < 300; ++round) {
        Tied tied;
        bool connected = false;
        Lines said[2];
        Lines heard[2];
        unsigned cuts = 0;
        for (int step = 0; step < 200; ++step) {
            if (!connected) {
                tied.connect();
                connected = true;
            }
            for (int side = 0; side < 2; ++side) {
                Session& session = side == 0 ? tied.source.session : tied.dest.session;
                if (session.is_paired() && chance(40)) {
                    const std::string data = "{\"i\":" + std::to_string(step) + "}";
                    REQUIRE(session.say("w", data));
                    said[side].push_back("said w " + data);
                }
            }
            tied.move(random() % 300, random() % 300);
            tied.pass(milliseconds{20});
            if (chance(10)) {
                tied.cut();
                connected = false;
                ++cuts;
            }
            const Lines at_source = tied.source.happened();
            const Lines at_dest = tied.dest.happened();
            REQUIRE_FALSE(is_lost(at_source));
            REQUIRE_FALSE(is_lost(at_dest));
            for (const std::string& line : words_in(at_source)) {
                heard[1].push_back(line);
            }
            for (const std::string& line : words_in(at_dest)) {
                heard[0].push_back(line);
            }
        }
        if (!connected) {
            tied.connect();
        }
        tied.settle();
        for (const std::string& line : words_in(tied.source.happened())) {
            heard[1].push_back(line);
        }
        for (const std::string& line : words_in(tied.dest.happened())) {
            heard[0].push_back(line);
        }
        INFO("round " << round << ", " << cuts << " cuts");
        REQUIRE(heard[0] == said[0]);
        REQUIRE(heard[1] == said[1]);
        REQUIRE(tied.source.session.is_delivered());
        REQUIRE(tied.dest.session.is_delivered());
    }
}

TEST_CASE("peer/pair: two that say goodbye at once both hear it") {
    Tied tied;
    tied.connect();
    tied.settle();
    (void)tied.source.happened();
    (void)tied.dest.happened();
    tied.source.session.finish("done");
    tied.dest.session.finish("stranded");
    tied.settle();
    CHECK(tied.source.happened() == Lines{"ended stranded"});
    CHECK(tied.dest.happened() == Lines{"ended done"});
    CHECK(tied.source.session.is_delivered());
    CHECK(tied.dest.session.is_delivered());
}

TEST_CASE("peer/pair: silence is noticed by both, whoever fell silent") {
    Tied tied;
    tied.connect();
    tied.settle();
    (void)tied.source.happened();
    (void)tied.dest.happened();
    for (int i = 0; i < 11; ++i) {
        tied.pass(milliseconds{500});
        (void)tied.source.out();
        (void)tied.dest.out();
    }
    CHECK(tied.source.happened() == Lines{"lost silent peer-lost"});
    CHECK(tied.dest.happened() == Lines{"lost silent peer-lost"});
}
