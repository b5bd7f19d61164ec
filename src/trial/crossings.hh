// SPDX-License-Identifier: Apache-2.0
// trial/crossings.hh: everything that crosses a port, counted; and what is to happen to it.
//
// A trial is deterministic until its first fault, so the number of a crossing names it: the nth
// crossing of one trial is the nth of every other that had the same faults before.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "trial/harm.hh"

namespace ktm::trial {

/// To whom harms to the world are done.
class Victims {
public:
    virtual ~Victims() = default;
    /// Whether whoever it would be done to is there, and can still be harmed so.
    [[nodiscard]] virtual bool can_suffer(Harm harm) const = 0;
    virtual void suffer(Harm harm) = 0;
    /// A harm to what crosses has struck.
    virtual void on_struck(Harm harm, const Crossing& crossing) = 0;
};

/// What became of a fault.
enum class Turn : std::uint8_t {
    none,    ///< Its crossing did not come.
    missed,  ///< It is no harm to what crossed there, or found nobody to harm any more.
    struck,
};

/// What is kept of crossings.
enum class Keep : std::uint8_t {
    nothing,
    kinds,  ///< All but their texts.
    texts,
};

class Crossings {
public:
    /// `faults` are in the order of their crossings. LIFETIME: the victims outlive it.
    Crossings(Faults faults, bool two_nodes, Victims& victims)
        : faults_(std::move(faults)), two_nodes_(two_nodes), victims_(victims) {
        turns_.resize(faults_.size(), Turn::none);
    }

    /// Something crosses: what becomes of it. `text` is asked for its words where they are kept.
    template <class Text>
    [[nodiscard]] Harm pass(Side side, Channel channel, bool is_query, const Text& text) {
        ++count_;
        if (keep_ != Keep::nothing) {
            list_.push_back(Crossing{side, channel, is_query,
                                     keep_ == Keep::texts ? text() : std::string{}, moot()});
        }
        if (next_ == faults_.size() || faults_[next_].at > count_) {
            return Harm::none;
        }
        const Harm harm = strike(channel, is_query);
        if (harm != Harm::none) {
            victims_.on_struck(harm, Crossing{side, channel, is_query, text()});
        }
        return harm;
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] bool is_undisturbed() const noexcept { return faults_.empty(); }
    /// Whether there is such a harm among the faults.
    [[nodiscard]] bool has(Harm harm) const {
        return std::any_of(faults_.begin(), faults_.end(),
                           [harm](const Fault& fault) { return fault.harm == harm; });
    }
    /// What became of each fault so far.
    [[nodiscard]] const std::vector<Turn>& turns() const noexcept { return turns_; }
    /// Things that were late.
    [[nodiscard]] unsigned late() const noexcept { return late_; }

    /// Keeps what crosses, from now on.
    void keep(Keep keep) { keep_ = keep; }
    [[nodiscard]] std::vector<Crossing> take_list() { return std::move(list_); }

private:
    /// Of two harms to the same crossing the first is done: there is nothing left for the other.
    [[nodiscard]] Harm strike(Channel channel, bool is_query) {
        Harm harm = Harm::none;
        for (; next_ < faults_.size() && faults_[next_].at <= count_; ++next_) {
            const Harm one = faults_[next_].harm;
            const bool can_be = fits(one, channel, is_query, two_nodes_) &&
                                (is_to_world(one) ? victims_.can_suffer(one) : harm == Harm::none);
            turns_[next_] = can_be ? Turn::struck : Turn::missed;
            if (can_be && is_to_world(one)) {
                victims_.suffer(one);
            } else if (can_be) {
                harm = one;
                late_ += one == Harm::late || one == Harm::too_late ? 1 : 0;
            }
        }
        return harm;
    }

    [[nodiscard]] std::uint32_t moot() const {
        std::uint32_t bits = 0;
        for (auto harm = Harm::kill_source_qemu; harm <= Harm::stop_dest;
             harm = static_cast<Harm>(static_cast<int>(harm) + 1)) {
            bits |= victims_.can_suffer(harm) ? 0 : bit_of(harm);
        }
        return bits;
    }

    Faults faults_;
    bool two_nodes_;
    Victims& victims_;
    std::vector<Turn> turns_;
    std::size_t next_ = 0;
    unsigned late_ = 0;
    std::uint64_t count_ = 0;
    Keep keep_ = Keep::nothing;
    std::vector<Crossing> list_;
};

}  // namespace ktm::trial
