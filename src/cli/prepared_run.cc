// SPDX-License-Identifier: Apache-2.0
// cli/prepared_run.cc: what a run needs to know before it begins, and the run itself.
#include "cli/prepared_run.hh"

#include <algorithm>
#include <csignal>
#include <set>
#include <utility>

#include "cli/faults.hh"
#include "cli/given_vars.hh"
#include "cli/storyteller.hh"
#include "script/peer_side.hh"
#include "script/run.hh"

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

/// Whether the plan derives its limit from the way to the other node.
bool is_automatic(const plan::Settings& settings) {
    const auto found = settings.values.find("auto_downtime");
    return found != settings.values.end() && found->second.type() == plan::Type::boolean &&
           found->second.as_bool();
}

/// The way to the other node and back, as it is known by now.
std::optional<Duration> round_trip_of(script::Run& run) {
    const auto clock = run.peer() == nullptr ? std::nullopt : run.peer()->their_clock();
    return clock ? std::optional{clock->round_trip} : std::nullopt;
}

}  // namespace

void turn(const ports::World& world, script::Run& run, monitor::Recorder* recorder,
          Interruptions& interruptions, UniqueFunction<bool()> is_over) {
    interruptions.tell([&run, recorder](int signal) {
        if (recorder != nullptr) {
            recorder->signal(signal);
        }
        run.interrupt(interruption(signal));
    });
    run.start();
    if (!is_over()) {
        world.loop.run();
    }
    interruptions.let_go();
}

std::optional<PreparedRun> prepare_run(ports::Files& files, Console& console,
                                       const RunOptions& options) {
    plan::Faults faults;
    std::optional<PreparedRun> prepared = prepare_run(files, options, faults);
    if (!prepared) {
        (void)report(console, faults);
    }
    return prepared;
}

std::optional<PreparedRun> prepare_run(ports::Files& files, const RunOptions& options,
                                       plan::Faults& faults) {
    script::Loading loading = script::load_plan(files, options.path, options.plan);
    if (!loading.plan) {
        faults = std::move(loading.faults);
        return std::nullopt;
    }
    GivenVars given;
    given.read(files, loading.plan->plan(), options.vars, options.vars_file, faults);
    plan::Settings settings;
    const std::string role =
        plan::decide_role(loading.plan->plan(), options.role, given.all(), faults);
    if (faults.empty()) {
        settings = plan::resolve(loading.plan->plan(), role, given.all(), faults);
    } else {
        judge_the_rest(loading.plan->plan(), options, role, given.all(), faults);
    }
    if (!faults.empty()) {
        return std::nullopt;
    }
    Secrets secrets = secrets_of(settings.values);
    return PreparedRun{*std::move(loading.plan), std::move(settings), std::move(secrets)};
}

std::optional<int> carry_out(const ports::World& world, Console& console, PreparedRun& prepared,
                             host::Settings host, Interruptions& interruptions, RunWith with) {
    console.keep_for_slow_reader(reader_patience);
    monitor::Recorder* const recorder = with.recorder;
    const script::PeerOptions peer = with.peer;
    Markers* const markers = is_automatic(prepared.settings) ? with.markers : nullptr;
    Storyteller story{world, console, prepared.secrets, std::move(with)};
    script::Run run{world, prepared.plan, prepared.settings, std::move(host), recorder,
                    story, peer};
    story.begin(prepared.plan.plan().name, prepared.settings.role, prepared.plan.digest());
    if (script::peer_place_of(prepared.plan.plan(), prepared.settings)) {
        story.expect_peer();
    }
    if (markers != nullptr) {
        markers->measure_by([&run] { return round_trip_of(run); });
    }
    turn(world, run, recorder, interruptions, [&story] { return story.is_over(); });
    if (!console.finish(last_patience) && stderr_takes_a_line()) {
        (void)console.explain_loss();
    }
    return story.is_over() ? std::optional{story.exit_code()} : std::nullopt;
}

}  // namespace ktm::cli
