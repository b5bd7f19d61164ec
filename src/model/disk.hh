// SPDX-License-Identifier: Apache-2.0
// model/disk.hh: an image, as the history of what was written to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ktm::model {

/// What is on a disk, without its bytes: who wrote how often, in order. Two disks are equal when
/// their histories are, and none of them lacks a part of its own.
class Disk {
public:
    struct Settings {
        std::string file = "/vm/disk.img";
        std::uint64_t bytes = 64ULL << 20;
        /// What a full mirror must read and send; the rest is known to be zero.
        std::uint64_t allocated_bytes = 64ULL << 20;
        /// The number of what is on it at first; 0 is a blank image.
        std::uint64_t origin = 0;
        /// Whether the file system has locks, so that a second writer is refused.
        bool locks = true;
    };
    struct Stretch {
        std::uint64_t writer = 0;
        std::uint64_t writes = 0;
        friend bool operator==(const Stretch&, const Stretch&) = default;
    };
    using History = std::vector<Stretch>;

    explicit Disk(Settings settings);
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    [[nodiscard]] const History& history() const noexcept { return history_; }
    /// Bytes that the history holds and the disk does not: what a mirror still owed when it ended.
    [[nodiscard]] std::uint64_t lacking_bytes() const noexcept { return lacking_bytes_; }

    void write(std::uint64_t writer, std::uint64_t writes) { append(history_, writer, writes); }
    /// A mirror has brought it as far as that.
    void become(const History& history, std::uint64_t lacking_bytes);

    /// The write lock of the file; false while another holds it. Without locks, always true.
    [[nodiscard]] bool lock(const void* owner);
    void unlock(const void* owner) noexcept;

    static void append(History& history, std::uint64_t writer, std::uint64_t writes);
    /// Whether what is on it is exactly this.
    [[nodiscard]] bool holds(const History& history) const;
    [[nodiscard]] bool equals(const Disk& other) const;

private:
    Settings settings_;
    History history_;
    std::uint64_t lacking_bytes_ = 0;
    const void* owner_ = nullptr;  ///< LIFETIME: compared, never followed.
};

}  // namespace ktm::model
