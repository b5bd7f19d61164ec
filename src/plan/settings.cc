// SPDX-License-Identifier: Apache-2.0
// plan/settings.cc: from what a person gives to the values of a run.
#include "plan/settings.hh"

#include <algorithm>
#include <set>

#include "base/address.hh"
#include "base/text.hh"
#include "plan/wording.hh"

namespace ktm::plan {

namespace {

/// Where `from` says that a value stands on the command line and in no file.
constexpr std::string_view command_line = "--var";

bool is_for(const Var& var, const std::string& role) {
    return var.role.empty() || var.role == role;
}

Place place_of(const Given& given) {
    return given.from == command_line ? Place{} : Place{given.from, 0};
}

// --- The role ----------------------------------------------------------------------------------

bool is_given(const std::vector<Given>& given, const std::string& name) {
    return std::any_of(given.begin(), given.end(),
                       [&](const Given& each) { return each.name == name; });
}

/// Whether the role can take everything that is given. A name that no role knows decides nothing.
bool can_take(const Plan& plan, const Role& role, const std::vector<Given>& given) {
    return std::all_of(given.begin(), given.end(), [&](const Given& each) {
        const Var* var = plan.find_var(each.name);
        return var == nullptr || is_for(*var, role.name);
    });
}

bool has_all_required(const Plan& plan, const Role& role, const std::vector<Given>& given) {
    return std::all_of(plan.vars.begin(), plan.vars.end(), [&](const Var& var) {
        return !is_for(var, role.name) || !var.required() || is_given(given, var.name);
    });
}

/// "--var dest_ip belongs to source, --var listen_ip belongs to dest": of the given vars when they
/// contradict each other, else of those that a role must have, or of all where it need have none.
std::string what_decides(const Plan& plan, const std::vector<Given>& given, bool contradiction) {
    const bool some_must = std::any_of(plan.vars.begin(), plan.vars.end(), [](const Var& var) {
        return !var.role.empty() && var.required();
    });
    std::string text;
    for (const Var& var : plan.vars) {
        const bool decides =
            contradiction ? is_given(given, var.name) : var.required() || !some_must;
        if (!var.role.empty() && decides) {
            text += std::string(text.empty() ? ": " : ", ") + "--var " + excerpt(var.name, 63) +
                    " belongs to " + excerpt(var.role, 63);
        }
    }
    return text;
}

Fault unclear_role(const Plan& plan, const std::vector<Given>& given, bool contradiction) {
    std::vector<std::string> options;
    for (const std::string& name : plan.role_names()) {
        options.push_back("--role " + name);
    }
    return {Place{}, "", "the role is not clear" + what_decides(plan, given, contradiction),
            listed(options), ""};
}

// --- Values ------------------------------------------------------------------------------------

/// What stands behind --var NAME= in an example.
std::string example_for(const Var& var, Type type) {
    switch (type) {
        case Type::ip: return "ADDRESS";
        case Type::ifname: return "NAME";
        case Type::duration: return "25ms";
        case Type::size: return "16MiB";
        case Type::rate: return "10GB/s";
        case Type::integer: return "NUMBER";
        case Type::enumeration: return var.choices.empty() ? "WORD" : var.choices[0];
        case Type::boolean: return "yes";
        case Type::path: return "PATH";
        case Type::text: return "TEXT";
        case Type::secret: return "@FILE";
        case Type::list: return example_for(var, var.element) + ",…";
    }
    return "";
}

/// Collects the values of one run.
class Resolution {
public:
    Resolution(const Plan& plan, const std::string& role, Faults& faults)
        : plan_(plan), faults_(faults) {
        settings_.role = role;
    }

    void take(const Given& given);
    void fill_presets();
    void check_deadlines();
    void check_relations();
    [[nodiscard]] Settings finish() && { return std::move(settings_); }

private:
    void add(const Place& place, const std::string& name, std::string what,
             std::string expected = "", std::string hint = "") {
        faults_.push_back(
            {place, inside("vars", name), std::move(what), std::move(expected), std::move(hint)});
    }
    [[nodiscard]] std::vector<std::string> own_names() const;
    [[nodiscard]] const Var* find_own(const Given& given);
    void missing(const Var& var);

