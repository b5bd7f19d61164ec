// SPDX-License-Identifier: Apache-2.0
// sim/virtual_clock.cc: a clock that stands still while somebody acts, and the loop that turns it.
#include "sim/virtual_clock.hh"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hh"

namespace ktm::sim {

namespace {

/// LIMIT: where time ends, so that a delay of "for ever" overflows neither clock.
constexpr Instant end_of_time{std::chrono::hours{24 * 365 * 100}};

}  // namespace

class VirtualClock::VirtualTimer final : public ports::Timer {
public:
    VirtualTimer(VirtualClock& clock, Place place) : clock_(clock), place_(place) {}
    /// Nothing to take out when it has expired, or expires right now.
    ~VirtualTimer() override { (void)clock_.queue_.extract(place_); }

private:
    VirtualClock& clock_;
    Place place_;
};

VirtualClock::~VirtualClock() {
    // What is dropped may own timers and streams, whose ends come here again: one at a time.
    while (!queue_.empty()) {
        (void)queue_.extract(queue_.begin());
    }
}

VirtualClock::Place VirtualClock::put(Duration delay, UniqueFunction<void()> what) {
    const Duration left = end_of_time - now_;
    const Place place{now_ + std::clamp(delay, Duration::zero(), left), ++last_number_};
    queue_.emplace(place, std::move(what));
    return place;
}

std::unique_ptr<ports::Timer> VirtualClock::arm(Duration delay, UniqueFunction<void()> expired) {
    return std::make_unique<VirtualTimer>(*this, put(delay, std::move(expired)));
}

void VirtualClock::soon(UniqueFunction<void()> what) {
    (void)put(Duration::zero(), std::move(what));
}

bool VirtualClock::run_next() {
    if (queue_.empty()) {
        return false;
    }
    // LIFETIME: taken out before it is called, because it may destroy its own timer.
    auto next = queue_.extract(queue_.begin());
    now_ = next.key().due;
    next.mapped()();
    return true;
}

void VirtualLoop::run() {
    KTM_ASSERT(!running_);
    running_ = true;
    while (!stopped_ && turn()) {
    }
    running_ = false;
    stopped_ = false;
}

std::size_t VirtualLoop::close() {
    while (clock_.is_busy() && turn()) {
    }
    return clock_.waiting();
}

/// Runs the next thing; false when nothing is left, or when it has given up.
bool VirtualLoop::turn() {
    const Instant before = clock_.now();
    if (fault_ || !clock_.run_next()) {
        return false;
    }
    ++turns_;
    quiet_turns_ = clock_.now() == before ? quiet_turns_ + 1 : 0;
    if (quiet_turns_ >= limits_.quiet_turns_max) {
        fault_ = Error{Kind::invalid, "livelock",
                       "the program keeps itself busy: " + std::to_string(quiet_turns_) +
                           " turns without time passing",
                       "turn the virtual loop", nullptr};
    } else if (turns_ >= limits_.turns_max) {
        fault_ = Error{Kind::invalid, "endless",
                       "the program does not end: " + std::to_string(turns_) + " turns",
                       "turn the virtual loop", nullptr};
    }
    return true;
}

}  // namespace ktm::sim
