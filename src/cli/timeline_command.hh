// SPDX-License-Identifier: Apache-2.0
// cli/timeline_command.hh: `katamaran trace timeline`.
#pragma once

#include <string>
#include <vector>

#include "ports/files.hh"

namespace ktm::cli {

struct TraceTimelineOptions {
    std::vector<std::string> files;  ///< One recording, or that of each side.
    std::string out;                 ///< Where it goes; empty for the terminal.
    std::string shift;               ///< Added to the times of the second; empty: as it is found.
    int width = 0;                   ///< In pixels, of a text in columns; 0 for what is usual.
};

[[nodiscard]] int run_trace_timeline(ports::Files& files, const TraceTimelineOptions& options);

}  // namespace ktm::cli