    using Kind = Relation::Kind;
    void check_relation(const Relation& relation);
    void check_presence(const Relation& relation, const std::vector<std::string>& vars);
    void check_family(const std::vector<std::string>& vars);
    void check_order(const std::vector<std::string>& vars);
    void check_difference(const std::vector<std::string>& vars);
    [[nodiscard]] const Value* value_of(const std::string& name) const {
        const auto found = settings_.values.find(name);
        return found == settings_.values.end() ? nullptr : &found->second;
    }
    /// "'downtime' (25ms)"
    [[nodiscard]] std::string with_value(const std::string& name) const {
        return shown(name) + " (" + excerpt(value_of(name)->text(), 80) + ")";
    }
    void add_broken(std::string what, std::string expected) {
        faults_.push_back({Place{}, "vars", std::move(what), std::move(expected), ""});
    }

    const Plan& plan_;
    Faults& faults_;
    Settings settings_;
    std::map<std::string, std::string, std::less<>>
        given_from_;  ///< All that were given, well or not.
};

std::vector<std::string> Resolution::own_names() const {
    std::vector<std::string> names;
    for (const Var& var : plan_.vars) {
        if (is_for(var, settings_.role)) {
            names.push_back(var.name);
        }
    }
    return names;
}

const Var* Resolution::find_own(const Given& given) {
    const Var* var = plan_.find_var(given.name);
    if (var == nullptr) {
        add(place_of(given), given.name, "no var " + shown(given.name),
            own_names().empty() ? "no var at all" : listed(own_names()),
            meant(given.name, own_names()));
        return nullptr;
    }
    if (!is_for(*var, settings_.role)) {
        add(place_of(given), given.name,
            shown(given.name) + " belongs to role " + shown(var->role) + ", this is " +
                shown(settings_.role),
            "", meant(given.name, own_names()));
        return nullptr;
    }
    return var;
}

void Resolution::take(const Given& given) {
    const Var* var = find_own(given);
    if (var == nullptr) {
        return;
    }
    const auto [first, is_new] = given_from_.emplace(given.name, given.from);
    if (!is_new) {
        add(place_of(given), given.name,
            shown(given.name) + " is given twice, first by " + excerpt(first->second, 80),
            "one value");
        return;
    }
    Result<Value> value =
        given.json != nullptr ? read_json(*var, given.json->root()) : read_text(*var, given.text);
    if (!value) {
        add(place_of(given), given.name, value.error().what);
        return;
    }
    settings_.values.emplace(given.name, *std::move(value));
}

void Resolution::missing(const Var& var) {
    std::string doc = var.doc;
    if (doc.ends_with('.')) {
        doc.pop_back();
    }
    add(Place{}, var.name,
        "no value for " + shown(var.name) + " (" + describe_type(var) + "): " + doc,
        "--var " + var.name + "=" + example_of(var));
}

void Resolution::fill_presets() {
    for (const Var& var : plan_.vars) {
        if (!is_for(var, settings_.role) || given_from_.contains(var.name)) {
            continue;
        }
        if (var.preset) {
            settings_.values.emplace(var.name, *var.preset);
        } else if (var.required()) {
            missing(var);
        }
    }
}

void Resolution::check_deadlines() {
    const Role* role = plan_.find(settings_.role);
    if (role == nullptr) {
        return;
    }
    std::set<std::string> seen;
    for (const State& state : role->states) {
        const std::string name = state.within ? state.within->var : "";
        const Value* value = value_of(name);
        const bool is_deadline = value != nullptr && value->type() == Type::duration;
        if (!is_deadline || !seen.insert(name).second) {
            continue;
        }
        if (value->as_int() <= 0 || value->as_duration() > within_max) {
            add(Place{}, name, value->text() + " cannot be the deadline of " + shown(state.name),
                "more than 0s and at most " + Value{Type::duration, within_max.count()}.text());
        }
    }
}

// --- Relations ---------------------------------------------------------------------------------

void Resolution::check_relations() {
    for (const Relation& relation : plan_.relations) {
        check_relation(relation);
    }
}

void Resolution::check_relation(const Relation& relation) {
    std::vector<std::string> own;
    for (const std::string& name : relation.vars) {
        const Var* var = plan_.find_var(name);
        if (var != nullptr && is_for(*var, settings_.role)) {
            own.push_back(name);
        }
    }
    std::vector<std::string> present;
    std::copy_if(own.begin(), own.end(), std::back_inserter(present),
                 [&](const std::string& name) { return value_of(name) != nullptr; });
    switch (relation.kind) {
        case Kind::same_family: check_family(present); return;
        case Kind::ascending: check_order(present); return;
        case Kind::different: check_difference(present); return;
        case Kind::together:
        case Kind::one_of: check_presence(relation, own); return;
    }
}

void Resolution::check_presence(const Relation& relation, const std::vector<std::string>& vars) {
    std::vector<std::string> present;
    std::vector<std::string> absent;
    for (const std::string& name : vars) {
        // One that was given badly counts as given: its own fault is enough.
        const bool is_there = value_of(name) != nullptr || given_from_.contains(name);
        (is_there ? present : absent).push_back(name);
    }
    if (relation.kind == Kind::together && !present.empty() && !absent.empty()) {
        add_broken(listed(present, "and") + (present.size() == 1 ? " is" : " are") +
                       " given without " + listed(absent, "and"),
                   "all of them or none");
    }
    if (relation.kind == Kind::one_of && present.empty() && vars.size() > 1) {
        add_broken("none is given of " + listed(absent, "and"), "exactly one of them");
    }
    if (relation.kind == Kind::one_of && present.size() > 1) {
        add_broken(listed(present, "and") + " are given together",
                   "exactly one of " + listed(vars, "and"));
    }
}

/// An address that demands a family, and how it is shown.
struct Demand {
    Family family;
    std::string text;
};

/// Adds what an address demands. "::" demands nothing: who listens there is reached by IPv4 too.
void add_demand(const std::string& name, const Value& value, std::vector<Demand>& demands) {
    if (value.type() == Type::list) {
        for (const Value& item : value.as_list()) {
            add_demand(name, item, demands);
        }
    } else if (value.type() == Type::ip) {
        const Result<IpAddress> address = IpAddress::parse(value.as_text());
        if (address && (address->family() == Family::v4 || !address->is_unspecified())) {
            demands.push_back({address->family(), shown(name) + " (" + value.text() + ")"});
        }
    }
}

void Resolution::check_family(const std::vector<std::string>& vars) {
    std::vector<Demand> demands;
    for (const std::string& name : vars) {
        add_demand(name, *value_of(name), demands);
    }
    const auto other = std::find_if(demands.begin(), demands.end(), [&](const Demand& demand) {
        return demand.family != demands[0].family;
    });
    if (other != demands.end()) {
        add_broken(demands[0].text + " and " + other->text + " are of two families",
                   "addresses that are all IPv4 or all IPv6");
    }
}

void Resolution::check_order(const std::vector<std::string>& vars) {
    for (std::size_t i = 1; i < vars.size(); ++i) {
        const Value& before = *value_of(vars[i - 1]);
        const Value& after = *value_of(vars[i]);
        if (before.type() == after.type() && before.as_int() > after.as_int()) {
            add_broken(with_value(vars[i - 1]) + " is more than " + with_value(vars[i]),
                       "each of " + listed(vars, "and") + " at most the next");
        }
    }
}

void Resolution::check_difference(const std::vector<std::string>& vars) {
    for (std::size_t later = 1; later < vars.size(); ++later) {
        for (std::size_t earlier = 0; earlier < later; ++earlier) {
            if (*value_of(vars[earlier]) == *value_of(vars[later])) {
                add_broken(
                    with_value(vars[earlier]) + " and " + with_value(vars[later]) + " are the same",
                    "values that differ");
            }
        }
    }
}

}  // namespace

std::string example_of(const Var& var) {
    return example_for(var, var.type);
}

std::string decide_role(const Plan& plan, const std::string& asked, const std::vector<Given>& given,
                        Faults& faults) {
    if (!asked.empty()) {
        if (plan.find(asked) != nullptr) {
            return asked;
        }
        faults.push_back({Place{}, "", "no role " + shown(asked), listed(plan.role_names()),
                          meant(asked, plan.role_names())});
        return "";
    }
    if (plan.roles.size() == 1) {
        return plan.roles[0].name;
    }
    std::vector<std::string> able;
    std::vector<std::string> complete;
    for (const Role& role : plan.roles) {
        if (can_take(plan, role, given)) {
            able.push_back(role.name);
            if (has_all_required(plan, role, given)) {
                complete.push_back(role.name);
            }
        }
    }
    for (const std::vector<std::string>* names : {&able, &complete}) {
        if (names->size() == 1) {
            return names->front();
        }
    }
    faults.push_back(unclear_role(plan, given, able.empty()));
    return "";
}

Settings resolve(const Plan& plan, const std::string& role, const std::vector<Given>& given,
                 Faults& faults) {
    Resolution resolution(plan, role, faults);
    for (const Given& each : given) {
        resolution.take(each);
    }
    resolution.fill_presets();
    resolution.check_deadlines();
    resolution.check_relations();
    return std::move(resolution).finish();
}

}  // namespace ktm::plan
