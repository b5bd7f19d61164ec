// SPDX-License-Identifier: Apache-2.0
// os/spool.hh: a file that is written by a process of its own.
#pragma once

#include <memory>
#include <string>

#include "disk/plain_spool.hh"
#include "os/loop.hh"
#include "ports/files.hh"

namespace ktm::os {

[[nodiscard]] Result<std::unique_ptr<ports::Spool>> open_spool(UvLoop& loop,
                                                               const std::string& path,
                                                               ports::Filter filter);

}  // namespace ktm::os
