// SPDX-License-Identifier: Apache-2.0
// cli/plan_test.cc: `katamaran plan test`: the cases that a person has written for a plan.
//
// The cases of plans/move.lua lie in plans/move.tests, each a file of Lua. What is given is such a
// folder, or one with such folders in it, or any folder of cases, or a case, or a plan.
#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "base/nearest.hh"
#include "cli/case_words.hh"
#include "cli/columns.hh"
#include "cli/faults.hh"
#include "cli/plan_command.hh"

namespace ktm::cli {

namespace {

constexpr std::string_view lua_ending = ".lua";
constexpr std::string_view shelf_ending = ".tests";
using Paths = std::vector<std::string>;

Error no_cases(std::string what) {
    return Error{Kind::usage, "no-cases", std::move(what), "", nullptr};
}

/// Finds the files that are meant.
class CaseSearch {
public:
    CaseSearch(ports::Files& files, const script::SearchPath& path) : files_(files), path_(path) {}

    [[nodiscard]] Result<Paths> find(std::string wanted) {
        while (wanted.size() > 1 && wanted.ends_with('/')) {
            wanted.pop_back();
        }
        if (const Result<Paths> names = files_.list(wanted)) {
            return in_folder(wanted, *names);
        }
        const std::size_t slash = wanted.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : wanted.substr(0, slash);
        const std::string name = slash == std::string::npos ? wanted : wanted.substr(slash + 1);
        const Paths beside = files_.list(folder).value_or(Paths{});
        if (name.ends_with(lua_ending) && has(beside, name)) {
            const std::string shelf = name.substr(0, name.size() - lua_ending.size());
            return has(beside, shelf + std::string{shelf_ending}) ? of_plan(wanted)
                                                                  : Result<Paths>{Paths{wanted}};
        }
        if (slash != std::string::npos) {
            return no_cases("no folder and no file '" + wanted + "'" + did_you_mean(name, beside));
        }
        const Result<std::string> plan = script::find_plan(files_, path_, wanted);
        if (!plan) {
            return no_cases("no folder '" + wanted + "', and " + plan.error().what);
        }
        return of_plan(*plan);
    }

private:
    static bool has(const Paths& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    static std::string joined(const std::string& folder, const std::string& name) {
        return folder == "." ? name : folder + (folder == "/" ? "" : "/") + name;
    }

    [[nodiscard]] Result<Paths> of_plan(const std::string& plan) {
        const std::string shelf =
            plan.substr(0, plan.size() - lua_ending.size()) + std::string{shelf_ending};
        const Result<Paths> names = files_.list(shelf);
        return names ? in_folder(shelf, *names)
                     : no_cases("the plan " + plan + " has no cases: there is no folder " + shelf);
    }

    [[nodiscard]] Result<Paths> in_folder(const std::string& folder, const Paths& names) {
        Paths cases;
        for (const std::string& name : names) {
            if (!name.ends_with(shelf_ending)) {
                continue;
            }
            const std::string shelf = joined(folder, name);
            const Result<Paths> inside = files_.list(shelf);
            add_cases(shelf, inside ? *inside : Paths{}, cases);
        }
        if (cases.empty()) {
            add_cases(folder, names, cases);
        }
        return cases.empty()
                   ? no_cases("no cases in the folder " + folder +
                              "; expected files NAME.lua, or folders PLAN.tests with such files")
                   : Result<Paths>{std::move(cases)};
    }

    static void add_cases(const std::string& folder, const Paths& names, Paths& cases) {
        for (const std::string& name : names) {
            if (name.ends_with(lua_ending)) {
                cases.push_back(joined(folder, name));
            }
        }
    }

    ports::Files& files_;
    const script::SearchPath& path_;
};

/// All that is given, each once; nothing when some of it was nothing, which was told.
std::optional<Paths> find_cases(ports::Files& files, const Console& console,
                                const PlanOptions& options) {
    Paths cases;
    bool are_found = true;
    for (const std::string& wanted : options.plans) {
        const Result<Paths> found = CaseSearch{files, options.path}.find(wanted);
        if (!found) {
            console.error(found.error());
            are_found = false;
            continue;
        }
        for (const std::string& file : *found) {
            if (std::find(cases.begin(), cases.end(), file) == cases.end()) {
                cases.push_back(file);
            }
        }
    }
    if (!are_found) {
        return std::nullopt;
    }
    const std::size_t all = cases.size();
    std::erase_if(cases, [&](const std::string& file) {
        return file.find(options.only) == std::string::npos;
    });
    if (cases.empty()) {
        console.error(no_cases("none of " + counted(all, "case") + " has '" + options.only +
                               "' in its name"));
        return std::nullopt;
    }
    return cases;
}

bool tell(Console& console, const CaseResult& result, Duration took) {
    bool written = true;
    for (const std::string& line :
         console.json() ? Lines{json_of(result, took)} : words_of(result, took, console)) {
        written = console.line(line) && written;
    }
    if (result.is_wrong() && !console.json()) {
        report(console, result.faults);
    }
    return written;
}

}  // namespace

int run_plan_test(ports::Files& files, const PlanOptions& options) {
    Console console{options.json};
    const std::optional<Paths> cases = find_cases(files, console, options);
    if (!cases) {
        return exit_usage;
    }
    // What thousands of simulated nodes would warn of is no warning to anybody.
    log::send_to(nullptr);
    const Instant began = options.now();
    CaseCounts counts;
    for (const std::string& file : *cases) {
        const Instant before = options.now();
        const CaseResult result = run_case(files, options.path, file);
        ++(result.is_wrong() ? counts.wrong : result.is_good() ? counts.passed : counts.failed);
        if (!tell(console, result, options.now() - before)) {
            return console.explain_loss();
        }
    }
    const int code = counts.wrong > 0 ? exit_usage : counts.failed > 0 ? exit_failed : exit_done;
    return console.line(console.json() ? json_of(counts, code)
                                       : words_of(counts, options.now() - began, console))
               ? code
               : console.explain_loss();
}

}  // namespace ktm::cli
