// SPDX-License-Identifier: Apache-2.0
// sim/virtual_clock.hh: a clock that stands still while somebody acts, and the loop that turns it.
//
// Theory of operation. Everything that will happen stands in one queue, ordered by the instant at
// which it is due, then by the order in which it was put there. The loop takes the first of the
// queue, sets the time to its instant and runs it, until somebody stops it or the queue is empty.
// What happens "soon" is due at the current instant, behind all that is due then already; so
// nothing is ever called from inside a call, and two runs of the same program are the same run.
//
// A program that keeps itself busy would never end here, as no time passes that could end it: the
// loop gives up after a number of turns, and fault() says so.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "ports/loop.hh"

namespace ktm::sim {

/// LIFETIME: outlives its timers, and everything that was asked for soon.
class VirtualClock final : public ports::Clock {
public:
    /// 2026-01-01T00:00:00Z: a run of today and one of tomorrow are equal.
    static constexpr WallTime wall_start{std::chrono::seconds{1'767'225'600}};

    VirtualClock() = default;
    ~VirtualClock() override;

    [[nodiscard]] Instant now() const override { return now_; }
    [[nodiscard]] WallTime wall_now() const override {
        return wall_start + now_.time_since_epoch();
    }
    [[nodiscard]] std::unique_ptr<ports::Timer> arm(Duration delay,
                                                    UniqueFunction<void()> expired) override;

    /// Runs it at the current instant, behind everything that is due already, and never from inside
    /// this call. It cannot be called off.
    void soon(UniqueFunction<void()> what);

    /// Sets the time to the instant of the next thing and runs it; false when nothing is left.
    bool run_next();

    /// Whether something is left for the current instant.
    [[nodiscard]] bool is_busy() const noexcept {
        return !queue_.empty() && queue_.begin()->first.due == now_;
    }
    /// Timers that are armed, and what was asked for soon.
    [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }

private:
    class VirtualTimer;

    struct Place {
        Instant due;
        std::uint64_t number = 0;
        friend auto operator<=>(const Place&, const Place&) = default;
    };

    Place put(Duration delay, UniqueFunction<void()> what);

    Instant now_{};
    std::uint64_t last_number_ = 0;
    std::map<Place, UniqueFunction<void()>> queue_;
};

class VirtualLoop final : public ports::Loop {
public:
    struct Limits {
        /// LIMIT: turns without a nanosecond between them.
        std::uint64_t quiet_turns_max = 1'000'000;
        /// LIMIT: turns of one loop in its life.
        std::uint64_t turns_max = 20'000'000;
    };

    explicit VirtualLoop(VirtualClock& clock) : VirtualLoop(clock, Limits{}) {}
    VirtualLoop(VirtualClock& clock, Limits limits) : clock_(clock), limits_(limits) {}

    void run() override;
    void stop() override { stopped_ = true; }

    /// Lets happen what is left for the current instant, such as the ends of connections that were
    /// just closed. Returns how many things still wait for later: 0 is the leak check of every
    /// test.
    [[nodiscard]] std::size_t close();

    /// Why it gave up; it runs no more.
    [[nodiscard]] const std::optional<Error>& fault() const noexcept { return fault_; }

private:
    [[nodiscard]] bool turn();

    VirtualClock& clock_;
    Limits limits_;
    bool running_ = false;
    bool stopped_ = false;
    std::uint64_t turns_ = 0;
    std::uint64_t quiet_turns_ = 0;
    std::optional<Error> fault_;
};

}  // namespace ktm::sim
