// SPDX-License-Identifier: Apache-2.0
// model/incoming.hh: the destination's side of a migration.
//
// Theory of operation
//
//     idle ── (migrate-incoming) ── listening ── (a source connects) ── active ── completed
//                                                                        │
//                                                                        └── failed: exits with 1
//
// The stream ends well or breaks; either is noticed when the wire lets it through. What the loaded
// machine does depends on the source's run state, which is in the stream, and on -S, cont and stop:
// it runs, or is paused, or has the source's state.
//
// In postcopy it runs before all of its memory is there; when the stream breaks then, the guest
// hangs at the next page that is missing, and QEMU says postcopy-paused.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/machine.hh"
#include "model/migration_settings.hh"
#include "model/objects.hh"

namespace ktm::model {

class Outgoing;

class Incoming {
public:
    /// What travels with the last bytes.
    struct Cargo {
        Load load;
        Disk::History acknowledged;
        RunState state = RunState::running;
        /// What of the stream still lies in the source's socket, before it.
        Duration behind{};
    };

    Incoming(Process& process, Machine& machine, Objects& objects, MigrationSettings& settings);
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;
    ~Incoming() { leave(); }

    [[nodiscard]] Reply migrate_incoming(const json::View& arguments);
    [[nodiscard]] Reply listen(const std::string& uri);
    /// Whether the machine waits for a migration, which `cont` and `stop` then only prepare.
    void run_when_loaded(bool runs) noexcept { autostart_ = runs; }
    /// The main loop loads the devices and answers nobody.
    [[nodiscard]] bool is_loading() const noexcept { return loading_; }
    /// The fields of query-migrate.
    [[nodiscard]] std::string json() const;
    /// The rest of the guest's memory does not come: it hangs at the next page that is missing.
    [[nodiscard]] bool is_broken() const noexcept { return status_ == Status::postcopy_paused; }
    /// What of a guest it has, or waits for, in words; empty: nothing.
    [[nodiscard]] std::string_view describe() const noexcept;

    [[nodiscard]] const MigrationSettings& settings() const noexcept { return settings_; }
    [[nodiscard]] Credentials wanted() const;

    /// Called by the source, each a moment later felt here.
    void accept(Outgoing& source, bool over_wire);
    void load(Cargo cargo);
    void load_postcopy(Cargo cargo);
    void end_postcopy();
    void lose_source();
    /// The source has failed and closes nothing that we would notice.
    void forget_source() noexcept { source_ = nullptr; }
    /// The process exits: its exit code.
    void on_exit(UniqueFunction<void(int)> exits) { exits_ = std::move(exits); }
    void vanish();

private:
    enum class Status { none, setup, active, postcopy_active, postcopy_paused, completed, failed };

    void leave();
    void say(Status status);
    void arrive(UniqueFunction<void()> what, Duration behind = Duration::zero());
    void deliver();
    void finish_load();
    void start_loaded();
    void break_off();

    Process& process_;
    Machine& machine_;
    Objects& objects_;
    MigrationSettings& settings_;
    UniqueFunction<void(int)> exits_;
    Outgoing* source_ = nullptr;  ///< LIFETIME: says when it is gone.
    bool over_wire_ = false;
    bool listens_ = false;
    bool was_started_ = false;
    bool autostart_;
    bool loading_ = false;
    bool is_postcopy_ = false;
    bool breaks_off_ = false;  ///< Behind what is under way.
    Status status_ = Status::none;
    std::string address_;  ///< As JSON.
    std::optional<Cargo> cargo_;
    /// What has been sent and waits for the wire.
    UniqueFunction<void()> arriving_;
    Duration arriving_behind_{};
    std::unique_ptr<ports::Timer> arrival_;
    std::unique_ptr<ports::Timer> timer_;
    std::unique_ptr<ports::Timer> announced_;
    std::unique_ptr<ports::Pinned> watch_;
};

/// "tcp:host:port" as its parts; what QEMU says of it otherwise.
struct MigrationAddress {
    std::string host;
    std::string port;
    std::string fault;
};
[[nodiscard]] MigrationAddress read_migration_address(std::string_view uri);

}  // namespace ktm::model
