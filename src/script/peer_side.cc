// SPDX-License-Identifier: Apache-2.0
// script/peer_side.cc: the other node of a run. The theory of operation is in the header.
#include "script/peer_side.hh"

#include <algorithm>
#include <lua.hpp>
#include <utility>

#include "base/text.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "script/convert.hh"

namespace ktm::script {

namespace {

constexpr std::size_t shown_bytes = 80;

/// Of an end that came before anything was said, because the two do not have one key.
bool is_about_key(const Error& error) {
    return error.code == ports::wrong_key_code || error.code == ports::no_tls_code;
}

std::shared_ptr<const json::Document> data_of(json::ObjectWriter&& fields) {
    Result<json::Document> document = json::parse(std::move(fields).finish());
    return std::make_shared<const json::Document>(std::move(*document));
}

peer::Session::Side side_of(const PeerPlace& place) {
    return place.connects ? peer::Session::Side::connects : peer::Session::Side::listens;
}

peer::Session::LineTap tap_of(monitor::Recorder* recorder) {
    if (recorder == nullptr) {
        return nullptr;
    }
    return [recorder](peer::Flow flow, std::string_view line) {
        switch (flow) {
            case peer::Flow::in:
                recorder->message(trace::peer_port, trace::Direction::in, line);
                break;
            case peer::Flow::out:
                recorder->message(trace::peer_port, trace::Direction::out, line);
                break;
            case peer::Flow::unreadable:
                recorder->text(trace::peer_port, trace::Direction::in, line);
                break;
        }
    };
}

}  // namespace

PeerSide::PeerSide(Run& run, const ports::World& world, monitor::Recorder* recorder,
                   PeerPlace place, peer::Hello ours, const PeerOptions& options)
    : run_(run),
      world_(world),
      recorder_(recorder),
      place_(std::move(place)),
      tool_(ours.tool),
      wait_(options.wait),
      key_(options.key),
      session_(side_of(place_), std::move(ours), options.limits, tap_of(recorder)) {}

PeerSide::~PeerSide() {
    *alive_ = false;
}

Result<void> PeerSide::start() {
    give_up_at_ = now() + wait_;
    if (place_.connects) {
        try_to_connect();
    } else {
        Result<std::unique_ptr<ports::Listener>> listener = world_.transport.listen(
            place_.endpoint(),
            [this](std::unique_ptr<ports::Stream> stream) { let_in(secured(std::move(stream))); });
        if (!listener) {
            return std::move(listener).error();
        }
        listener_ = std::move(*listener);
    }
    count_down();
    return {};
}

void PeerSide::begin() {
    begun_ = true;
    for (engine::Event& event : std::exchange(early_, {})) {
        run_.post(engine::Happened{std::move(event)});
    }
}

// --- Connections ------------------------------------------------------------------------------

std::unique_ptr<ports::Stream> PeerSide::secured(std::unique_ptr<ports::Stream> stream) {
    if (!key_) {
        return stream;
    }
    return world_.ciphers.secure(
        std::move(stream), *key_,
        place_.connects ? ports::Ciphers::End::connects : ports::Ciphers::End::listens);
}

void PeerSide::try_to_connect() {
    if (connecting_ != nullptr || !session_.wants_connection()) {
        return;
    }
    Result<std::unique_ptr<ports::Pending>> attempt = world_.transport.connect(
        place_.endpoint(),
        [this](Result<std::unique_ptr<ports::Stream>> stream) { on_connected(std::move(stream)); });
    if (!attempt) {
        last_fault_ = std::move(attempt).error();
        retry_later();
        return;
    }
    connecting_ = std::move(*attempt);
    attempt_timer_ = world_.clock.arm(peer_attempt_within, [this] {
        connecting_.reset();
        last_fault_ = Error{Kind::timeout, "no-connection",
                            "no answer within " + format_duration(peer_attempt_within),
                            "connect to " + place_.text(), nullptr};
        try_to_connect();
    });
}

void PeerSide::retry_later() {
    attempt_timer_ = world_.clock.arm(peer_retry_every, [this] { try_to_connect(); });
}

void PeerSide::on_connected(Result<std::unique_ptr<ports::Stream>> stream) {
    connecting_.reset();
    attempt_timer_.reset();
    if (!stream) {
        last_fault_ = std::move(stream).error();
        retry_later();
        return;
    }
    const Number number = ++last_number_;
    adopt(number, secured(std::move(*stream)));
    stream_->start(handlers_of(number));
    pump();
}

ports::Stream::Handlers PeerSide::handlers_of(Number number) {
    return {[this, number](std::string_view bytes) {
                if (number == current_) {
                    session_.receive(bytes, now());
                    pump();
                } else {
                    read_caller(number, bytes);
                }
            },
            [this, number](std::optional<Error> error) {
                if (number == current_) {
                    end_current(std::move(error));
                } else if (error && is_about_key(*error)) {
                    send_away(number, *error, false);
                } else {
                    callers_.erase(number);
                }
            }};
}

void PeerSide::end_current(std::optional<Error> error) {
    record(trace::Direction::eof, error ? error->sentence() : "closed by the other node");
    // Another attempt would end in the same way, and only a person can change that.
    if (error && is_about_key(*error) && !session_.is_paired()) {
        stream_.reset();
        current_ = 0;
        Error hopeless = *std::move(error);
        hopeless.during = "reach the other node at " + place_.text();
        run_.interrupt(std::move(hopeless));
        return;
    }
    session_.hang_up(std::move(error));
    pump();
}

/// Whoever it is: it is known only by its first line.
void PeerSide::let_in(std::unique_ptr<ports::Stream> stream) {
    if (callers_.size() == callers_max) {
        callers_.erase(callers_.begin());  // Whoever has waited longest has least to say.
    }
    const Number number = ++last_number_;
    Caller& caller = callers_[number];
    caller.stream = std::move(stream);
    caller.patience = world_.clock.arm(caller_within, [this, number] {
        send_away(number,
                  Error{Kind::timeout, "no-hello",
                        "no hello within " + format_duration(caller_within), "", nullptr},
                  false);
    });
    caller.stream->start(handlers_of(number));
}

void PeerSide::read_caller(Number number, std::string_view bytes) {
    const auto found = callers_.find(number);
    if (found == callers_.end()) {
        return;
    }
    peer::Visitor& visitor = found->second.visitor;
    visitor.receive(bytes);
    const std::optional<Result<peer::Message>> hello = visitor.hello();
    if (!hello) {
        return;
    }
    if (!*hello) {
        record(trace::Direction::note, excerpt(visitor.bytes(), shown_bytes));
        send_away(number, hello->error(), false);
        return;
    }
    const Result<void> judged = session_.judge(**hello);
    if (!judged && (judged.error().code == peer::stranger_code || session_.is_paired())) {
        send_away(number, judged.error(), true);
        return;
    }
    auto caller = callers_.extract(found);
    adopt(number, std::move(caller.mapped().stream));
    session_.receive(caller.mapped().visitor.bytes(), now());
    pump();
}

void PeerSide::send_away(Number number, const Error& error, bool tell) {
    auto caller = callers_.extract(number);
    const ports::Stream::Ends ends = caller.mapped().stream->ends();
    const std::string who = ends.other.empty() ? "somebody" : ends.other;
    if (tell) {
        caller.mapped().stream->write(peer::encode_refused(error.what));
    } else if (error.code == peer::tls_code) {
        caller.mapped().stream->write(std::string{ports::version_alert});
    }
    // Who tries again and again is told of once.
    const std::string refusal = who.substr(0, who.rfind(':')) + " was refused: " + error.what;
    if (refusal != last_refusal_) {
        say_aloud("warn", who + " was refused: " + error.what);
        last_refusal_ = refusal;
    }
    last_fault_ = error;
}

void PeerSide::adopt(Number number, std::unique_ptr<ports::Stream> stream) {
    stream_ = std::move(stream);
    current_ = number;
    ends_ = stream_->ends();
    if (ends_.other.empty() && place_.connects) {
        ends_.other = place_.address.text();
    }
    record(trace::Direction::open, place_.text());
    record_ends();
    session_.open(now());
}

// --- Time -------------------------------------------------------------------------------------

void PeerSide::count_down() {
    if (session_.is_paired() || is_over_) {
        return;
    }
    const Duration left = give_up_at_ - now();
    if (left <= Duration::zero()) {
        Error error{Kind::timeout, "no-peer",
                    "the other node did not come within " + format_duration(wait_),
                    (place_.connects ? "reach the other node at " : "wait for the other node on ") +
                        place_.text(),
                    nullptr};
        if (last_fault_) {
            error.cause = std::make_shared<const Error>(*last_fault_);
        }
        run_.interrupt(std::move(error));
        return;
    }
    run_.observer().on_waiting(
        (place_.connects ? "for the other node at " : "for the other node, on ") + place_.text(),
        left);
    waiting_timer_ = world_.clock.arm(std::min(left, waiting_told_every), [this] { count_down(); });
}

/// Each line that comes puts a deadline off; the timer stays where it is, and looks when it is due.
void PeerSide::rearm() {
    const std::optional<Instant> deadline = session_.deadline();
    if (!deadline) {
        timer_.reset();
        armed_.reset();
        return;
    }
    if (timer_ != nullptr && armed_ && *armed_ <= *deadline) {
        return;
    }
    armed_ = deadline;
    timer_ = world_.clock.arm(*deadline - now(), [this] {
        armed_.reset();
        session_.tick(now());
        pump();
    });
}

// --- What happens -----------------------------------------------------------------------------

void PeerSide::pump() {
    // Whoever speaks while something is told comes here again: the outer turn does the work.
    if (pumping_) {
        return;
    }
    const std::shared_ptr<bool> alive = alive_;
    pumping_ = true;
    std::vector<peer::Happening> happenings;
    do {
        session_.take_happenings(happenings);
        for (peer::Happening& happening : happenings) {
            tell(happening);
            if (!*alive) {
                return;
            }
        }
        flush();
    } while (!happenings.empty());
    pumping_ = false;
    rearm();
    if (is_over_) {
        run_.drain();  // LIFETIME: this may be gone behind it.
    }
}

void PeerSide::flush() {
    std::string output = session_.take_output();
    if (stream_ != nullptr && !output.empty()) {
        stream_->write(std::move(output));
    }
    if (session_.state() == peer::Session::State::over) {
        stream_.reset();
        current_ = 0;
        listener_.reset();
        callers_.clear();
        connecting_.reset();
        attempt_timer_.reset();
    }
}

void PeerSide::tell(peer::Happening& happening) {
    if (auto* said = std::get_if<peer::Said>(&happening)) {
        tell_said(*said);
    } else if (auto* answered = std::get_if<peer::Answered>(&happening)) {
        tell_answer(*answered);
    } else if (const auto* greeted = std::get_if<peer::Greeted>(&happening)) {
        tell_greeted(greeted->theirs);
    } else if (const auto* broken = std::get_if<peer::Broken>(&happening)) {
        tell_broken(broken->error);
    } else if (std::holds_alternative<peer::Resumed>(happening)) {
        say_aloud("info", "the other node is there again");
    } else if (const auto* warned = std::get_if<peer::Warned>(&happening)) {
        record(trace::Direction::note, warned->text);
    } else if (const auto* ended = std::get_if<peer::Ended>(&happening)) {
        keep_account(*ended);
        const bool done = ended->how == engine::name_of(engine::End::done);
        json::ObjectWriter fields;
        fields.text("how", ended->how);
        part({"peer:ended", "", data_of(std::move(fields))},
             Error{Kind::lost, "peer-ended", "the run at the other node is over: " + ended->how, "",
                   nullptr},
             !done);
    } else if (auto* lost = std::get_if<peer::Lost>(&happening)) {
        account_patience_.reset();
        json::ObjectWriter fields;
        fields.text("why", peer::name_of(lost->why)).text("text", lost->error.sentence());
        part({"peer:lost", "", data_of(std::move(fields))}, std::move(lost->error), true);
    }
}

void PeerSide::tell_greeted(const peer::Hello& theirs) {
    waiting_timer_.reset();
    last_fault_.reset();
    say_aloud("info", "the other node is there: role " + excerpt(theirs.role, shown_bytes) +
                          (ends_.other.empty() ? "" : ", at " + ends_.other));
    if (theirs.tool != tool_) {
        say_aloud("warn", "katamaran is " + tool_ + " here and " +
                              excerpt(theirs.tool, shown_bytes) + " at the other node");
    }
    run_.begin_when_ready();
}

void PeerSide::tell_said(peer::Said& said) {
    if (said.word == looks_word) {
        run_.hear_report(said.data.root());
        return;
    }
    engine::Event event{"peer:" + said.word, "",
                        std::make_shared<const json::Document>(std::move(said.data))};
    if (!plan::is_own_event(event.name)) {
        record(trace::Direction::note,
               "dropped a word that is none: " + excerpt(said.word, shown_bytes));
        return;
    }
    if (!begun_) {
        early_.push_back(std::move(event));
        return;
    }
    run_.post(engine::Happened{std::move(event)});
    run_.drain();
}

void PeerSide::tell_answer(peer::Answered& answered) {
    const auto ask = asks_.find(answered.ask);
    if (ask == asks_.end()) {
        return;
    }
    const Run::Token token = ask->second;
    asks_.erase(ask);
    run_.resume(token, [&answered](lua_State* thread) {
        lua_pushboolean(thread, 1);
        push_json(thread, answered.data.root());
        return 2;
    });
    run_.drain();
}

void PeerSide::tell_broken(const Error& error) {
    stream_.reset();
    current_ = 0;
    last_fault_ = error;
    if (session_.is_paired() && !is_over_) {
        say_aloud("warn", "the connection to the other node is gone: " + error.sentence());
    }
    if (place_.connects) {
        retry_later();
    }
}

/// One that this version cannot read is none.
void PeerSide::keep_account(const peer::Ended& ended) {
    account_patience_.reset();
    if (!ended.data) {
        return;
    }
    if (Result<net::Account> account = net::account_from_json(ended.data->root())) {
        their_account_ = std::move(*account);
    } else {
        record(trace::Direction::note, account.error().sentence());
    }
}

/// The other side is gone, by its will or not. The run may end here, but waits until it is told.
void PeerSide::part(engine::Event event, Error reason, bool is_trouble) {
    const Error of_asks{Kind::lost, "peer-lost", reason.what, "", nullptr};
    if (is_over_) {
        return;
    }
    if (!begun_) {
        run_.interrupt(std::move(reason));
        return;
    }
    if (is_trouble) {
        run_.post(engine::PeerGone{std::move(event), std::move(reason)});
    } else {
        run_.post(engine::Happened{std::move(event)});
    }
    run_.drain();
    fail_asks(of_asks);
}

void PeerSide::fail_asks(const Error& error) {
    for (const auto& [number, token] : std::exchange(asks_, {})) {
        run_.resume_with_error(token, Error{error}.while_trying("ask the other node"));
        run_.drain();
    }
}

void PeerSide::say_aloud(std::string_view level, const std::string& text) {
    run_.observer().on_words(level, text);
}

void PeerSide::record(trace::Direction direction, std::string_view text) {
    if (recorder_ != nullptr) {
        recorder_->text(trace::peer_port, direction, text);
    }
}

/// A plan may build upon them, and so may who plays the recording again.
void PeerSide::record_ends() {
    if (recorder_ != nullptr) {
        json::ObjectWriter ends;
        ends.text("own", ends_.own).text("other", ends_.other);
        recorder_->message(trace::peer_port, trace::Direction::note, std::move(ends).finish());
    }
}

// --- Words ------------------------------------------------------------------------------------

namespace {

/// That the other side is gone is no error of who speaks: the plan is told in another way.
Result<bool> told(Result<void> done) {
    if (!done && done.error().kind == Kind::lost) {
        return false;
    }
    return done ? Result<bool>{true} : Result<bool>{std::move(done).error()};
}

}  // namespace

Result<bool> PeerSide::say(std::string_view word, std::string_view data) {
    Result<bool> said = told(session_.say(word, data));
    pump();
    return said;
}

Result<bool> PeerSide::reply(std::string_view word, std::string_view data) {
    Result<bool> said = told(session_.reply(word, data));
    pump();
    return said;
}

Result<void> PeerSide::ask(std::string_view word, std::string_view data, Run::Token token) {
    // Nobody waits for an answer to one that was cancelled, or that took too long.
    for (auto ask = asks_.begin(); ask != asks_.end();) {
        if (run_.waits_for(ask->second)) {
            ++ask;
        } else {
            session_.forget(ask->first);
            ask = asks_.erase(ask);
        }
    }
    Result<std::uint64_t> number = session_.ask(word, data);
    if (!number) {
        Error error = std::move(number).error();
        error.code = error.kind == Kind::lost ? "peer-lost" : error.code;
        return error;
    }
    asks_[*number] = token;
    pump();
    return {};
}

void PeerSide::wind_up(engine::End end, std::string_view account, bool wants) {
    is_over_ = true;
    waiting_timer_.reset();
    session_.finish(engine::name_of(end), account);
    if (!session_.is_delivered()) {
        farewell_ = world_.clock.arm(farewell_within, [this] {
            gave_up_ = true;
            say_aloud("warn", "the other node may not know how this run has ended");
            run_.drain();  // LIFETIME: this may be gone behind it.
        });
    }
    if (wants && session_.may_hear()) {
        account_patience_ = world_.clock.arm(account_within, [this] {
            // LIFETIME: this function goes with its timer, and this may be gone behind the rest.
            Run& run = run_;
            account_patience_.reset();
            run.drain();
        });
    }
    pump();
}

}  // namespace ktm::script
