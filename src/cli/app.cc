// SPDX-License-Identifier: Apache-2.0
// cli/app.cc: the command line, by CLI11. The only file that includes it: it takes long to compile.
#include "cli/app.hh"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/nearest.hh"
#include "cli/ancestor.hh"
#include "cli/console.hh"
#include "cli/doctor_command.hh"
#include "cli/help_texts.hh"
#include "cli/peer_command.hh"
#include "cli/plan_command.hh"
#include "cli/qmp_command.hh"
#include "cli/recover_command.hh"
#include "cli/run_command.hh"
#include "cli/run_identity.hh"
#include "cli/search_path.hh"
#include "cli/simulate_command.hh"
#include "cli/timeline_command.hh"
#include "cli/trace_command.hh"
#include "cli/trial_command.hh"
#include "trial/stage.hh"
#include "version.hh"

namespace ktm::cli {

namespace {

/// Where programs keep what they can find again; empty when the environment names no place.
std::string cache_folder() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    if (cache != nullptr && *cache == '/') {
        return std::string(cache) + "/katamaran";
    }
    const char* home = std::getenv("HOME");
    return home != nullptr && *home == '/' ? std::string(home) + "/.cache/katamaran" : "";
}

/// An empty value is what a shell variable leaves that is not set; it is never meant.
CLI::Validator not_empty() {
    return CLI::Validator{[](const std::string& value) {
                              return value.empty() ? std::string("the value is empty")
                                                   : std::string();
                          },
                          ""};
}

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

