// SPDX-License-Identifier: Apache-2.0
// disk/owned_file.hh: a file that one process at a time owns.
#pragma once

#include <memory>
#include <string>

#include "base/result.hh"
#include "ports/files.hh"

namespace ktm::disk {

[[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> make_owned_file(const std::string& path);
[[nodiscard]] Result<std::unique_ptr<ports::OwnedFile>> take_over_file(const std::string& path);
[[nodiscard]] Result<bool> lies_in_memory(const std::string& folder);

}  // namespace ktm::disk
