// SPDX-License-Identifier: Apache-2.0
// trial/verdicts.hh: what the referee looks at when nothing acts any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/flow_account.hh"
#include "net/account.hh"
#include "trial/world_settings.hh"

namespace ktm::trial {

class Site;

/// LIMIT: packets of a flow that may come out of order, whatever a plan does: when the network
/// learns of the new node, what goes there at once overtakes what is still on its way through the
/// tunnel.
[[nodiscard]] std::uint64_t overtaken_max(const WorldSettings& world) noexcept;

/// In which way a ledger says something else of the packets than what became of them by then; empty
/// when it does not.
[[nodiscard]] std::string contradiction(const net::Proof& said,
                                        const std::vector<model::FlowAccount>& known);

/// Blames what does not hold at the end.
void judge(Site& site);

}  // namespace ktm::trial
