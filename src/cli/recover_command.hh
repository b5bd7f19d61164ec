// SPDX-License-Identifier: Apache-2.0
// cli/recover_command.hh: `katamaran recover`.
#pragma once

#include <string>
#include <vector>

#include "ports/loop.hh"

namespace ktm::cli {

struct RecoverOptions {
    std::string folder;               ///< Of journals.
    std::vector<std::string> places;  ///< Namespaces to search, besides our own and the named ones.
    bool by_mark = false;
    bool dry = false;
    bool json = false;
};

[[nodiscard]] int run_recover(const ports::World& world, const RecoverOptions& options);

}  // namespace ktm::cli
