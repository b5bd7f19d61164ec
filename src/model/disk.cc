// SPDX-License-Identifier: Apache-2.0
// model/disk.cc: histories of writes, and the lock of an image.
#include "model/disk.hh"

#include <utility>

namespace ktm::model {

Disk::Disk(Settings settings) : settings_(std::move(settings)) {
    append(history_, settings_.origin, settings_.origin == 0 ? 0 : 1);
}

void Disk::append(History& history, std::uint64_t writer, std::uint64_t writes) {
    if (writes == 0) {
        return;
    }
    if (!history.empty() && history.back().writer == writer) {
        history.back().writes += writes;
    } else {
        history.push_back({writer, writes});
    }
}

void Disk::become(const History& history, std::uint64_t lacking_bytes) {
    history_ = history;
    lacking_bytes_ = lacking_bytes;
}

bool Disk::lock(const void* owner) {
    if (!settings_.locks || owner_ == nullptr) {
        owner_ = owner;
    }
    return !settings_.locks || owner_ == owner;
}

void Disk::unlock(const void* owner) noexcept {
    if (owner_ == owner) {
        owner_ = nullptr;
    }
}

bool Disk::holds(const History& history) const {
    return lacking_bytes_ == 0 && history_ == history;
}

bool Disk::equals(const Disk& other) const {
    return this == &other || (other.lacking_bytes_ == 0 && holds(other.history_));
}

}  // namespace ktm::model
