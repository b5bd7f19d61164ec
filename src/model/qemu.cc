// SPDX-License-Identifier: Apache-2.0
// model/qemu.cc: a QEMU's life, and its machine's run states.
#include "model/qemu.hh"

#include <algorithm>
#include <utility>

#include "json/writer.hh"

namespace ktm::model {

Qemu::Qemu(sim::VirtualClock& clock, Switchboard& board, QemuSettings settings, QemuHooks hooks)
    : process_(clock, board, std::move(settings)),
      machine_(process_),
      objects_(process_),
      blocks_(process_, machine_, objects_),
      outgoing_(process_, machine_, blocks_, objects_, migration_settings_),
      incoming_(process_, machine_, objects_, migration_settings_) {
    process_.hooks() = std::move(hooks);
    machine_.on_change([this] {
        blocks_.machine_changed();
        outgoing_.terms_changed();
    });
    process_.on_wire_use([this] {
        blocks_.machine_changed();
        outgoing_.terms_changed();
    });
    outgoing_.on_exit([this](int code) { exit(code); });
    incoming_.on_exit([this](int code) { exit(code); });
    if (const std::string& uri = process_.settings().incoming_uri; !uri.empty()) {
        KTM_ASSERT(!incoming_.listen(uri).is_refused());
    }
    if (!process_.settings().incoming) {
        KTM_ASSERT(!machine_.activate());
        if (!process_.settings().paused) {
            machine_.start();
        }
    }
}

Qemu::~Qemu() {
    process_.hooks() = {};
    exit(0);
}

std::optional<Reply> Qemu::execute(std::string_view name, const json::View& arguments) {
    KTM_ASSERT(process_.is_alive() && !is_busy());
    const Command* command = find(name);
    if (command == nullptr) {
        return refused("The command " + std::string(name) + " has not been found",
                       "CommandNotFound");
    }
    if (auto fault = argument_fault(command->arguments, arguments)) {
        return refused(*std::move(fault));
    }
    return command->run(*this, arguments);
}

/// What the kernel does with a process that is gone: connections end, locks are free.
void Qemu::exit(int code) {
    if (!process_.is_alive()) {
        return;
    }
    blocks_.settle();
    process_.end(code);
    outgoing_.vanish();
    incoming_.vanish();
    blocks_.vanish();
    machine_.vanish();
    quitting_.reset();
    if (process_.hooks().on_exit) {
        process_.hooks().on_exit(code);
    }
}

bool Qemu::disk_fits_guest() {
    settle();
    const std::vector<Drive>& drives = process_.settings().drives;
    return drives.empty() || drives.front().disk->holds(machine_.guest().acknowledged());
}

Inventory Qemu::inventory() const {
    Inventory inventory{migration_settings_, {}};
    std::vector<std::string>& things = inventory.things;
    blocks_.list(things);
    objects_.list(things);
    if (outgoing_.is_under_way()) {
        things.emplace_back("a migration that is not over");
    }
    if (const std::string_view guest = incoming_.describe(); !guest.empty()) {
        things.emplace_back(guest);
    }
    return inventory;
}

std::optional<Reply> Qemu::stop() {
    switch (machine_.state()) {
        case RunState::inmigrate: incoming_.run_when_loaded(false); return done();
        case RunState::running: machine_.stop(RunState::paused); return blocks_.drain();
        case RunState::prelaunch:
        case RunState::paused:
        case RunState::finish_migrate:
        case RunState::postmigrate: return done();
    }
    return done();
}

Reply Qemu::cont() {
    if (machine_.state() == RunState::finish_migrate) {
        return refused("Migration is not finalized yet");
    }
    if (std::optional<std::string> fault = machine_.activate()) {
        return refused(*std::move(fault));
    }
    if (machine_.state() == RunState::inmigrate) {
        incoming_.run_when_loaded(true);
    } else {
        machine_.start();
        if (incoming_.is_broken()) {
            machine_.hang();
        }
    }
    return done();
}

Reply Qemu::quit() {
    process_.say("SHUTDOWN", R"({"guest":false,"reason":"host-qmp-quit"})");
    outgoing_.quit();
    blocks_.quit();
    quitting_ = process_.after(process_.timings().thread, [this] { exit(0); });
    return done();
}

Reply Qemu::system_reset() {
    if (machine_.state() == RunState::postmigrate) {
        machine_.set(RunState::prelaunch);
    }
    process_.say("RESET", R"({"guest":false,"reason":"host-qmp-system-reset"})");
    return done();
}

void Qemu::guest_resets() {
    if (machine_.runs()) {
        process_.say("RESET", R"({"guest":true,"reason":"guest-reset"})");
    }
}

std::string Qemu::status_json() const {
    json::ObjectWriter out;
    out.text("status", name_of(machine_.state())).boolean("singlestep", false);
    out.boolean("running", machine_.runs());
    return std::move(out).finish();
}

std::string Qemu::migrate_json() const {
    if (!outgoing_.has_begun() && !process_.settings().blocker.empty()) {
        return R"({"blocked-reasons":[)" + json::quoted(process_.settings().blocker) + "]}";
    }
    return outgoing_.has_begun() ? outgoing_.json() : incoming_.json();
}

/// Samples pages for some seconds, in the background.
Reply Qemu::calc_dirty_rate(const json::View& arguments) {
    constexpr std::int64_t seconds_max = 60;
    const std::int64_t seconds = arguments.find_int("calc-time").value_or(0);
    if (seconds < 1 || seconds > seconds_max) {
        return refused("calc-time is out of range[1, 60].");
    }
    if (dirty_since_ && process_.now() < *dirty_since_ + std::chrono::seconds{dirty_calc_s_}) {
        return refused("still measuring dirty rate.");
    }
    dirty_since_ = process_.now();
    dirty_calc_s_ = seconds;
    return done();
}

std::string Qemu::dirty_rate_json() const {
    json::ObjectWriter out;
    const bool measured =
        dirty_since_ && process_.now() >= *dirty_since_ + std::chrono::seconds{dirty_calc_s_};
    if (measured) {
        const Load& load = machine_.guest().load();
        constexpr std::uint64_t mebi = 1U << 20U;
        out.integer("dirty-rate",
                    static_cast<std::int64_t>(
                        std::min(load.dirty_bytes_per_second, load.working_set_bytes) / mebi));
    }
    out.text("status", !dirty_since_ ? "unstarted" : measured ? "measured" : "measuring");
    out.integer("start-time", 0).integer("calc-time", dirty_calc_s_);
    out.integer("sample-pages", 512).text("mode", "page-sampling");
    return std::move(out).finish();
}

Reply Qemu::set_capabilities(const json::View& arguments) {
    if (outgoing_.is_under_way()) {
        return refused("There's a migration process in progress");
    }
    return migration_settings_.set_capabilities(arguments);
}

Reply Qemu::set_parameters(const json::View& arguments) {
    Reply reply = migration_settings_.set_parameters(arguments);
    outgoing_.terms_changed();
    return reply;
}

}  // namespace ktm::model
