// SPDX-License-Identifier: Apache-2.0
// plan/check_vars.cc: what is wrong with the vars of a plan and the relations between them.
#include <algorithm>
#include <array>
#include <set>

#include "plan/check_parts.hh"
#include "plan/wording.hh"

namespace ktm::plan {

namespace {

/// What `m` has beside the vars, as m.NAME.
constexpr std::array<std::string_view, 3> words_of_m{"note", "hold", "undo"};

/// Adds faults of one var.
class VarCheck {
public:
    VarCheck(const Plan& plan, const Var& var, Faults& faults)
        : plan_(plan), var_(var), faults_(faults) {}

    void name();
    void declaration();
    void bounds();
    void choices();
    void preset();
    void agreement();
    void family();

private:
    void add(std::string what, std::string expected, std::string hint = "") {
        faults_.push_back({var_.place, inside("vars", var_.name), std::move(what),
                           std::move(expected), std::move(hint)});
    }
    [[nodiscard]] bool has_choices() const {
        return var_.type == Type::enumeration ||
               (var_.type == Type::list && var_.element == Type::enumeration);
    }
    [[nodiscard]] bool min_above_max() const {
        return var_.min && var_.max && *var_.min > *var_.max;
    }

    const Plan& plan_;
    const Var& var_;
    Faults& faults_;
};

void VarCheck::name() {
    const Fault at{var_.place, inside("vars", var_.name), "", "", ""};
    check_name(var_.name, "var", var_spelling, at, faults_);
    if (std::find(words_of_m.begin(), words_of_m.end(), var_.name) != words_of_m.end()) {
        add(shown(var_.name) + " cannot be the name of a var: m." + var_.name +
                " is something else",
            "another name");
    }
    const Var* first = plan_.find_var(var_.name);
    if (first != &var_) {
        add("a second var " + shown(var_.name), "another name" + first_at(first->place));
    }
}

void VarCheck::declaration() {
    if (var_.doc.empty()) {
        add("the var has no doc", "doc = \"what it is for\"");
    }
    if (!var_.role.empty() && plan_.find(var_.role) == nullptr) {
        add("no role " + shown(var_.role), listed(plan_.role_names()),
            meant(var_.role, plan_.role_names()));
    }
    if (var_.optional && var_.preset) {
        add("the var is optional and has a default", "one of the two");
    }
    if (var_.type == Type::list && var_.element == Type::list) {
        add("a list of lists", "a list of another type");
    }
}

bool has_bounds(Type type) {
    return type != Type::ip && type != Type::ifname && type != Type::enumeration &&
           type != Type::boolean;
}

std::string bound_text(Type type, std::int64_t bound) {
    return Value{is_amount(type) ? type : Type::integer, bound}.text();
}

void VarCheck::bounds() {
    if ((var_.min || var_.max) && !has_bounds(var_.type)) {
        add("a var of type " + std::string(name_of(var_.type)) + " has no min and no max",
            "neither of them");
    } else if (min_above_max()) {
        add("min " + bound_text(var_.type, *var_.min) + " is above max " +
                bound_text(var_.type, *var_.max),
            "min at most max");
    }
}

void VarCheck::choices() {
    if (has_choices() && var_.choices.empty()) {
        add("an enum without choices", "the words that it can be");
    }
    std::set<std::string_view> seen;
    for (const std::string& choice : var_.choices) {
        if (!seen.insert(choice).second) {
            add("the choice " + shown(choice) + " is there twice", "each choice once");
        }
    }
}

void VarCheck::preset() {
    // A var that allows nothing has its fault already.
    const bool allows_nothing = min_above_max() || (has_choices() && var_.choices.empty());
    if (!var_.preset || allows_nothing) {
        return;
    }
    if (const Result<void> allowed = allows(var_, *var_.preset); !allowed) {
        add("its own var does not allow the default: " + allowed.error().what, "");
    }
}

void VarCheck::family() {
    if (var_.family && !holds_addresses(var_)) {
        add("a family, and it holds no address", "a var of type ip, ips or list of ip");
    }
}

void VarCheck::agreement() {
    if (!var_.agree) {
        return;
    }
    if (!var_.role.empty()) {
        add("agree = true, and only role " + shown(var_.role) + " has it", "a var of all roles");
    }
    const bool has_peer = std::any_of(plan_.roles.begin(), plan_.roles.end(),
                                      [](const Role& role) { return role.peer.given(); });
    if (!has_peer) {
        add("agree = true, and no role has another node",
            "peer_to and peer_from in the roles that are to agree");
    }
}

// --- Relations ---------------------------------------------------------------------------------

/// Adds faults of one relation.
class RelationCheck {
public:
    RelationCheck(const Plan& plan, const Relation& relation, Faults& faults)
        : plan_(plan), relation_(relation), faults_(faults) {}

