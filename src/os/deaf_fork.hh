// SPDX-License-Identifier: Apache-2.0
// os/deaf_fork.hh: processes of ours that are forked and never exec.
#pragma once

#include <sys/types.h>

#include <span>

namespace ktm::os {

/// Forks with all signals blocked in the child. Between the fork and its own settings the child
/// would run the loop's handlers, which write into a pipe that it shares with us: one Ctrl-C would
/// count as two, and the second one ends the program at once.
[[nodiscard]] pid_t fork_deaf() noexcept;

/// For the child: closes every descriptor but these, which it sorts; 0 to 2 become /dev/null.
/// Whatever else it inherited would keep somebody's socket, file or terminal open.
void keep_only(std::span<int> kept) noexcept;

}  // namespace ktm::os
