// SPDX-License-Identifier: Apache-2.0
// model/mirror_job.hh: a mirror of a disk to an NBD export.
//
// Theory of operation
//
//     created ── running ── ready ──(soft cancel, complete)── waiting ── pending ── concluded ──
//     null
//                   │          │                                                        │
//                   └──────────┴──(force, or soft before ready, or an error)── aborting ┘
//
// What is dirty is copied at the rate of the path. In mode background each write of the guest
// makes a whole chunk dirty. When nothing is left the job is ready, sleeps 100 ms, as QEMU's does,
// and takes what has become dirty meanwhile: it is clean for an instant only, unless the guest
// stands. In mode write-blocking a write is done when it is at the target: nothing becomes dirty,
// but the guest waits while the wire is cut.
//
// A soft cancel ends when nothing is dirty; a forced one leaves at the target what was not copied.
// A target that is gone is noticed by the next write to it, and by nothing else.
//
// Nothing is ticked: settle() computes up to the instant, a timer stands at the next end.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/machine.hh"

namespace ktm::model {

/// An NBD connection, as its client has it. The server's end knows it too.
struct NbdLink {
    std::string host;
    std::string port;
    std::string export_name;
    Disk* disk = nullptr;  ///< LIFETIME: the image of the export.
    bool over_wire = false;
    bool lost = false;     ///< The server is gone, whether it was noticed or not.
    bool severed = false;  ///< By its own client, which needs no wire to know.
    /// Called before `lost` is set.
    UniqueFunction<void()> before_loss;
    UniqueFunction<void()> after_loss;
};

class MirrorJob {
public:
    struct Settings {
        std::string id;
        Drive source;
        bool write_blocking = false;
        bool whole = true;  ///< sync=full; else what is written from now on alone.
        std::uint64_t granularity = 65'536;
        std::uint64_t speed = 0;  ///< Bytes a second; 0 is no limit.
    };
    /// The job is no more; the disk is what the guest writes to from now on, after a pivot.
    using Ended = UniqueFunction<void(Disk* pivot)>;

    /// Says created and running.
    MirrorJob(Process& process, Machine& machine, Settings settings, std::shared_ptr<NbdLink> link,
              Ended ended);
    MirrorJob(const MirrorJob&) = delete;
    MirrorJob& operator=(const MirrorJob&) = delete;
    ~MirrorJob() = default;

    [[nodiscard]] const std::string& id() const noexcept { return settings_.id; }
    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    [[nodiscard]] const NbdLink& link() const noexcept { return *link_; }
    [[nodiscard]] bool is_ready() const noexcept { return ready_; }
    [[nodiscard]] bool is_ending() const noexcept { return phase_ != Phase::copying; }
    /// What it would still write.
    [[nodiscard]] std::uint64_t dirty_bytes();
    /// What it would take of the wire, in bytes a second.
    [[nodiscard]] double wire_need() const;
    /// Its writes are under way to a peer that does not answer.
    [[nodiscard]] bool is_stuck() const;
    [[nodiscard]] std::string_view status() const noexcept;

    /// Ends when the target is equal, if it is ready; else it is given up.
    void cancel(bool force);
    void complete();
    /// All jobs stand for a moment, as at each stop of the machine; takes so long.
    [[nodiscard]] Duration drain_time();
    void say_drained();

    /// The guest was started or stopped, or the wire has changed.
    void changed();
    /// The target is brought up to this instant.
    void settle();
    /// The process ends in order, and gives its jobs up before.
    void quit();
    /// The process is gone.
    void vanish();

    [[nodiscard]] std::string block_job_json();
    [[nodiscard]] std::string job_json();

private:
    enum class Phase { copying, completing, failing, ending };

    [[nodiscard]] double own_rate() const;
    [[nodiscard]] double copy_rate() const;
    [[nodiscard]] double dirty_rate() const;
    void spend(double left);
    void settle_target();
    void rearm();
    void due();
    [[nodiscard]] bool notices_loss() const;
    void fail();
    void say_status(std::string_view status);
    [[nodiscard]] std::string data(std::string_view error) const;
    void end(bool pivot);
    void conclude(std::string_view event, std::string_view error, Disk* pivot);

    Process& process_;
    Machine& machine_;
    Settings settings_;
    std::shared_ptr<NbdLink> link_;
    Ended ended_;
    Phase phase_ = Phase::copying;
    bool ready_ = false;
    bool sleeping_ = false;
    bool pivot_ = false;
    Instant settled_{};
    double slept_ = 0;    ///< Seconds of the sleep that have passed.
    double dirty_ = 0;    ///< Bytes.
    double copied_ = 0;   ///< Bytes, with those of the guest's own writes.
    double rate_ = 0;     ///< As of the last change.
    double dirties_ = 0;  ///< As of the last change.
    bool stalls_ = false;
    std::unique_ptr<ports::Timer> timer_;
    std::unique_ptr<ports::Pinned> watch_;
};

}  // namespace ktm::model
