// SPDX-License-Identifier: Apache-2.0
// host/namespace.cc: requests with a deadline.
#include "host/namespace.hh"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/assert.hh"

namespace ktm::host {

/// Requests that wait for their answers.
struct Namespace::Asked {
    Answered answered;
    net::Requests requests;  ///< For the words of an error.
    std::unique_ptr<ports::Timer> timer;
};

bool is_unknown(const Error& error) noexcept {
    return error.kind == Kind::timeout || error.kind == Kind::lost;
}

bool is_gone_already(const Error& error) noexcept {
    constexpr std::array<std::string_view, 4> gone{"ENOENT", "ESRCH", "ENODEV", "EADDRNOTAVAIL"};
    return std::find(gone.begin(), gone.end(), error.code) != gone.end();
}

bool is_absence(const Error& error) noexcept {
    constexpr std::array<std::string_view, 3> absent{"ENODEV", "ENETUNREACH", "EHOSTUNREACH"};
    return std::find(absent.begin(), absent.end(), error.code) != absent.end();
}

Namespace::Namespace(ports::Clock& clock, std::string place,
                     std::shared_ptr<ports::Network> network)
    : clock_(clock), place_(std::move(place)), network_(std::move(network)) {}

Namespace::~Namespace() = default;

void Namespace::send(net::Requests requests, Answered answered) {
    if (requests.empty()) {
        answered({});
        return;
    }
    const std::uint64_t number = ++last_;
    auto asked = std::make_shared<Asked>();
    asked->answered = std::move(answered);
    asked->requests = requests;
    asked_.emplace(number, asked);
    const std::weak_ptr<Asked> waiting = asked;
    asked.reset();
    network_->send(std::move(requests), [this, number, waiting](ports::Network::Outcome outcome) {
        const std::shared_ptr<Asked> there = waiting.lock();
        if (!there) {
            return;  // It came too late, or to nobody.
        }
        KTM_ASSERT(outcome.size() == there->requests.size());
        asked_.erase(number);
        there->timer = nullptr;
        there->answered(std::move(outcome));
    });
    // LIFETIME: gone when it was answered at once; then perhaps this namespace is, too.
    if (const std::shared_ptr<Asked> there = waiting.lock()) {
        there->timer = clock_.arm(answer_within, [this, number] { give_up(number); });
    }
}

void Namespace::later(Duration after, UniqueFunction<void()> what) {
    const std::uint64_t number = ++last_;
    pauses_.emplace(number, clock_.arm(after, [this, number, what = std::move(what)]() mutable {
        // LIFETIME: the timer goes, and this closure with it; then perhaps this namespace does.
        UniqueFunction<void()> act = std::move(what);
        pauses_.extract(number);
        act();
    }));
}

void Namespace::give_up(std::uint64_t number) {
    auto late = asked_.extract(number);
    ports::Network::Outcome outcome;
    for (const net::Request& request : late.mapped()->requests) {
        outcome.emplace_back(Error{Kind::timeout, "no-answer",
                                   "the kernel has not answered within " +
                                       format_duration(answer_within) +
                                       "; it is not known whether it was carried out",
                                   net::describe(request), nullptr});
    }
    network_->give_up();
    // LIFETIME: gone before somebody hears of it: the answer can still come while they ask anew.
    Answered answered = std::move(late.mapped()->answered);
    late = {};
    answered(std::move(outcome));
}

}  // namespace ktm::host
