// SPDX-License-Identifier: Apache-2.0
// cli/plan_example.hh: the command line with which a plan can be run.
#pragma once

#include <string>
#include <vector>

#include "ports/files.hh"
#include "script/loader.hh"

namespace ktm::cli {

/// The words of `katamaran run` for each role, with all that it requires; for a shell.
[[nodiscard]] std::vector<std::vector<std::string>> example_runs(const plan::Plan& plan,
                                                                 const std::string& called);

/// How a person names a plan's file: by the plan's name where that leads to it, else by the path.
[[nodiscard]] std::string call_of(ports::Files& files, const script::SearchPath& path,
                                  const std::string& name, const std::string& file);

/// One word for a shell, whatever is in it.
[[nodiscard]] std::string shell_word(const std::string& text);

/// The words as one line.
[[nodiscard]] std::string line_of(const std::vector<std::string>& words);

/// The words in lines of at most 80 letters where they can be broken, with a backslash at each end
/// but the last.
[[nodiscard]] std::vector<std::string> broken(const std::vector<std::string>& words);

}  // namespace ktm::cli
