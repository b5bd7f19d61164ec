// SPDX-License-Identifier: Apache-2.0
// sim/virtual_files.hh: the Files port in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/files.hh"

namespace ktm::sim {

/// Paths are taken as they are written. A folder is there as long as a file is in it. What is
/// appended to a spool can be read at once.
class VirtualFiles final : public ports::Files {
public:
    [[nodiscard]] Result<std::string> read(const std::string& path, Bytes size_max) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& folder) override;
    [[nodiscard]] Result<void> read_pieces(const std::string& path,
                                           UniqueFunction<bool(std::string_view)> piece) override;
    [[nodiscard]] Result<void> replace(const std::string& path, std::string_view content) override;
    [[nodiscard]] Result<std::unique_ptr<ports::Spool>> spool(const std::string& path,
                                                              ports::Filter filter) override;

    /// Every file, by its path.
    [[nodiscard]] const std::map<std::string, std::string>& all() const noexcept { return files_; }

private:
    class VirtualSpool;

    [[nodiscard]] bool is_folder(const std::string& path) const;

    std::map<std::string, std::string> files_;
};

}  // namespace ktm::sim
