// SPDX-License-Identifier: Apache-2.0
// cli/ancestor.hh: command lines of the first katamaran, as runs of plans.
//
// The first katamaran was written in Go, and one command line was one role of a migration:
// `katamaran --mode source --dest-ip 10.0.0.2 …`. Such a line becomes the words of a
// `katamaran run`. What it cannot mean here is refused with what to do instead, and what it means
// a little differently is said; nothing is left out in silence.
#pragma once

#include <string>
#include <vector>

#include "base/result.hh"

namespace ktm::cli {

struct AncestorRun {
    std::vector<std::string> words;    ///< Behind `katamaran`: "run", the plan, its vars.
    std::vector<std::string> remarks;  ///< What is not as it was.
};

/// Whether these words, those behind the program's name, are such a line: the first one is a flag
/// that only the ancestor had.
[[nodiscard]] bool is_ancestor_line(const std::vector<std::string>& words);

/// Whether a flag of that line is one of these: "h", "help".
[[nodiscard]] bool asks_ancestor_for(const std::vector<std::string>& words,
                                     const std::vector<std::string>& names);

/// Flags are read as Go reads them: one dash or two, and their value behind "=" or as the next
/// word. Options of `katamaran run` may stand among them. `peer_key`: the file with the key that
/// both nodes have, for a line that says nothing of it; empty for none.
[[nodiscard]] Result<AncestorRun> translate_ancestor(const std::vector<std::string>& words,
                                                     const std::string& peer_key = "");

/// The command as a shell takes it.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

/// The ancestor knew 0, 1, 2 and 130: a run that is stranded has failed.
[[nodiscard]] int ancestor_exit_code(int code) noexcept;

}  // namespace ktm::cli
