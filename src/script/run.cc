// SPDX-License-Identifier: Apache-2.0
// script/run.cc: one run of a plan: phases, inputs, actions, and the end.
#include "script/run.hh"

#include <algorithm>
#include <array>
#include <csignal>
#include <lua.hpp>
#include <string_view>
#include <utility>

#include "base/assert.hh"
#include "json/writer.hh"
#include "script/convert.hh"
#include "script/net_side.hh"
#include "script/peer_side.hh"

namespace ktm::script {

namespace {

constexpr std::string_view default_vm_var = "qmp";
constexpr std::string_view signal_prefix = "signal:";
constexpr Duration ask_again_after{std::chrono::milliseconds{50}};

struct NamedSignal {
    std::string_view name;
    int number;
};
constexpr std::array<NamedSignal, 2> plan_signals{{{"USR1", SIGUSR1}, {"USR2", SIGUSR2}}};

std::vector<Duration> deadlines_of(const plan::Role& role, const plan::Values& values) {
    std::vector<Duration> within;
    for (const plan::State& state : role.states) {
        KTM_ASSERT(state.within.has_value());
        within.push_back(state.within->fixed
                             ? *state.within->fixed
                             : values.find(state.within->var)->second.as_duration());
    }
    return within;
}

const plan::Role& role_of(const plan::Plan& plan, const std::string& name) {
    const plan::Role* role = plan.find(name);
    KTM_ASSERT(role != nullptr);
    return *role;
}

}  // namespace

Run::Run(const ports::World& world, LoadedPlan& plan, const plan::Settings& settings,
         host::Settings host, monitor::Recorder* recorder, Observer& observer,
         PeerOptions peer_options)
    : world_(world),
      plan_(plan),
      settings_(settings),
      host_settings_(std::move(host)),
      recorder_(recorder),
      observer_(observer),
      peer_options_(peer_options),
      role_(role_of(plan.plan(), settings.role)),
      machine_(role_, deadlines_of(role_, settings.values)),
      began_(world.clock.now()) {
    interpreter().attach(this);
}

Run::~Run() {
    interpreter().attach(nullptr);
}

void Run::start() {
    began_ = world_.clock.now();
    watch_signals();
    phase_ = Phase::connecting;
    if (!looks_.are_all) {
        make_peer();
    }
    if (Result<void> started = peer_ ? peer_->start() : Result<void>{}; !started) {
        give_up(std::move(started).error());
        return;
    }
    const auto socket = settings_.values.find(default_vm_var);
    if (socket == settings_.values.end() || socket->second.type() != plan::Type::path) {
        begin_when_ready();
        return;
    }
    Result<Endpoint> endpoint = Endpoint::parse("unix:" + socket->second.as_text());
    if (!endpoint) {
        give_up(std::move(endpoint).error());
        return;
    }
    patience_ = world_.clock.arm(looks_.are_all ? question_within : connect_within, [this] {
        miss_vm(
            Error{Kind::timeout, "no-greeting", "no greeting in time", "reach the VM", nullptr});
    });
    open("", *endpoint);
}

void Run::begin_when_ready() {
    const auto vm = vms_.find("");
    const bool vm_greeted = vm == vms_.end() || vm->second.ready;
    if (phase_ != Phase::connecting || !vm_greeted) {
        return;
    }
    if (!looks_.have_begun) {
        begin_looks();
    } else {
        settle_looks();
    }
}

void Run::begin() {
    patience_.reset();
    looks_.deadline.reset();
    phase_ = Phase::running;
    post(engine::Start{});
    if (peer_ != nullptr) {
        peer_->begin();
    }
    drain();
}

/// Nothing was begun: the plan ends before its first state.
void Run::give_up(Error error) {
    patience_.reset();
    looks_.deadline.reset();
    abandon_look();
    phase_ = Phase::running;
    post(engine::Interrupted{std::move(error)});
    drain();
}

void Run::interrupt(Error reason) {
    if (phase_ == Phase::asking || phase_ == Phase::over) {
        return;
    }
    if (phase_ == Phase::connecting || phase_ == Phase::idle) {
        give_up(std::move(reason));
        return;
    }
    post(engine::Interrupted{std::move(reason)});
    drain();
}

bool Run::hears(std::string_view event) const {
    return std::any_of(role_.states.begin(), role_.states.end(), [&](const plan::State& state) {
        return std::any_of(state.handlers.begin(), state.handlers.end(),
                           [&](const plan::Handler& handler) { return handler.event == event; });
    });
}

void Run::watch_signals() {
    for (const NamedSignal& signal : plan_signals) {
        const std::string event = std::string{signal_prefix} + std::string{signal.name};
        if (!hears(event)) {
            continue;
        }
        Result<std::unique_ptr<ports::Watch>> watch =
            world_.signals.watch(signal.number, [this, event] {
                post(engine::Happened{engine::Event{event, "", nullptr}});
                drain();
            });
        if (watch) {
            watches_.push_back(std::move(*watch));
        }
    }
}

bool Run::emit(engine::Event event) {
    if (emits_ == emits_max) {
        return false;
    }
    ++emits_;
    post(engine::Happened{std::move(event)});
    return true;
}

void Run::drain() {
    if (phase_ == Phase::asking && !draining_) {
        end_when_answered();  // A program that the end waits for may be gone.
        return;
    }
    if (draining_ || phase_ != Phase::running) {
        return;
    }
    draining_ = true;
    emits_ = 0;
    // New ones are appended while we go.
    for (std::size_t at = 0; at < inputs_.size() && phase_ == Phase::running; ++at) {
        feed(std::move(inputs_[at]));
    }
    draining_ = false;
    inputs_.clear();
    if (phase_ == Phase::asking) {
        ask_guests();
    }
}

void Run::feed(engine::Input input) {
    observer_.on_input(input);
    actions_.clear();
    machine_.step(std::move(input), actions_);
    std::optional<engine::CommitWritten> written;
    for (engine::Action& action : actions_) {
        perform(action);
        if (std::holds_alternative<engine::WriteCommit>(action)) {
            written = write_commit();
        }
    }
    if (written) {
        feed(std::move(*written));
    }
}

void Run::perform(engine::Action& action) {
    observer_.on_action(action);
    if (auto* wanted = std::get_if<engine::RunBody>(&action)) {
        start_body(*wanted);
    } else if (auto* cancel = std::get_if<engine::CancelBody>(&action)) {
        cancel_body(*cancel);
    } else if (auto* delivery = std::get_if<engine::Deliver>(&action)) {
        deliver(*delivery);
    } else if (auto* wanted_timer = std::get_if<engine::Arm>(&action)) {
        arm(*wanted_timer);
    } else if (auto* disarm = std::get_if<engine::Disarm>(&action)) {
        deadlines_.erase(disarm->deadline);
    } else if (auto* ended = std::get_if<engine::Ended>(&action)) {
        finish(std::move(*ended));
    }
}

void Run::arm(const engine::Arm& arm) {
    deadlines_[arm.deadline] = world_.clock.arm(arm.within, [this, deadline = arm.deadline] {
        post(engine::Due{deadline});
        drain();
    });
}

void Run::arm_timer(const std::string& name, Duration period, bool again) {
    timers_[name] = world_.clock.arm(period, [this, name, period, again] {
        post(engine::Happened{engine::Event{"timer:" + name, "", nullptr}});
        if (again) {
            arm_timer(std::string{name}, period, true);
        } else {
            timers_.erase(name);
        }
        drain();
    });
}

void Run::bury(std::unique_ptr<ports::Process> process, std::shared_ptr<bool> gone) {
    std::erase_if(buried_, [](const Buried& buried) { return *buried.gone; });
    buried_.push_back({std::move(process), std::move(gone)});
}

void Run::finish(engine::Ended ended) {
    phase_ = Phase::asking;
    timers_.clear();
    deadlines_.clear();
    if (net_ != nullptr) {
        net_->wind_up();
    }
    // The signals stay watched: by default they would kill us before the end is told.
    outcome_.interrupted = ended.cause && ended.cause->code == interrupted_code;
    outcome_.ended = std::move(ended);
    if (!net_is_busy()) {
        say_goodbye();
    }
}

/// What was counted goes with the goodbye, so that it waits for the last reading.
void Run::say_goodbye() {
    said_goodbye_ = true;
    if (peer_ != nullptr) {
        const net::Account ours = account();
        peer_->wind_up(outcome_.ended.end, net::to_json(ours), ours.diverts || ours.holds);
    }
}

void Run::ask_guests() {
    outcome_.elapsed = elapsed();
    unanswered_ = 1;  // Ours, so that an answer that comes at once does not end it.
    for (auto& [name, vm] : vms_) {
        outcome_.guests.push_back({name, vm.socket, "", vm.lost, vm.copy});
        std::string& why = outcome_.guests.back().why;
        if (vm.client == nullptr || !vm.ready) {
            const bool may_greet = vm.client != nullptr && why.empty();
            why = why.empty() ? "QEMU has not greeted yet" : why;
            if (may_greet) {
                await_greeting(name);
            }
            continue;
        }
        ++unanswered_;
        ask_status(name);
        if (observer_.wants_migrations() && outcome_.ended.end == engine::End::done) {
            ++unanswered_;
            ask_migration(name);
        }
    }
    patience_ = world_.clock.arm(status_within + reap_within, [this] { lose_patience(); });
    --unanswered_;
    end_when_answered();
}

/// A run may be over sooner than a QEMU that is well says its first word; the guest is not unknown
/// for that.
void Run::await_greeting(const std::string& vm) {
    ++unanswered_;
    greetings_[vm] = world_.clock.arm(status_within, [this, vm] {
        greetings_.erase(std::string{vm});
        count_answer();
        end_when_answered();
    });
}

void Run::ask_status(const std::string& vm) {
    const auto answered = [this, vm](Result<qmp::Reply> reply) { on_status(vm, std::move(reply)); };
    Result<qmp::CommandId> sent =
        vms_.at(vm).client->run("query-status", "", status_within, answered);
    if (!sent) {
        status_of(vm)->why = sent.error().sentence();
        count_answer();
    }
}

/// The kernel may take longer than VMs and programs: what it was asked has a deadline of its own.
void Run::lose_patience() {
    unanswered_ = 0;
    buried_.clear();
    patience_.reset();
    if (net_ != nullptr && net_->is_busy() && !settling_) {
        settling_ = true;
        patience_ = world_.clock.arm(settle_within - status_within - reap_within,
                                     [this] { lose_patience(); });
    }
    lost_patience_ = patience_ == nullptr;
    end_when_answered();
}

void Run::on_status(const std::string& vm, Result<qmp::Reply> reply) {
    if (phase_ != Phase::asking) {
        return;
    }
    GuestStatus* const guest = status_of(vm);
    if (!reply) {
        guest->why = reply.error().sentence();
    } else if (const auto status = reply->result().find_string("status")) {
        guest->status = *status;
        guest->why.clear();
    } else {
        guest->why = "QEMU's answer to query-status holds no status";
    }
    count_answer();
    end_when_answered();
}

GuestStatus* Run::status_of(const std::string& vm) {
    const auto guest = std::find_if(outcome_.guests.begin(), outcome_.guests.end(),
                                    [&](const GuestStatus& status) { return status.vm == vm; });
    return guest == outcome_.guests.end() ? nullptr : &*guest;
}

/// One that comes behind our patience is not waited for any more.
void Run::count_answer() {
    unanswered_ -= unanswered_ > 0 ? 1 : 0;
}

/// One that goes unanswered is left out: how the run has ended, it does not change.
void Run::ask_migration(const std::string& vm) {
    const auto answered = [this, vm](const Result<qmp::Reply>& reply) {
        if (phase_ != Phase::asking) {
            return;
        }
        if (reply) {
            on_migration(vm, reply->result());
        } else {
            count_answer();
            end_when_answered();
        }
    };
    monitor::Client* const asked = client(vm);
    if (asked == nullptr || !asked->run("query-migrate", "", status_within, answered)) {
        count_answer();
    }
}

/// QEMU says that the copy is complete before it has written down how long that took.
void Run::on_migration(const std::string& vm, const json::View& result) {
    const auto is_zero = [&](std::string_view key) {
        const std::optional<json::View> value = result.find(key);
        return !value || value->as_int().value_or(0) == 0;
    };
    const bool is_source = result.find("ram").has_value();
    if (is_source && is_zero("total-time") && !settling_) {
        asked_again_[vm] = world_.clock.arm(ask_again_after, [this, vm] {
            ask_migration(vm);
            end_when_answered();
        });
        return;
    }
    status_of(vm)->migration = json::compact(result);
    count_answer();
    end_when_answered();
}

void Run::end_when_answered() {
    std::erase_if(buried_, [](const Buried& buried) { return *buried.gone; });
    if (phase_ == Phase::asking && !said_goodbye_ && !net_is_busy()) {
        const bool comes_back = peer_ != nullptr;
        say_goodbye();  // LIFETIME: this may be gone behind it.
        if (comes_back) {
            return;
        }
    }
    const bool peer_is_busy = peer_ != nullptr && peer_->is_busy();
    if (phase_ != Phase::asking || unanswered_ > 0 || !buried_.empty() || net_is_busy() ||
        peer_is_busy) {
        return;
    }
    if (net_ != nullptr && !std::exchange(looked_back_, true)) {
        net_->accounting().look_back();  // LIFETIME: this may be gone behind it.
        return;
    }
    balance();
    close_net();
    phase_ = Phase::over;
    patience_.reset();
    asked_again_.clear();
    greetings_.clear();
    vms_.clear();
    peer_.reset();
    // LIFETIME: last, for the observer may destroy us.
    const Outcome outcome = std::move(outcome_);
    observer_.on_over(outcome);
}

}  // namespace ktm::script
