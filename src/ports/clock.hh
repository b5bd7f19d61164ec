// SPDX-License-Identifier: Apache-2.0
// ports/clock.hh: the only source of time.
#pragma once

#include <memory>

#include "base/time.hh"
#include "base/unique_function.hh"
#include "ports/pinned.hh"

namespace ktm::ports {

/// An armed deadline; destroying it disarms it.
class Timer : public Pinned {};

class Clock : public Pinned {
public:
    [[nodiscard]] virtual Instant now() const = 0;
    [[nodiscard]] virtual WallTime wall_now() const = 0;

    /// Runs `expired` once, not before `delay` has passed and never from inside this call.
    [[nodiscard]] virtual std::unique_ptr<Timer> arm(Duration delay,
                                                     UniqueFunction<void()> expired) = 0;
};

}  // namespace ktm::ports
