// SPDX-License-Identifier: Apache-2.0
// cli/trace_command.hh: `katamaran trace show`.
#pragma once

#include <string>

#include "ports/files.hh"

namespace ktm::cli {

struct TraceShowOptions {
    std::string file;
    std::string port;  ///< Only this port; empty for all.
    std::string grep;  ///< Only lines that match this extended regular expression.
    bool json = false;
};

[[nodiscard]] int run_trace_show(ports::Files& files, const TraceShowOptions& options);

}  // namespace ktm::cli
