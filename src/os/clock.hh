// SPDX-License-Identifier: Apache-2.0
// os/clock.hh: the Clock port on CLOCK_MONOTONIC and libuv's timers.
#pragma once

#include "os/loop.hh"
#include "ports/clock.hh"

namespace ktm::os {

class UvClock final : public ports::Clock {
public:
    explicit UvClock(UvLoop& loop) : loop_(loop) {}

    [[nodiscard]] Instant now() const override;
    [[nodiscard]] WallTime wall_now() const override;
    [[nodiscard]] std::unique_ptr<ports::Timer> arm(Duration delay,
                                                    UniqueFunction<void()> expired) override;

private:
    UvLoop& loop_;
};

}  // namespace ktm::os
