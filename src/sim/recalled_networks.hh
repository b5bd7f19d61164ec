// SPDX-License-Identifier: Apache-2.0
// sim/recalled_networks.hh: a kernel that answers from a recording.
//
// Theory of operation. Each request goes to RecalledExchanges, which knows what was said to it, and
// is answered after the recorded time. Requests that go out together are answered together. What
// the recording cannot tell is not answered at all, and the owner is told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/network.hh"
#include "sim/recalled_exchanges.hh"
#include "sim/virtual_clock.hh"

namespace ktm::sim {

/// LIFETIME: outlives the networks that it opened, and their watches and guards.
class RecalledNetworks final : public ports::Networks {
public:
    using OnUnknown = UniqueFunction<void(Error)>;

    RecalledNetworks(VirtualClock& clock, RecalledExchanges exchanges, OnUnknown on_unknown)
        : clock_(clock), exchanges_(std::move(exchanges)), on_unknown_(std::move(on_unknown)) {}

    [[nodiscard]] Result<std::shared_ptr<ports::Network>> open(const std::string& place) override;

    [[nodiscard]] const RecalledExchanges& exchanges() const noexcept { return exchanges_; }

private:
    class RecalledNetwork;
    class RecalledWatch;
    class RecalledGuard;
    using SharedHandlers = std::shared_ptr<ports::Network::Handlers>;

    /// What was said; when nobody knows, the owner is told.
    [[nodiscard]] Result<RecalledExchanges::Answer> recall(const std::string& place,
                                                           const std::string& request,
                                                           const std::string& words);
    /// The same for what is answered at once.
    [[nodiscard]] Result<json::View> recall_now(const std::string& place,
                                                const std::string& request,
                                                const std::string& words);
    Error not_answered(const std::string& words);
    void will_tell(const RecalledExchanges::Answer& answer);
    void tell(const RecalledExchanges::Heard& heard);

    VirtualClock& clock_;
    RecalledExchanges exchanges_;
    OnUnknown on_unknown_;
    /// By the number that the watch had in the recording.
    std::map<std::uint64_t, std::weak_ptr<ports::Network::Handlers>> watches_;
    std::vector<std::unique_ptr<ports::Timer>> told_;
};

}  // namespace ktm::sim
