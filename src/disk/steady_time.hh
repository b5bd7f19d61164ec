// SPDX-License-Identifier: Apache-2.0
// disk/steady_time.hh: the time that has passed, for who has no loop and no timers.
#pragma once

#include "base/time.hh"

namespace ktm::disk {

[[nodiscard]] Instant steady_time();

}  // namespace ktm::disk
