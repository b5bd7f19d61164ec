// SPDX-License-Identifier: Apache-2.0
// trial/crossings.hh: everything that crosses a port, counted; and what is to happen to it.
//
// A trial is deterministic until its first fault, so the number of a crossing names it: the nth
// crossing of one trial is the nth of every other that had the same faults before.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/unique_function.hh"
#include "trial/harm.hh"

namespace ktm::trial {

class Crossings {
public:
    using OnWorld = UniqueFunction<void(Harm)>;

    /// `faults` are in the order of their crossings. `on_world` does what is done to the world.
    Crossings(Faults faults, OnWorld on_world)
        : faults_(std::move(faults)), on_world_(std::move(on_world)) {}

    /// Something crosses: what becomes of it. `text` is asked for its words where they are kept.
    template <class Text>
    [[nodiscard]] Harm pass(Side side, Channel channel, bool is_query, const Text& text) {
        ++count_;
        if (keeps_) {
            list_.push_back(Crossing{side, channel, is_query, text()});
        }
        return next_ < faults_.size() && faults_[next_].at <= count_ ? strike(channel, is_query)
                                                                     : Harm::none;
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] bool is_undisturbed() const noexcept { return faults_.empty(); }
    /// Faults that had their turn.
    [[nodiscard]] std::size_t struck() const noexcept { return next_; }

    /// Keeps what crosses, from now on.
    void keep() { keeps_ = true; }
    [[nodiscard]] std::vector<Crossing> take_list() { return std::move(list_); }

private:
    /// A harm that does not fit is none.
    [[nodiscard]] Harm strike(Channel channel, bool is_query) {
        Harm harm = Harm::none;
        while (next_ < faults_.size() && faults_[next_].at <= count_) {
            const Harm one = faults_[next_++].harm;
            if (!fits(one, channel, is_query, true)) {
                continue;
            }
            if (is_to_world(one)) {
                on_world_(one);
            } else {
                harm = one;
            }
        }
        return harm;
    }

    Faults faults_;
    OnWorld on_world_;
    std::size_t next_ = 0;
    std::uint64_t count_ = 0;
    bool keeps_ = false;
    std::vector<Crossing> list_;
};

}  // namespace ktm::trial
