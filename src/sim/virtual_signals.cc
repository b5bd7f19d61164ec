// SPDX-License-Identifier: Apache-2.0
// sim/virtual_signals.cc: the Signals port, with signals that are delivered by a call.
#include "sim/virtual_signals.hh"

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

namespace ktm::sim {

class VirtualSignals::VirtualWatch final : public ports::Watch {
public:
    explicit VirtualWatch(std::shared_ptr<Ear> ear) : ear_(std::move(ear)) {}

private:
    std::shared_ptr<Ear> ear_;
};

Result<std::unique_ptr<ports::Watch>> VirtualSignals::watch(int signal,
                                                            UniqueFunction<void()> arrived) {
    if (signal <= 0 || signal >= NSIG || signal == SIGKILL || signal == SIGSTOP) {
        return system_error(EINVAL, "watch for signal " + std::to_string(signal));
    }
    auto ear = std::make_shared<Ear>(Ear{signal, std::move(arrived)});
    std::erase_if(ears_, [](const std::weak_ptr<Ear>& old) { return old.expired(); });
    ears_.push_back(ear);
    return std::unique_ptr<ports::Watch>{std::make_unique<VirtualWatch>(std::move(ear))};
}

void VirtualSignals::deliver(int signal) {
    bool watched = false;
    for (const std::weak_ptr<Ear>& ear : ears_) {
        const std::shared_ptr<Ear> alive = ear.lock();
        if (!alive || alive->signal != signal) {
            continue;
        }
        watched = true;
        clock_.soon([ear] {
            // LIFETIME: the share keeps the callback while it runs; it may destroy its watch.
            if (const std::shared_ptr<Ear> listening = ear.lock()) {
                listening->arrived();
            }
        });
    }
    if (!watched) {
        deadly_.push_back(signal);
    }
}

}  // namespace ktm::sim
