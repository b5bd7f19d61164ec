// SPDX-License-Identifier: Apache-2.0
// model/machine.hh: a QEMU's virtual machine: its run state, its guest, the locks of its disks.
#pragma once

#include <optional>
#include <string_view>

#include "model/process.hh"

namespace ktm::model {

enum class RunState { prelaunch, running, paused, inmigrate, finish_migrate, postmigrate };

[[nodiscard]] std::string_view name_of(RunState state) noexcept;

class Machine {
public:
    explicit Machine(Process& process);
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    [[nodiscard]] RunState state() const noexcept { return state_; }
    [[nodiscard]] bool runs() const noexcept { return state_ == RunState::running; }
    [[nodiscard]] Guest& guest() noexcept { return guest_; }
    [[nodiscard]] const Guest& guest() const noexcept { return guest_; }

    /// RESUME, unless it runs.
    void start();
    /// STOP, if it runs; the state in any case.
    void stop(RunState next);
    void set(RunState state) noexcept { state_ = state; }
    /// The guest waits for memory that does not come; QEMU goes on to say that it runs.
    void hang();
    /// Without a word: the process is gone.
    void vanish();

    /// The images are ours to write: takes their locks. What QEMU says when it cannot.
    [[nodiscard]] std::optional<std::string> activate();
    void inactivate();
    [[nodiscard]] bool is_active() const noexcept { return active_; }

    /// Called at each start and stop, behind the guest's own.
    void on_change(UniqueFunction<void()> changed) { changed_ = std::move(changed); }

private:
    Process& process_;
    Guest guest_;
    RunState state_;
    bool active_ = false;
    UniqueFunction<void()> changed_;
};

}  // namespace ktm::model
