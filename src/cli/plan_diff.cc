// SPDX-License-Identifier: Apache-2.0
// cli/plan_diff.cc: `katamaran plan diff`: what a plan changes of its parent, or of another plan.
#include <utility>

#include "cli/columns.hh"
#include "cli/faults.hh"
#include "cli/plan_command.hh"
#include "cli/plan_json.hh"
#include "plan/difference.hh"
#include "plan/wording.hh"

namespace ktm::cli {

namespace {

using plan::Difference;

std::string_view name_of(Difference::Kind kind) {
    switch (kind) {
        case Difference::Kind::added: return "added";
        case Difference::Kind::removed: return "removed";
        case Difference::Kind::changed: return "changed";
    }
    return "";
}

Colour colour_of(Difference::Kind kind) {
    switch (kind) {
        case Difference::Kind::added: return Colour::green;
        case Difference::Kind::removed: return Colour::red;
        case Difference::Kind::changed: return Colour::yellow;
    }
    return Colour::plain;
}

std::string_view sign_of(Difference::Kind kind) {
    switch (kind) {
        case Difference::Kind::added: return "+ ";
        case Difference::Kind::removed: return "- ";
        case Difference::Kind::changed: return "~ ";
    }
    return "";
}

/// Where something differs, in two: "source.precopy" and "within".
struct Location {
    std::string thing;
    std::string key;  ///< Empty: the whole thing came or went.
};

Location location_of(const Difference& difference) {
    const std::string& where = difference.where;
    const std::size_t first = where.find('.');
    const std::size_t second = first == std::string::npos ? first : where.find('.', first + 1);
    if (second == std::string::npos) {
        return {where, ""};
    }
    return {where.substr(0, second), where.substr(second + 1)};
}

/// "var", "relation", "state", "role".
std::string_view noun_of(const std::string& thing) {
    return thing.starts_with("vars.")             ? "var"
           : thing.starts_with("relations.")      ? "relation"
           : thing.find('.') != std::string::npos ? "state"
                                                  : "role";
}

std::string quoted_if_empty(const std::string& text) {
    return text.empty() ? "\"\"" : text;
}

std::string content_of(const Difference& difference) {
    switch (difference.kind) {
        case Difference::Kind::added: return quoted_if_empty(difference.after);
        case Difference::Kind::removed: return quoted_if_empty(difference.before);
        case Difference::Kind::changed:
            return quoted_if_empty(difference.before) + " → " + quoted_if_empty(difference.after);
    }
    return "";
}

std::string difference_words(const Difference& difference, const Location& location) {
    const std::string content = content_of(difference);
    if (location.key.empty()) {
        return difference.kind == Difference::Kind::changed
                   ? content
                   : std::string(noun_of(location.thing)) + " " +
                         std::string(name_of(difference.kind)) + ": " + content;
    }
    // What stands behind it begins with "enter" itself.
    return location.key == "enter"
               ? content
               : location.key + (location.key.starts_with("on ") ? ": " : " ") + content;
}

std::string difference_json(const Difference& difference) {
    json::ObjectWriter object;
    object.text("kind", name_of(difference.kind)).text("where", difference.where);
    if (difference.kind != Difference::Kind::added) {
        object.text("before", difference.before);
    }
    if (difference.kind != Difference::Kind::removed) {
        object.text("after", difference.after);
    }
    object.text("file", difference.place.file.text()).integer("line", difference.place.line);
    return std::move(object).finish();
}

int show(Console& console, const plan::Plan& older, const plan::Plan& newer) {
    const std::vector<Difference> differences = plan::differences(older, newer);
    if (console.json()) {
        std::vector<std::string> list;
        for (const Difference& difference : differences) {
            list.push_back(difference_json(difference));
        }
        return print(console, {json_list(list)});
    }
    Columns table;
    for (const Difference& difference : differences) {
        const Location location = location_of(difference);
        std::string words = difference_words(difference, location);
        // Of a function the words say themselves where it stands.
        if (const std::string place = difference.place.text(); !words.ends_with(place)) {
            words += " (" + place + ")";
        }
        table.add(
            {{std::string(sign_of(difference.kind)) + location.thing, colour_of(difference.kind)},
             {std::move(words)}});
    }
    if (differences.empty()) {
        console.note("no difference: " + newer.file + " does what " + older.file + " does");
    }
    return print(console, table.lines(console, 0));
}

}  // namespace

int run_plan_diff(ports::Files& files, const PlanOptions& options) {
    Console console{options.json};
    const std::string& wanted = options.plans.back();
    const script::Loading newer = script::load_plan(files, options.path, wanted);
    if (options.plans.size() > 1) {
        const script::Loading older = script::load_plan(files, options.path, options.plans.front());
        plan::Faults faults = older.faults;
        faults.insert(faults.end(), newer.faults.begin(), newer.faults.end());
        return faults.empty() ? show(console, older.plan->plan(), newer.plan->plan())
                              : report(console, faults);
    }
    if (!newer.plan) {
        return report(console, newer.faults);
    }
    if (!newer.parent) {
        return report(console, {{{},
                                 "",
                                 plan::shown(wanted) + " is derived from no plan",
                                 "two plans: katamaran plan diff OLDER NEWER",
                                 ""}});
    }
    return show(console, *newer.parent, newer.plan->plan());
}

}  // namespace ktm::cli