    void all();

private:
    void add(std::string what, std::string expected, std::string hint = "") {
        faults_.push_back({relation_.place, inside("relations", name_of(relation_.kind)),
                           std::move(what), std::move(expected), std::move(hint)});
    }
    void find_vars();
    void count();
    void type_of(const Var& var);
    void presence_of(const Var& var);
    void presets();
    [[nodiscard]] bool presets_descend(const std::string& role);

    const Plan& plan_;
    const Relation& relation_;
    Faults& faults_;
    std::vector<const Var*> vars_;
};

void RelationCheck::find_vars() {
    std::set<std::string_view> seen;
    for (const std::string& name : relation_.vars) {
        const Var* var = plan_.find_var(name);
        if (var == nullptr) {
            add("no var " + shown(name), "vars of this plan", meant(name, plan_.var_names()));
        } else if (!seen.insert(name).second) {
            add("the var " + shown(name) + " is there twice", "each var once");
        } else {
            vars_.push_back(var);
        }
    }
}

void RelationCheck::count() {
    const bool one_list = relation_.kind == Relation::Kind::same_family && vars_.size() == 1 &&
                          vars_[0]->type == Type::list && holds_addresses(*vars_[0]);
    if (relation_.vars.size() < 2 && !one_list) {
        add("a relation of fewer than two vars", relation_.kind == Relation::Kind::same_family
                                                     ? "two vars, or one list of ip"
                                                     : "at least two vars");
    }
}

void RelationCheck::type_of(const Var& var) {
    const std::string is_of_type =
        shown(var.name) + " is of type " + std::string(name_of(var.type));
    if (relation_.kind == Relation::Kind::same_family && !holds_addresses(var)) {
        add(is_of_type, "vars of type ip or list of ip");
    }
    if (relation_.kind != Relation::Kind::ascending) {
        return;
    }
    if (!is_amount(var.type)) {
        add(is_of_type, "vars of type duration, size, rate or int");
    } else if (var.type != vars_[0]->type) {
        add(is_of_type + ", " + shown(vars_[0]->name) + " of type " +
                std::string(name_of(vars_[0]->type)),
            "vars of one type");
    }
}

/// A var that always has a value makes it senseless to ask which ones are given.
void RelationCheck::presence_of(const Var& var) {
    const bool asks =
        relation_.kind == Relation::Kind::together || relation_.kind == Relation::Kind::one_of;
    if (asks && !var.optional) {
        add(shown(var.name) + " always has a value", "vars with optional = true");
    }
}

/// Whether defaults that one role has are in no order, which is then said.
bool RelationCheck::presets_descend(const std::string& role) {
    const Var* before = nullptr;
    for (const Var* var : vars_) {
        if (!var->preset || !is_amount(var->preset->type()) ||
            !(var->role.empty() || var->role == role)) {
            continue;
        }
        if (before != nullptr && before->preset->type() == var->preset->type() &&
            before->preset->as_int() > var->preset->as_int()) {
            const auto told = [](const Var& one) {
                return shown(one.name) + " (" + one.preset->text() + ")";
            };
            // A derived plan broke it, not the one that says it.
            const bool is_own = plan_.place.file == relation_.place.file;
            faults_.push_back({is_own ? relation_.place : plan_.place,
                               inside("relations", name_of(relation_.kind)),
                               "by default " + told(*before) + " is more than " + told(*var),
                               "each of " + listed(relation_.vars, "and") + " at most the next",
                               ""});
            return true;
        }
        before = var;
    }
    return false;
}

void RelationCheck::presets() {
    if (relation_.kind != Relation::Kind::ascending) {
        return;
    }
    std::any_of(plan_.roles.begin(), plan_.roles.end(),
                [this](const Role& role) { return presets_descend(role.name); });
}

void RelationCheck::all() {
    find_vars();
    count();
    presets();
    for (const Var* var : vars_) {
        type_of(*var);
        presence_of(*var);
    }
}

}  // namespace

void check_vars(const Plan& plan, Faults& faults) {
    for (const Var& var : plan.vars) {
        VarCheck check(plan, var, faults);
        check.name();
        check.declaration();
        check.bounds();
        check.choices();
        check.preset();
        check.agreement();
        check.family();
    }
    for (const Relation& relation : plan.relations) {
        RelationCheck(plan, relation, faults).all();
    }
}

}  // namespace ktm::plan
