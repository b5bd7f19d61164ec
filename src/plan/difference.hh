// SPDX-License-Identifier: Apache-2.0
// plan/difference.hh: what one plan has that another has not.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.hh"

namespace ktm::plan {

struct Difference {
    enum class Kind { added, removed, changed };
    Kind kind = Kind::changed;
    std::string where;   ///< "vars.downtime", "source.precopy", "source.precopy.within",
                         ///< "source.precopy.on MIGRATION status=failed".
    std::string before;  ///< Empty when added.
    std::string after;   ///< Empty when removed.
    Place place;         ///< In the plan that has it; in the newer one when both do.
};

/// In reading order of the newer plan. A function is the same when its source text is.
[[nodiscard]] std::vector<Difference> differences(const Plan& older, const Plan& newer);

}  // namespace ktm::plan
