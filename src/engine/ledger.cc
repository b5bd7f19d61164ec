// SPDX-License-Identifier: Apache-2.0
// engine/ledger.cc: what a run must undo or release.
#include "engine/ledger.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"

namespace ktm::engine {

void Ledger::add(Registered registered) {
    const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.registered.entry == registered.entry;
    });
    if (!known) {
        entries_.push_back(Entry{std::move(registered)});
    }
}

void Ledger::release(EntryId entry) {
    std::erase_if(entries_, [&](const Entry& candidate) {
        return candidate.registered.entry == entry && candidate.progress != Progress::runs;
    });
}

std::vector<std::string> Ledger::drop_undos() {
    std::vector<std::string> dropped;
    std::vector<Entry> kept;
    for (Entry& entry : entries_) {
        if (entry.registered.kind == Registered::Kind::undo) {
            dropped.push_back(std::move(entry.registered.what));
        } else {
            kept.push_back(std::move(entry));
        }
    }
    entries_ = std::move(kept);
    return dropped;
}

const Registered* Ledger::begin_newest() {
    const auto newest = std::find_if(entries_.rbegin(), entries_.rend(), [](const Entry& entry) {
        return entry.progress == Progress::waits;
    });
    if (newest == entries_.rend()) {
        return nullptr;
    }
    newest->progress = Progress::runs;
    ++begun_;
    return &newest->registered;
}

const Registered& Ledger::running() const {
    const auto running = std::find_if(entries_.begin(), entries_.end(), &is_running);
    KTM_ASSERT(running != entries_.end());
    return running->registered;
}

Registered Ledger::close(const std::optional<Error>& error) {
    const auto running = std::find_if(entries_.begin(), entries_.end(), &is_running);
    KTM_ASSERT(running != entries_.end());
    if (error) {
        running->progress = Progress::failed;
        running->why = error->sentence();
        return running->registered;
    }
    Registered done = std::move(running->registered);
    entries_.erase(running);
    return done;
}

std::size_t Ledger::waiting() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [](const Entry& entry) { return entry.progress == Progress::waits; }));
}

std::vector<Left> Ledger::left() const {
    std::vector<Left> left;
    for (const Entry& entry : entries_) {
        const bool hold = entry.registered.kind == Registered::Kind::hold;
        const char* kept = hold ? "kept: the end is stranded" : "not run: the end is stranded";
        left.push_back(Left{entry.registered.what,
                            entry.progress == Progress::failed ? entry.why : kept,
                            entry.registered.in_kernel});
    }
    return left;
}

}  // namespace ktm::engine
