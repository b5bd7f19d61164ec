// SPDX-License-Identifier: Apache-2.0
// sim/recalled_peer.cc: the katamaran at the other node, as it was when a run was recorded.
#include "sim/recalled_peer.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "json/writer.hh"
#include "sim/virtual_transport.hh"

namespace ktm::sim {

/// Our run's way to it. LIFETIME: the callback may destroy the attempt, and itself with it.
struct RecalledPeer::Attempt final : ports::Pending {
    Attempt(RecalledPeer& peer, ports::Transport::Connected done)
        : connected(std::move(done)), timer(peer.clock_.arm({}, [&peer, this] {
              ports::Transport::Connected tell = std::move(connected);
              tell(peer.meet(Side::listens));
          })) {}

    ports::Transport::Connected connected;
    std::unique_ptr<ports::Timer> timer;
};

/// Where our run listens.
class RecalledPeer::Door final : public ports::Listener {
public:
    explicit Door(RecalledPeer& peer) : peer_(peer) {}
    ~Door() override {
        peer_.accepted_ = nullptr;
        peer_.knock_.reset();
    }

private:
    RecalledPeer& peer_;
};

RecalledPeer::RecalledPeer(VirtualClock& clock, RecalledTalk talk, const std::string& plan,
                           const std::string& digest, OnUnknown on_unknown)
    : clock_(clock), talk_(std::move(talk)), on_unknown_(std::move(on_unknown)) {
    if (talk_.hello()) {
        hello_ = *talk_.hello();
    }
    if (talk_.is_one_plan()) {
        hello_.plan = plan;
        hello_.digest = digest;
    }
}

bool RecalledPeer::is_there() const {
    return !is_away_ && (talk_.hello() || talk_.refusal());
}

Result<std::unique_ptr<ports::Pending>> RecalledPeer::connect(
    const Endpoint& endpoint, ports::Transport::Connected connected) {
    if (!is_there()) {
        return system_error(ECONNREFUSED, "connect to " + endpoint.text());
    }
    return std::unique_ptr<ports::Pending>{std::make_unique<Attempt>(*this, std::move(connected))};
}

std::unique_ptr<ports::Listener> RecalledPeer::listen(ports::Transport::Accepted accepted) {
    accepted_ = std::move(accepted);
    knock();
    return std::make_unique<Door>(*this);
}

/// It connects to our run, which listens.
void RecalledPeer::knock() {
    if (is_there() && accepted_) {
        knock_ = clock_.arm({}, [this] { accepted_(meet(Side::connects)); });
    }
}

/// A connection of the two; ours of it is kept, and theirs is returned. It is `side` of it.
std::unique_ptr<ports::Stream> RecalledPeer::meet(Side side) {
    auto [theirs, ours] = make_connection(clock_, talk_.ends());
    stream_ = std::move(ours);
    stream_->start({[this](std::string_view bytes) { receive(bytes); },
                    [this](std::optional<Error> error) {
                        stream_.reset();
                        session_->hang_up(std::move(error));
                        pump();
                    }});
    if (!session_) {
        session_.emplace(side, hello_, peer::Limits{});
    }
    session_->open(clock_.now());
    pump();
    return std::move(theirs);
}

void RecalledPeer::receive(std::string_view bytes) {
    if (!talk_.hello()) {
        stream_->write(peer::encode_refused(talk_.refusal().value_or("")));
        return;
    }
    session_->receive(bytes, clock_.now());
    pump();
}

// --- What happens -------------------------------------------------------------------------------

void RecalledPeer::pump() {
    std::vector<peer::Happening> happenings;
    session_->take_happenings(happenings);
    for (peer::Happening& happening : happenings) {
        hear(happening);
    }
    flush();
    rearm();
}

void RecalledPeer::flush() {
    std::string output = session_->take_output();
    if (stream_ != nullptr && !is_silent_ && !output.empty()) {
        stream_->write(std::move(output));
    }
    if (session_->state() == peer::Session::State::over) {
        stream_.reset();
    }
}

void RecalledPeer::rearm() {
    timer_.reset();
    if (is_silent_) {
        return;
    }
    std::optional<Instant> due = session_->deadline();
    if (const std::optional<Instant> step = talk_.next_due(); step && (!due || *step < *due)) {
        due = step;
    }
    if (due) {
        timer_ = clock_.arm(std::max(*due - clock_.now(), Duration::zero()), [this] { act(); });
    }
}

void RecalledPeer::act() {
    const Instant now = clock_.now();
    session_->tick(now);
    for (auto due = talk_.next_due(); due && *due <= now && !is_silent_; due = talk_.next_due()) {
        carry_out(talk_.take_next(now));
    }
    pump();
}

void RecalledPeer::hear(peer::Happening& happening) {
    const Instant now = clock_.now();
    const json::Document nothing;
    Result<void> heard;
    if (std::holds_alternative<peer::Greeted>(happening)) {
        talk_.begin(now);
    } else if (const auto* said = std::get_if<peer::Said>(&happening)) {
        heard =
            talk_.hear(said->asked ? Form::ask : Form::word, said->word, said->data.root(), now);
    } else if (const auto* answered = std::get_if<peer::Answered>(&happening)) {
        heard = talk_.hear(Form::answer, asks_[answered->ask], answered->data.root(), now);
    } else if (const auto* ended = std::get_if<peer::Ended>(&happening)) {
        heard = talk_.hear(Form::bye, ended->how, nothing.root(), now);
    }
    if (!heard) {
        on_unknown_(std::move(heard).error());
    }
}

void RecalledPeer::carry_out(const RecalledTalk::Step& step) {
    switch (step.deed) {
        case RecalledTalk::Deed::said: say(step); break;
        case RecalledTalk::Deed::broke:
            is_away_ = true;
            stream_.reset();
            session_->hang_up(std::nullopt);
            break;
        case RecalledTalk::Deed::returned:
            is_away_ = false;
            knock();
            break;
        case RecalledTalk::Deed::fell_silent:
            flush();
            is_silent_ = true;
            break;
        case RecalledTalk::Deed::heard: break;
    }
}

/// What cannot be said, because our run is over, has nobody to hear it.
void RecalledPeer::say(const RecalledTalk::Step& step) {
    const std::string data = json::compact(step.data.root());
    if (step.form == Form::word) {
        (void)session_->say(step.name, data);
    } else if (step.form == Form::answer) {
        (void)session_->reply(step.name, data);
    } else if (step.form == Form::bye) {
        session_->finish(step.name, step.data.root().is_object() ? data : "");
    } else if (const Result<std::uint64_t> number = session_->ask(step.name, data)) {
        asks_[*number] = step.name;
    }
}

}  // namespace ktm::sim
