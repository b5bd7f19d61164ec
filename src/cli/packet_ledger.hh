// SPDX-License-Identifier: Apache-2.0
// cli/packet_ledger.hh: what was counted of a guest's packets, for a person and for a script.
#pragma once

#include <string>
#include <vector>

#include "cli/console.hh"
#include "script/run.hh"

namespace ktm::cli {

/// One line for each place that counted, and one for the dark window; none where no packet was
/// diverted or held.
[[nodiscard]] std::vector<std::string> ledger_lines(const Console& console,
                                                    const script::PacketLedger& ledger);
/// The proof, and every counter before and after. Numbers that are zero are left out of these.
[[nodiscard]] std::string ledger_json(const script::PacketLedger& ledger);

}  // namespace ktm::cli
