// SPDX-License-Identifier: Apache-2.0
// model/guest.hh: what a guest does to its memory and its disk while it runs.
#pragma once

#include <cstdint>

#include "base/time.hh"
#include "model/disk.hh"

namespace ktm::model {

/// How busy a guest is. Memory is dirtied evenly, until all of the working set is dirty.
struct Load {
    std::uint64_t ram_bytes = 128ULL << 20;
    /// Of these, never written: such a page costs nine bytes.
    std::uint64_t zero_bytes = 60ULL << 20;
    std::uint64_t dirty_bytes_per_second = 20'000'000;
    std::uint64_t working_set_bytes = 32ULL << 20;
    std::uint64_t disk_writes_per_second = 0;
};

/// Writes to its disk at its rate, and knows what was acknowledged: that knowledge is in its memory
/// and travels with it. Nothing happens between two calls; each brings it up to the instant.
class Guest {
public:
    Guest(Load load, std::uint64_t writer) : load_(load), writer_(writer) {}

    [[nodiscard]] const Load& load() const noexcept { return load_; }
    [[nodiscard]] bool runs() const noexcept { return runs_; }
    [[nodiscard]] const Disk::History& acknowledged() const noexcept { return acknowledged_; }

    /// Memory that has come from elsewhere, or that was there at the power-on.
    void remember(Load load, const Disk::History& acknowledged);
    /// LIFETIME: the disk outlives the guest; without one it writes nothing.
    void use(Disk* disk, Instant now);
    void run(bool runs, Instant now);
    /// Its writes wait for somebody, and so does it.
    void stall(bool stalled, Instant now);
    void settle(Instant now);

private:
    Load load_;
    std::uint64_t writer_;
    Disk* disk_ = nullptr;
    Disk::History acknowledged_;
    bool runs_ = false;
    bool stalled_ = false;
    Instant settled_{};
    /// Time in which it could write, and the writes that came of it.
    Duration wrote_for_{};
    std::uint64_t written_ = 0;
};

}  // namespace ktm::model
