// SPDX-License-Identifier: Apache-2.0
// model/outgoing.hh: the source's side of a migration.
//
// Theory of operation
//
//     none ── setup ── active ──────────────────────────────────────── completed
//               │        │  └ STOP ─ (pause capability) pre-switchover ─ device ┘
//               │        └ (migrate-start-postcopy) postcopy-active ─────┘
//               └────────┴──── failed; or cancelling ── cancelled, from each state above
//
// Beside what is called a state there are steps, each with a timer:
//
//     connecting  until the destination's TCP answers; for ever, nearly, on a cut wire
//     preparing   setup time, PASS 1
//     copying     the passes of RamCopy; on a cut wire it stands still, and nothing is said
//     stopping    STOP, and the mirrors are drained; pre-switchover follows at once where wanted
//     held        pre-switchover: until migrate-continue or migrate_cancel, and for ever
//     finishing   the last PASS, the rest of the memory, the devices
//
// The source is `completed` when it has written all of it: what its socket still holds then comes
// to the destination before the guest is there.
//
// Behind migrate-start-postcopy and STOP the devices are sent, and then the memory. Who cancels
// then gets nothing back: QEMU says `cancelling`, sends on, says no more, and refuses `cont` for
// ever.
//
// A program of an address `exec:` is a destination that has nothing to say. QEMU notices its early
// end, and not that it fails when all was written; until it has ended QEMU answers nobody, behind
// the event `completed`. While the program does not read, cancelling does not end, either.
//
// Whom the migration has stopped it starts again when it fails or is cancelled, and nobody else.
// A dead destination is noticed by the next write to it: not in `held`.
//
// When the images are given away at the end and a mirror still has something to write, QEMU aborts:
// its own assertion, a moment behind the event `completed`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/blocks.hh"
#include "model/incoming.hh"
#include "model/migration_settings.hh"
#include "model/ram_copy.hh"

namespace ktm::model {

class Outgoing {
public:
    Outgoing(Process& process, Machine& machine, Blocks& blocks, Objects& objects,
             MigrationSettings& settings);
    Outgoing(const Outgoing&) = delete;
    Outgoing& operator=(const Outgoing&) = delete;
    ~Outgoing() = default;

    [[nodiscard]] Reply migrate(const json::View& arguments);
    [[nodiscard]] Reply migrate_continue(const json::View& arguments);
    [[nodiscard]] Reply migrate_cancel();
    [[nodiscard]] Reply migrate_start_postcopy();

    [[nodiscard]] bool is_under_way() const noexcept;
    /// The main loop waits for the end of a program and answers nobody.
    [[nodiscard]] bool is_closing() const noexcept { return closing_; }
    [[nodiscard]] bool has_begun() const noexcept { return status_ != Status::none; }
    [[nodiscard]] std::string json() const;
    /// Of the memory, so far or to its end; nothing before it was begun.
    [[nodiscard]] std::optional<RamCopy::Course> course() const;

    /// Parameters, the guest or the wire are not as they were.
    void terms_changed();
    /// The destination is gone.
    void lose_peer();
    /// `quit`: the migration is given up with the process.
    void quit();
    /// The process aborts: its exit code.
    void on_exit(UniqueFunction<void(int)> exits) { exits_ = std::move(exits); }
    void vanish();

private:
    enum class Status {
        none,
        setup,
        active,
        postcopy_active,
        postcopy_paused,
        pre_switchover,
        device,
        completed,
        failed,
        cancelling,
        cancelled,
    };
    enum class Step { none, connecting, preparing, copying, stopping, held, finishing, ending };

    [[nodiscard]] static std::string_view name_of(Status status) noexcept;
    [[nodiscard]] bool has(MigrationSettings::Capability capability) const {
        return settings_.has(capability);
    }
    [[nodiscard]] Duration latency() const;
    [[nodiscard]] bool is_cut() const;
    [[nodiscard]] double streams() const;
    [[nodiscard]] double stream_speed() const;
    [[nodiscard]] double thread_speed() const;
    [[nodiscard]] double wire_speed() const;
    [[nodiscard]] RamCopy::Terms terms() const;
    [[nodiscard]] Duration in_socket() const;
    void say(Status status);
    void say_pass(std::uint64_t pass);
    void then(Step step, Duration delay, UniqueFunction<void()> what);

    [[nodiscard]] bool program(Program::Does does) const noexcept {
        return program_ && program_->does == does;
    }
    [[nodiscard]] Reply write_to_program(std::string_view command);
    void close_program();
    void connect();
    void connected(Incoming& peer, bool over_wire);
    void connect_later(std::string when_too_late);
    [[nodiscard]] std::optional<std::string> tls_fault(const Incoming& peer) const;
    void prepare();
    void copy();
    void pump();
    void use_wire();
    void stop_machine();
    void machine_stopped();
    void finish();
    void finish_rest();
    void complete();
    [[nodiscard]] Incoming::Cargo cargo() const;
    [[nodiscard]] bool give_images_away();

    void begin_postcopy();
    void send_devices_first();
    void end_postcopy();

    void wire_changed(bool cut);
    void peer_noticed();
    void fail(std::string desc);
    void take_back();
    void end_cancelled();
    [[nodiscard]] std::string ram_json(const RamCopy::View& view) const;

    Process& process_;
    Machine& machine_;
    Blocks& blocks_;
    Objects& objects_;
    MigrationSettings& settings_;
    UniqueFunction<void(int)> exits_;

    Status status_ = Status::none;
    Step step_ = Step::none;
    std::string uri_host_;
    std::string uri_port_;
    std::string uri_text_;
    std::string error_desc_;
    Incoming* peer_ = nullptr;        ///< LIFETIME: says when it is gone.
    std::optional<Program> program_;  ///< In place of a peer.
    bool closing_ = false;
    bool over_wire_ = false;
    bool peer_gone_ = false;
    bool stopped_by_us_ = false;
    RunState state_before_ = RunState::running;
    std::optional<RamCopy> ram_;
    Instant begun_{};
    Instant prepared_{};
    std::optional<Instant> down_;
    Instant over_{};
    Duration downtime_{};
    Duration setup_{};
    std::uint64_t bytes_before_stop_ = 0;
    /// Of what is to be sent last; it stands still while the wire is cut.
    Duration rest_{};
    Instant rest_begun_{};
    bool rest_is_postcopy_ = false;
    std::unique_ptr<ports::Timer> timer_;
    std::unique_ptr<ports::Timer> side_timer_;
    std::unique_ptr<ports::Pinned> watch_;
};

}  // namespace ktm::model
