// SPDX-License-Identifier: Apache-2.0
// disk/plain_spool.hh: a new file that is appended to, by calls that wait for the disk.
#pragma once

#include <memory>
#include <string>

#include "disk/descriptor.hh"
#include "ports/files.hh"

namespace ktm::disk {

/// A new file, or an existing one that is not a regular file: a pipe, /dev/stdout.
[[nodiscard]] Result<Descriptor> open_target(const std::string& path);

[[nodiscard]] Result<std::unique_ptr<ports::Spool>> open_plain_spool(const std::string& path,
                                                                     ports::Filter filter);

}  // namespace ktm::disk
