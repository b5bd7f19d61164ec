// SPDX-License-Identifier: Apache-2.0
// ports/process.hh: other programs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "base/unique_function.hh"
#include "ports/pinned.hh"

namespace ktm::ports {

/// What to start: a program and its arguments, never a shell line. Standard input is empty.
struct Program {
    std::vector<std::string> argv;
    /// LIMIT: output kept of each of stdout and stderr; what is beyond is read and counted.
    Bytes output_max{1U << 20U};
};

/// How it ended.
struct Ending {
    int exit_code = 0;
    int signal = 0;  ///< The signal that killed it, or 0.
    std::string out;
    std::string err;
    Bytes output_lost;  ///< Output beyond the limit.
};

/// A program that was started. Destroying it before its end kills it.
class Process : public Pinned {
public:
    [[nodiscard]] virtual int pid() const = 0;
    [[nodiscard]] virtual Result<void> send_signal(int signal) = 0;
};

class Processes : public Pinned {
public:
    using Ended = UniqueFunction<void(Ending)>;

    /// Calls `ended` once, when the program is gone and its output has been read to the end.
    [[nodiscard]] virtual Result<std::unique_ptr<Process>> start(const Program& program,
                                                                 Ended ended) = 0;
};

}  // namespace ktm::ports
