// SPDX-License-Identifier: Apache-2.0
// model/wire.hh: the network between the two nodes: how fast it is, and whether it is cut.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/unique_function.hh"
#include "ports/pinned.hh"
#include "sim/virtual_clock.hh"

namespace ktm::model {

/// Carries nothing itself: who sends over it asks for its settings, and watches for its cuts. What
/// a cut does to what is under way is known there: TCP waits, a packet is lost.
/// LIFETIME: outlives its watchers, which the handles of watch() are.
class Wire {
public:
    struct Settings {
        Duration latency = std::chrono::microseconds{100};  ///< One way.
        std::uint64_t bytes_per_second = 1'250'000'000;     ///< In each direction.
    };
    using Watcher = UniqueFunction<void(bool cut)>;

    Wire(sim::VirtualClock& clock, Settings settings);
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire();

    /// Both are without effect where it is so already. The watchers are called at once, in the
    /// order in which they came; is_cut() is then what it is now.
    void cut();
    void heal();

    [[nodiscard]] bool is_cut() const noexcept { return cut_; }
    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    [[nodiscard]] sim::VirtualClock& virtual_clock() const noexcept { return clock_; }

    /// Calls `changed` at each cut and each heal, until the handle is destroyed, which may happen
    /// inside the call. One that comes inside a call is not told of that change.
    [[nodiscard]] std::unique_ptr<ports::Pinned> watch(Watcher changed);

private:
    class Watch;

    void change(bool cut);

    sim::VirtualClock& clock_;
    Settings settings_;
    bool cut_ = false;
    unsigned calls_under_way_ = 0;
    /// LIFETIME: each takes its place back in its destructor; empty places are swept later.
    std::vector<Watch*> watches_;
};

}  // namespace ktm::model
