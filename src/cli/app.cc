// SPDX-License-Identifier: Apache-2.0
// cli/app.cc: a command line is read, what is wrong with it is said, and what it asks for done.
#include "cli/app.hh"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.hh"
#include "cli/ancestor.hh"
#include "cli/command_line.hh"
#include "cli/console.hh"
#include "cli/doctor_command.hh"
#include "cli/help_texts.hh"
#include "cli/run_identity.hh"
#include "cli/search_path.hh"
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
