// SPDX-License-Identifier: Apache-2.0
// host/undoing.hh: undos carried out, newest first: by a run that ends, and by who recovers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/namespace.hh"
#include "net/undo.hh"

namespace ktm::host {

/// How one undo went.
struct Undone {
    bool changed = false;  ///< False: there was nothing of ours to undo.
};

/// What was found in a namespace. What is gone meanwhile answers nothing.
[[nodiscard]] Result<net::Answers> answers_of(ports::Network::Outcome outcome);

/// Whether it is only looked what would be done.
enum class Undoing : std::uint8_t { for_real, dry };

/// Looks, decides, acts. What is refused or not answered is tried twice more, a moment later, and
/// begins with a look each time: so it is seen when it was carried out all the same. `done` is
/// called once, perhaps before this returns; not at all when the namespace is destroyed before.
void undo(Namespace& space, net::Undo wanted, Undoing how,
          UniqueFunction<void(Result<Undone>)> done);

/// All of them, newest first, each after the one before it has ended, well or not. `each` hears of
/// each, by its place in the list; `done` comes when all are through. Neither is called when the
/// namespace is destroyed before.
void undo_all(Namespace& space, std::vector<net::Undo> wanted,
              UniqueFunction<void(std::size_t, Result<Undone>)> each, UniqueFunction<void()> done);

}  // namespace ktm::host
