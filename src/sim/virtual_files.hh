// SPDX-License-Identifier: Apache-2.0
// sim/virtual_files.hh: the Files port in memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/files.hh"
#include "sim/life.hh"

namespace ktm::sim {

/// Paths are taken as they are written. A folder is there as long as a file is in it. What is
/// appended to a spool can be read at once. Only what a process owns is bound to its life.
class VirtualFiles final : public ports::Files {
public:
    /// LIFETIME: the life outlives the files; none is one without an end.
    explicit VirtualFiles(Life* life = nullptr) : life_(life) {}

    [[nodiscard]] Result<std::string> read(const std::string& path, Bytes size_max) override;
    /// All files are of one process, and nobody else is there.
    [[nodiscard]] Result<std::string> read_private(const std::string& path,
                                                   Bytes size_max) override {
        return read(path, size_max);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override;
    [[nodiscard]] Result<void> read_pieces(const std::string& path,
                                           UniqueFunction<bool(std::string_view)> piece) override;
    [[nodiscard]] Result<void> replace(const std::string& path, std::string_view content) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Spool>> spool(const std::string& path,
                                                              ports::Filter filter) override;

    [[nodiscard]] Result<void> keep_secret(const std::string& path,
                                           std::string_view content) override;
    [[nodiscard]] Result<bool> forget_secret(const std::string& path) override;
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> make_owned(
        const std::string& path) override;
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> take_over(
        const std::string& path) override;
    /// Everything lies in memory, but for what was said to lie on a disk.
    [[nodiscard]] Result<bool> is_in_memory(const std::string& folder) override;

    /// The owners of all files are gone, as if they had been killed; their objects, if some are
    /// still there, have no power over a later owner.
    void disown();
    /// Whether somebody owns it.
    [[nodiscard]] bool is_owned(const std::string& path) const { return owners_.contains(path); }
    /// From the nth write to an owned file on, 1 being the next, the file system refuses: full
    /// (ENOSPC), forbidden (EACCES). To make a file is a write.
    void refuse_writes(std::uint64_t nth, int error) { refusal_ = Refusal{nth, error}; }
    /// Somebody who sees each write to an owned file before it is done, and answers 0, or the error
    /// with which it fails. `bytes` is empty where the file is made.
    using Judge = UniqueFunction<int(const std::string& path, std::string_view bytes)>;
    void judge_by(Judge judge) { judge_ = std::move(judge); }
    /// The file system takes writes again.
    void take_writes() { refusal_.reset(); }
    /// A write in whose midst the process dies leaves its first half.
    void tear_last_write(bool torn) { torn_ = torn; }
    /// This folder, and all below it, lies on a disk.
    void put_on_disk(const std::string& folder) { disks_.push_back(folder); }

    /// Every file, by its path.
    [[nodiscard]] const std::map<std::string, std::string>& all() const noexcept { return files_; }

private:
    class VirtualSpool;
    class VirtualOwned;
    struct Refusal {
        std::uint64_t after = 0;
        int error = 0;
    };

    [[nodiscard]] bool is_folder(const std::string& path) const;
    [[nodiscard]] std::unique_ptr<ports::OwnedFile> own(const std::string& path);
    [[nodiscard]] Result<void> refusal_of(const std::string& path, std::string_view bytes);
    [[nodiscard]] Result<void> append_to(const std::string& path, std::string_view bytes);

    Life* life_;
    std::map<std::string, std::string> files_;
    std::map<std::string, std::uint64_t> owners_;  ///< By number, so that the dead are told apart.
    std::uint64_t last_owner_ = 0;
    std::optional<Refusal> refusal_;
    Judge judge_;
    bool torn_ = false;
    std::vector<std::string> disks_;
};

}  // namespace ktm::sim
