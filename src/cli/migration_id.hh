// SPDX-License-Identifier: Apache-2.0
// cli/migration_id.hh: the name that somebody else has given to what happens here.
#pragma once

#include <string>

#include "base/result.hh"

namespace ktm::cli {

/// KATAMARAN_MIGRATION_ID; empty when it is not set. An error when it is none that can be a name of
/// files and devices.
[[nodiscard]] Result<std::string> migration_id();

/// The same for what is said and kept: empty also where it is wrong.
[[nodiscard]] std::string migration_mark();

}  // namespace ktm::cli
