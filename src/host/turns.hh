// SPDX-License-Identifier: Apache-2.0
// host/turns.hh: one thing after another, whether each ends at once or later.
#pragma once

#include <memory>
#include <utility>

#include "base/unique_function.hh"

namespace ktm::host {

/// Calls `turn` with what calls it again: a turn that began something hands that on, and calls it
/// when that has ended; one that does not is the last. The stack does not grow, however many
/// things end at once. What `turn` owns lives as long as somebody can call it again.
class Turns : public std::enable_shared_from_this<Turns> {
public:
    using Next = UniqueFunction<void()>;

    static void take(UniqueFunction<void(Next)> turn) {
        std::make_shared<Turns>(std::move(turn))->next();
    }

    /// Call take() instead.
    explicit Turns(UniqueFunction<void(Next)> turn) : turn_(std::move(turn)) {}

private:
    void next() {
        const std::shared_ptr<Turns> self = shared_from_this();
        if (inside_) {
            again_ = true;
            return;
        }
        inside_ = true;
        do {
            again_ = false;
            turn_([self] { self->next(); });
        } while (again_);
        inside_ = false;
    }

    UniqueFunction<void(Next)> turn_;
    bool inside_ = false;
    bool again_ = false;
};

}  // namespace ktm::host
