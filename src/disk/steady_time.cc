// SPDX-License-Identifier: Apache-2.0
// disk/steady_time.cc: the time that has passed, for who has no loop and no timers.
#include "disk/steady_time.hh"

namespace ktm::disk {

Instant steady_time() {
    return Instant{std::chrono::steady_clock::now().time_since_epoch()};
}

}  // namespace ktm::disk
