// SPDX-License-Identifier: Apache-2.0
// cli/simulate_command.cc: `katamaran simulate`: a plan, carried out against a recording.
//
// Theory of operation. It is the run of `katamaran run`, in a world of its own: the clock is
// virtual, and QEMU, the kernel, programs and signals are what a recording says of them. What the
// recording cannot answer ends the simulation at once, undecided: nothing is made up, and no undo
// is played of which nobody knows how it would go. When the run has ended already, and only its
// guests are asked yet, what is not known of them is called so by the run itself.
#include "cli/simulate_command.hh"

#include <utility>

#include "base/text.hh"
#include "cli/rehearsal.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

/// A run that waits for nothing differs by less from its recording.
constexpr Duration short_silence{std::chrono::seconds{1}};

int tell_undecided(Console& console, const Error& error, const Secrets& secrets) {
    const std::string why = secrets.hide(error.sentence());
    std::string line;
    if (console.json()) {
        json::ObjectWriter end;
        end.text("kind", "end").text("end", "undecided").integer("exit", exit_undecided);
        end.text("why", why);
        line = std::move(end).finish();
    } else {
        line = console.paint(Colour::yellow, "undecided: " + printable(why));
    }
    return console.line(line) ? exit_undecided : console.explain_loss();
}

/// What the end alone does not say.
void tell_rest(Console& console, Rehearsal& rehearsal, int code) {
    if (const std::optional<Error>& unheard = rehearsal.unheard()) {
        console.note(unheard->what);
    }
    for (const std::string& rest : rehearsal.untold()) {
        console.note("not needed of the recording: " + rest);
    }
    const Duration beyond = rehearsal.beyond();
    if (code != exit_done && beyond > short_silence) {
        console.note("this took " + format_duration(beyond) +
                     " longer than the recording, for which QEMU was taken to be silent");
    }
}

}  // namespace

int simulate_plan(ports::Files& files, const SimulateOptions& options) {
    Console console{options.run.json};
    std::optional<PreparedRun> prepared = prepare_run(files, console, options.run);
    if (!prepared) {
        return exit_usage;
    }
    Result<sim::Recording> recording = sim::read_recording(files, options.trace);
    if (!recording) {
        console.error(recording.error());
        return exit_usage;
    }
    if (recording->damage) {
        console.note(options.trace +
                     " is damaged, and taken up to there: " + recording->damage->sentence());
    }
    const host::Settings host = settings_of(prepared->plan.plan(), prepared->settings, *recording);
    Rehearsal rehearsal{std::move(*recording)};
    if (Result<void> opened = rehearsal.open(prepared->plan, prepared->settings); !opened) {
        console.error(std::move(opened).error().while_trying("simulate with " + options.trace));
        return exit_usage;
    }
    const ports::World world = rehearsal.ports();
    Interruptions interruptions{world.signals};
    const std::optional<int> code = carry_out(
        world, console, *prepared, host, interruptions,
        RunWith{
            nullptr, {}, nullptr, "", ZeroLoss::told, false, [&rehearsal] { rehearsal.settle(); }});
    if (code) {
        tell_rest(console, rehearsal, *code);
        return *code;
    }
    const Error quiet{Kind::protocol, "not-recorded",
                      "nothing happens any more, and the run has not ended", "", nullptr};
    return tell_undecided(console, rehearsal.undecided().value_or(quiet), prepared->secrets);
}

}  // namespace ktm::cli
