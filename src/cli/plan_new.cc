// SPDX-License-Identifier: Apache-2.0
// cli/plan_new.cc: `katamaran plan new`: a plan of one's own, derived from another.
#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "cli/columns.hh"
#include "cli/faults.hh"
#include "cli/plan_command.hh"
#include "cli/plan_example.hh"
#include "cli/plan_json.hh"
#include "cli/plan_outline.hh"
#include "plan/check_parts.hh"
#include "plan/wording.hh"
#include "trial/trial.hh"

namespace ktm::cli {

namespace {

/// What a person who wrote this may have wanted for a name: "My_Plan.lua" is my-plan.
std::string spelled(std::string name) {
    name.erase(0, name.rfind('/') + 1);
    if (name.ends_with(".lua")) {
        name.resize(name.size() - 4);
    }
    for (char& c : name) {
        const bool is_large = c >= 'A' && c <= 'Z';
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        c = is_large ? static_cast<char>(c - 'A' + 'a') : is_plain ? c : '-';
    }
    return name;
}

void check_name(const std::string& name, plan::Faults& faults) {
    const std::size_t count = faults.size();
    plan::check_name(name, "plan", plan::plan_spelling, {}, faults);
    plan::Faults others;
    plan::check_name(spelled(name), "plan", plan::plan_spelling, {}, others);
    if (faults.size() > count && others.empty()) {
        faults.back().hint = spelled(name);
    }
}

void check_is_free(ports::Files& files, const std::string& file, plan::Faults& faults) {
    const Result<std::vector<std::string>> names = files.list(".");
    if (names && std::find(names->begin(), names->end(), file) != names->end()) {
        faults.push_back({{}, "", plan::shown(file) + " exists already", "another name", ""});
    }
}

/// A parent is found by its name, so the plan that was meant must be the one of that name. Two that
/// act the same are the same.
void check_is_reached(ports::Files& files, const script::SearchPath& path,
                      const script::LoadedPlan& parent, plan::Faults& faults) {
    const plan::Plan& plan = parent.plan();
    const script::Loading named = script::load_plan(files, path, plan.name);
    if (named.plan && named.plan->digest() == parent.digest()) {
        return;
    }
    const std::string reason = named.file.empty()
                                   ? "no plan of that name is found from here"
                                   : plan::shown(plan.name) + " is " + named.file + " here";
    faults.push_back({{},
                      "--from",
                      plan::shown(plan.file) + " cannot be derived from by its name: " + reason,
                      "its folder in KATAMARAN_PLAN_PATH, or the file in this folder",
                      ""});
}

void note_hidden(ports::Files& files, const PlanOptions& options, const Console& console) {
    const Result<std::string> hidden =
        script::find_plan(files, options.path, options.plans.front());
    if (hidden) {
        console.note("in this folder it hides " + *hidden);
    }
}

/// Whether the simulated world has all that it needs, and it gets there.
bool can_be_played(ports::Files& files, const script::SearchPath& path, const std::string& file) {
    trial::StageOptions options;
    options.plan = file;
    options.path = path;
    trial::Staging staging = trial::set_the_stage(files, options);
    return staging.stage && trial::play(*staging.stage, {}).violations.empty();
}

/// The first case of a plan that can be played: it asks for everything. Returns its file; nothing
/// when there is none, or is something of that name already.
std::string begin_cases(ports::Files& files, const script::SearchPath& path, const Console& console,
                        const std::string& name, const std::string& file) {
    const std::string folder = name + ".tests";
    const std::string first = folder + "/all-faults.lua";
    if (files.list(folder) || !can_be_played(files, path, file)) {
        return "";
    }
    const std::string text = "-- A case of " + name + ": katamaran plan test " + name +
                             "\n"
                             "return {\n"
                             "  claim = \"Whatever single thing goes wrong ends as it must.\",\n"
                             "  faults = \"all\",\n"
                             "}\n";
    if (const Result<void> written = files.replace(first, text); !written) {
        console.note("no case was begun: " + written.error().sentence());
        return "";
    }
    return first;
}

int tell_next(Console& console, const std::string& name, const std::string& file,
              const plan::Plan& parent, const std::string& first_case) {
    std::vector<std::string> next{"katamaran plan diff " + name};
    for (const std::vector<std::string>& words : example_runs(parent, name)) {
        next.push_back(line_of(words));
    }
    const std::string test = "katamaran plan test " + name;
    if (console.json()) {
        json::ObjectWriter object;
        object.text("name", name).text("file", file);
        if (!first_case.empty()) {
            object.text("case", first_case);
            next.push_back(test);
        }
        object.text("parent", parent.name).text("parent_file", parent.file);
        return print(console, {std::move(object.json("next", json_texts(next))).finish()});
    }
    Columns table;
    table.add(
        {{"written:", Colour::green}, {file + ", does what " + parent.name + " does so far"}});
    table.add({{"look:", Colour::dim}, {"katamaran plan check " + name + " && " + next[0]}});
    if (!first_case.empty()) {
        table.add({{"test:", Colour::dim}, {test + ", with its first case"}});
    }
    table.add({{"run:", Colour::dim}, {next[1]}});
    return print(console, table.lines(console, 0));
}

}  // namespace

int run_plan_new(ports::Files& files, const PlanOptions& options) {
    Console console{options.json};
    const std::string& name = options.plans.front();
    const std::string file = name + ".lua";
    plan::Faults faults;
    check_name(name, faults);
    if (faults.empty()) {
        check_is_free(files, file, faults);
    }
    const script::Loading parent = script::load_plan(files, options.path, options.from);
    faults.insert(faults.end(), parent.faults.begin(), parent.faults.end());
    if (parent.plan) {
        check_is_reached(files, options.path, *parent.plan, faults);
    }
    if (!faults.empty()) {
        return report(console, faults);
    }
    note_hidden(files, options, console);
    const std::string outline = outline_of(parent.plan->plan(), name);
    if (const Result<void> written = files.replace(file, outline); !written) {
        console.error(written.error());
        return exit_failed;
    }
    log::send_to(nullptr);  // What a simulated node would warn of.
    const std::string first = begin_cases(files, options.path, console, name, file);
    return tell_next(console, name, file, parent.plan->plan(), first);
}

}  // namespace ktm::cli
