// SPDX-License-Identifier: Apache-2.0
// timeline/guest_story.hh: where one guest ran, from what its QEMUs said.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "timeline/timeline.hh"
#include "timeline/vm_story.hh"

namespace ktm::timeline {

/// One QEMU that has the guest, or is to get it.
struct Place {
    std::string name;  ///< "source".
    std::vector<GuestTurn> turns;
    bool sends = false;
    bool receives = false;
};

/// Its lane, and the times in which it ran nowhere.
struct GuestStory {
    Lane lane;
    std::vector<DarkWindow> dark;
    Duration twice{};  ///< For how long it ran at two places.
};

[[nodiscard]] GuestStory tell_guest(const std::vector<Place>& places, Duration end);

}  // namespace ktm::timeline
