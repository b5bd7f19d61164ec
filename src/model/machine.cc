// SPDX-License-Identifier: Apache-2.0
// model/machine.cc: starts and stops, and who may write to an image.
#include "model/machine.hh"

namespace ktm::model {

std::string_view name_of(RunState state) noexcept {
    switch (state) {
        case RunState::prelaunch: return "prelaunch";
        case RunState::running: return "running";
        case RunState::paused: return "paused";
        case RunState::inmigrate: return "inmigrate";
        case RunState::finish_migrate: return "finish-migrate";
        case RunState::postmigrate: return "postmigrate";
    }
    return "";
}

Machine::Machine(Process& process)
    : process_(process),
      guest_(process.settings().load, process.settings().number),
      state_(process.settings().incoming ? RunState::inmigrate : RunState::prelaunch) {
    const QemuSettings& settings = process.settings();
    if (settings.incoming || settings.drives.empty()) {
        return;
    }
    guest_.use(settings.drives.front().disk, process.now());
    guest_.remember(settings.load, settings.drives.front().disk->history());
}

void Machine::start() {
    if (runs()) {
        return;
    }
    state_ = RunState::running;
    guest_.run(true, process_.now());
    if (process_.hooks().on_guest) {
        process_.hooks().on_guest(true);
    }
    if (changed_) {
        changed_();
    }
    process_.say("RESUME");
}

void Machine::stop(RunState next) {
    if (!runs()) {
        state_ = next;
        return;
    }
    guest_.run(false, process_.now());
    state_ = next;
    if (process_.hooks().on_guest) {
        process_.hooks().on_guest(false);
    }
    if (changed_) {
        changed_();
    }
    process_.say("STOP");
}

void Machine::hang() {
    if (!guest_.runs()) {
        return;
    }
    guest_.run(false, process_.now());
    if (process_.hooks().on_guest) {
        process_.hooks().on_guest(false);
    }
}

void Machine::vanish() {
    const bool ran = guest_.runs();
    guest_.run(false, process_.now());
    inactivate();
    if (ran && process_.hooks().on_guest) {
        process_.hooks().on_guest(false);
    }
}

std::optional<std::string> Machine::activate() {
    for (const Drive& drive : process_.settings().drives) {
        if (!drive.disk->lock(&process_)) {
            inactivate();
            return "Failed to get \"write\" lock";
        }
    }
    active_ = true;
    return std::nullopt;
}

void Machine::inactivate() {
    guest_.settle(process_.now());
    for (const Drive& drive : process_.settings().drives) {
        drive.disk->unlock(&process_);
    }
    active_ = false;
}

}  // namespace ktm::model
