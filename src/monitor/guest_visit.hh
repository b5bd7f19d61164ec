// SPDX-License-Identifier: Apache-2.0
// monitor/guest_visit.hh: an undo at a guest, by somebody who is not connected to its QEMU yet.
#pragma once

#include <memory>
#include <optional>
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
    /// One connection, and what is done there.
    struct Attempt {
        Attempt(GuestVisit& visit, ports::Transport& transport);
        Client client;
        GuestUndo undo;
    };

    void begin();
    void on_closed(const std::optional<Error>& error);
    void on_ended(Result<bool> changed);
    void note_obstacle(const std::string& otherwise);
    void lose_patience();
    void finish(Result<bool> result);

    ports::Clock& clock_;
    ports::Transport& transport_;
    std::string socket_;
    GuestTask task_;
    Duration within_;
    Done done_;
    std::optional<Error> lost_;  ///< Then a QEMU that is gone has ended since we came.
    std::string obstacle_;
    std::unique_ptr<Attempt> attempt_;
    std::unique_ptr<ports::Timer> patience_;
    std::unique_ptr<ports::Timer> pause_;
};

}  // namespace ktm::monitor
