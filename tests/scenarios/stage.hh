// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/stage.hh: a scenario, played in a virtual world and told as text.
//
// Each line has the time in front, and one of four marks:
//
//     <-  an Input of the machine        =>  what went out: a QMP command, a program, a request
//                                            to the kernel with its outcome, a line of the journal
//     ->  an Action of the machine       **  the plan's own words, with their level
//
// The last two lines are the verdict of the command line and its exit code; behind them stands in
// which way the kernel is another than before, and which journal is left, where the scenario has a
// net.json. Secrets are hidden as
// the command line hides them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scenarios/scenario_folder.hh"

namespace ktm::testing {

struct Telling {
    std::string text;
    /// What makes the play worthless, whatever the text is: a monitor that met another command
    /// than its trace holds, a loop that does not end, a trace that was not played to its end,
    /// something that was left behind.
    std::vector<std::string> troubles;
};

/// `lua` is the folder with plans and stdlib.
[[nodiscard]] Telling play(const Scenario& scenario, const std::filesystem::path& lua);

}  // namespace ktm::testing
