// SPDX-License-Identifier: Apache-2.0
// os/signals.cc: the Signals port on libuv.
#include "os/signals.hh"

#include <uv.h>

#include <csignal>

#include "base/assert.hh"
#include "os/handle.hh"

namespace ktm::os {

namespace {

struct SignalState : State<uv_signal_t> {
    UniqueFunction<void()> arrived;
};

class UvWatch final : public ports::Watch {
public:
    explicit UvWatch(Owned<SignalState> state) : state_(std::move(state)) {}

private:
    Owned<SignalState> state_;
};

void on_signal(uv_signal_t* handle, int) noexcept {
    auto* state = static_cast<SignalState*>(handle->data);
    if (state->owned) {
        state->arrived();
    }
}

/// nohup says so: the end of the terminal is not our end.
bool is_ignored_on_purpose(int signal) {
    struct sigaction now {};
    return signal == SIGHUP && ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

Result<std::unique_ptr<ports::Watch>> UvSignals::watch(int signal, UniqueFunction<void()> arrived) {
    if (is_ignored_on_purpose(signal)) {
        return Error{Kind::io, "ignored", "who started us wants SIGHUP to be ignored",
                     "watch for signal " + std::to_string(signal), nullptr};
    }
    auto fresh = std::make_unique<SignalState>();
    KTM_ASSERT(uv_signal_init(loop_.raw(), &fresh->handle) == 0);
    Owned<SignalState> state = own(std::move(fresh));
    state->arrived = std::move(arrived);
    const int fault = uv_signal_start(&state->handle, on_signal, signal);
    if (fault != 0) {
        return system_error(-fault, "watch for signal " + std::to_string(signal));
    }
    // A watch alone is no reason to go on: the loop ends when the work does.
    uv_unref(state->raw());
    return std::unique_ptr<ports::Watch>{std::make_unique<UvWatch>(std::move(state))};
}

}  // namespace ktm::os
