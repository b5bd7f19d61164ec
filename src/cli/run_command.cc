// SPDX-License-Identifier: Apache-2.0
// cli/run_command.cc: `katamaran run`: a plan, carried out.
//
// Theory of operation. Everything that can be wrong is found before anything is touched: the plan,
// the role, the vars, the recording. Then the run begins, and nothing outside of it ends it but its
// own three ends: who does not read our output, or closes the terminal, does not stop it half-way.
// A signal aborts in order; a second one does not skip the undo.
#include "cli/run_command.hh"

#include <memory>
#include <optional>
#include <utility>

#include "cli/run_identity.hh"
#include "json/writer.hh"
#include "monitor/recorded_world.hh"
#include "trace/exchange.hh"
#include "version.hh"

namespace ktm::cli {

namespace {

/// By its name a run marks what it makes in the kernel, so that a simulation needs it.
void keep_identity(monitor::Recorder& recorder, const host::Settings& host) {
    json::ObjectWriter identity;
    identity.text("run", host.header.run).text("vm", host.header.vm).text("state", host.folder);
    recorder.message(trace::plan_port, trace::Direction::note, std::move(identity).finish());
}

}  // namespace

int run_plan(const ports::World& world, const RunOptions& options) {
    Console console{options.json};
    std::optional<PreparedRun> prepared = prepare_run(world.files, console, options);
    if (!prepared) {
        return exit_usage;
    }
    Result<host::Settings> host =
        identify_run(world, options.state, prepared->plan.plan().name, prepared->settings);
    if (!host) {
        console.error(host.error());
        return exit_usage;
    }
    if (const Result<void> clean =
            refuse_remains(world.files, options.state, vm_of(prepared->settings));
        !clean) {
        console.error(clean.error());
        return exit_failed;
    }
    Interruptions interruptions{world.signals};
    std::unique_ptr<monitor::Recorder> recorder;
    std::optional<monitor::RecordedWorld> recorded;
    if (!options.record.empty()) {
        Result<std::unique_ptr<monitor::Recorder>> opened =
            monitor::Recorder::open(world.files, world.clock, options.record, version);
        if (!opened) {
            console.error(opened.error());
            return exit_usage;
        }
        recorder = std::move(*opened);
        recorder->hide(prepared->secrets);
        keep_identity(*recorder, *host);
        recorded.emplace(world, *recorder);
    }
    const ports::World seen = recorded ? recorded->ports() : world;
    const std::optional<int> code = carry_out(seen, console, *prepared, std::move(*host),
                                              interruptions, RunWith{recorder.get()});
    const auto slow = [&] { console.note("waiting for the disk to take " + options.record + "…"); };
    if (const Result<void> kept = recorder ? recorder->close(slow) : Result<void>{}; !kept) {
        console.error(kept.error());
    }
    return code.value_or(exit_failed);
}

}  // namespace ktm::cli
