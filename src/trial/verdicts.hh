// SPDX-License-Identifier: Apache-2.0
// trial/verdicts.hh: what the referee looks at when nothing acts any more.
#pragma once

namespace ktm::trial {

class Site;

/// Blames what does not hold at the end.
void judge(Site& site);

}  // namespace ktm::trial
