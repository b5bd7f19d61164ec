// SPDX-License-Identifier: Apache-2.0
// plan/check.cc: everything that is wrong with a plan as a graph: the plan and its roles.
#include "plan/check.hh"

#include <algorithm>

#include "plan/check_parts.hh"
#include "plan/wording.hh"

namespace ktm::plan {

namespace {

/// LIMIT: names appear in command lines, file names and columns of tables.
constexpr std::size_t name_bytes_max = 63;

bool is_small_letter(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_spelled(std::string_view name, std::string_view signs) {
    const auto is_allowed = [&](char c) {
        return is_small_letter(c) || (c >= '0' && c <= '9') || signs.find(c) != signs.npos;
    };
    return is_small_letter(name[0]) && std::all_of(name.begin(), name.end(), is_allowed);
}

void check_head(const Plan& plan, Faults& faults) {
    const Fault at{plan.place, "", "", "", ""};
    check_name(plan.name, "plan", plan_spelling, at, faults);
    if (plan.api != api_version) {
        faults.push_back({plan.place, "",
                          plan.api == 0 ? "the plan has no api"
                                        : "api " + std::to_string(plan.api) + " is not known",
                          "api = " + std::to_string(api_version), ""});
    }
    if (plan.summary.empty()) {
        faults.push_back(
            {plan.place, "", "the plan has no summary", "summary = \"one sentence\"", ""});
    }
    if (plan.roles.empty()) {
        faults.push_back({plan.place, "", "the plan has no role", "role \"NAME\" { states }", ""});
    }
}

void check_role(const Plan& plan, const Role& role, Faults& faults) {
    const Fault at{role.place, role.name, "", "", ""};
    check_name(role.name, "role", state_spelling, at, faults);
    const Role* first = plan.find(role.name);
    if (first != &role) {
        faults.push_back({role.place, role.name, "a second role " + shown(role.name),
                          "another name" + first_at(first->place), ""});
    }
    if (role.states.empty()) {
        faults.push_back({role.place, role.name, "the role has no state",
                          "state \"NAME\" { … }; the first is the start", ""});
    }
    check_peer(plan, role, faults);
    check_states(plan, role, faults);
    check_graph(role, faults);
}

}  // namespace

void check_name(std::string_view name, std::string_view noun, const Spelling& spelling,
                const Fault& where, Faults& faults) {
    const std::string a_noun = "the " + std::string(noun);
    std::string what;
    if (name.empty()) {
        what = a_noun + " has no name";
    } else if (name.size() > name_bytes_max) {
        what = a_noun + "'s name has " + std::to_string(name.size()) + " bytes";
    } else if (!is_spelled(name, spelling.signs)) {
        what = shown(name) + " cannot be the name of a " + std::string(noun);
    } else {
        return;
    }
    faults.push_back({where.place, where.where, what,
                      std::string(spelling.expected) + ", at most " +
                          std::to_string(name_bytes_max) + " of them",
                      ""});
}

void check(const Plan& plan, Faults& faults) {
    check_head(plan, faults);
    check_vars(plan, faults);
    for (const Role& role : plan.roles) {
        check_role(plan, role, faults);
    }
}

}  // namespace ktm::plan
