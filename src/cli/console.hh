// SPDX-License-Identifier: Apache-2.0
// cli/console.hh: what a person or a script sees. Data goes to stdout, everything else to stderr.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hh"
#include "base/result.hh"
#include "base/time.hh"
#include "base/unique_function.hh"

namespace ktm::cli {

/// Exit codes; scripts rely on them.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_stranded = 3;
inline constexpr int exit_undecided = 4;
inline constexpr int exit_interrupted = 130;

enum class Colour { plain, dim, bold, red, green, yellow, cyan };

class Console {
public:
    /// `json`: machine-readable: no colours, and errors as one JSON object on stderr.
    explicit Console(bool json);

    /// One line of data, at once, so that a reader of the pipe sees it when it happens. False when
    /// it could not be written, then and from then on; the caller ends with explain_loss().
    [[nodiscard]] bool line(std::string_view text);

    /// Limits how long line() waits for a reader who does not read: `left` is asked before each
    /// wait.
    void limit_waits(UniqueFunction<Duration()> left) { left_ = std::move(left); }

    /// Waits no longer than this for a reader who does not read, and after that not at all: what he
    /// has not read is kept, and written with the next line. LIFETIME: this must not move any more.
    void keep_for_slow_reader(Duration patience);
    /// Writes what was kept; false when it could not be written within that time.
    [[nodiscard]] bool finish(Duration patience);

    /// Says why line() failed and returns the exit code for it. A reader that went away is no
    /// fault.
    [[nodiscard]] int explain_loss() const;

    /// A remark that is not data; what a terminal would obey in it is made visible.
    void note(std::string_view text) const;
    void error(const Error& error) const;
    /// A line of JSON on stderr, where that says more than an error does.
    void raw_error(std::string_view json) const;

    /// The text in a colour where stdout is a terminal and NO_COLOR is not set.
    [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;

    [[nodiscard]] bool json() const noexcept { return json_; }

private:
    void flush();

    bool json_;
    bool colours_;
    UniqueFunction<Duration()> left_;
    std::string unwritten_;
    bool keeps_ = false;          ///< What is not read at once.
    bool reader_stands_ = false;  ///< He was waited for already.
    int write_fault_ = 0;         ///< The errno value that ended the output, or 0.
};

/// Whether stderr takes a short line now. A reader that stands still, or a terminal that was
/// stopped, is waited for once, for an instant; nobody may stand still because of a remark.
[[nodiscard]] bool stderr_takes_a_line();

/// Sends the log of the rooms below to stderr, as text or as one JSON object a line. What nobody
/// reads there is lost.
void install_log(bool json);

}  // namespace ktm::cli
