// SPDX-License-Identifier: Apache-2.0
// os/clock.cc: the Clock port on CLOCK_MONOTONIC and libuv's timers.
#include "os/clock.hh"

#include <uv.h>

#include <algorithm>

#include "base/assert.hh"
#include "os/handle.hh"

namespace ktm::os {

namespace {

struct TimerState : State<uv_timer_t> {
    UniqueFunction<void()> expired;
};

class UvTimer final : public ports::Timer {
public:
    explicit UvTimer(Owned<TimerState> state) : state_(std::move(state)) {}

private:
    Owned<TimerState> state_;
};

void on_expired(uv_timer_t* timer) noexcept {
    auto* state = static_cast<TimerState*>(timer->data);
    if (state->owned) {
        state->expired();
    }
}

}  // namespace

Instant UvClock::now() const {
    return Instant{Duration{static_cast<std::int64_t>(uv_hrtime())}};
}

WallTime UvClock::wall_now() const {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::unique_ptr<ports::Timer> UvClock::arm(Duration delay, UniqueFunction<void()> expired) {
    auto fresh = std::make_unique<TimerState>();
    KTM_ASSERT(uv_timer_init(loop_.raw(), &fresh->handle) == 0);
    Owned<TimerState> state = own(std::move(fresh));
    state->expired = std::move(expired);
    // libuv counts in whole milliseconds from a time that it cached at the start of the turn: bring
    // that up to date and round up, so that a timer is never early.
    uv_update_time(loop_.raw());
    const Duration positive = std::max(delay, Duration::zero());
    const auto whole = std::chrono::ceil<std::chrono::milliseconds>(positive);
    const auto rounding = positive == Duration::zero() ? 0 : 1;
    const auto delay_ms = static_cast<std::uint64_t>(whole.count() + rounding);
    KTM_ASSERT(uv_timer_start(&state->handle, on_expired, delay_ms, 0) == 0);
    return std::make_unique<UvTimer>(std::move(state));
}

}  // namespace ktm::os
