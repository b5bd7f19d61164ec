// SPDX-License-Identifier: Apache-2.0
// model/qemu.hh: a QEMU 7.2 as its monitor shows it, without a socket.
//
// Theory of operation. Commands go in, replies and events come out; time is the clock's. Its parts
// keep states of their own, which they describe: the machine (run state, guest), the migration at
// the source and at the destination, mirrors, the NBD server. Two of them on one Switchboard
// migrate to each other. Events come in the order in which QEMU tells them, those of a command
// before or behind its reply as QEMU's do.
//
// What is modelled was measured on QEMU 7.2; what was not is refused with a text that begins "this
// model of QEMU". It protects nobody from a split brain, as QEMU does not.
//
// Limits: one guest disk is written to; return-path, xbzrle, compression, snapshots and the
// recovery of postcopy are not there.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/blocks.hh"
#include "model/incoming.hh"
#include "model/inventory.hh"
#include "model/machine.hh"
#include "model/migration_settings.hh"
#include "model/objects.hh"
#include "model/outgoing.hh"
#include "model/process.hh"

namespace ktm::model {

/// LIFETIME: the clock, the switchboard and the disks outlive it; it ends before or with its peer.
class Qemu {
public:
    /// The guest runs at once, unless it is started with -S or for a migration.
    Qemu(sim::VirtualClock& clock, Switchboard& board, QemuSettings settings, QemuHooks hooks);
    Qemu(const Qemu&) = delete;
    Qemu& operator=(const Qemu&) = delete;
    ~Qemu();

    /// Arguments are an object or null. Nothing means that the reply comes later, by the hook. No
    /// command may be given while it is busy: a monitor reads on when `on_idle` is called. Events
    /// are told from inside this call where they precede the reply.
    [[nodiscard]] std::optional<Reply> execute(std::string_view name, const json::View& arguments);
    [[nodiscard]] bool is_busy() const noexcept {
        return blocks_.is_busy() || incoming_.is_loading() || outgoing_.is_closing();
    }

    /// The guest begins anew by itself, as one does whose memory is not what it was.
    void guest_resets();
    /// SIGKILL.
    void kill() { exit(137); }
    [[nodiscard]] bool is_alive() const noexcept { return process_.is_alive(); }
    [[nodiscard]] std::optional<int> exit_code() const noexcept { return process_.exit_code(); }

    [[nodiscard]] const QemuSettings& settings() const noexcept { return process_.settings(); }
    [[nodiscard]] QemuHooks& hooks() noexcept { return process_.hooks(); }
    [[nodiscard]] RunState run_state() const noexcept { return machine_.state(); }
    [[nodiscard]] bool guest_runs() const noexcept { return machine_.guest().runs(); }
    /// Of the memory that it has sent to another QEMU, or sends.
    [[nodiscard]] std::optional<RamCopy::Course> copy_course() const { return outgoing_.course(); }
    /// What it has by now; of one that is gone nothing can be said.
    [[nodiscard]] Inventory inventory() const;
    /// What the guest wrote is on the disks, and what mirrors copied on their targets.
    void settle() { blocks_.settle(); }
    /// Whether the first disk holds exactly what its guest knows to have written.
    [[nodiscard]] bool disk_fits_guest();

private:
    struct Command {
        std::string_view name;
        std::string_view arguments;
        std::optional<Reply> (*run)(Qemu&, const json::View&);
    };
    [[nodiscard]] static std::span<const Command> machine_commands();
    [[nodiscard]] static std::span<const Command> migration_commands();
    [[nodiscard]] static std::span<const Command> block_commands();
    [[nodiscard]] static const Command* find(std::string_view name);
    [[nodiscard]] static std::string commands_json();

    void exit(int code);
    [[nodiscard]] std::optional<Reply> stop();
    [[nodiscard]] Reply cont();
    [[nodiscard]] Reply quit();
    [[nodiscard]] Reply system_reset();
    [[nodiscard]] std::string status_json() const;
    [[nodiscard]] std::string migrate_json() const;
    [[nodiscard]] Reply calc_dirty_rate(const json::View& arguments);
    [[nodiscard]] std::string dirty_rate_json() const;
    [[nodiscard]] Reply set_capabilities(const json::View& arguments);
    [[nodiscard]] Reply set_parameters(const json::View& arguments);

    Process process_;
    Machine machine_;
    MigrationSettings migration_settings_;
    Objects objects_;
    Blocks blocks_;
    Outgoing outgoing_;
    Incoming incoming_;
    std::unique_ptr<ports::Timer> quitting_;
    /// Of the last measuring of how fast the guest dirties memory.
    std::int64_t dirty_calc_s_ = 0;
    std::optional<Instant> dirty_since_;
};

}  // namespace ktm::model
