// SPDX-License-Identifier: Apache-2.0
// timeline/chronicle.hh: everything in a timeline as one list, by time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "timeline/timeline.hh"

namespace ktm::timeline {

struct Entry {
    enum class Kind : std::uint8_t { span, mark, call, arrow };
    Kind kind = Kind::mark;
    std::size_t lane = 0;
    Duration begin{};
    Duration end{};
    std::string what;
    std::string detail;
    Look look = Look::quiet;
    bool minor = false;
    bool open = false;
    std::string key;  ///< The same that the picture's shape has.
};

[[nodiscard]] std::vector<Entry> chronicle(const Timeline& timeline);

/// The name of the shape of a span, a mark or an arrow: "2s5".
[[nodiscard]] std::string key_of(std::size_t lane, Entry::Kind kind, std::size_t number);

/// "13.2 ms" for a thing that lasted; "" for an instant; "…" behind what did not end.
[[nodiscard]] std::string length_text(const Entry& entry);

/// Seconds with six digits, as `trace show` prints them.
[[nodiscard]] std::string clock_text(Duration at);

}  // namespace ktm::timeline
