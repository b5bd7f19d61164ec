// SPDX-License-Identifier: Apache-2.0
// peer/session.hh: the conversation of two runs, as a machine without a socket.
//
// Theory of operation
//
// Purpose: to be the only place that knows what is a legal conversation between the katamaran at
// the source and the one at the destination, and to bring each word over exactly once, whatever
// becomes of the connection. Bytes go in by receive(), a new connection by open(), its end by
// hang_up(), time by tick(); what happened comes out of take_happenings(), in order, and bytes to
// send out of take_output().
//
//     apart ──open──> greeting ──hello──> together ──hang_up──> apart ──open──> …
//       └─────────┴── refused, silent, closed, or both have said goodbye ──┴──> over
//
// Pairing: a session belongs to two runs, ours and the first that greets us and fits. From then on
// a hello of another run is refused, and so is one that looks for another run than ours. The side
// that connects speaks first; the side that listens answers a hello with its own. What differs in
// plan, role or agreed vars ends the session at both sides, with the values of both.
//
// Words, asks, answers and the goodbye are numbered from 1, in one row. What the other side has
// heard it says, in a line for all that came at once; what it has not heard is kept, and sent again
// over the next connection. A number that has come already is dropped, so each comes once; a number
// that leaves one out is against the rules.
//
// Deadlines: while together each side says every beat_every that it is there. Who was not heard
// for silent_max is lost, whether or not the connection stands. A connection that is gone is no
// loss: whoever drives this connects again, until silent_max has passed since the last thing that
// was heard. Before the first hello there is no deadline but that for a hello on an open
// connection. A tick that comes much too late means that we stood still ourselves: then what
// they said meanwhile is read first.
//
// Over is for good, and told once. Against the rules, and therefore the end: what is no JSON or no
// line of ours, TLS in its place, a line beyond the limit, a second hello, a line before the hello,
// a number left out, more open asks than allowed. It does not connect, and knows no address.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/unique_function.hh"
#include "json/framer.hh"
#include "peer/clock_estimate.hh"
#include "peer/message.hh"

namespace ktm::peer {

struct Limits {
    std::size_t line_bytes_max = 1U << 20U;
    /// Words that the other side has not heard yet.
    std::size_t unheard_max = 256;
    /// Asks that are not answered, those included for whose answer nobody waits any more.
    std::size_t asks_max = 64;
    Duration beat_every = std::chrono::milliseconds{500};
    Duration silent_max = std::chrono::seconds{5};
    Duration hello_within = std::chrono::seconds{5};
};

/// Why the other side is lost.
enum class Why {
    silent,   ///< It says nothing any more.
    closed,   ///< The connection is gone, and could not be had again.
    refused,  ///< One of the two does not want the other: what it says does not fit.
};
[[nodiscard]] std::string_view name_of(Why why) noexcept;

/// The code of the error for somebody who is not the one that is waited for.
inline constexpr std::string_view stranger_code = "peer-stranger";

/// How a run has ended, as a goodbye says it.
[[nodiscard]] bool is_ending(std::string_view how) noexcept;

// --- Happenings -------------------------------------------------------------------------------

/// The two are a pair; once.
struct Greeted {
    Hello theirs;
};
/// A word of the other side; `data` is an object.
struct Said {
    std::string word;
    bool asked = false;  ///< It wants an answer.
    json::Document data;
};
/// The answer to our ask of that number.
struct Answered {
    std::uint64_t ask = 0;
    json::Document data;
};
/// The connection is of no use any more; another is wanted.
struct Broken {
    Error error;
};
/// There is another one.
struct Resumed {};
/// Belongs to the conversation; the owner of the session notes it.
struct Warned {
    std::string text;
};
/// The other run is over: "done", "aborted" or "stranded". Nothing that it says follows.
struct Ended {
    std::string how;
    std::optional<json::Document> data;  ///< An object, where it said more.
};
/// The other side is gone for good, or was never there; nothing follows.
struct Lost {
    Why why = Why::closed;
    Error error;
};

using Happening = std::variant<Greeted, Said, Answered, Broken, Resumed, Warned, Ended, Lost>;

/// Which way a line went. An unreadable one came in and was none of ours.
enum class Flow { in, out, unreadable };

class Session {
public:
    /// Sees every line as it crosses, without its newline, for a recording.
    using LineTap = UniqueFunction<void(Flow, std::string_view)>;

    enum class Side { connects, listens };
    enum class State { apart, greeting, together, over };

    Session(Side side, Hello ours, Limits limits, LineTap tap = nullptr);

