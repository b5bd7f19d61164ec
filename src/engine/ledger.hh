// SPDX-License-Identifier: Apache-2.0
// engine/ledger.hh: what a run must undo or release, in the order in which it was registered.
//
// An entry waits until its turn in the unwinding comes; newest first. One that went well is taken
// out; one that did not stays, with the reason, for the report at the end.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/machine.hh"

namespace ktm::engine {

class Ledger {
public:
    /// An entry that is there already is not added again.
    void add(Registered registered);

    /// Takes an entry out. Nothing when there is no such entry, or when it is being run just now:
    /// how that went is said by close().
    void release(EntryId entry);

    /// Takes out all undos, and says what they were, oldest first.
    [[nodiscard]] std::vector<std::string> drop_undos();

    /// Begins the newest entry that waits; null when none does. LIFETIME: until the next change.
    [[nodiscard]] const Registered* begin_newest();

    /// The entry that was begun and is not over; there must be one. LIFETIME: until the next
    /// change.
    [[nodiscard]] const Registered& running() const;

    /// The entry that was begun is over. Returns what it was.
    Registered close(const std::optional<Error>& error);

    /// How many were begun, the running one included, and how many wait.
    [[nodiscard]] std::size_t begun() const noexcept { return begun_; }
    [[nodiscard]] std::size_t waiting() const noexcept;

    /// What is there still, and why, oldest first.
    [[nodiscard]] std::vector<Left> left() const;

private:
    enum class Progress { waits, runs, failed };
    struct Entry {
        Registered registered;
        Progress progress = Progress::waits;
        std::string why;  ///< Of one that failed.
    };
    static bool is_running(const Entry& entry) noexcept { return entry.progress == Progress::runs; }

    std::vector<Entry> entries_;
    std::size_t begun_ = 0;
};

}  // namespace ktm::engine
