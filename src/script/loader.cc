// SPDX-License-Identifier: Apache-2.0
// script/loader.cc: from a plan's name to a plan that can run.
#include "script/loader.hh"

#include <algorithm>
#include <iterator>
#include <lua.hpp>
#include <utility>
#include <variant>

#include "base/nearest.hh"
#include "plan/check.hh"
#include "plan/derive.hh"
#include "script/datum.hh"
#include "script/inspector.hh"
#include "script/modules.hh"
#include "script/reader.hh"

namespace ktm::script {

namespace {

constexpr std::string_view extension = ".lua";
constexpr std::string_view plans_prefix = "plans/";
/// LIMIT: plans derived from plans.
constexpr std::size_t parents_max = 8;

std::string folder_of(const std::string& file) {
    const std::size_t slash = file.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

std::string stem_of(const std::string& file) {
    const std::size_t slash = file.rfind('/');
    std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
    if (name.ends_with(extension)) {
        name.resize(name.size() - extension.size());
    }
    return name;
}

std::string joined(const std::string& folder, const std::string& name) {
    return folder == "." ? name : folder + "/" + name;
}

bool holds(ports::Files& files, const std::string& folder, const std::string& name) {
    Result<std::vector<std::string>> names = files.list(folder);
    return names && std::find(names->begin(), names->end(), name) != names->end();
}

bool exists(ports::Files& files, const std::string& file) {
    const std::size_t slash = file.rfind('/');
    return holds(files, folder_of(file),
                 slash == std::string::npos ? file : file.substr(slash + 1));
}

/// Loads one file and what it is derived from.
class Loader {
public:
    Loader(ports::Files& files, const SearchPath& path, std::unique_ptr<Arena> arena)
        : files_(files),
          path_(path),
          interpreter_(std::make_unique<Interpreter>(std::move(arena))),
          modules_(files, path.modules, *interpreter_) {
        interpreter_->attach_modules(&modules_);
    }

    Loading load(const std::string& wanted) && {
        Loading loading;
        Result<std::string> file = find_plan(files_, path_, wanted);
        if (!file) {
            loading.faults.push_back({{}, "", file.error().what, "", ""});
            return loading;
        }
        loading.file = *file;
        std::optional<plan::Plan> plan = read(*file);
        if (plan) {
            check(*plan);
        }
        plan::sort_faults(faults_);
        loading.faults = std::move(faults_);
        loading.parent = std::move(parent_);
        loading.declares = declares_;
        interpreter_->attach_modules(nullptr);
        if (plan && loading.faults.empty()) {
            std::string digest = modules_.digest();
            interpreter_->settle();
            loading.plan.emplace(std::move(interpreter_), std::move(*plan), std::move(digest));
        }
        return loading;
    }

private:
    std::optional<plan::Plan> read(const std::string& file) {
        chain_.push_back(file);
        modules_.enter_folder(folder_of(file));
        const Result<void> done = run(file);
        const int line = line_of_return(file);
        declares_ = declares_ || line > 0;
        if (!done) {
            faults_.push_back(modules_.fault_of(file, done.error()));
            return std::nullopt;
        }
        Datum returned = take_datum(*interpreter_, file, modules_.sources());
        if (returned.line == 0) {
            // `return plan {…}` is a tail call: Lua has forgotten who called.
            returned.put_at(modules_.sources().name_of(file), std::max(line, 1));
        }
        declares_ = declares_ || returned.is("plan") || returned.is("derive");
        std::variant<plan::Plan, Derivation> declared =
            read_declaration(returned, modules_.sources(), faults_);
        if (auto* plan = std::get_if<plan::Plan>(&declared)) {
            return std::move(*plan);
        }
        return derived(std::get<Derivation>(declared), file);
    }

    Result<void> run(const std::string& file) {
        KTM_CHECK(modules_.compile(file));
        return interpreter_->call(0, 1, Context::load);
    }

    std::optional<plan::Plan> derived(const Derivation& derivation, const std::string& file) {
        const plan::Place place = derivation.changes.place;
        Result<std::string> parent = find_parent(derivation.parent, file);
        if (!parent) {
            faults_.push_back({place, "", parent.error().what, "", ""});
            return std::nullopt;
        }
        std::optional<plan::Plan> base = read(*parent);
        if (!base) {
            return std::nullopt;
        }
        parent_ = *base;
        return plan::derive(*base, derivation.changes, faults_);
    }

    /// The line on which a file means to return a plan, even if it ended before it could; or 0.
    [[nodiscard]] int line_of_return(const std::string& file) const {
        const SourceText* source = modules_.sources().find(file);
        if (source == nullptr) {
            return 0;
        }
        const std::vector<Token> tokens = source->tokens(1, source->lines());
        const auto returns = [](const Token& word, const Token& next) {
            return word.text == "return" && (next.text == "plan" || next.text == "derive");
        };
        const auto found = std::adjacent_find(tokens.begin(), tokens.end(), returns);
        return found != tokens.end() ? found->line : 0;
    }

    /// Beside the file first, then in the search path; never a file that is being read, so that a
    /// plan may derive from one of the same name further down the path.
    Result<std::string> find_parent(const std::string& name, const std::string& file) {
        if (chain_.size() > parents_max) {
            return Error{
                Kind::invalid, "",
                "plans derived from plans, more than " + std::to_string(parents_max) + " of them",
                "", nullptr};
        }
        SearchPath rest = path_;
        rest.plans.insert(rest.plans.begin(), folder_of(file));
        std::vector<std::string> known;
        for (const std::string& folder : rest.plans) {
            const std::string candidate = joined(folder, name + std::string{extension});
            const bool is_read = std::find(chain_.begin(), chain_.end(), candidate) != chain_.end();
            if (!is_read && exists(files_, candidate)) {
                return candidate;
            }
        }
        for (const FoundPlan& plan : list_plans(files_, rest)) {
            if (plan.name != name && !plan.hidden) {
                known.push_back(plan.name);
            }
        }
        return Error{Kind::invalid, "no-plan",
                     (name == stem_of(file) ? "no other plan '" : "no plan '") + name +
                         "' to derive from" + did_you_mean(name, known),
                     "", nullptr};
    }

    /// Everything else that is wrong. A word that nobody knows may have been a state or a role:
    /// what the graph would say without it would be noise.
    void check(const plan::Plan& plan) {
        inspect(plan, modules_, faults_);
        const bool is_no_plan = plan.file.empty();
        if (modules_.unknown_at_load() || is_no_plan) {
            return;
        }
        plan::Faults found;
        plan::check(plan, found);
        std::erase_if(found, [this](const plan::Fault& fault) { return is_told(fault); });
        faults_.insert(faults_.end(), found.begin(), found.end());
        check_name(plan);
    }

    /// Whether the form of the same thing was wrong already: then its content is, too.
    [[nodiscard]] bool is_told(const plan::Fault& fault) const {
        const bool is_state =
            fault.where.find('.') != std::string::npos && !fault.where.starts_with("vars.");
        // Of the plan as a whole only one key: "the plan has no summary".
        const std::string key = fault.what.substr(fault.what.rfind(' ') + 1);
        const auto is_of_key = [&](const plan::Fault& told) {
            return told.hint == key || told.what.starts_with(key + " ");
        };
        return std::any_of(faults_.begin(), faults_.end(), [&](const plan::Fault& told) {
            return told.where == fault.where && (!is_state || told.place == fault.place) &&
                   (!fault.where.empty() || is_of_key(told));
        });
    }

    void check_name(const plan::Plan& plan) {
        const std::string stem = stem_of(chain_.front());
        if (!plan.name.empty() && plan.name != stem) {
            faults_.push_back({plan.place, "",
                               "the plan is called '" + plan.name + "' and its file '" + stem +
                                   std::string{extension} + "'",
                               "the same name, for plans are found by it", ""});
        }
    }

    ports::Files& files_;
    const SearchPath& path_;
    std::unique_ptr<Interpreter> interpreter_;
    Modules modules_;
    plan::Faults faults_;
    std::vector<std::string> chain_;    ///< The files being read, the child first.
    std::optional<plan::Plan> parent_;  ///< Of the file that was read last: the child in the end.
    bool declares_ = false;
};

/// For a path that is no plan's: what it should be, or what stands beside it.
Error no_plan_at(ports::Files& files, const std::string& path) {
    if (exists(files, path)) {
        return Error{Kind::usage, "no-plan",
                     "'" + path + "' is no plan: its name does not end in .lua", "", nullptr};
    }
    std::vector<std::string> known;
    if (const Result<std::vector<std::string>> names = files.list(folder_of(path))) {
        std::copy_if(names->begin(), names->end(), std::back_inserter(known),
                     [](const std::string& name) { return name.ends_with(extension); });
    }
    const std::string name = path.substr(path.rfind('/') + 1);
    return Error{Kind::usage, "no-plan", "no file '" + path + "'" + did_you_mean(name, known), "",
                 nullptr};
}

}  // namespace

Result<std::string> find_plan(ports::Files& files, const SearchPath& path,
                              const std::string& wanted) {
    if (exists(files, wanted) && wanted.ends_with(extension)) {
        return wanted;
    }
    // "plans/move.lua" is what people type; it names the plan wherever they stand.
    const bool is_named = wanted.starts_with(plans_prefix) && wanted.ends_with(extension);
    const std::string rest = is_named ? wanted.substr(plans_prefix.size()) : wanted;
    if (rest.find('/') != std::string::npos) {
        return no_plan_at(files, wanted);
    }
    const std::string name = stem_of(rest);
    std::vector<std::string> known;
    for (const FoundPlan& plan : list_plans(files, path)) {
        if (plan.name == name) {
            return plan.file;
        }
        if (!plan.hidden) {
            known.push_back(plan.name);
        }
    }
    std::string places;
    for (const std::string& folder : path.plans) {
        places += (places.empty() ? "" : ", ") + folder;
    }
    return Error{Kind::usage, "no-plan",
                 "no plan '" + wanted + "'; looked in " + places + did_you_mean(name, known), "",
                 nullptr};
}

Loading load_plan(ports::Files& files, const SearchPath& path, const std::string& wanted,
                  std::unique_ptr<Arena> arena) {
    return Loader{files, path, std::move(arena)}.load(wanted);
}

std::vector<FoundPlan> list_plans(ports::Files& files, const SearchPath& path) {
    std::vector<FoundPlan> plans;
    for (const std::string& folder : path.plans) {
        Result<std::vector<std::string>> names = files.list(folder);
        if (!names) {
            continue;
        }
        for (const std::string& file : *names) {
            if (!file.ends_with(extension)) {
                continue;
            }
            const std::string name = stem_of(file);
            const bool hidden = std::any_of(plans.begin(), plans.end(), [&](const FoundPlan& plan) {
                return plan.name == name;
            });
            plans.push_back({name, joined(folder, file), hidden});
        }
    }
    return plans;
}

}  // namespace ktm::script
