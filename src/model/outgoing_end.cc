// SPDX-License-Identifier: Apache-2.0
// model/outgoing_end.cc: the switchover, postcopy, and every way to fail.
#include <algorithm>
#include <utility>

#include "model/outgoing.hh"

namespace ktm::model {

namespace {

using Capability = MigrationSettings::Capability;

constexpr int aborted = 134;
/// What Linux lets a TCP socket hold that waits for the network, which it finds from the network's
/// speed: 1.5 MB were measured at 50 and at 200 Mbit/s, 3 MB at 1 Gbit/s, 3.8 MB at 5 Gbit/s, where
/// the kernel's default of 4 MiB (tcp_wmem) ends it.
constexpr double socket_seconds = 0.025;
constexpr double socket_least = 1.5e6;
constexpr double socket_most = 4.0 * 1024 * 1024;

}  // namespace

void Outgoing::stop_machine() {
    stopped_by_us_ = machine_.runs();
    state_before_ = machine_.state();
    down_ = process_.now();
    step_ = Step::stopping;
    use_wire();
    machine_.stop(RunState::finish_migrate);
    bytes_before_stop_ = ram_->view(process_.now()).transferred_bytes;
    if (blocks_.has_jobs()) {
        then(Step::stopping, blocks_.drain_time(), [this] {
            blocks_.say_drained();
            machine_stopped();
        });
    } else {
        machine_stopped();
    }
}

void Outgoing::machine_stopped() {
    if (has(Capability::pause_before_switchover)) {
        then(Step::stopping, process_.timings().pause, [this] {
            step_ = Step::held;
            say(Status::pre_switchover);
        });
        return;
    }
    const Duration delay = process_.timings().thread;
    if (rest_is_postcopy_) {
        then(Step::stopping, delay, [this] { send_devices_first(); });
    } else {
        then(Step::stopping, delay, [this] { finish(); });
    }
}

Reply Outgoing::migrate_continue(const json::View& arguments) {
    const std::string state{text_of(arguments, "state")};
    if (state != "pre-switchover" && state != "device" && state != "none" && state != "active" &&
        state != "completed") {
        return refused("Parameter 'state' does not accept value '" + state + "'");
    }
    if (state != name_of(status_) || step_ != Step::held) {
        return refused("Migration not in expected state: " + std::string(name_of(status_)));
    }
    then(Step::stopping, process_.timings().thread, [this] {
        if (rest_is_postcopy_) {
            send_devices_first();
            return;
        }
        say(Status::device);
        timer_ = process_.after(process_.timings().thread, [this] { finish(); });
    });
    return done();
}

void Outgoing::finish() {
    rest_ = ram_->finish(process_.now()) + process_.timings().device_state;
    say_pass(ram_->view(process_.now()).passes);
    step_ = Step::finishing;
    use_wire();
    finish_rest();
}

/// Sends what is left of the rest, if the wire lets it through.
void Outgoing::finish_rest() {
    rest_begun_ = process_.now();
    if (is_cut()) {
        step_ = Step::finishing;
        timer_.reset();
        return;
    }
    if (peer_gone_) {
        then(Step::finishing, process_.timings().device_state, [this] { peer_noticed(); });
        return;
    }
    then(Step::finishing, rest_, [this] {
        if (rest_is_postcopy_) {
            end_postcopy();
        } else {
            complete();
        }
    });
}

/// Whether a mirror has found them gone.
bool Outgoing::give_images_away() {
    const bool aborts = blocks_.has_dirty_mirror();
    blocks_.settle();
    machine_.inactivate();
    return aborts;
}

/// How long the network takes for what is written and not sent. QEMU has `completed` when the last
/// of it is written; where the network is what it waits for, the socket is full by then.
Duration Outgoing::in_socket() const {
    const std::uint64_t most = settings_.number("max-bandwidth");
    const double speed = wire_speed();
    if (!over_wire_ || thread_speed() <= speed ||
        (most != 0 && static_cast<double>(most) <= speed)) {
        return Duration::zero();
    }
    const double held =
        std::clamp(speed / streams() * socket_seconds, socket_least, socket_most) * streams();
    const auto sent = static_cast<double>(ram_->view(ram_->at()).transferred_bytes);
    return Duration{static_cast<std::int64_t>(std::min(held, sent) / speed * 1e9)};
}

Incoming::Cargo Outgoing::cargo() const {
    return {machine_.guest().load(), machine_.guest().acknowledged(), state_before_, in_socket()};
}

void Outgoing::complete() {
    ram_->complete();
    const bool aborts = give_images_away();
    if (!program_) {
        machine_.set(RunState::postmigrate);
    }
    over_ = process_.now();
    downtime_ = over_ - *down_;
    step_ = Step::none;
    use_wire();
    timer_.reset();
    Incoming* peer = std::exchange(peer_, nullptr);
    say(Status::completed);
    if (program_) {
        timer_ = process_.after(process_.timings().thread, [this] { close_program(); });
    } else {
        peer->load(cargo());
    }
    if (aborts) {
        timer_ = process_.after(process_.timings().abort, [this] { exits_(aborted); });
    } else {
        blocks_.say_drained();
    }
}

void Outgoing::close_program() {
    machine_.set(RunState::postmigrate);
    closing_ = true;
    timer_ = process_.after(program_->ends_after, [this] {
        closing_ = false;
        if (process_.hooks().on_program_end) {
            process_.hooks().on_program_end();
        }
        process_.say_idle();
    });
}

void Outgoing::begin_postcopy() {
    if (step_ != Step::copying) {
        return;
    }
    pump();
    if (step_ != Step::copying) {
        return;
    }
    ram_->change(terms(), process_.now());
    rest_is_postcopy_ = true;
    if (!has(Capability::pause_before_switchover)) {
        say(Status::postcopy_active);
    }
    stop_machine();
}

void Outgoing::send_devices_first() {
    rest_ = ram_->finish(process_.now());
    if (has(Capability::pause_before_switchover)) {
        say(Status::postcopy_active);
    }
    say_pass(ram_->view(process_.now()).passes);
    if (peer_gone_) {
        fail("");
        return;
    }
    const bool aborts = give_images_away();
    downtime_ = process_.now() - *down_;
    const Incoming::Cargo sent = cargo();
    peer_->load_postcopy(sent);
    step_ = Step::finishing;
    rest_ += sent.behind + process_.timings().load + process_.timings().device_state * 4;
    if (aborts) {
        timer_ = process_.after(process_.timings().abort, [this] { exits_(aborted); });
    } else {
        finish_rest();
    }
}

void Outgoing::end_postcopy() {
    ram_->complete();
    Incoming* peer = std::exchange(peer_, nullptr);
    peer->end_postcopy();
    over_ = process_.now();
    step_ = Step::none;
    if (status_ == Status::cancelling) {
        return;
    }
    machine_.set(RunState::postmigrate);
    say(Status::completed);
}

void Outgoing::lose_peer() {
    peer_ = nullptr;
    if (step_ == Step::none || step_ == Step::ending) {
        return;
    }
    peer_gone_ = true;
    if (!is_cut()) {
        terms_changed();
        peer_noticed();
    }
}

/// The next write to the destination fails; who does not write does not notice.
void Outgoing::peer_noticed() {
    switch (step_) {
        case Step::copying:
            side_timer_ = process_.after(process_.timings().fail, [this] {
                fail("Unable to write to socket: Broken pipe");
            });
            return;
        case Step::finishing:
            if (rest_is_postcopy_) {
                step_ = Step::none;
                timer_.reset();
                if (status_ == Status::postcopy_active) {
                    say(Status::postcopy_paused);
                }
            } else {
                fail("");
            }
            return;
        case Step::none:
        case Step::connecting:
        case Step::preparing:
        case Step::stopping:
        case Step::held:
        case Step::ending: return;
    }
}

void Outgoing::fail(std::string desc) {
    timer_.reset();
    side_timer_.reset();
    step_ = Step::none;
    use_wire();
    if (status_ == Status::cancelling) {
        end_cancelled();
        return;
    }
    if (Incoming* peer = std::exchange(peer_, nullptr)) {
        peer->forget_source();
    }
    error_desc_ = std::move(desc);
    say(Status::failed);
    take_back();
}

/// The machine is ours again, as it was.
void Outgoing::take_back() {
    if (machine_.state() != RunState::finish_migrate) {
        return;
    }
    // It never let go of its images, so that their locks are there.
    if (stopped_by_us_ && !rest_is_postcopy_) {
        machine_.start();
    } else {
        machine_.set(RunState::postmigrate);
    }
}

Reply Outgoing::migrate_cancel() {
    if (!is_under_way() || status_ == Status::cancelling) {
        return done();
    }
    const bool devices_are_gone =
        status_ == Status::postcopy_active || status_ == Status::postcopy_paused;
    say(Status::cancelling);
    if (step_ == Step::connecting || devices_are_gone) {
        return done();
    }
    Incoming* peer = std::exchange(peer_, nullptr);
    if (peer != nullptr) {
        peer->lose_source();
    }
    side_timer_.reset();
    if (program(Program::Does::stops_reading)) {
        step_ = Step::ending;
        timer_.reset();
        return done();
    }
    then(Step::ending, process_.timings().thread, [this] {
        take_back();
        timer_ = process_.after(process_.timings().cancel, [this] { end_cancelled(); });
    });
    return done();
}

void Outgoing::end_cancelled() {
    step_ = Step::none;
    use_wire();
    timer_.reset();
    say(Status::cancelled);
}

void Outgoing::quit() {
    if (is_under_way() && status_ != Status::cancelling) {
        say(Status::cancelling);
    }
    timer_.reset();
    side_timer_.reset();
    step_ = Step::none;
}

void Outgoing::vanish() {
    timer_.reset();
    side_timer_.reset();
    watch_.reset();
    step_ = Step::none;
    if (Incoming* peer = std::exchange(peer_, nullptr)) {
        peer->lose_source();
    }
}

}  // namespace ktm::model