    /// There is a connection; one that was there before is of no use any more. Nothing once over.
    void open(Instant now);
    void receive(std::string_view bytes, Instant now);
    /// The connection has ended: orderly, or with an error.
    void hang_up(std::optional<Error> error);
    void tick(Instant now);

    /// Whether somebody who says this may be our other side.
    [[nodiscard]] Result<void> judge(const Message& hello) const;

    // Words. Each is refused when the other side is gone, or does not hear for too long.
    [[nodiscard]] Result<void> say(std::string_view word, std::string_view data);
    /// The number by which the answer will be known.
    [[nodiscard]] Result<std::uint64_t> ask(std::string_view word, std::string_view data);
    /// Nobody waits for this answer any more.
    void forget(std::uint64_t ask);
    /// Answers the oldest ask of that word; refused when there is none.
    [[nodiscard]] Result<void> reply(std::string_view word, std::string_view data);
    /// The last word; what comes from now on is not told any more, but for the end.
    /// `data` is an object, or empty.
    void finish(std::string_view how, std::string_view data = "");

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] bool is_paired() const noexcept { return theirs_.has_value(); }
    /// Whether another connection would be of use.
    [[nodiscard]] bool wants_connection() const noexcept {
        return state_ == State::apart && !they_ended_;
    }
    /// Whether the other side may say more: it has not said goodbye.
    [[nodiscard]] bool may_hear() const noexcept {
        return state_ != State::over && is_paired() && !they_ended_;
    }
    /// Whether the other side has heard everything, or never will.
    [[nodiscard]] bool is_delivered() const noexcept {
        return state_ == State::over || unheard_.empty();
    }
    /// The key of this run, for other streams between the nodes; nothing where others could hear
    /// it.
    [[nodiscard]] const std::optional<SharedKey>& key() const noexcept {
        return ours_.key || !theirs_ ? ours_.key : theirs_->key;
    }
    [[nodiscard]] const std::optional<ClockReading>& their_clock() const noexcept {
        return clock_.best();
    }
    /// When anything came from the other side last; nothing before its hello.
    [[nodiscard]] std::optional<Instant> heard_at() const noexcept {
        return theirs_ ? std::optional{last_heard_} : std::nullopt;
    }
    /// When tick() has to be called next; nothing when no deadline runs.
    [[nodiscard]] std::optional<Instant> deadline() const;

    /// What happened since the last call, in order; swapped with `spent`.
    void take_happenings(std::vector<Happening>& spent);
    /// Bytes to send since the last call. All that came since then is acknowledged in it.
    [[nodiscard]] std::string take_output();

private:
    struct Sent {
        std::uint64_t number = 0;
        std::string line;
    };
    /// An ask of ours, until it is answered: the other side remembers it that long.
    struct Asked {
        std::uint64_t number = 0;
        bool is_wanted = true;
    };
    /// One of theirs.
    struct OpenAsk {
        std::uint64_t number = 0;
        std::string word;
    };

    void read_line(std::string_view line, Instant now);
    void accept(Message&& message, Instant now);
    void accept_hello(Message&& message, Instant now);
    void accept_numbered(Message&& message);
    void accept_answer(Message&& message);
    void accept_bye(Message&& message);
    void learn(const Beat& beat, Instant now);
    void hear(std::uint64_t heard);

    [[nodiscard]] Result<void> may_speak() const;
    void send(std::string line);
    void put(std::string_view line);
    void beat(Instant now);
    [[nodiscard]] Beat beat_at(Instant now) const;

    void violate(std::string code, std::string what);
    void close(Why why, Error error);
    [[nodiscard]] Instant silent_at() const { return last_heard_ + limits_.silent_max; }
    void lose(Instant now);

    Side side_;
    Hello ours_;
    Limits limits_;
    LineTap tap_;
    State state_ = State::apart;
    std::optional<Hello> theirs_;
    json::Framer framer_;
    json::Parser parser_;

    std::uint64_t last_sent_ = 0;  ///< Number of our newest line.
    std::uint64_t heard_ = 0;      ///< Number of their newest line that came.
    std::deque<Sent> unheard_;     ///< Lines of ours that they may not have heard.
    std::vector<Asked> asks_;
    std::vector<OpenAsk> open_asks_;  ///< Oldest first.
    bool owes_heard_ = false;
    bool finished_ = false;
    bool they_ended_ = false;

    Instant opened_;
    Instant last_heard_;
    Instant next_beat_;
    std::optional<Instant> their_at_;  ///< The newest instant that they named,
    Instant their_came_;               ///< and when it came.
    ClockEstimate clock_;

    std::string output_;
    std::vector<Happening> happenings_;
};

}  // namespace ktm::peer
