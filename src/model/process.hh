// SPDX-License-Identifier: Apache-2.0
// model/process.hh: what the parts of one QEMU share: its settings, its life and its voice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_function.hh"
#include "model/guest.hh"
#include "model/reply.hh"
#include "model/switchboard.hh"
#include "sim/virtual_files.hh"

namespace ktm::model {

/// How long things take that no size explains. The defaults are those of a small KVM guest.
struct Timings {
    Duration setup = std::chrono::milliseconds{5};         ///< Of a migration, before pass 1.
    Duration pause = std::chrono::microseconds{800};       ///< From STOP to pre-switchover.
    Duration device_state = std::chrono::milliseconds{3};  ///< Behind the last page.
    Duration load = std::chrono::milliseconds{4};      ///< From source completed to dest RESUME.
    Duration thread = std::chrono::microseconds{200};  ///< Until another thread has noticed.
    Duration cancel = std::chrono::milliseconds{2};    ///< From cancelling to cancelled.
    Duration fail = std::chrono::milliseconds{10};     ///< Until a write to a dead peer fails.
    Duration job_end = std::chrono::microseconds{400};
    Duration job_failure = std::chrono::milliseconds{100};  ///< From its error to its end.
    Duration abort = std::chrono::milliseconds{6};  ///< From completed to the broken assertion.
    Duration exit = std::chrono::milliseconds{3};   ///< From a failed load to the end.
};

struct Drive {
    std::string node = "disk0";
    Disk* disk = nullptr;  ///< LIFETIME: outlives the QEMU.
};

struct QemuSettings {
    std::string name = "vm";
    int node = 0;  ///< Which of the nodes of the switchboard it runs on.
    /// The writer's number in histories of disks; each QEMU of a world has its own.
    std::uint64_t number = 1;
    bool incoming = false;     ///< Started with -incoming defer, or with an address:
    std::string incoming_uri;  ///< -incoming tcp:…; nobody is connected who could hear of it.
    bool paused = false;       ///< Started with -S.
    std::string mac = "02:aa:00:00:00:01";  ///< Of its network device.
    std::string machine = "pc-q35-7.2";
    std::string blocker;        ///< Why its guest cannot be moved; empty: it can.
    std::vector<Drive> drives;  ///< The guest writes to the first.
    Load load;
    Timings timings;
    double copy_bytes_per_second = 2e9;         ///< Of one thread that sends memory.
    double encrypted_bytes_per_second = 1.4e8;  ///< The same, under TLS.
    double mirror_bytes_per_second = 5e8;       ///< Of a mirror's reads.
    /// The key in a directory of tls-creds-psk; that of any other is one and the same.
    std::map<std::string, std::string> psk_keys;
    /// Where keys are read instead, in the file keys.psk of such a directory. LIFETIME: outlives
    /// it.
    const sim::VirtualFiles* files = nullptr;
    /// Answered to query-qmp-schema; without it the command is not known. LIFETIME: outlives it.
    std::string_view schema;
};

/// What a program of an address `exec:` does with what QEMU writes to it. The file it writes to is
/// a matter of who runs it.
struct Program {
    enum class Does {
        reads_all,
        ends_early,     ///< QEMU's next write breaks.
        stops_reading,  ///< QEMU's next write never ends, whatever it is told.
    };
    Does does = Does::reads_all;
    double bytes_per_second = 1e9;
    /// From the last byte on: QEMU waits for its end, and answers nobody.
    Duration ends_after = std::chrono::milliseconds{2};
};

struct QemuHooks {
    /// QEMU starts this program; without the hook it is one that reads all.
    UniqueFunction<Program(std::string_view command)> on_program;
    /// It has read all, and has ended.
    UniqueFunction<void()> on_program_end;
    /// Whether there is such a file; without the hook there is none.
    UniqueFunction<bool(std::string_view path)> has_file;
    /// An event, and its data as JSON; empty when it has none.
    UniqueFunction<void(std::string_view name, std::string_view data)> on_event;
    /// The answer to a command that kept the monitor busy.
    UniqueFunction<void(Reply)> on_late_reply;
    /// The monitor is not busy any more.
    UniqueFunction<void()> on_idle;
    /// Its guest runs from now on, or stands.
    UniqueFunction<void(bool runs)> on_guest;
    /// The process is gone; its exit code as a shell sees it: 137 for SIGKILL, 134 for an abort.
    UniqueFunction<void(int code)> on_exit;
};

class Process {
public:
    Process(sim::VirtualClock& clock, Switchboard& board, QemuSettings settings)
        : clock_(clock), board_(board), settings_(std::move(settings)) {}
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] sim::VirtualClock& virtual_clock() const noexcept { return clock_; }
    [[nodiscard]] Instant now() const { return clock_.now(); }
    [[nodiscard]] Switchboard& board() const noexcept { return board_; }
    [[nodiscard]] Wire& wire() const noexcept { return board_.wire(); }
    [[nodiscard]] const QemuSettings& settings() const noexcept { return settings_; }
    [[nodiscard]] const Timings& timings() const noexcept { return settings_.timings; }
    [[nodiscard]] QemuHooks& hooks() noexcept { return hooks_; }

    [[nodiscard]] bool is_alive() const noexcept { return !exit_code_; }
    [[nodiscard]] std::optional<int> exit_code() const noexcept { return exit_code_; }
    void end(int code) { exit_code_ = code; }

    /// Says nothing once the process has ended.
    void say(std::string_view event, std::string_view data = {}) {
        if (is_alive() && hooks_.on_event) {
            hooks_.on_event(event, data);
        }
    }
    void say_idle() {
        if (is_alive() && hooks_.on_idle) {
            hooks_.on_idle();
        }
    }
    /// What the stream of memory would take of the wire, in bytes a second; mirrors get the rest,
    /// and half of it at least, as TCP shares it out.
    [[nodiscard]] double memory_stream() const noexcept { return memory_stream_; }
    void use_wire(double memory_stream) {
        if (memory_stream_ != memory_stream) {
            memory_stream_ = memory_stream;
            wire_use_changed();
        }
    }
    void on_wire_use(UniqueFunction<void()> changed) { wire_use_ = std::move(changed); }
    void wire_use_changed() {
        if (is_alive() && wire_use_) {
            wire_use_();
        }
    }
    [[nodiscard]] std::unique_ptr<ports::Timer> after(Duration delay, UniqueFunction<void()> what) {
        return clock_.arm(delay, std::move(what));
    }

private:
    sim::VirtualClock& clock_;
    Switchboard& board_;
    QemuSettings settings_;
    QemuHooks hooks_;
    std::optional<int> exit_code_;
    double memory_stream_ = 0;
    UniqueFunction<void()> wire_use_;
};

}  // namespace ktm::model
