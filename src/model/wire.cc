// SPDX-License-Identifier: Apache-2.0
// model/wire.cc: the state of the wire, and who is told of it.
#include "model/wire.hh"

#include <algorithm>
#include <utility>

namespace ktm::model {

class Wire::Watch final : public ports::Pinned {
public:
    Watch(Wire& wire, Watcher changed)
        : wire_(wire), changed_(std::make_shared<Watcher>(std::move(changed))) {}
    ~Watch() override { std::ranges::replace(wire_.watches_, this, nullptr); }

    void tell(bool cut) {
        // LIFETIME: held here, as the call may destroy the watch.
        const std::shared_ptr<Watcher> changed = changed_;
        (*changed)(cut);
    }

private:
    Wire& wire_;
    std::shared_ptr<Watcher> changed_;
};

Wire::Wire(sim::VirtualClock& clock, Settings settings) : clock_(clock), settings_(settings) {
    KTM_ASSERT(settings.bytes_per_second > 0 && settings.latency >= Duration::zero());
}

Wire::~Wire() {
    KTM_ASSERT(std::ranges::all_of(watches_, [](const Watch* watch) { return watch == nullptr; }));
}

void Wire::cut() {
    change(true);
}

void Wire::heal() {
    change(false);
}

void Wire::change(bool cut) {
    if (cut_ == cut) {
        return;
    }
    cut_ = cut;
    ++calls_under_way_;
    // Places do not move while somebody is called; those who come stand behind `told`.
    const std::size_t told = watches_.size();
    for (std::size_t place = 0; place < told; ++place) {
        if (Watch* watch = watches_[place]; watch != nullptr) {
            watch->tell(cut);
        }
    }
    if (--calls_under_way_ == 0) {
        std::erase(watches_, nullptr);
    }
}

std::unique_ptr<ports::Pinned> Wire::watch(Watcher changed) {
    auto watch = std::make_unique<Watch>(*this, std::move(changed));
    if (calls_under_way_ == 0) {
        std::erase(watches_, nullptr);
    }
    watches_.push_back(watch.get());
    return watch;
}

}  // namespace ktm::model
