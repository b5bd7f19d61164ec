// SPDX-License-Identifier: Apache-2.0
// cli/plan_command.cc: `katamaran plan check` and `list`: which plans there are, and what is wrong.
#include "cli/plan_command.hh"

#include <algorithm>
#include <utility>

#include "cli/columns.hh"
#include "cli/faults.hh"
#include "cli/plan_json.hh"

namespace ktm::cli {

namespace {

std::string checked_json(const std::string& wanted, const script::Loading& loading) {
    json::ObjectWriter object;
    object.text("plan", wanted)
        .text("file", loading.file)
        .boolean("ok", loading.plan.has_value())
        .json("faults", faults_json(loading.faults));
    return std::move(object).finish();
}

std::string praise(const script::Loading& loading) {
    const plan::Plan& plan = loading.plan->plan();
    std::size_t count_states = 0;
    for (const plan::Role& role : plan.roles) {
        count_states += role.states.size();
    }
    return one_line(loading.file) + ": ok, " + counted(plan.roles.size(), "role") + ", " +
           counted(count_states, "state");
}

// --- list ---------------------------------------------------------------------------------------

/// A Lua file in the working directory may be anything. One that is no plan is nobody's business,
/// unless a plan cannot be named because of it.
bool is_something_else(const script::FoundPlan& found, const script::Loading& loading,
                       const std::vector<script::FoundPlan>& all) {
    const bool is_in_working_directory = found.file.find('/') == std::string::npos;
    const auto same_name = [&](const script::FoundPlan& each) { return each.name == found.name; };
    return is_in_working_directory && !loading.declares &&
           std::count_if(all.begin(), all.end(), same_name) == 1;
}

std::string listed_json(const script::FoundPlan& found, const script::Loading& loading) {
    json::ObjectWriter object;
    object.text("name", found.name)
        .text("file", found.file)
        .boolean("hidden", found.hidden)
        .boolean("ok", loading.plan.has_value());
    if (loading.plan) {
        object.text("summary", loading.plan->plan().summary);
    }
    object.json("faults", faults_json(loading.faults));
    return std::move(object).finish();
}

void add_listed(Columns& table, const script::FoundPlan& found, const script::Loading& loading) {
    Cell summary{"", found.hidden ? Colour::dim : Colour::plain};
    if (loading.plan) {
        summary.text = loading.plan->plan().summary;
    } else {
        summary = {
            counted(loading.faults.size(), "fault") + ", see katamaran plan check " + found.file,
            Colour::red};
    }
    table.add(
        {{found.name, found.hidden ? Colour::dim : Colour::cyan},
         std::move(summary),
         {found.file + (found.hidden ? " (hidden by one of the same name)" : ""), Colour::dim}});
}

}  // namespace

int run_plan_check(ports::Files& files, const PlanOptions& options) {
    Console console{options.json};
    std::vector<std::string> checked;
    bool are_all_right = true;
    for (const std::string& wanted : options.plans) {
        const script::Loading loading = script::load_plan(files, options.path, wanted);
        are_all_right = are_all_right && loading.plan;
        if (console.json()) {
            checked.push_back(checked_json(wanted, loading));
        } else if (!loading.plan) {
            report(console, loading.faults);
        } else if (!console.line(praise(loading))) {
            return console.explain_loss();
        }
    }
    if (console.json() && !console.line(json_list(checked))) {
        return console.explain_loss();
    }
    return are_all_right ? exit_done : exit_usage;
}

int run_plan_list(ports::Files& files, const PlanOptions& options) {
    Console console{options.json};
    const std::vector<script::FoundPlan> all = script::list_plans(files, options.path);
    Columns table;
    std::vector<std::string> listed;
    for (const script::FoundPlan& found : all) {
        const script::Loading loading = script::load_plan(files, options.path, found.file);
        if (!is_something_else(found, loading, all)) {
            add_listed(table, found, loading);
            listed.push_back(listed_json(found, loading));
        }
    }
    if (console.json()) {
        return print(console, {json_list(listed)});
    }
    if (listed.empty()) {
        std::string places;
        for (const std::string& folder : options.path.plans) {
            places += (places.empty() ? "" : ", ") + folder;
        }
        console.note("no plan in " + places);
    }
    return print(console, table.lines(console, 0));
}

}  // namespace ktm::cli
