// SPDX-License-Identifier: Apache-2.0
// monitor/recorder.hh: what crosses the ports, kept while the program runs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secrets.hh"
#include "base/unique_function.hh"
#include "ports/clock.hh"
#include "ports/files.hh"
#include "trace/record.hh"

namespace ktm::monitor {

/// Writes a trace of everything it is told, stamped with the time since it was opened.
class Recorder {
public:
    /// Begins the file; compressed when its name ends in ".zst". Each line names the migration, if
    /// that has a name.
    [[nodiscard]] static Result<std::unique_ptr<Recorder>> open(ports::Files& files,
                                                                const ports::Clock& clock,
                                                                const std::string& path,
                                                                std::string_view tool_version,
                                                                std::string migration = "");

    /// One that writes no file: for who listens.
    [[nodiscard]] static std::unique_ptr<Recorder> without_file(const ports::Clock& clock,
                                                                std::string_view tool_version,
                                                                std::string migration = "");

    /// Hands each line of the trace to `listener` as well, the header first; there may be several.
    void tell(UniqueFunction<void(std::string_view line)> listener);

    /// A message that is JSON on one line.
    void message(std::string_view port, trace::Direction direction, std::string_view json);
    /// Anything else.
    void text(std::string_view port, trace::Direction direction, std::string_view text);

    /// A signal that reached us.
    void signal(int number);

    /// From here on these texts are not written; what stands in their place says so.
    void hide(Secrets secrets) { secrets_ = std::move(secrets); }

    /// Waits until the file is complete and says whether it is; calls `slow` when that takes long.
    [[nodiscard]] Result<void> close(UniqueFunction<void()> slow = nullptr);

private:
    Recorder(std::unique_ptr<ports::Spool> spool, const ports::Clock& clock,
             std::string_view tool_version, std::string migration);
    void append(std::string line);
    [[nodiscard]] Duration elapsed() const { return clock_.now() - start_; }

    std::unique_ptr<ports::Spool> spool_;  ///< Null: no file.
    std::vector<UniqueFunction<void(std::string_view)>> listeners_;
    std::string migration_;  ///< Its name; empty for none.
    std::string header_;
    const ports::Clock& clock_;
    Instant start_;
    Secrets secrets_;
};

}  // namespace ktm::monitor
