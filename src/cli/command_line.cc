// SPDX-License-Identifier: Apache-2.0
// cli/command_line.cc: what each command takes, and what its help says.
#include "cli/command_line.hh"

#include <limits>
#include <string_view>

#include "cli/doctor_command.hh"
#include "cli/help_texts.hh"
#include "trial/stage.hh"
#include "version.hh"

namespace ktm::cli {

namespace {

/// An empty value is what a shell variable leaves that is not set; it is never meant.
CLI::Validator not_empty() {
    return CLI::Validator{[](const std::string& value) {
                              return value.empty() ? std::string("the value is empty")
                                                   : std::string();
                          },
                          ""};
}

void add_plan_and_vars(CLI::App* command, RunOptions& options) {
    command->add_option("plan", options.plan, "The plan: a path or a name")
        ->required()
        ->check(not_empty());
    command->add_option("--role", options.role, "The role; may be left out where the vars decide")
        ->type_name("ROLE")
        ->check(not_empty());
    command->add_option("--var", options.vars, "The value of a var; of a secret NAME=@FILE")
        ->type_name("NAME=VALUE")
        ->take_all()
        ->allow_extra_args(false)
        ->check(not_empty());
    command->add_option("--vars", options.vars_file, "Values from a file, a JSON object")
        ->type_name("FILE")
        ->check(not_empty());
    command->add_flag("--json", options.json, "One JSON object a line, the last one the end");
}

}  // namespace

CommandLine::CommandLine(Reach reach) {
    app.name(reach == Reach::world ? "katamaran" : "katamaran-sim");
    app.footer(std::string{reach == Reach::world ? app_examples : simulator_examples} + exit_codes);
    app.require_subcommand(0, 1);
    // Inherited by the commands below: refuse_word() explains better than the library does.
    app.allow_extras();
    app.set_version_flag("--version", app.get_name() + " " + version);
    if (reach == Reach::world) {
        add_run();
        add_doctor();
        add_recover();
        add_peer();
        add_qmp();
    }
    add_simulate();
    add_plan();
    add_trace();
}

void CommandLine::add_run() {
    run = app.add_subcommand("run", "Carry out a plan");
    run->footer(run_examples);
    add_plan_and_vars(run, run_options);
    run->add_option("--record", run_options.record,
                    "Keep the run in a new file; compressed if it ends in .zst")
        ->type_name("FILE")
        ->check(not_empty());
    run->add_option("--timeline", run_options.timeline,
                    "Draw the run into a new file: .svg, .html, .json (Perfetto) or .txt")
        ->type_name("FILE")
        ->check(not_empty());
    run->add_option("--peer-wait", run_options.peer.wait,
                    "How long the other node is waited for; 5min if left out")
        ->type_name("DURATION")
        ->check(not_empty());
    run->add_option("--peer-key", run_options.peer.key,
                    "Talk to the other node under TLS; the key in this file is at both "
                    "nodes; without it KATAMARAN_PEER_KEY")
        ->type_name("FILE")
        ->check(not_empty());
    run->add_flag("--markers", run_options.markers,
                  "Tell the KATAMARAN_ lines, too, that scripts of the first katamaran read");
    run->add_flag("--insecure", run_options.peer.insecure,
                  "Talk to the other node over a network, where others can listen and interfere");
    run->add_flag("--require-zero-loss", run_options.require_zero_loss,
                  "End with exit code 3 unless it is proven that no packet was lost");
    add_state(run);
}

void CommandLine::add_doctor() {
    doctor = app.add_subcommand("doctor", "Look at what a run would look at, change nothing");
    doctor->footer(doctor_examples);
    doctor_options.plan = host_plan;
    add_plan_and_vars(doctor, doctor_options);
    doctor->get_option("plan")
        ->description("The plan whose looks are meant; without it what concerns this host")
        ->required(false);
    add_state(doctor);
}

void CommandLine::add_simulate() {
    simulate = app.add_subcommand("simulate", "Try a plan where nothing can break");
    simulate->footer("Keys of --model:\n" + trial::describe_world_keys() +
                     "\nVars that the plan needs and nobody gave; at the source, at the "
                     "destination:\n" +
                     trial::describe_world_vars() + "\n" + simulate_examples);
    add_plan_and_vars(simulate, simulate_options.run);
    simulate
        ->add_option("--trace", simulate_options.trace,
                     "What QEMU said: a recording, a trace in the plain form, or a scenario")
        ->type_name("FILE")
        ->check(not_empty());
    add_trial();
}

void CommandLine::add_trial() {
    const std::string models = "Instead of a recording";
    const auto add = [&](CLI::Option* option, const char* type) {
        option->group(models)->excludes("--trace");
        if (*type != '\0') {
            option->type_name(type);
        }
    };
    add(simulate->add_option("--model", trial_options.model,
                             "Guest, network and traffic, such as ram=8G,dirty=300M/s,link=10G"),
        "KEY=VALUE,…");
    add(simulate
            ->add_option("--program", trial_options.programs,
                         "What a program that the plan runs writes, as in 'uname -r => 6.1.0'")
            ->take_all()
            ->allow_extra_args(false),
        "LINE=>OUTPUT");
    add(simulate
            ->add_option("--faults", trial_options.scope,
                         "Try every fault, or every two faults: all, pairs")
            ->check(CLI::IsMember({"all", "pairs"})),
        "");
    add(simulate
            ->add_option("--share", trial_options.share,
                         "Only the K-th of N parts of these; several machines can share them")
            ->check(not_empty())
            ->needs("--faults"),
        "K/N");
    add(simulate
            ->add_option("--fault", trial_options.faults,
                         "One fault at the numbered crossing, such as 41:lost")
            ->take_all()
            ->allow_extra_args(false),
        "NUMBER:HARM");
    add(simulate->add_option("--runs", trial_options.runs, "So many random schedules of faults")
            ->check(CLI::Range(1LL, 1'000'000'000LL)),
        "N");
    add(simulate->add_option("--seed", trial_options.seed, "The first of them; 1 without it")
            ->check(CLI::Range(0LL, std::numeric_limits<long long>::max()))
            ->needs("--runs"),
        "N");
    add(simulate
            ->add_option("--timeline", trial_options.timeline,
                         "Draw it into a new file: .svg, .html, .json (Perfetto) or .txt")
            ->check(not_empty()),
        "FILE");
    add(simulate->add_flag("--list", trial_options.lists, "Tell what crosses, with its number"),
        "");
    // Many trials are told by what was found in them, and not one by one.
    for (const char* many : {"--faults", "--runs"}) {
        for (const char* one : {"--fault", "--list", "--timeline"}) {
            simulate->get_option(many)->excludes(one);
        }
    }
    simulate->get_option("--faults")->excludes("--runs");
}

void CommandLine::add_state(CLI::App* command) {
    command
        ->add_option("--state", state,
                     "The folder of journals; without it KATAMARAN_STATE, or /run/katamaran")
        ->type_name("FOLDER")
        ->check(not_empty());
}

void CommandLine::add_recover() {
    recover = app.add_subcommand("recover", "Take back what killed runs left on this host");
    recover->footer(recover_examples);
    recover
        ->add_option("--netns", recover_options.places,
                     "A namespace that is searched, too: a path or a name")
        ->type_name("PLACE")
        ->take_all()
        ->allow_extra_args(false)
        ->check(not_empty());
    recover->add_flag("--by-mark", recover_options.by_mark,
                      "Take back what is ours by its marks, too, though no journal has it");
    recover->add_flag("--dry-run", recover_options.dry, "Only say what would be done");
    add_state(recover);
    recover->add_flag("--json", recover_options.json, "One JSON object a line, the last a sum");
}

void CommandLine::add_peer() {
    CLI::App* peer = app.add_subcommand("peer", "What two nodes need to talk to each other");
    peer->require_subcommand(0, 1);
    peer->footer(peer_examples);
    peer_key = peer->add_subcommand("key", "Make a key for --peer-key");
    peer_key->footer(peer_key_examples);
    peer_key
        ->add_option("file", peer_key_options.file,
                     "A new file, which only you can read; without it the key is printed")
        ->check(not_empty());
}

CLI::App* CommandLine::add_plan_command(const char* name, const char* what, const char* footer,
                                        PlanCommand command) {
    CLI::App* added = plan->add_subcommand(name, what);
    added->footer(footer);
    added->add_flag("--json", plan_options.json, "Print JSON");
    plan_commands.emplace_back(added, command);
    return added;
}

CLI::App* CommandLine::add_plan_reader(const char* name, const char* what, const char* footer,
                                       PlanCommand command) {
    CLI::App* added = add_plan_command(name, what, footer, command);
    added->add_option("plan", plan_options.plans, "A path or a name")->required()->expected(1);
    return added;
}

void CommandLine::add_plan() {
    plan = app.add_subcommand("plan", "Look at plans, and make new ones");
    plan->require_subcommand(0, 1);
    plan->footer(plan_examples);
    add_plan_command("check", "Say everything that is wrong with plans", plan_check_examples,
                     run_plan_check)
        ->add_option("plan", plan_options.plans, "Paths or names")
        ->required();
    add_plan_reader("show", "Print what a plan takes and does", plan_show_examples, run_plan_show);
    add_plan_reader("graph", "Draw a plan's states", plan_graph_examples, run_plan_graph)
        ->add_option("--format", plan_options.format, "mermaid, dot or svg")
        ->type_name("FORMAT");
    add_plan_command("list", "List the plans that can be named", plan_list_examples, run_plan_list);
    CLI::App* begun =
        add_plan_command("new", "Begin a plan of your own", plan_new_examples, run_plan_new);
    begun->add_option("name", plan_options.plans, "The new plan's name")->required()->expected(1);
    begun->add_option("--from", plan_options.from, "The plan that it changes")
        ->type_name("PLAN")
        ->required();
    add_plan_test();
    add_plan_command("diff", "Say what a plan changes of its parent, or of another plan",
                     plan_diff_examples, run_plan_diff)
        ->add_option("plan", plan_options.plans, "The plan, or the older and the newer one")
        ->required()
        ->expected(1, 2);
}

void CommandLine::add_plan_test() {
    CLI::App* test =
        add_plan_command("test", "Play the cases of plans", plan_test_examples, run_plan_test);
    test->add_option("what", plan_options.plans, "A folder of cases, a case or a plan")
        ->required()
        ->check(not_empty());
    test->add_option("--only", plan_options.only, "Cases that have this in their names")
        ->type_name("TEXT")
        ->check(not_empty());
}

void CommandLine::add_qmp() {
    qmp = app.add_subcommand("qmp", "Talk to the QMP monitor of a VM");
    qmp->footer(qmp_examples);
    qmp->add_option("socket", qmp_options.socket,
                    "The monitor: a path, unix:PATH or tcp:ADDRESS:PORT")
        ->required();
    qmp->add_option("command", qmp_options.words,
                    "A QMP command and its arguments as KEY=VALUE, or as one JSON object");
    qmp->add_option("--wait", qmp_options.wait,
                    "Wait for this event, its fields equal: EVENT[,FIELD=VALUE...]")
        ->type_name("EVENT")
        ->check(not_empty());
    qmp->add_option("--timeout", qmp_options.timeout, "End after this long, such as 500ms or 5s")
        ->type_name("DURATION")
        ->check(not_empty());
    qmp->add_option("--record", qmp_options.record,
                    "Keep the conversation in a new file; compressed if it ends in .zst")
        ->type_name("FILE")
        ->check(not_empty());
    qmp->add_flag("--json", qmp_options.json, "Print compact JSON, one value a line");
}

void CommandLine::add_trace() {
    trace = app.add_subcommand("trace", "Read recorded conversations");
    trace->require_subcommand(0, 1);
    show = trace->add_subcommand("show", "Print a recorded conversation for a person");
    show->footer(show_examples);
    show->add_option("file", show_options.file, "The recording")->required();
    show->add_option("--port", show_options.port, "Only what crossed this port")
        ->type_name("NAME")
        ->check(not_empty());
    show->add_option("--grep", show_options.grep,
                     "Only lines that match this extended regular expression")
        ->type_name("PATTERN")
        ->check(not_empty());
    show->add_flag("--json", show_options.json, "One record a line, in the form of --record");
    add_timeline();
}

void CommandLine::add_timeline() {
    timeline = trace->add_subcommand("timeline", "Draw what happened in a run");
    timeline->footer(timeline_examples);
    timeline->add_option("file", timeline_options.files, "The recording, or that of either side")
        ->required()
        ->expected(1, 2)
        ->check(not_empty());
    timeline
        ->add_option("-o,--timeline", timeline_options.out,
                     "A new file: .svg, .html, .json (Perfetto) or .txt; without it the text")
        ->type_name("FILE")
        ->check(not_empty());
    timeline
        ->add_option("--shift", timeline_options.shift,
                     "Added to the times of the second recording, such as 1.5s or -20ms")
        ->type_name("DURATION")
        ->check(not_empty());
    timeline
        ->add_option("--width", timeline_options.width,
                     "Of a picture, in pixels; of a text, in columns")
        ->type_name("N")
        ->check(CLI::Range(40, 10'000));
}

}  // namespace ktm::cli
