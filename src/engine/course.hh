// SPDX-License-Identifier: Apache-2.0
// engine/course.hh: the course that a role lays out, with its edges looked up once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/machine.hh"

namespace ktm::engine {

/// Where an edge leads.
struct Target {
    enum class Kind { stay, state, done, abort, stranded };
    Kind kind = Kind::stay;
    std::size_t state = 0;  ///< For Kind::state: its number.
};

/// A state of the plan with its edges as numbers.
struct Node {
    const plan::State* state = nullptr;
    Duration within{};
    Target next;
    Target late;
    std::vector<Target> go;        ///< Of each handler.
    std::uint64_t last_entry = 0;  ///< Which of all entries was the last into this state.

    /// The first handler that wants the event; null when none does.
    [[nodiscard]] const plan::Handler* handler_for(const Event& event) const;
    /// `handler` is one of this state's.
    [[nodiscard]] Target go_of(const plan::Handler& handler) const;
};

/// One node for each state, in their order. LIFETIME: the role outlives the nodes.
[[nodiscard]] std::vector<Node> course_of(const plan::Role& role,
                                          const std::vector<Duration>& within);

}  // namespace ktm::engine
