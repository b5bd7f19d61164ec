// SPDX-License-Identifier: Apache-2.0
// sim/recalled_peer.hh: the katamaran at the other node, as it was when a run was recorded.
//
// Theory of operation. The conversation itself is a session (peer/session.hh), as at a real other
// node: it greets, numbers, acknowledges, and gives signs of life. What it says, and when, is told
// by a RecalledTalk, which hears of everything that our plan says. Where the recording cannot tell
// how it goes on, the owner is told.
//
// Where the recorded run met nobody, nobody is met: who connects is refused, who listens waits.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "peer/session.hh"
#include "ports/transport.hh"
#include "sim/recalled_talk.hh"
#include "sim/virtual_clock.hh"

namespace ktm::sim {

/// LIFETIME: outlives the connections that it made.
class RecalledPeer {
public:
    using OnUnknown = UniqueFunction<void(Error)>;

    /// `plan` and `digest` are those of our run: where both had one plan, they have it still.
    RecalledPeer(VirtualClock& clock, RecalledTalk talk, const std::string& plan,
                 const std::string& digest, OnUnknown on_unknown);

    /// Our run connects to it.
    [[nodiscard]] Result<std::unique_ptr<ports::Pending>> connect(
        const Endpoint& endpoint, ports::Transport::Connected connected);
    /// Our run waits for it.
    [[nodiscard]] std::unique_ptr<ports::Listener> listen(ports::Transport::Accepted accepted);

    /// The first thing that it did not say or hear again, for people; nothing at the end.
    [[nodiscard]] std::optional<std::string> untold() const { return talk_.untold(); }

private:
    using Form = RecalledTalk::Form;
    using Side = peer::Session::Side;
    struct Attempt;
    class Door;

    [[nodiscard]] bool is_there() const;
    [[nodiscard]] std::unique_ptr<ports::Stream> meet(Side side);
    void knock();
    void receive(std::string_view bytes);
    void hear(peer::Happening& happening);
    void say(const RecalledTalk::Step& step);
    void carry_out(const RecalledTalk::Step& step);
    void pump();
    void flush();
    void rearm();
    void act();

    VirtualClock& clock_;
    RecalledTalk talk_;
    peer::Hello hello_;
    OnUnknown on_unknown_;
    std::optional<peer::Session> session_;
    std::map<std::uint64_t, std::string> asks_;  ///< By its number: the word that was asked.
    std::unique_ptr<ports::Stream> stream_;
    ports::Transport::Accepted accepted_;  ///< Of our run, as long as it listens.
    std::unique_ptr<ports::Timer> knock_;
    std::unique_ptr<ports::Timer> timer_;
    bool is_away_ = false;  ///< Its connection broke, and is not back yet.
    bool is_silent_ = false;
};

}  // namespace ktm::sim
