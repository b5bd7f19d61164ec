// SPDX-License-Identifier: Apache-2.0
// tests/harness/expectation.hh: texts that are compared with files, and the TAP of it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/virtual_files.hh"

namespace ktm::testing {

[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

/// The whole file; empty when it cannot be read.
[[nodiscard]] std::string read_disk(const std::filesystem::path& path);

/// Copies all files below a folder of this machine to paths that begin with `name`.
void copy_folder(const std::filesystem::path& folder, const std::string& name,
                 sim::VirtualFiles& files);

/// The folders in a folder, or the files with that ending, sorted.
[[nodiscard]] std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);
[[nodiscard]] std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                                          const std::string& extension);

/// What is wrong with a text that should be the content of a file: nothing, or where they part.
/// With KTM_UPDATE=1 in the environment the file is rewritten instead, and nothing is wrong.
[[nodiscard]] std::vector<std::string> compare(const std::string& text,
                                               const std::filesystem::path& expected);

/// One line for each claim; what is wrong with it stands before it.
class Tap {
public:
    void judge(const std::string& claim, const std::vector<std::string>& troubles);
    /// The plan, and the exit code. No claim at all is a failure too.
    [[nodiscard]] int finish() const;

private:
    unsigned count_ = 0;
    unsigned failed_ = 0;
};

}  // namespace ktm::testing
