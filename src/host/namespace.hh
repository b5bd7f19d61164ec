// SPDX-License-Identifier: Apache-2.0
// host/namespace.hh: a network namespace that a run works in.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/unique_function.hh"
#include "ports/clock.hh"
#include "ports/network.hh"

namespace ktm::host {

/// LIMIT: how long the kernel may take to answer. It answers at once; what takes longer is lost.
inline constexpr Duration answer_within{std::chrono::seconds{5}};

/// LIMIT: after which pauses what must not fail is tried again. A kernel that is short of memory,
/// or at work on the same device, refuses what it does a moment later.
inline constexpr std::array<Duration, 2> again_after{std::chrono::milliseconds{20},
                                                     std::chrono::milliseconds{200}};

/// Whether it is unknown if a request with this answer was carried out.
[[nodiscard]] bool is_unknown(const Error& error) noexcept;
/// Whether a deletion that was refused so has nothing left to delete.
[[nodiscard]] bool is_gone_already(const Error& error) noexcept;
/// Whether a question was answered so because there is no such device, or no such way.
[[nodiscard]] bool is_absence(const Error& error) noexcept;

/// Asks with a deadline. It may be destroyed at any moment, in its own callbacks too: nobody is
/// called then.
class Namespace {
public:
    using Answered = UniqueFunction<void(ports::Network::Outcome)>;

    /// LIFETIME: the clock outlives it.
    Namespace(ports::Clock& clock, std::string place, std::shared_ptr<ports::Network> network);
    ~Namespace();
    Namespace(const Namespace&) = delete;
    Namespace& operator=(const Namespace&) = delete;

    [[nodiscard]] const std::string& place() const noexcept { return place_; }
    [[nodiscard]] const std::string& identity() const noexcept { return network_->identity(); }
    [[nodiscard]] ports::Network& network() noexcept { return *network_; }

    /// As ports::Network::send; each request without an answer in time is an error of the kind
    /// timeout, and it is not known whether it was carried out.
    void send(net::Requests requests, Answered answered);

    /// Called after a while.
    void later(Duration after, UniqueFunction<void()> what);

private:
    struct Asked;
    void give_up(std::uint64_t number);

    ports::Clock& clock_;
    std::string place_;
    std::shared_ptr<ports::Network> network_;
    std::uint64_t last_ = 0;
    /// LIFETIME: what is on its way from the kernel holds them weakly.
    std::map<std::uint64_t, std::shared_ptr<Asked>> asked_;
    std::map<std::uint64_t, std::unique_ptr<ports::Timer>> pauses_;
};

}  // namespace ktm::host
