// SPDX-License-Identifier: Apache-2.0
// monitor/guest_visit.hh: an undo at a guest, by somebody who is not connected to its QEMU yet.
#pragma once

#include <memory>
#include <string>

#include "monitor/guest_undo.hh"
#include "ports/clock.hh"
#include "ports/transport.hh"

namespace ktm::monitor {

/// Connects, does what is wished, and is gone. Where no QEMU is any more, nothing is to be done;
/// for who only wants to see the guest run that is an error. LIFETIME: the ports outlive it.
/// Destroying it ends it without a word.
class GuestVisit {
public:
    using Done = GuestUndo::Done;

    /// `done` is called once, never from inside of start(), at the latest after `within`.
    GuestVisit(ports::Clock& clock, ports::Transport& transport, std::string socket, GuestTask task,
               Duration within, Done done);
    GuestVisit(const GuestVisit&) = delete;
    GuestVisit& operator=(const GuestVisit&) = delete;
    ~GuestVisit() = default;

    void start();

private:
    void on_closed(const std::optional<Error>& error);
    void lose_patience();
    void finish(Result<bool> result);

    ports::Clock& clock_;
    std::string socket_;
    GuestWish wish_;
    Duration within_;
    Done done_;
    Client client_;
    GuestUndo undo_;
    std::unique_ptr<ports::Timer> patience_;
};

}  // namespace ktm::monitor
