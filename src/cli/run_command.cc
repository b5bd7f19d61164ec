// SPDX-License-Identifier: Apache-2.0
// cli/run_command.cc: `katamaran run`: a plan, carried out.
//
// Theory of operation. Everything that can be wrong is found before anything is touched: the plan,
// the role, the vars, the recording. Then the run begins, and nothing outside of it ends it but its
// own three ends: who does not read our output, or closes the terminal, does not stop it half-way.
// A signal aborts in order; a second one does not skip the undo.
#include "cli/run_command.hh"

#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "cli/console.hh"
#include "cli/faults.hh"
#include "cli/given_vars.hh"
#include "cli/interruptions.hh"
#include "cli/run_identity.hh"
#include "cli/storyteller.hh"
#include "script/run.hh"
#include "version.hh"

namespace ktm::cli {

namespace {

/// LIMIT: how long a line of output may wait for its reader, with the guest perhaps stopped.
constexpr std::chrono::milliseconds reader_patience{50};
/// LIMIT: the same when it is over, and nothing is at stake any more.
constexpr std::chrono::seconds last_patience{2};

Error interruption(int signal) {
    const std::string name = signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "SIGHUP";
    return Error{Kind::cancelled, std::string{script::interrupted_code}, "interrupted by " + name,
                 "", nullptr};
}

/// The vars of which it is not known whether the run has them: they are another role's, perhaps, or
/// what was given could not be read.
std::set<std::string, std::less<>> uncertain_vars(const plan::Plan& plan, const RunOptions& options,
                                                  bool knows_role, const plan::Faults& faults) {
    const auto is_of_file = [&](const plan::Fault& fault) {
        return !options.vars_file.empty() && fault.place.file == options.vars_file;
    };
    const bool lost_file = std::any_of(faults.begin(), faults.end(), is_of_file);
    std::set<std::string, std::less<>> names;
    for (const plan::Var& var : plan.vars) {
        const auto gives = [&](const std::string& word) {
            return word.starts_with(var.name + "=");
        };
        const bool is_given = std::any_of(options.vars.begin(), options.vars.end(), gives);
        if (lost_file || is_given || (!knows_role && !var.role.empty())) {
            names.insert(var.name);
        }
    }
    return names;
}

/// Judges what is given when the role is not known, or not all could be read. What is only wrong
/// because of that is no fault: a var of another role, one that is missing, a relation to it.
void judge_the_rest(plan::Plan plan, const RunOptions& options, const std::string& role,
                    const std::vector<plan::Given>& given, plan::Faults& faults) {
    const std::set<std::string, std::less<>> uncertain =
        uncertain_vars(plan, options, !role.empty(), faults);
    for (plan::Var& var : plan.vars) {
        var.optional = var.optional || uncertain.contains(var.name);
        if (role.empty()) {
            var.role.clear();
        }
    }
    std::erase_if(plan.relations, [&](const plan::Relation& relation) {
        return std::any_of(relation.vars.begin(), relation.vars.end(),
                           [&](const std::string& name) { return uncertain.contains(name); });
    });
    (void)plan::resolve(plan, role, given, faults);
}

int carry_out(const ports::World& world, Console& console, script::LoadedPlan& plan,
              const plan::Settings& settings, host::Settings host, Secrets secrets,
              monitor::Recorder* recorder, Interruptions& interruptions) {
    console.keep_for_slow_reader(reader_patience);
    Storyteller story{world, console, recorder, std::move(secrets)};
    script::Run run{world, plan, settings, std::move(host), recorder, story};
    interruptions.tell([&run](int signal) { run.interrupt(interruption(signal)); });
    story.begin(plan.plan().name, settings.role, plan.digest());
    run.start();
    if (!story.is_over()) {
        world.loop.run();
    }
    interruptions.let_go();
    if (!console.finish(last_patience) && stderr_takes_a_line()) {
        (void)console.explain_loss();
    }
    return story.exit_code();
}

}  // namespace

int run_plan(const ports::World& world, const RunOptions& options) {
    Console console{options.json};
    script::Loading loading = script::load_plan(world.files, options.path, options.plan);
    if (!loading.plan) {
        return report(console, loading.faults);
    }
    plan::Faults faults;
    GivenVars given;
    given.read(world.files, loading.plan->plan(), options.vars, options.vars_file, faults);
    plan::Settings settings;
    const std::string role =
        plan::decide_role(loading.plan->plan(), options.role, given.all(), faults);
    if (faults.empty()) {
        settings = plan::resolve(loading.plan->plan(), role, given.all(), faults);
    } else {
        judge_the_rest(loading.plan->plan(), options, role, given.all(), faults);
    }
    if (!faults.empty()) {
        return report(console, faults);
    }
    Result<host::Settings> host =
        identify_run(world, options.state, loading.plan->plan().name, settings);
    if (!host) {
        console.error(host.error());
        return exit_usage;
    }
    if (const Result<void> clean = refuse_remains(world.files, options.state, vm_of(settings));
        !clean) {
        console.error(clean.error());
        return exit_failed;
    }
    Interruptions interruptions{world.signals};
    std::unique_ptr<monitor::Recorder> recorder;
    const Secrets secrets = secrets_of(settings.values);
    if (!options.record.empty()) {
        Result<std::unique_ptr<monitor::Recorder>> opened =
            monitor::Recorder::open(world.files, world.clock, options.record, version);
        if (!opened) {
            console.error(opened.error());
            return exit_usage;
        }
        recorder = std::move(*opened);
        recorder->hide(secrets);
    }
    const int code = carry_out(world, console, *loading.plan, settings, std::move(*host), secrets,
                               recorder.get(), interruptions);
    const auto slow = [&] { console.note("waiting for the disk to take " + options.record + "…"); };
    if (const Result<void> kept = recorder ? recorder->close(slow) : Result<void>{}; !kept) {
        console.error(kept.error());
    }
    return code;
}

}  // namespace ktm::cli