    explicit CommandLine(Reach reach) {
        app.name(reach == Reach::world ? "katamaran" : "katamaran-sim");
        app.footer(std::string{reach == Reach::world ? app_examples : simulator_examples} +
                   exit_codes);
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

    void add_run() {
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
        run->add_flag(
            "--insecure", run_options.peer.insecure,
            "Talk to the other node over a network, where others can listen and interfere");
        run->add_flag("--require-zero-loss", run_options.require_zero_loss,
                      "End with exit code 3 unless it is proven that no packet was lost");
        add_state(run);
    }

    void add_doctor() {
        doctor = app.add_subcommand("doctor", "Look at what a run would look at, change nothing");
        doctor->footer(doctor_examples);
        doctor_options.plan = host_plan;
        add_plan_and_vars(doctor, doctor_options);
        doctor->get_option("plan")
            ->description("The plan whose looks are meant; without it what concerns this host")
            ->required(false);
        add_state(doctor);
    }

    void add_simulate() {
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

    void add_trial() {
        const std::string models = "Instead of a recording";
        const auto add = [&](CLI::Option* option, const char* type) {
            option->group(models)->excludes("--trace");
            if (*type != '\0') {
                option->type_name(type);
            }
        };
        add(simulate->add_option(
                "--model", trial_options.model,
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

    static void add_plan_and_vars(CLI::App* command, RunOptions& options) {
        command->add_option("plan", options.plan, "The plan: a path or a name")
            ->required()
            ->check(not_empty());
        command
            ->add_option("--role", options.role, "The role; may be left out where the vars decide")
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

    void add_state(CLI::App* command) {
        command
            ->add_option("--state", state,
                         "The folder of journals; without it KATAMARAN_STATE, or /run/katamaran")
            ->type_name("FOLDER")
            ->check(not_empty());
    }

    void add_recover() {
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

    void add_peer() {
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

    CLI::App* add_plan_command(const char* name, const char* what, PlanCommand command) {
        CLI::App* added = plan->add_subcommand(name, what);
        added->add_flag("--json", plan_options.json, "Print JSON");
        plan_commands.emplace_back(added, command);
        return added;
    }

    void add_plan() {
        plan = app.add_subcommand("plan", "Look at plans, and make new ones");
        plan->require_subcommand(0, 1);
        plan->footer(plan_examples);
        const char* which = "A path or a name";
        add_plan_command("check", "Say everything that is wrong with plans", run_plan_check)
            ->add_option("plan", plan_options.plans, which)
            ->required();
        add_plan_command("show", "Print what a plan takes and does", run_plan_show)
            ->add_option("plan", plan_options.plans, which)
            ->required()
            ->expected(1);
        CLI::App* graph = add_plan_command("graph", "Draw a plan's states", run_plan_graph);
        graph->add_option("plan", plan_options.plans, which)->required()->expected(1);
        graph->add_option("--format", plan_options.format, "mermaid, dot or svg")
            ->type_name("FORMAT");
        add_plan_command("list", "List the plans that can be named", run_plan_list);
        CLI::App* begun = add_plan_command("new", "Begin a plan of your own", run_plan_new);
        begun->add_option("name", plan_options.plans, "The new plan's name")
            ->required()
            ->expected(1);
        begun->add_option("--from", plan_options.from, "The plan that it changes")
            ->type_name("PLAN")
            ->required();
        add_plan_test();
        add_plan_command("diff", "Say what a plan changes of its parent, or of another plan",
                         run_plan_diff)
            ->add_option("plan", plan_options.plans, "The plan, or the older and the newer one")
            ->required()
            ->expected(1, 2);
    }

    void add_plan_test() {
        CLI::App* test = add_plan_command("test", "Play the cases of plans", run_plan_test);
        test->footer(plan_test_examples);
        test->add_option("what", plan_options.plans, "A folder of cases, a case or a plan")
            ->required()
            ->check(not_empty());
        test->add_option("--only", plan_options.only, "Cases that have this in their names")
            ->type_name("TEXT")
            ->check(not_empty());
    }

    void add_qmp() {
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
        qmp->add_option("--timeout", qmp_options.timeout,
                        "End after this long, such as 500ms or 5s")
            ->type_name("DURATION")
            ->check(not_empty());
        qmp->add_option("--record", qmp_options.record,
                        "Keep the conversation in a new file; compressed if it ends in .zst")
            ->type_name("FILE")
            ->check(not_empty());
        qmp->add_flag("--json", qmp_options.json, "Print compact JSON, one value a line");
    }

    void add_trace() {
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

    void add_timeline() {
        timeline = trace->add_subcommand("timeline", "Draw what happened in a run");
        timeline->footer(timeline_examples);
        timeline
            ->add_option("file", timeline_options.files, "The recording, or that of either side")
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
};

/// The commands as they were typed, down to the one that was being read: "katamaran trace show".
std::string place_of(const CLI::App& app) {
    std::string place = app.get_name();
    for (const CLI::App* subcommand : app.get_subcommands()) {
        place += " " + place_of(*subcommand);
    }
    return place;
}

int refuse(const std::string& what, const CommandLine& line) {
    Console{line.json}.error(
        Error{Kind::usage, "", what + " (see '" + place_of(line.app) + " --help')", "", nullptr});
    return exit_usage;
}

std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

/// What is wrong with a word that no option and no command took.
int refuse_word(std::string word, const CLI::App& app, const CommandLine& line) {
    if (word.size() > 1 && word.starts_with('-')) {
        word = word.substr(0, word.find('='));
        const std::vector<std::string> options = options_of(app);
        if (std::find(options.begin(), options.end(), word) != options.end()) {
            return refuse("'" + word + "' must stand behind the command that it belongs to", line);
        }
        return refuse("'" + word + "' is no option here" + did_you_mean(word, options), line);
    }
    const std::vector<std::string> commands = commands_of(app);
    return refuse(commands.empty() ? "'" + word + "' is one word too many"
                                   : "'" + word + "' is no command" + did_you_mean(word, commands),
                  line);
}

/// The innermost command that was typed.
const CLI::App& innermost(const CLI::App& app) {
    const std::vector<const CLI::App*> typed =
        app.get_subcommands([](const CLI::App* command) { return command->parsed(); });
    return typed.empty() ? app : innermost(*typed.front());
}

int print(const std::string& text) {
    Console console{false};
    return console.line(text) ? exit_done : console.explain_loss();
}

/// The commands that need no more than files.
int dispatch(const Desk& desk, CommandLine& line) {
    line.plan_options.now = desk.now;
    if (line.simulate->parsed()) {
        line.simulate_options.run.path = search_path();
        if (line.simulate_options.trace.empty()) {
            line.trial_options.run = line.simulate_options.run;
            return try_plan(desk, line.trial_options);
        }
        return simulate_plan(desk.files, line.simulate_options);
    }
    for (const auto& [command, act] : line.plan_commands) {
        if (command->parsed()) {
            line.plan_options.path = search_path();
            return act(desk.files, line.plan_options);
        }
    }
    if (line.show->parsed()) {
        return run_trace_show(desk.files, line.show_options);
    }
    if (line.timeline->parsed()) {
        return run_trace_timeline(desk.files, line.timeline_options);
    }
    return refuse("what should be done?", line);
}

bool is_typed(const CLI::App* command) {
    return command != nullptr && command->parsed();
}

/// The file of the key, where no line names one.
std::string usual_peer_key() {
    const char* const file = std::getenv("KATAMARAN_PEER_KEY");
    return file == nullptr ? "" : file;
}

/// With all there is.
int dispatch(const ports::World& world, CommandLine& line) {
    if (is_typed(line.qmp)) {
        line.qmp_options.cache_folder = cache_folder();
        return run_qmp(world, line.qmp_options);
    }
    if (is_typed(line.run)) {
        line.run_options.path = search_path();
        line.run_options.state = state_folder(line.state);
        line.run_options.peer.usual_key = usual_peer_key();
        return run_plan(world, line.run_options);
    }
    if (is_typed(line.peer_key)) {
        return make_peer_key(world, line.peer_key_options);
    }
    if (is_typed(line.doctor)) {
        line.doctor_options.path = search_path();
        line.doctor_options.state = state_folder(line.state);
        return run_doctor(world, line.doctor_options);
    }
    if (is_typed(line.recover)) {
        line.recover_options.folder = state_folder(line.state);
        return run_recover(world, line.recover_options);
    }
    return dispatch(Desk{world.files, [&world] { return world.clock.now(); }}, line);
}

/// Reads the command line; an exit code when that is all there is to do.
std::optional<int> read_line(CommandLine& line, int argc, const char* const* argv) {
    line.json = std::any_of(argv, argv + argc,
                            [](const char* word) { return std::string_view{word} == "--json"; });
    install_log(line.json);
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::string help = line.app.help();
        help.erase(help.find_last_not_of('\n') + 1);
        return print(help);
    } catch (const CLI::CallForVersion&) {
        return print(line.app.get_name() + " " + version);
    } catch (const CLI::ParseError& error) {
        return refuse(error.what(), line);
    }
    std::vector<std::string> rest = line.app.remaining(true);
    // What ends the options is itself none.
    rest.erase(std::remove(rest.begin(), rest.end(), "--"), rest.end());
    if (!rest.empty()) {
        return refuse_word(rest.front(), innermost(line.app), line);
    }
    return std::nullopt;
}

/// What can be reached: a world, or files alone.
template <class Outside>
int run_line(Reach reach, const Outside& outside, int argc, const char* const* argv) {
    CommandLine line{reach};
    if (const std::optional<int> ended = read_line(line, argc, argv)) {
        return *ended;
    }
    return dispatch(outside, line);
}

/// A command line of the first katamaran: what it is now is said, and then done.
int run_ancestor_line(const ports::World& world, const std::vector<std::string>& words) {
    if (asks_ancestor_for(words, {"h", "help"})) {
        return print(ancestor_help);
    }
    if (asks_ancestor_for(words, {"v", "version"})) {
        return print(std::string{"katamaran "} + version);
    }
    const Result<AncestorRun> run = translate_ancestor(words, usual_peer_key());
    const bool wants_json =
        run && std::find(run->words.begin(), run->words.end(), "--json") != run->words.end();
    Console console{wants_json};
    if (!run) {
        console.error(run.error());
        return exit_usage;
    }
    for (const std::string& remark : run->remarks) {
        console.note(remark);
    }
    console.note("this is now: " + shell_line(run->words));
    std::vector<const char*> argv{"katamaran"};
    for (const std::string& word : run->words) {
        argv.push_back(word.c_str());
    }
    const int argc = static_cast<int>(argv.size());
    return ancestor_exit_code(run_line(Reach::world, world, argc, argv.data()));
}

}  // namespace

int run_app(const ports::World& world, int argc, const char* const* argv) {
    const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    return is_ancestor_line(words) ? run_ancestor_line(world, words)
                                   : run_line(Reach::world, world, argc, argv);
}

int run_simulator(const Desk& desk, int argc, const char* const* argv) {
    return run_line(Reach::files, desk, argc, argv);
}

}  // namespace ktm::cli
