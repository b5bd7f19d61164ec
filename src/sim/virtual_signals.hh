// SPDX-License-Identifier: Apache-2.0
// sim/virtual_signals.hh: the Signals port, with signals that are delivered by a call.
#pragma once

#include <memory>
#include <vector>

#include "ports/signals.hh"
#include "sim/virtual_clock.hh"

namespace ktm::sim {

class VirtualSignals final : public ports::Signals {
public:
    explicit VirtualSignals(VirtualClock& clock) : clock_(clock) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Watch>> watch(
        int signal, UniqueFunction<void()> arrived) override;

    /// The signal reaches everybody who watches for it now, soon.
    void deliver(int signal);

    /// Signals for which nobody watched: here the real program would have ended.
    [[nodiscard]] const std::vector<int>& deadly() const noexcept { return deadly_; }

private:
    class VirtualWatch;
    struct Ear {
        int signal = 0;
        UniqueFunction<void()> arrived;
    };

    VirtualClock& clock_;
    /// In the order of their watch() calls; destroyed ones have left empty places.
    std::vector<std::weak_ptr<Ear>> ears_;
    std::vector<int> deadly_;
};

}  // namespace ktm::sim
