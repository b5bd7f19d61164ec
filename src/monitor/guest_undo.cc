// SPDX-License-Identifier: Apache-2.0
// monitor/guest_undo.cc: what takes back a migration at one of its ends, as commands to its QEMU.
#include "monitor/guest_undo.hh"

#include <algorithm>
#include <array>
#include <utility>

namespace ktm::monitor {

namespace {

/// LIMIT: how long QEMU may take for one command.
constexpr Duration answer_within{std::chrono::seconds{2}};
constexpr Duration pause{std::chrono::milliseconds{20}};

/// LIMIT: looks at a copy that does not come to its end, a second in all. A program that QEMU
/// writes to and that does not read holds that up for ever; its guest can be let run all the same.
constexpr unsigned lingers_max = 50;

/// Where a copy is over, or was never begun. What a later QEMU calls its states is not known: one
/// that is none of these is cancelled.
constexpr std::array<std::string_view, 5> over{"", "none", "completed", "failed", "cancelled"};

bool is_over(std::string_view status) {
    return std::find(over.begin(), over.end(), status) != over.end();
}

}  // namespace

std::string_view name_of(GuestWish wish) noexcept {
    return wish == GuestWish::wake ? "wake" : wish == GuestWish::see ? "see" : "end";
}

GuestWish wish_named(std::string_view name) noexcept {
    return name == name_of(GuestWish::wake)  ? GuestWish::wake
           : name == name_of(GuestWish::see) ? GuestWish::see
                                             : GuestWish::end;
}

GuestUndo::GuestUndo(ports::Clock& clock, Client& client, GuestWish wish, Done done)
    : clock_(clock), client_(client), wish_(wish), done_(std::move(done)) {}

void GuestUndo::start() {
    if (wish_ == GuestWish::wake) {
        look_at_copy();
    } else if (wish_ == GuestWish::see) {
        look_at_guest();
    } else {
        ask("quit", &GuestUndo::on_end);
    }
}

/// A refusal or a missing answer is an obstacle, and all is tried again; any other error ends it.
void GuestUndo::ask(std::string_view command, Next next) {
    const auto answered = [this, next,
                           alive = std::weak_ptr<bool>{alive_}](Result<qmp::Reply> reply) {
        if (alive.expired()) {
            return;
        }
        if (reply) {
            (this->*next)(reply->result());
        } else if (wish_ != GuestWish::end &&
                   (reply.error().kind == Kind::refused || reply.error().kind == Kind::timeout)) {
            obstacle_ = reply.error().sentence();
            again(&GuestUndo::start);
        } else if (reply.error().kind == Kind::lost && wish_ == GuestWish::end) {
            finish(true);  // It was faster than its answer.
        } else {
            finish(std::move(reply).error());
        }
    };
    if (Result<qmp::CommandId> sent = client_.run(command, "", answer_within, answered); !sent) {
        pause_ = clock_.arm(Duration::zero(), [this, error = std::move(sent).error()]() mutable {
            finish(std::move(error));
        });
    }
}

void GuestUndo::again(void (GuestUndo::*what)()) {
    pause_ = clock_.arm(pause, [this, what] { (this->*what)(); });
}

void GuestUndo::look_at_copy() {
    ask("query-migrate", &GuestUndo::on_copy);
}

void GuestUndo::on_copy(const json::View& result) {
    const std::string_view status = result.find_string("status").value_or("");
    const bool lingers = status == "cancelling" && ++lingered_ > lingers_max;
    if (is_over(status) || lingers) {
        look_at_guest();
    } else if (status == "cancelling") {
        again(&GuestUndo::look_at_copy);
    } else {
        ask("migrate_cancel", &GuestUndo::on_cancelled);
    }
}

void GuestUndo::on_cancelled(const json::View&) {
    changed_ = true;
    again(&GuestUndo::look_at_copy);
}

void GuestUndo::look_at_guest() {
    ask("query-status", &GuestUndo::on_guest);
}

void GuestUndo::on_guest(const json::View& result) {
    const std::optional<json::View> running = result.find("running");
    if (running && running->as_bool().value_or(false)) {
        finish(changed_);
    } else if (wish_ == GuestWish::see) {
        finish(Error{Kind::refused, "stands",
                     "it stands, QEMU says " +
                         std::string{result.find_string("status").value_or("nothing more")},
                     "", nullptr});
    } else {
        ask("cont", &GuestUndo::on_end);
    }
}

void GuestUndo::on_end(const json::View&) {
    finish(true);
}

void GuestUndo::finish(Result<bool> result) {
    pause_.reset();
    // LIFETIME: last, for the caller may destroy us.
    Done done = std::move(done_);
    done(std::move(result));
}

}  // namespace ktm::monitor
