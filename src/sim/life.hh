// SPDX-License-Identifier: Apache-2.0
// sim/life.hh: the life of the simulated process, which can end at any of its acts.
#pragma once

#include <cstdint>
#include <optional>

namespace ktm::sim {

/// Counts what the process does to the world: each request to a kernel, each write to a file that
/// it owns. Behind the end of its life nothing that it does has an effect, and nobody answers it;
/// a test then drops what belonged to the process, as the kernel would.
class Life {
public:
    /// One act; false when it is not done any more.
    [[nodiscard]] bool act() noexcept {
        if (is_over()) {
            return false;
        }
        ++acts_;
        return true;
    }
    /// It ends behind so many more acts.
    void end_after(std::uint64_t acts) noexcept { end_ = acts_ + acts; }
    [[nodiscard]] bool is_over() const noexcept { return end_ && acts_ >= *end_; }
    [[nodiscard]] std::uint64_t acts() const noexcept { return acts_; }
    /// Of the next process.
    void begin_again() noexcept { end_.reset(); }

private:
    std::uint64_t acts_ = 0;
    std::optional<std::uint64_t> end_;
};

}  // namespace ktm::sim
