// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/scenario_folder.hh: one scenario, as it lies in its folder.
//
//     plan           one line: a path relative to the folder, or the name of a plan in lua/plans
//     claim          one line: what the scenario proves; without it the folder's name
//     role           one line; without it the role is decided as the command line decides it
//     vars.json      the vars of the run, as --vars takes them
//     trace.jsonl    what the world does (sim/scenario_records.hh). The port "qmp" listens at the
//                    path in the var qmp; every other port is called like the path of its socket
//     programs.json  what programs do: {"ip link": {"exit": 0, "out": "", "err": "", "delay":
//                    "5ms"}}; each may be left out; "delay": null runs until it is killed. A
//                    program that is not there cannot be started
//     net.json       the kernels, what goes wrong in them, and what happens there (net_world.hh)
//     files/         files of the machine: files/sys/class/net/tap0/mtu is /sys/class/net/tap0/mtu
//     rest           one line: what of the trace is left, where that is meant, such as
//                    "/run/vm.qmp: line 2 of the trace was not played"; without it nothing
//     expected.txt   what happens; rewritten with KTM_UPDATE=1
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.hh"
#include "sim/scenario_records.hh"
#include "sim/virtual_processes.hh"

namespace ktm::testing {

struct Scenario {
    std::filesystem::path folder;
    std::string claim;
    std::string plan;  ///< As load_plan wants it: "freeze", or "undo-order/undo-order.lua".
    std::filesystem::path
        plan_folder;  ///< Where a plan of its own lies; empty for one of lua/plans.
    std::string role;
    std::string vars;
    sim::ScenarioRecords records;
    std::string rest;
    std::map<std::string, sim::ProgramOutcome> programs;
    std::filesystem::path net;  ///< Its net.json; empty where there is none.
};

/// Reads all but files/ and expected.txt.
[[nodiscard]] Result<Scenario> read_scenario_folder(const std::filesystem::path& folder);

}  // namespace ktm::testing
