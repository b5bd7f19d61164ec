// SPDX-License-Identifier: Apache-2.0
// cli/command_line.hh: every command and option there is, by CLI11, and what was typed of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/peer_command.hh"
#include "cli/plan_command.hh"
#include "cli/qmp_command.hh"
#include "cli/recover_command.hh"
#include "cli/run_command.hh"
#include "cli/simulate_command.hh"
#include "cli/timeline_command.hh"
#include "cli/trace_command.hh"
#include "cli/trial_command.hh"

namespace ktm::cli {

using PlanCommand = int (*)(ports::Files&, const PlanOptions&);

/// Whether the commands that reach into the world are there.
enum class Reach : std::uint8_t { world, files };

/// The whole command line as CLI11 sees it, and what it was filled with.
struct CommandLine {
    CLI::App app{
        "Carries out plans on running QEMU and Kata Containers VMs, and proves what happened."};
    CLI::App* qmp = nullptr;
    CLI::App* trace = nullptr;
    CLI::App* show = nullptr;
    CLI::App* timeline = nullptr;
    CLI::App* run = nullptr;
    CLI::App* simulate = nullptr;
    CLI::App* plan = nullptr;
    CLI::App* recover = nullptr;
    CLI::App* peer_key = nullptr;
    CLI::App* doctor = nullptr;
    QmpOptions qmp_options;
    TraceShowOptions show_options;
    TraceTimelineOptions timeline_options;
    RunOptions run_options;
    SimulateOptions simulate_options;
    TrialCommand trial_options;
    PlanOptions plan_options;
    RecoverOptions recover_options;
    PeerKeyOptions peer_key_options;
    RunOptions doctor_options;
    std::string state;  ///< The folder of journals, as given.
    std::vector<std::pair<CLI::App*, PlanCommand>> plan_commands;
    bool json = false;  ///< Somebody wants JSON, even if the rest cannot be read.

    explicit CommandLine(Reach reach);

private:
    void add_run();
    void add_doctor();
    void add_simulate();
    void add_trial();
    void add_state(CLI::App* command);
    void add_recover();
    void add_peer();
    CLI::App* add_plan_command(const char* name, const char* what, const char* footer,
                               PlanCommand command);
    CLI::App* add_plan_reader(const char* name, const char* what, const char* footer,
                              PlanCommand command);
    void add_plan();
    void add_plan_test();
    void add_qmp();
    void add_trace();
    void add_timeline();
};

}  // namespace ktm::cli
