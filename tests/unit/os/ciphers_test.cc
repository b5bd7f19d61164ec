// SPDX-License-Identifier: Apache-2.0
// tests/unit/os/ciphers_test.cc: connections under TLS, and everybody who is not wanted on them.
#include "os/ciphers.hh"

#include <array>
#include <catch2/catch.hpp>
#include <optional>

using namespace ktm;
using End = ports::Ciphers::End;
using StreamPtr = std::unique_ptr<ports::Stream>;

namespace {

/// A connection without a loop: what is written waits until it is carried over.
class Cable {
public:
    StreamPtr end(std::size_t side) { return std::make_unique<Plug>(*this, side); }

    /// Until nothing is under way any more; pieces of at most so many bytes.
    void carry(std::size_t piece_max = 1U << 20U) {
        for (bool moved = true; moved;) {
            moved = false;
            for (const std::size_t side : {0U, 1U}) {
                moved = deliver(side, piece_max) || moved;
            }
        }
    }
    /// Bytes that somebody on the way puts in.
    void inject(std::size_t side, const std::string& bytes) { sides_[side].come += bytes; }
    /// The connection ends in the middle, for this side.
    void cut(std::size_t side) { sides_[side].other_gone = true; }
    std::string& under_way_to(std::size_t side) { return sides_[side].come; }
    std::string carried;  ///< All that has crossed, in either direction.

private:
    struct Side {
        ports::Stream::Handlers handlers;
        std::string come;
        bool started = false;
        bool there = true;
        bool other_gone = false;
        bool ended = false;
    };
    class Plug final : public ports::Stream {
    public:
        Plug(Cable& cable, std::size_t side) : cable_(cable), side_(side) {}
        ~Plug() override {
            cable_.sides_[side_].there = false;
            cable_.sides_[1 - side_].other_gone = true;
        }
        void start(Handlers handlers) override {
            cable_.sides_[side_].handlers = std::move(handlers);
            cable_.sides_[side_].started = true;
        }
        void write(std::string bytes) override { cable_.sides_[1 - side_].come += bytes; }
        [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }

    private:
        Cable& cable_;
        std::size_t side_;
    };

    bool deliver(std::size_t number, std::size_t piece_max) {
        Side& side = sides_[number];
        if (!side.started || !side.there || side.ended) {
            return false;
        }
        if (!side.come.empty()) {
            const std::string piece = side.come.substr(0, piece_max);
            side.come.erase(0, piece.size());
            carried += piece;
            side.handlers.on_data(piece);
            return true;
        }
        side.ended = side.other_gone;
        if (side.ended) {
            side.handlers.on_end(std::nullopt);
        }
        return side.ended;
    }

    std::array<Side, 2> sides_;
};

SharedKey key_of(std::uint8_t byte) {
    SharedKey::Raw raw{};
    raw.fill(byte);
    return SharedKey{raw};
}

/// One end of a connection, and what it hears.
struct Talker {
    StreamPtr stream;
    std::string heard;
    std::optional<std::string> end;  ///< The code of the error; empty for an end in order.
    std::string why;

    void begin(StreamPtr fresh) {
        stream = std::move(fresh);
        stream->start({[this](std::string_view bytes) { heard += bytes; },
                       [this](std::optional<Error> error) {
                           REQUIRE_FALSE(end.has_value());
                           end = error ? error->code : "";
                           why = error ? error->sentence() : "";
                       }});
    }
};

/// Two ends with their keys; the first one connects.
struct Pair {
    explicit Pair(std::uint8_t ours = 1, std::uint8_t theirs = 1) {
        // What is written before the other end is known waits.
        StreamPtr fresh = ciphers.secure(cable.end(0), key_of(ours), End::connects);
        fresh->write("first ");
        CHECK(fresh->unsent_bytes() == 6);
        source.begin(std::move(fresh));
        dest.begin(ciphers.secure(cable.end(1), key_of(theirs), End::listens));
    }
    os::OpensslCiphers ciphers;
    Cable cable;
    Talker source;
    Talker dest;
};

/// What a listener with a key says to somebody who sends this and hangs up.
std::string end_of_stranger(const std::string& bytes) {
    os::OpensslCiphers ciphers;
    Cable cable;
    Talker dest;
    dest.begin(ciphers.secure(cable.end(1), key_of(1), End::listens));
    cable.inject(1, bytes);
    cable.carry();
    cable.cut(1);
    cable.carry();
    CHECK(dest.heard.empty());
    return dest.end.value_or("still open");
}

}  // namespace

