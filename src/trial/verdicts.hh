// SPDX-License-Identifier: Apache-2.0
// trial/verdicts.hh: what the referee looks at when nothing acts any more.
#pragma once

#include <cstdint>

#include "trial/world_settings.hh"

namespace ktm::trial {

class Site;

/// LIMIT: packets of a flow that may come out of order, whatever a plan does: when the network
/// learns of the new node, what goes there at once overtakes what is still on its way through the
/// tunnel.
[[nodiscard]] std::uint64_t overtaken_max(const WorldSettings& world) noexcept;

/// Blames what does not hold at the end.
void judge(Site& site);

}  // namespace ktm::trial
