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

#include "cli/console.hh"
#include "cli/drawn_timeline.hh"
#include "cli/migration_id.hh"
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

/// Who hears what crosses the ports of a run.
struct KeptRun {
    std::unique_ptr<RunTimeline> timeline;        ///< Null for none.
    std::unique_ptr<Markers> markers;             ///< Null for none.
    std::unique_ptr<monitor::Recorder> recorder;  ///< Null when nobody wants to know.
};

/// Begins the files, so that nothing is touched when one of them exists.
Result<KeptRun> keep_run(const ports::World& world, const RunOptions& options,
                         const Secrets& secrets) {
    KeptRun kept;
    if (!options.record.empty()) {
        Result<std::unique_ptr<monitor::Recorder>> opened = monitor::Recorder::open(
            world.files, world.clock, options.record, version, migration_mark());
        if (!opened) {
            return std::move(opened).error();
        }
        kept.recorder = std::move(*opened);
    } else if (!options.timeline.empty() || options.markers) {
        kept.recorder = monitor::Recorder::without_file(world.clock, version, migration_mark());
    }
    if (!options.timeline.empty()) {
        Result<std::unique_ptr<RunTimeline>> opened =
            RunTimeline::open(world.files, options.timeline, *kept.recorder);
        if (!opened) {
            return std::move(opened).error();
        }
        kept.timeline = std::move(*opened);
    }
    if (options.markers) {
        kept.markers = std::make_unique<Markers>();
        kept.recorder->tell(
            [told = kept.markers.get()](std::string_view line) { told->hear(line); });
    }
    if (kept.recorder) {
        kept.recorder->hide(secrets);
    }
    return kept;
}

/// That something could not be kept is said; how the run ended is another thing.
void finish(KeptRun& kept, const Console& console, const RunOptions& options) {
    const auto slow = [&] { console.note("waiting for the disk to take " + options.record + "…"); };
    if (const Result<void> written = kept.recorder ? kept.recorder->close(slow) : Result<void>{};
        !written) {
        console.error(written.error());
    }
    if (const Result<void> drawn = kept.timeline ? kept.timeline->finish() : Result<void>{};
        !drawn) {
        console.error(drawn.error());
    }
}

}  // namespace

int run_plan(const ports::World& world, const RunOptions& options) {
    Console console{options.json};
    std::optional<PreparedRun> prepared = prepare_run(world.files, console, options);
    if (!prepared) {
        return exit_usage;
    }
    const Result<script::PeerOptions> peer =
        peer_options(world.files, prepared->plan.plan(), prepared->settings, options.peer);
    if (!peer) {
        console.error(peer.error());
        return exit_usage;
    }
    if (options.require_zero_loss &&
        !script::peer_place_of(prepared->plan.plan(), prepared->settings)) {
        console.note("--require-zero-loss: the role '" + prepared->settings.role +
                     "' has no other node; only what a hold loses here can be seen");
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
    Result<KeptRun> kept = keep_run(world, options, prepared->secrets);
    if (!kept) {
        console.error(kept.error());
        return exit_usage;
    }
    std::optional<monitor::RecordedWorld> recorded;
    if (kept->recorder) {
        keep_identity(*kept->recorder, *host);
        recorded.emplace(world, *kept->recorder);
    }
    const ports::World seen = recorded ? recorded->ports() : world;
    const ZeroLoss zero_loss = options.require_zero_loss ? ZeroLoss::required : ZeroLoss::told;
    const std::optional<int> code = carry_out(
        seen, console, *prepared, std::move(*host), interruptions,
        RunWith{kept->recorder.get(), *peer, kept->markers.get(), migration_mark(), zero_loss});
    finish(*kept, console, options);
    return code.value_or(exit_failed);
}

}  // namespace ktm::cli