TEST_CASE("os/tls: two with one key talk both ways, and nobody on the way can read it") {
    Pair pair;
    std::size_t piece = 1U << 20U;
    SECTION("in large pieces") {}
    SECTION("byte by byte") {
        piece = 1;
    }
    pair.cable.carry(piece);
    CHECK(pair.dest.heard == "first ");
    pair.source.stream->write("a word of the source");
    pair.dest.stream->write("a word of the destination");
    const std::string large(300'000, 'x');
    pair.source.stream->write(large);
    pair.cable.carry(piece);
    CHECK(pair.dest.heard == "first a word of the source" + large);
    CHECK(pair.source.heard == "a word of the destination");
    CHECK(pair.source.stream->unsent_bytes() == 0);
    for (const char* secret : {"first", "a word of", "xxxxxxxx"}) {
        CHECK(pair.cable.carried.find(secret) == std::string::npos);
    }
    CHECK_FALSE(pair.source.end);
    CHECK_FALSE(pair.dest.end);
}

TEST_CASE("os/tls: an end in order is told from a cut") {
    Pair pair;
    pair.cable.carry();
    SECTION("the other end is closed") {
        pair.dest.stream->write("last");
        pair.dest.stream.reset();
        pair.cable.carry();
        CHECK(pair.source.heard == "last");
        CHECK(pair.source.end == "");
    }
    SECTION("somebody on the way cuts, and what was under way is gone") {
        pair.dest.stream->write("last");
        pair.cable.under_way_to(0).clear();
        pair.cable.cut(0);
        pair.cable.carry();
        CHECK(pair.source.heard.empty());
        CHECK(pair.source.end == ports::truncated_code);
    }
    SECTION("in the middle of a record") {
        pair.dest.stream->write("last");
        pair.cable.under_way_to(0).resize(7);
        pair.cable.cut(0);
        pair.cable.carry();
        CHECK(pair.source.end == ports::truncated_code);
    }
    SECTION("before they know each other") {
        Pair fresh;
        fresh.cable.cut(0);
        fresh.cable.under_way_to(0).clear();
        fresh.cable.carry();
        CHECK(fresh.source.end == "no-handshake");
    }
}

TEST_CASE("os/tls: two keys that differ are told to both ends at once, and nothing else is") {
    Pair pair{1, 2};
    pair.cable.carry();
    CHECK(pair.source.end == ports::wrong_key_code);
    CHECK(pair.source.why.find("expected the same key file on both nodes") != std::string::npos);
    CHECK(pair.dest.end == ports::wrong_key_code);
    CHECK(pair.dest.heard.empty());
    CHECK(pair.source.heard.empty());
    // Who writes all the same is not heard, and nothing breaks.
    pair.source.stream->write("more");
    pair.dest.stream->write("more");
    pair.cable.carry();
    CHECK(pair.dest.heard.empty());
}

TEST_CASE("os/tls: who does not speak TLS at all is known as that") {
    CHECK(end_of_stranger("{\"katamaran\":1}\n") == ports::no_tls_code);
    CHECK(end_of_stranger("GET / HTTP/1.1\r\n\r\n") == ports::no_tls_code);
    CHECK(end_of_stranger(std::string(4000, '\xFE')) == ports::no_tls_code);
    CHECK(end_of_stranger("") == "no-handshake");
    CHECK(end_of_stranger("\x16") == "no-handshake");
    Pair pair;
    pair.cable.inject(0, "{\"refused\":\"it speaks TLS\"}\n");
    pair.cable.carry();
    CHECK(pair.source.end == ports::no_tls_code);
    CHECK(pair.source.why.find("--peer-key") != std::string::npos);
}

TEST_CASE("os/tls: what somebody on the way has changed or put in ends the connection") {
    Pair pair;
    pair.cable.carry();
    SECTION("a byte of a record") {
        pair.dest.stream->write("a word");
        pair.cable.under_way_to(0).back() ^= 1;
    }
    SECTION("a record that came already") {
        pair.dest.stream->write("a word");
        pair.cable.under_way_to(0) += std::string{pair.cable.under_way_to(0)};
        pair.cable.carry();
        CHECK(pair.source.heard == "a word");
    }
    SECTION("a record larger than there are any") {
        pair.cable.inject(0, std::string{"\x17\x03\x03\xFF\xFF"} + std::string(70'000, 'x'));
    }
    SECTION("a new greeting") {
        pair.cable.inject(0, std::string{"\x16\x03\x03\x00\x04\x00\x00\x00\x00", 9});
    }
    SECTION("plain text") {
        pair.cable.inject(0, "{\"beat\":1}\n");
    }
    pair.cable.carry();
    CHECK(pair.source.end == "bad-record");
    CHECK(pair.source.heard.find("beat") == std::string::npos);
}

TEST_CASE("os/tls: a stream may be destroyed in its own callbacks") {
    Pair pair;
    pair.cable.carry();
    SECTION("while it hands over") {
        Cable cable;
        StreamPtr listener = pair.ciphers.secure(cable.end(1), key_of(1), End::listens);
        Talker source;
        source.begin(pair.ciphers.secure(cable.end(0), key_of(1), End::connects));
        ports::Stream* raw = listener.get();
        raw->start({[&](std::string_view) { listener.reset(); }, [](std::optional<Error>) {}});
        source.stream->write("go");
        cable.carry();
        CHECK(listener == nullptr);
        CHECK(source.end == "");
    }
    SECTION("when it ends") {
        Cable cable;
        Talker source;
        StreamPtr listener = pair.ciphers.secure(cable.end(1), key_of(2), End::listens);
        source.begin(pair.ciphers.secure(cable.end(0), key_of(1), End::connects));
        listener->start({[](std::string_view) {}, [&](std::optional<Error>) { listener.reset(); }});
        cable.carry();
        CHECK(listener == nullptr);
        CHECK(source.end == ports::wrong_key_code);
    }
}

TEST_CASE("os/tls: a key is another one each time, and comes back from its text") {
    os::OpensslCiphers ciphers;
    const Result<SharedKey> one = ciphers.make_key();
    const Result<SharedKey> two = ciphers.make_key();
    REQUIRE(one);
    REQUIRE(two);
    CHECK_FALSE(*one == *two);
    CHECK(one->hex().size() == 64);
    const Result<SharedKey> read = SharedKey::parse(one->hex() + "\n");
    REQUIRE(read);
    CHECK(*read == *one);
}
