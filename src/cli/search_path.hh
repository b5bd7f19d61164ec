// SPDX-License-Identifier: Apache-2.0
// cli/search_path.hh: where plans and the standard library are found on this machine.
#pragma once

#include "script/loader.hh"

namespace ktm::cli {

/// Plans: the working directory, the folders of KATAMARAN_PLAN_PATH, /etc/katamaran/plans, the
/// installed ones. The installed folder is that of KATAMARAN_LUA, or what lies beside the program:
/// ../share/katamaran, or ../lua where it was built.
[[nodiscard]] script::SearchPath search_path();

}  // namespace ktm::cli
