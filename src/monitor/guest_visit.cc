// SPDX-License-Identifier: Apache-2.0
// monitor/guest_visit.cc: an undo at a guest, by somebody who is not connected to its QEMU yet.
#include "monitor/guest_visit.hh"

#include <utility>

namespace ktm::monitor {

namespace {

/// Between two connections.
constexpr Duration pause_between{std::chrono::milliseconds{20}};

/// Nobody listens there: the QEMU has ended, and its guest with it.
bool is_gone(const Error& error) {
    return error.code == "ENOENT" || error.code == "ECONNREFUSED";
}

}  // namespace

GuestVisit::Attempt::Attempt(GuestVisit& visit, ports::Transport& transport)
    : client(visit.clock_, transport, nullptr, ""),
      undo(visit.clock_, client, visit.task_,
           [&visit](Result<bool> changed) { visit.on_ended(std::move(changed)); }) {}

GuestVisit::GuestVisit(ports::Clock& clock, ports::Transport& transport, std::string socket,
                       GuestTask task, Duration within, Done done)
    : clock_(clock),
      transport_(transport),
      socket_(std::move(socket)),
      task_(std::move(task)),
      within_(within),
      done_(std::move(done)) {}

void GuestVisit::start() {
    patience_ = clock_.arm(within_, [this] { lose_patience(); });
    begin();
}

void GuestVisit::begin() {
    attempt_ = std::make_unique<Attempt>(*this, transport_);
    attempt_->client.connect(
        Endpoint{UnixEndpoint{socket_}},
        {[this](const qmp::Greeting&) { attempt_->undo.start(); }, [](const qmp::Event&) {},
         [this](const std::optional<Error>& error) { on_closed(error); }});
}

/// What it lost while it was asked is told by the answer; this is for what never began.
void GuestVisit::on_closed(const std::optional<Error>& error) {
    if (attempt_->client.greeting() || !error) {
        return;
    }
    if (is_gone(*error) && task_.wish == GuestWish::see) {
        finish(Error{Kind::lost, "qemu-gone", "its QEMU is gone", "", nullptr});
    } else if (is_gone(*error) && lost_ && task_.wish == GuestWish::wake) {
        finish(Error{*lost_});  // It ended in the midst of it.
    } else if (is_gone(*error)) {
        finish(lost_.has_value());
    } else {
        on_ended(Error{*error});
    }
}

/// Only another connection shows whether a QEMU that was lost has ended.
void GuestVisit::on_ended(Result<bool> changed) {
    if (!done_ || changed || changed.error().kind != Kind::lost) {
        finish(std::move(changed));
        return;
    }
    lost_ = changed.error();
    note_obstacle(changed.error().sentence());
    // LIFETIME: later, for the attempt that is over calls us.
    pause_ = clock_.arm(pause_between, [this] { begin(); });
}

/// What QEMU refused last, or else why the first attempt ended.
void GuestVisit::note_obstacle(const std::string& otherwise) {
    const std::string& obstacle = attempt_->undo.obstacle();
    obstacle_ = !obstacle.empty() ? obstacle : obstacle_.empty() ? otherwise : obstacle_;
}

void GuestVisit::lose_patience() {
    note_obstacle("QEMU did not answer in time");
    attempt_.reset();
    finish(Error{Kind::timeout, "no-answer", obstacle_,
                 (task_.wish == GuestWish::see ? "look at" : "undo what was done to") +
                     (" the guest of " + socket_),
                 nullptr});
}

void GuestVisit::finish(Result<bool> result) {
    if (!done_) {
        return;
    }
    patience_.reset();
    pause_.reset();
    // LIFETIME: last, for the caller may destroy us.
    Done done = std::move(done_);
    done(std::move(result));
}

}  // namespace ktm::monitor
