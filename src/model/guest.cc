// SPDX-License-Identifier: Apache-2.0
// model/guest.cc: a guest's writes, counted up to an instant.
#include "model/guest.hh"

namespace ktm::model {

void Guest::remember(Load load, const Disk::History& acknowledged) {
    load_ = load;
    acknowledged_ = acknowledged;
    wrote_for_ = {};
    written_ = 0;
}

void Guest::use(Disk* disk, Instant now) {
    settle(now);
    disk_ = disk;
}

void Guest::run(bool runs, Instant now) {
    settle(now);
    runs_ = runs;
}

void Guest::stall(bool stalled, Instant now) {
    settle(now);
    stalled_ = stalled;
}

void Guest::settle(Instant now) {
    const Duration passed = now - settled_;
    settled_ = now;
    if (!runs_ || stalled_ || disk_ == nullptr || load_.disk_writes_per_second == 0) {
        return;
    }
    wrote_for_ += passed;
    constexpr double second = 1e9;
    const double due = static_cast<double>(wrote_for_.count()) / second *
                       static_cast<double>(load_.disk_writes_per_second);
    const auto writes = static_cast<std::uint64_t>(due);
    disk_->write(writer_, writes - written_);
    Disk::append(acknowledged_, writer_, writes - written_);
    written_ = writes;
}

}  // namespace ktm::model
