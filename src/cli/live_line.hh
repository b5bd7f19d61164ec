// SPDX-License-Identifier: Apache-2.0
// cli/live_line.hh: the last line of a terminal, which is written over again and again.
#pragma once

#include <string>

namespace ktm::cli {

class LiveLine {
public:
    /// Where stderr is no terminal, or is not `wanted`, there is none.
    explicit LiveLine(bool wanted);
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;
    ~LiveLine() { clear(); }

    [[nodiscard]] bool is_there() const noexcept { return is_there_; }
    /// Over what it was.
    void show(const std::string& text);
    /// Before anything else is written.
    void clear();

private:
    bool is_there_;
    bool is_shown_ = false;
};

}  // namespace ktm::cli
