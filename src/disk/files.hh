// SPDX-License-Identifier: Apache-2.0
// disk/files.hh: the Files port on plain system calls.
#pragma once

#include "disk/descriptor.hh"
#include "ports/files.hh"

namespace ktm::disk {

/// Small local files are read and replaced by blocking calls: faster than a thread for what
/// katamaran reads, and never used between STOP and RESUME. Its spool blocks, too, which suits who
/// has nothing else to do; a loop brings one of its own.
class PlainFiles : public ports::Files {
public:
    [[nodiscard]] Result<std::string> read(const std::string& path, Bytes size_max) override;
    [[nodiscard]] Result<std::string> read_private(const std::string& path,
                                                   Bytes size_max) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override;
    [[nodiscard]] Result<void> read_pieces(const std::string& path,
                                           UniqueFunction<bool(std::string_view)> piece) override;
    [[nodiscard]] Result<void> replace(const std::string& path, std::string_view content) override;
    [[nodiscard]] Result<void> keep_secret(const std::string& path,
                                           std::string_view content) override;
    [[nodiscard]] Result<bool> forget_secret(const std::string& path) override;
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> make_owned(
        const std::string& path) override;
    [[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> take_over(
        const std::string& path) override;
    [[nodiscard]] Result<bool> is_in_memory(const std::string& folder) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Spool>> spool(const std::string& path,
                                                              ports::Filter filter) override;
};

}  // namespace ktm::disk
