// SPDX-License-Identifier: Apache-2.0
// monitor/guest_visit.cc: an undo at a guest, by somebody who is not connected to its QEMU yet.
#include "monitor/guest_visit.hh"

#include <utility>

namespace ktm::monitor {

namespace {

/// Nobody listens there: the QEMU has ended, and its guest with it.
bool is_gone(const Error& error) {
    return error.code == "ENOENT" || error.code == "ECONNREFUSED";
}

}  // namespace

GuestVisit::GuestVisit(ports::Clock& clock, ports::Transport& transport, std::string socket,
                       GuestTask task, Duration within, Done done)
    : clock_(clock),
      socket_(std::move(socket)),
      wish_(task.wish),
      within_(within),
      done_(std::move(done)),
      client_(clock, transport, nullptr, ""),
      undo_(clock, client_, std::move(task),
            [this](Result<bool> changed) { finish(std::move(changed)); }) {}

void GuestVisit::start() {
    patience_ = clock_.arm(within_, [this] { lose_patience(); });
    client_.connect(Endpoint{UnixEndpoint{socket_}},
                    {[this](const qmp::Greeting&) { undo_.start(); }, [](const qmp::Event&) {},
                     [this](const std::optional<Error>& error) { on_closed(error); }});
}

/// What it lost while it was asked is told by the answer; this is for what never began.
void GuestVisit::on_closed(const std::optional<Error>& error) {
    if (client_.greeting() || !error) {
        return;
    }
    if (is_gone(*error) && wish_ == GuestWish::see) {
        finish(Error{Kind::lost, "qemu-gone", "its QEMU is gone", "", nullptr});
    } else if (is_gone(*error)) {
        finish(false);
    } else {
        finish(Error{*error});
    }
}

void GuestVisit::lose_patience() {
    const std::string& obstacle = undo_.obstacle();
    finish(Error{Kind::timeout, "no-answer",
                 obstacle.empty() ? "QEMU did not answer in time" : obstacle,
                 (wish_ == GuestWish::see ? "look at" : "undo what was done to") +
                     (" the guest of " + socket_),
                 nullptr});
}

void GuestVisit::finish(Result<bool> result) {
    if (!done_) {
        return;
    }
    patience_.reset();
    // LIFETIME: last, for the caller may destroy us.
    Done done = std::move(done_);
    done(std::move(result));
}

}  // namespace ktm::monitor
