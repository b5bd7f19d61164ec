// SPDX-License-Identifier: Apache-2.0
// peer/session.cc: the conversation of two runs. The theory of operation is in the header.
#include "peer/session.hh"

#include <algorithm>
#include <utility>

#include "base/text.hh"

namespace ktm::peer {

namespace {

/// What is said stands some levels deep in its line.
constexpr json::Rules line_rules{json::depth_max + 2, json::Keys::first_counts};
constexpr std::size_t said_bytes_shown = 80;

/// Why somebody who knocks is not the one that we wait for.
Error stranger(std::string what) {
    return Error{Kind::refused, std::string{stranger_code}, std::move(what), "greet the other node",
                 nullptr};
}

Error gone(std::string_view code, std::string what) {
    return Error{Kind::lost, std::string{code}, std::move(what), "speak to the other node",
                 nullptr};
}

Error lost(std::string what, std::optional<Error> cause = std::nullopt) {
    Error error{Kind::lost, "peer-lost", std::move(what), "keep the other node", nullptr};
    if (cause) {
        error.cause = std::make_shared<const Error>(std::move(*cause));
    }
    return error;
}

/// A line as a recording may have it.
std::string without_key(std::string_view line, const SharedKey& key) {
    std::string shown{line};
    const std::string hex = key.hex();
    if (const std::size_t at = shown.find(hex); at != std::string::npos) {
        shown.replace(at, hex.size(), hex.size(), '0');
    }
    return shown;
}

}  // namespace

std::string_view name_of(Why why) noexcept {
    switch (why) {
        case Why::silent: return "silent";
        case Why::closed: return "closed";
        case Why::refused: return "refused";
    }
    return "unknown";
}

bool is_ending(std::string_view how) noexcept {
    return how == "done" || how == "aborted" || how == "stranded";
}

Session::Session(Side side, Hello ours, Limits limits, LineTap tap)
    : side_(side),
      ours_(std::move(ours)),
      limits_(limits),
      tap_(std::move(tap)),
      framer_(limits.line_bytes_max),
      parser_(line_rules) {}

// --- The connection ---------------------------------------------------------------------------

void Session::open(Instant now) {
    if (state_ == State::over) {
        return;
    }
    state_ = State::greeting;
    opened_ = now;
    framer_ = json::Framer{limits_.line_bytes_max};
    output_.clear();
    owes_heard_ = false;
    if (side_ == Side::connects) {
        put(encode_hello(ours_, theirs_ ? theirs_->run : "", beat_at(now)));
    }
}

void Session::receive(std::string_view bytes, Instant now) {
    if (state_ == State::apart || state_ == State::over) {
        return;
    }
    if (state_ == State::greeting && is_tls(bytes)) {
        close(Why::refused, Error{Kind::refused, std::string{tls_code},
                                  "the other node speaks TLS, and this run has no key; expected "
                                  "--peer-key here, with the key of the other node",
                                  "greet the other node", nullptr});
        return;
    }
    framer_.receive(bytes);
    while (state_ != State::over) {
        const std::optional<std::string_view> line = framer_.next();
        if (!line) {
            break;
        }
        read_line(*line, now);
    }
    if (state_ != State::over && framer_.overflowed()) {
        if (tap_) {
            tap_(Flow::unreadable, framer_.unfinished());
        }
        violate("line-too-long",
                "a line of more than " + std::to_string(limits_.line_bytes_max) + " bytes");
    }
}

void Session::read_line(std::string_view line, Instant now) {
    Result<Message> message = decode(parser_, line);
    if (tap_ && message && message->hello.key) {
        tap_(Flow::in, without_key(line, *message->hello.key));
    } else if (tap_) {
        tap_(message ? Flow::in : Flow::unreadable, line);
    }
    if (message) {
        accept(std::move(*message), now);
    } else {
        violate(message.error().code, message.error().what);
    }
}

/// What was under way on the connection is gone with it; what they have not heard is kept.
void Session::hang_up(std::optional<Error> error) {
    if (state_ == State::over || state_ == State::apart) {
        return;
    }
    output_.clear();
    owes_heard_ = false;
    if (they_ended_) {
        state_ = State::over;
        return;
    }
    state_ = State::apart;
    Error broken = lost(theirs_ ? "the other node has closed the connection"
                                : "the connection was closed before the other node's hello",
                        std::move(error));
    happenings_.emplace_back(Broken{std::move(broken)});
}

std::optional<Instant> Session::deadline() const {
    if (state_ == State::over || they_ended_) {
        return std::nullopt;
    }
    if (!theirs_) {
        return state_ == State::greeting ? std::optional{opened_ + limits_.hello_within}
                                         : std::nullopt;
    }
    return state_ == State::together ? std::min(next_beat_, silent_at()) : silent_at();
}

void Session::tick(Instant now) {
    const std::optional<Instant> due = deadline();
    if (!due || now < *due) {
        return;
    }
    if (!theirs_) {
        hang_up(Error{Kind::timeout, "no-hello",
                      "no hello within " + format_duration(limits_.hello_within), "", nullptr});
        return;
    }
    if (now - *due > limits_.beat_every) {
        last_heard_ = std::max(last_heard_, now - limits_.silent_max + limits_.beat_every);
    }
    if (now >= silent_at()) {
        lose(now);
    } else if (state_ == State::together && now >= next_beat_) {
        beat(now);
    }
}

void Session::lose(Instant now) {
    const bool is_apart = state_ == State::apart;
    close(is_apart ? Why::closed : Why::silent,
          lost((is_apart ? "the connection to the other node is gone, and it was not heard for "
                         : "the other node was not heard for ") +
               format_duration(std::chrono::round<std::chrono::milliseconds>(now - last_heard_))));
}

// --- What they say ----------------------------------------------------------------------------

Result<void> Session::judge(const Message& hello) const {
    const std::string who = "run " + excerpt(hello.hello.run, said_bytes_shown);
    if (state_ == State::over) {
        return stranger("this run does not talk to anybody any more");
    }
    if (theirs_ && theirs_->run != hello.hello.run) {
        return stranger("this run is paired with run " + excerpt(theirs_->run, said_bytes_shown) +
                        ", and not with " + who);
    }
    if (!hello.with.empty() && hello.with != ours_.run) {
        return stranger(who + " looks for run " + excerpt(hello.with, said_bytes_shown) +
                        ", and this is run " + ours_.run);
    }
    if (std::optional<Error> differs = mismatch(ours_, hello.hello)) {
        return std::move(*differs);
    }
    return {};
}

void Session::accept(Message&& message, Instant now) {
    if (message.form == Message::Form::refused) {
        close(Why::refused, Error{Kind::refused, "peer-refused",
                                  "it says: " + excerpt(message.name, said_bytes_shown * 4),
                                  "greet the other node", nullptr});
        return;
    }
    if (message.form == Message::Form::hello) {
        accept_hello(std::move(message), now);
        return;
    }
    if (state_ == State::greeting) {
        violate("no-hello", "what comes first is no hello");
        return;
    }
    last_heard_ = now;
    switch (message.form) {
        case Message::Form::beat:
            learn(message.beat, now);
            hear(message.beat.heard);
            break;
        case Message::Form::heard: hear(message.beat.heard); break;
        case Message::Form::word:
        case Message::Form::ask:
        case Message::Form::answer:
        case Message::Form::bye: accept_numbered(std::move(message)); break;
        case Message::Form::hello:
        case Message::Form::refused: break;
    }
}

void Session::accept_hello(Message&& message, Instant now) {
    if (state_ != State::greeting) {
        violate("second-hello", "a second hello on one connection");
        return;
    }
    Result<void> judged = judge(message);
    learn(message.beat, now);
    if (side_ == Side::listens) {
        // Also to one that does not fit: it is to see by itself what differs, and no more.
        Hello shown = ours_;
        if (!judged) {
            shown.key.reset();
        }
        put(encode_hello(shown, theirs_ ? theirs_->run : "", beat_at(now)));
    }
    if (!judged) {
        put(encode_refused(judged.error().what));
        close(Why::refused, std::move(judged).error());
        return;
    }
    state_ = State::together;
    last_heard_ = now;
    if (theirs_) {
        happenings_.emplace_back(Resumed{});
    } else {
        theirs_ = message.hello;
        happenings_.emplace_back(Greeted{std::move(message.hello)});
    }
    hear(message.beat.heard);
    for (const Sent& sent : unheard_) {
        put(sent.line);
    }
    if (side_ == Side::connects && state_ == State::together) {
        beat(now);  // They know the round trip as soon as we do.
    } else {
        next_beat_ = now + limits_.beat_every;
    }
}

void Session::learn(const Beat& beat, Instant now) {
    their_at_ = beat.at;
    their_came_ = now;
    if (beat.of && *beat.of <= now) {
        clock_.add({*beat.of, beat.came, beat.at, now});
    }
}

void Session::hear(std::uint64_t heard) {
    if (heard > last_sent_) {
        violate("protocol-violation", "it has heard number " + std::to_string(heard) +
                                          ", and only " + std::to_string(last_sent_) +
                                          " were sent");
        return;
    }
    while (!unheard_.empty() && unheard_.front().number <= heard) {
        unheard_.pop_front();
    }
}

void Session::accept_numbered(Message&& message) {
    owes_heard_ = true;
    if (message.number <= heard_) {
        return;
    }
    if (message.number != heard_ + 1) {
        violate("missing-word", "number " + std::to_string(message.number) + " follows upon " +
                                    std::to_string(heard_));
        return;
    }
    heard_ = message.number;
    if (message.form == Message::Form::bye) {
        accept_bye(std::move(message));
        return;
    }
    if (finished_ || they_ended_) {
        return;
    }
    if (message.form == Message::Form::answer) {
        accept_answer(std::move(message));
        return;
    }
    const bool asks = message.form == Message::Form::ask;
    if (asks && open_asks_.size() == limits_.asks_max) {
        violate("too-many-asks",
                "more than " + std::to_string(limits_.asks_max) + " asks wait for an answer");
        return;
    }
    if (asks) {
        open_asks_.push_back({message.number, message.name});
    }
    happenings_.emplace_back(Said{std::move(message.name), asks, std::move(*message.data)});
}

void Session::accept_answer(Message&& message) {
    const auto ask = std::find_if(asks_.begin(), asks_.end(), [&](const Asked& asked) {
        return asked.number == message.answers;
    });
    const bool is_wanted = ask != asks_.end() && ask->is_wanted;
    if (ask != asks_.end()) {
        asks_.erase(ask);
    }
    if (!is_wanted) {
        happenings_.emplace_back(Warned{"dropped an answer to number " +
                                        std::to_string(message.answers) +
                                        ", for which nobody waits"});
        return;
    }
    happenings_.emplace_back(Answered{message.answers, std::move(*message.data)});
}

void Session::accept_bye(Message&& message) {
    if (!is_ending(message.name)) {
        violate("protocol-violation",
                "a goodbye that says " + excerpt(message.name, said_bytes_shown));
        return;
    }
    if (they_ended_) {
        return;
    }
    they_ended_ = true;
    happenings_.emplace_back(Ended{std::move(message.name), std::move(message.data)});
}

// --- What we say ------------------------------------------------------------------------------

Result<void> Session::may_speak() const {
    if (they_ended_) {
        return gone("peer-ended", "the run at the other node is over");
    }
    if (state_ == State::over || finished_) {
        return gone("peer-lost", "the other node is lost");
    }
    if (unheard_.size() == limits_.unheard_max) {
        return Error{Kind::refused, "peer-busy",
                     std::to_string(limits_.unheard_max) + " words wait to be heard",
                     "speak to the other node", nullptr};
    }
    return {};
}

Result<void> Session::say(std::string_view word, std::string_view data) {
    KTM_CHECK(may_speak());
    send(encode_word(last_sent_ + 1, word, false, data));
    return {};
}

Result<std::uint64_t> Session::ask(std::string_view word, std::string_view data) {
    KTM_CHECK(may_speak());
    if (asks_.size() == limits_.asks_max) {
        return Error{Kind::refused, "peer-busy",
                     std::to_string(limits_.asks_max) + " asks wait for an answer",
                     "speak to the other node", nullptr};
    }
    send(encode_word(last_sent_ + 1, word, true, data));
    asks_.push_back({last_sent_, true});
    return last_sent_;
}

void Session::forget(std::uint64_t ask) {
    for (Asked& asked : asks_) {
        asked.is_wanted = asked.is_wanted && asked.number != ask;
    }
}

Result<void> Session::reply(std::string_view word, std::string_view data) {
    const auto ask = std::find_if(open_asks_.begin(), open_asks_.end(),
                                  [&](const OpenAsk& open) { return open.word == word; });
    if (ask == open_asks_.end()) {
        return Error{
            Kind::invalid, "no-ask",
            "the other node waits for no answer to '" + excerpt(word, said_bytes_shown) + "'",
            "reply to the other node", nullptr};
    }
    KTM_CHECK(may_speak());
    send(encode_answer(last_sent_ + 1, ask->number, data));
    open_asks_.erase(ask);
    return {};
}

void Session::finish(std::string_view how, std::string_view data) {
    if (state_ == State::over || finished_) {
        return;
    }
    if (theirs_) {
        send(encode_bye(last_sent_ + 1, how, data));
    } else {
        state_ = State::over;
    }
    finished_ = true;
    asks_.clear();
}

void Session::send(std::string line) {
    if (state_ == State::together) {
        put(line);
    }
    unheard_.push_back({++last_sent_, std::move(line)});
}

void Session::put(std::string_view line) {
    const std::string_view text = line.substr(0, line.size() - 1);
    if (tap_ && ours_.key) {
        tap_(Flow::out, without_key(text, *ours_.key));
    } else if (tap_) {
        tap_(Flow::out, text);
    }
    output_ += line;
}

Beat Session::beat_at(Instant now) const {
    return Beat{now, their_at_, their_came_, heard_};
}

void Session::beat(Instant now) {
    put(encode_beat(beat_at(now)));
    owes_heard_ = false;
    next_beat_ = now + limits_.beat_every;
}

// --- The end ----------------------------------------------------------------------------------

void Session::violate(std::string code, std::string what) {
    put(encode_refused(what));
    close(Why::refused, Error{Kind::protocol, std::move(code), std::move(what),
                              "understand the other node", nullptr});
}

void Session::close(Why why, Error error) {
    if (state_ == State::over) {
        return;
    }
    state_ = State::over;
    owes_heard_ = false;
    unheard_.clear();
    open_asks_.clear();
    if (!they_ended_) {
        happenings_.emplace_back(Lost{why, std::move(error)});
    }
}

void Session::take_happenings(std::vector<Happening>& spent) {
    spent.clear();
    std::swap(spent, happenings_);
}

std::string Session::take_output() {
    if (owes_heard_ && state_ == State::together) {
        put(encode_heard(heard_));
        owes_heard_ = false;
    }
    return std::exchange(output_, {});
}

}  // namespace ktm::peer
