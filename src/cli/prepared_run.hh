// SPDX-License-Identifier: Apache-2.0
// cli/prepared_run.hh: what a run needs to know before it begins, and the run itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secrets.hh"
#include "base/unique_function.hh"
#include "cli/console.hh"
#include "cli/interruptions.hh"
#include "cli/markers.hh"
#include "cli/peer_options.hh"
#include "cli/verdict.hh"
#include "host/host.hh"
#include "monitor/recorder.hh"
#include "plan/settings.hh"
#include "ports/loop.hh"
#include "script/loader.hh"

namespace ktm::cli {

struct RunOptions {
    std::string plan;
    std::string role;               ///< Empty: the vars decide.
    std::vector<std::string> vars;  ///< KEY=VALUE.
    std::string vars_file;          ///< JSON; empty for none.
    std::string record;             ///< Where the run is kept; empty for nowhere.
    std::string timeline;           ///< Where its timeline goes; empty for nowhere.
    std::string state;              ///< The folder of journals.
    bool markers = false;           ///< The lines of the first katamaran are told, too.
    PeerWords peer;
    bool json = false;
    bool require_zero_loss = false;
    script::SearchPath path;
};

struct PreparedRun {
    script::LoadedPlan plan;
    plan::Settings settings;
    Secrets secrets;
};

/// The plan, its role and its vars. Nothing when something is wrong with them: it was reported.
[[nodiscard]] std::optional<PreparedRun> prepare_run(ports::Files& files, Console& console,
                                                     const RunOptions& options);

/// The same, where the faults are not for the console.
[[nodiscard]] std::optional<PreparedRun> prepare_run(ports::Files& files, const RunOptions& options,
                                                     plan::Faults& faults);

/// Starts a run, and turns the loop until somebody stops it: whoever observes the run, when it is
/// over.
void turn(const ports::World& world, script::Run& run, monitor::Recorder* recorder,
          Interruptions& interruptions, UniqueFunction<bool()> is_over);

/// What goes along with a run.
struct RunWith {
    monitor::Recorder* recorder = nullptr;  ///< Null: it is not recorded.
    script::PeerOptions peer = {};
    Markers* markers = nullptr;  ///< Null: none are told.
    std::string migration = "";  ///< How somebody else calls what it is part of; empty: nobody.
    ZeroLoss zero_loss = ZeroLoss::told;
    bool in_real_time = true;  ///< Somebody may wait for it, and wants to see it live.
    /// Called when the run has ended, and only asks its guests yet.
    UniqueFunction<void()> on_end = nullptr;
};

/// Carries it out and tells it. Returns the exit code; nothing when the loop has ended before the
/// run.
[[nodiscard]] std::optional<int> carry_out(const ports::World& world, Console& console,
                                           PreparedRun& prepared, host::Settings host,
                                           Interruptions& interruptions, RunWith with);

}  // namespace ktm::cli
