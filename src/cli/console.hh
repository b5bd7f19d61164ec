// SPDX-License-Identifier: Apache-2.0
// cli/console.hh: what a person or a script sees. Data goes to stdout, everything else to stderr.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hh"
#include "base/result.hh"

namespace ktm::cli {

/// Exit codes; scripts rely on them.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_interrupted = 130;

enum class Colour { plain, dim, bold, red, green, yellow, cyan };

class Console {
public:
    /// `json`: machine-readable: no colours, and errors as one JSON object on stderr.
    explicit Console(bool json);

    /// One line of data, flushed, so that a reader of the pipe sees it when it happens. False when
    /// nobody can read it any more; the caller then ends.
    [[nodiscard]] bool line(std::string_view text);

    /// A remark that is not data.
    void note(std::string_view text) const;
    void error(const Error& error) const;

    /// The text in a colour where stdout is a terminal and NO_COLOR is not set.
    [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;

    [[nodiscard]] bool json() const noexcept { return json_; }

    /// Why line() failed: nothing for a reader that went away, which is no fault of anybody.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    bool json_;
    bool colours_;
    std::string fault_;
};

/// Sends the log of the rooms below to stderr.
void install_log();

}  // namespace ktm::cli
