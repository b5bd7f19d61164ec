// SPDX-License-Identifier: Apache-2.0
// timeline/perfetto.hh: a timeline for ui.perfetto.dev.
#pragma once

#include <string>

#include "timeline/timeline.hh"

namespace ktm::timeline {

/// In Chrome's format of trace events: a track for each row of each actor, one for its commands,
/// flows for the words between the plans, counters as counter tracks. Spans of one track follow
/// each other. Times are those of the recording, in microseconds.
[[nodiscard]] std::string write_perfetto(const Timeline& timeline);

}  // namespace ktm::timeline
