// SPDX-License-Identifier: Apache-2.0
// timeline/clock_fit.hh: two recordings on one axis, by what crossed between them.
#pragma once

#include <string>

#include "timeline/source_story.hh"

namespace ktm::timeline {

/// How much later the times of the second recording must be read so that nothing is heard before it
/// was said: nothing when they fit as they are, or when nothing crossed.
struct ClockFit {
    Duration shift{};
    std::string note;  ///< What a reader must know of it; empty for nothing.
};

[[nodiscard]] ClockFit fit_clocks(const SourceStory& first, const SourceStory& second);

/// All times of a lane, moved.
void move(Lane& lane, Duration shift);
void move(std::vector<Counter>& counters, Duration shift);

}  // namespace ktm::timeline
