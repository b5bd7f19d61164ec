// SPDX-License-Identifier: Apache-2.0
// cli/qmp_command.hh: `katamaran qmp`: one monitor, by hand or from a script.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hh"
#include "ports/loop.hh"

namespace ktm::cli {

struct QmpOptions {
    std::string socket;
    std::vector<std::string> words;  ///< The command and its arguments; empty to watch.
    std::string wait;                ///< EVENT[,FIELD=VALUE…]; empty for none.
    std::string record;              ///< Where the conversation is kept; empty for nowhere.
    std::string timeout;             ///< For all of it; empty for none.
    std::string cache_folder;        ///< Where schemas are remembered; empty for nowhere.
    bool json = false;
};

[[nodiscard]] int run_qmp(const ports::World& world, const QmpOptions& options);

}  // namespace ktm::cli
