// SPDX-License-Identifier: Apache-2.0
// monitor/recorded_world.hh: a world in which everything that crosses is kept.
//
// Theory of operation. Each port is the one of the world below, with a recorder in front of it:
// what is asked is written down before it goes out, its answer before somebody hears it. So nothing
// above knows of it, and a run that is not recorded costs nothing. What QEMU is told and says is
// not written here but by monitor::Client, which knows the ends of messages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "monitor/recorder.hh"
#include "ports/loop.hh"

namespace ktm::monitor {

/// Numbers what is asked, over all ports. LIFETIME: whoever waits for an answer holds a share.
class Exchanges {
public:
    explicit Exchanges(Recorder& recorder) : recorder_(recorder) {}

    /// Returns the number of the exchange.
    std::uint64_t ask(std::string_view port, std::string_view place, std::string_view request,
                      std::string_view words);
    void answer(std::string_view port, std::uint64_t id, std::string_view answer);
    void fail(std::string_view port, std::uint64_t id, const Error& error);
    /// Ends an exchange without an answer of its own: {} or the error.
    void settle(std::string_view port, std::uint64_t id, const Result<void>& outcome);

    [[nodiscard]] Recorder& recorder() noexcept { return recorder_; }

private:
    Recorder& recorder_;
    std::uint64_t last_ = 0;
};

class RecordedWorld {
public:
    /// LIFETIME: both outlive it, and it outlives whoever uses its ports.
    RecordedWorld(const ports::World& world, Recorder& recorder);

    [[nodiscard]] ports::World ports() noexcept;

private:
    const ports::World& world_;
    std::unique_ptr<ports::Processes> processes_;
    std::unique_ptr<ports::Files> files_;
    std::unique_ptr<ports::Signals> signals_;
    std::unique_ptr<ports::Networks> networks_;
};

/// The kernel's side; the rest of a RecordedWorld stands beside it.
[[nodiscard]] std::unique_ptr<ports::Networks> recorded_networks(
    ports::Networks& networks, std::shared_ptr<Exchanges> exchanges);

}  // namespace ktm::monitor
