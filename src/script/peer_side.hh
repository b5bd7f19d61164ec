// SPDX-License-Identifier: Apache-2.0
// script/peer_side.hh: the other node of a run: its session, driven over ports.
//
// Theory of operation. Purpose: to bring the session (peer/session.hh) and connections together,
// and to make events and answers of what it tells.
//
//     waiting ──Greeted──> paired ──Ended──> alone
//        │                    └──Lost───────> alone
//        └──Lost, or nobody within `wait`: the run ends before it has begun
//
// The side that connects tries again every retry_every as long as the session wants a connection.
// The side that listens lets a few callers in at a time, the newest ones, reads their first line,
// and hands one who fits to the session, in the place of a connection that it had; others are
// refused, and told why. One whose plan, role or vars do not fit ends the run at both sides, as
// long as they wait.
//
// With a key all of it is under TLS, the first line included. Who shows no key, or another one, is
// refused like any stranger; the side that connects and does not have the other's key ends its run
// at once, as long as it waits: only a person can give it the right one.
//
// What the other side says before the run has begun waits for begin(). At the end of a run the
// goodbye and what was not heard yet are delivered, bounded by farewell_within.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "peer/session.hh"
#include "peer/visitor.hh"
#include "script/run.hh"

namespace ktm::script {

/// LIMIT: how often a connection is tried for, and how long one may take.
inline constexpr Duration peer_retry_every{std::chrono::milliseconds{250}};
inline constexpr Duration peer_attempt_within{std::chrono::seconds{3}};
/// LIMIT: how long the end of a run waits until the other node has heard of it.
inline constexpr Duration farewell_within{std::chrono::seconds{2}};
/// LIMIT: the same until it has said what it counted, which it does when it is over itself.
inline constexpr Duration account_within{std::chrono::seconds{10}};
/// LIMIT: connections whose first line has not come yet, and how long it may take. Beyond it the
/// oldest is closed, so that strangers who say nothing keep nobody out.
inline constexpr std::size_t callers_max = 8;
inline constexpr Duration caller_within{std::chrono::seconds{5}};
/// What a run says to the other one before both begin: what it has found, and is to be the same.
inline constexpr std::string_view looks_word = "looks";
/// How often it is said that the other node is waited for.
inline constexpr Duration waiting_told_every{std::chrono::seconds{1}};

class PeerSide {
public:
    /// LIFETIME: run, world and recorder outlive it; the run owns it.
    PeerSide(Run& run, const ports::World& world, monitor::Recorder* recorder, PeerPlace place,
             peer::Hello ours, const PeerOptions& options);
    ~PeerSide();
    PeerSide(const PeerSide&) = delete;
    PeerSide& operator=(const PeerSide&) = delete;

    /// Begins to wait for the other node. An error: it cannot be listened there.
    [[nodiscard]] Result<void> start();
    [[nodiscard]] bool is_greeted() const noexcept { return session_.is_paired(); }
    /// The run has begun: what was said so far is told, and all that follows at once.
    void begin();

    /// False when the other side is gone.
    [[nodiscard]] Result<bool> say(std::string_view word, std::string_view data);
    [[nodiscard]] Result<bool> reply(std::string_view word, std::string_view data);
    /// The answer resumes the body that has this token.
    [[nodiscard]] Result<void> ask(std::string_view word, std::string_view data, Run::Token token);

    [[nodiscard]] const ports::Stream::Ends& ends() const noexcept { return ends_; }
    /// Since anything was heard of the other node; nothing before its hello.
    [[nodiscard]] std::optional<Duration> silence() const {
        const std::optional<Instant> heard = session_.heard_at();
        return heard ? std::optional{now() - *heard} : std::nullopt;
    }
    /// As peer::Session::key.
    [[nodiscard]] const std::optional<SharedKey>& key() const noexcept { return session_.key(); }
    [[nodiscard]] const std::optional<peer::ClockReading>& their_clock() const noexcept {
        return session_.their_clock();
    }

    /// The run is over: the other side is told how, and what was counted, as JSON. `wants`: its own
    /// account is waited for.
    void wind_up(engine::End end, std::string_view account, bool wants);
    /// What it has counted; nothing as long as it has not said so.
    [[nodiscard]] const std::optional<net::Account>& their_account() const noexcept {
        return their_account_;
    }
    /// Whether the end of the run has to wait.
    [[nodiscard]] bool is_busy() const noexcept {
        return is_over_ && (pumping_ || (!session_.is_delivered() && !gave_up_) ||
                            account_patience_ != nullptr);
    }

private:
    /// A connection whose first line has not come yet.
    struct Caller {
        std::unique_ptr<ports::Stream> stream;
        peer::Visitor visitor;
        std::unique_ptr<ports::Timer> patience;
    };
    using Number = std::uint64_t;

    [[nodiscard]] Instant now() const { return Instant{run_.elapsed()}; }

    // Connections.
    /// Under TLS, if there is a key.
    [[nodiscard]] std::unique_ptr<ports::Stream> secured(std::unique_ptr<ports::Stream> stream);
    void try_to_connect();
    void retry_later();
    void on_connected(Result<std::unique_ptr<ports::Stream>> stream);
    void let_in(std::unique_ptr<ports::Stream> stream);
    void read_caller(Number number, std::string_view bytes);
    void send_away(Number number, const Error& error, bool tell);
    void adopt(Number number, std::unique_ptr<ports::Stream> stream);
    [[nodiscard]] ports::Stream::Handlers handlers_of(Number number);
    void end_current(std::optional<Error> error);

    // Time.
    void count_down();
    void rearm();

    // What happens.
    void pump();
    void flush();
    void tell(peer::Happening& happening);
    void tell_greeted(const peer::Hello& theirs);
    void tell_said(peer::Said& said);
    void tell_answer(peer::Answered& answered);
    void tell_broken(const Error& error);
    void keep_account(const peer::Ended& ended);
    void part(engine::Event event, Error reason, bool is_trouble);
    void fail_asks(const Error& error);
    void say_aloud(std::string_view level, const std::string& text);
    void record(trace::Direction direction, std::string_view text);
    void record_ends();

    Run& run_;
    const ports::World& world_;
    monitor::Recorder* recorder_;
    PeerPlace place_;
    std::string tool_;
    Duration wait_;
    std::optional<SharedKey> key_;
    peer::Session session_;

    std::unique_ptr<ports::Listener> listener_;
    std::unique_ptr<ports::Pending> connecting_;
    std::unique_ptr<ports::Timer> attempt_timer_;  ///< Of the attempt, or of the next one.
    std::map<Number, Caller> callers_;
    Number last_number_ = 0;
    Number current_ = 0;  ///< Of the connection that the session has.
    std::unique_ptr<ports::Stream> stream_;
    ports::Stream::Ends ends_;

    Instant give_up_at_;
    std::optional<Error> last_fault_;  ///< Why there is no connection yet.
    std::string last_refusal_;         ///< As it was told, but for the port.
    std::unique_ptr<ports::Timer> waiting_timer_;
    std::unique_ptr<ports::Timer> timer_;
    std::optional<Instant> armed_;

    std::map<std::uint64_t, Run::Token> asks_;
    std::vector<engine::Event> early_;
    bool begun_ = false;
    bool is_over_ = false;
    bool gave_up_ = false;
    std::unique_ptr<ports::Timer> farewell_;
    std::optional<net::Account> their_account_;
    std::unique_ptr<ports::Timer> account_patience_;  ///< As long as that is waited for.
    bool pumping_ = false;
    /// LIFETIME: false once this is destroyed; pump() holds a share while others run.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ktm::script
