// SPDX-License-Identifier: Apache-2.0
// plan/check_states.cc: what is wrong with a state by itself.
#include <algorithm>

#include "plan/check_parts.hh"
#include "plan/event_names.hh"
#include "plan/wording.hh"

namespace ktm::plan {

namespace {

constexpr std::string_view signal_prefix = "signal:";

bool is_event(std::string_view name) {
    return name.starts_with(signal_prefix) ? is_signal_event(name)
                                           : is_qmp_event(name) || is_own_event(name);
}

std::string expected_event(std::string_view name) {
    return name.starts_with(signal_prefix)
               ? "signal:USR1 or signal:USR2"
               : "a QMP event such as MIGRATION, or a word such as peer:ready";
}

/// The event that was probably meant: in most cases it is the wrong case alone.
std::string meant_event(std::string_view name) {
    if (name.starts_with(signal_prefix)) {
        return "";
    }
    std::string upper(name);
    std::string lower(name);
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        upper[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : (c == '-' ? '_' : c);
        lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return is_qmp_event(upper) ? upper : (is_own_event(lower) ? lower : "");
}

/// Adds faults of one state, each with its place and name.
class StateCheck {
public:
    StateCheck(const Plan& plan, const Role& role, const State& state, Faults& faults)
        : plan_(plan), role_(role), state_(state), faults_(faults) {}

    void name();
    void deadline();
    void ways_out();
    void events();
    void useless_handlers();

private:
    void add(const Place& place, std::string what, std::string expected, std::string hint = "") {
        faults_.push_back({place, inside(role_.name, state_.name), std::move(what),
                           std::move(expected), std::move(hint)});
    }
    void fixed_deadline(Duration deadline, const std::string& of);
    void deadline_var(const std::string& name);

    const Plan& plan_;
    const Role& role_;
    const State& state_;
    Faults& faults_;
};

void StateCheck::name() {
    const Fault at{state_.place, inside(role_.name, state_.name), "", "", ""};
    if (is_end(state_.name)) {
        add(state_.place, "a state cannot be called " + shown(state_.name) + ", like an end",
            "another name");
        return;
    }
    check_name(state_.name, "state", state_spelling, at, faults_);
    const State* first = role_.find(state_.name);
    if (first != &state_) {
        add(state_.place, "a second state " + shown(state_.name),
            "another name" + first_at(first->place));
    }
}

void StateCheck::fixed_deadline(Duration deadline, const std::string& of) {
    if (deadline <= Duration::zero() || deadline > within_max) {
        add(state_.place, "the deadline" + of + " is " + Within{deadline, ""}.text(),
            "more than 0 s and at most " + Within{within_max, ""}.text());
    }
}

void StateCheck::deadline_var(const std::string& name) {
    const Var* var = plan_.find_var(name);
    if (var == nullptr) {
        add(state_.place, "no var " + shown(name) + " for the deadline",
            "a duration among the vars", meant(name, plan_.var_names()));
        return;
    }
    if (var->type != Type::duration) {
        add(state_.place,
            "the deadline's var " + shown(name) + " is of type " + std::string(name_of(var->type)),
            "a duration");
        return;
    }
    if (!var->role.empty() && var->role != role_.name) {
        add(state_.place,
            "the deadline's var " + shown(name) + " belongs to role " + shown(var->role),
            "a var of this role or of all");
    }
    if (var->optional && !var->preset) {
        add(state_.place, "the deadline's var " + shown(name) + " may be without a value",
            "a var that is required or has a default");
    }
    if (var->preset && var->preset->type() == Type::duration) {
        fixed_deadline(var->preset->as_duration(), "'s default, of var " + shown(name) + ",");
    }
}

void StateCheck::deadline() {
    const std::optional<Within>& within = state_.within;
    if (!within || (!within->fixed && within->var.empty())) {
        add(state_.place, "the state has no deadline", "within = \"10s\" or within = var \"NAME\"");
    } else if (within->fixed) {
        fixed_deadline(*within->fixed, "");
    } else {
        deadline_var(within->var);
    }
    if (!state_.late.empty() && state_.late == state_.name) {
        add(state_.place, "'late' leads to the state itself", "another state or an end");
    }
}

void StateCheck::ways_out() {
    if (state_.next.empty() && state_.handlers.empty() && state_.late.empty()) {
        add(state_.place, "the state neither waits nor goes on",
            "next, an event to wait for, or a written 'late'");
    }
    if (!state_.next.empty() && !state_.handlers.empty()) {
        add(state_.handlers[0].place,
            "handlers that never run, because next leaves the state after enter",
            "either next or handlers");
    }
}

void StateCheck::events() {
    for (const Handler& handler : state_.handlers) {
        if (!is_event(handler.event)) {
            add(handler.place, shown(handler.event) + " is not the name of an event",
                expected_event(handler.event), meant_event(handler.event));
        } else if (const std::string meant = misspelt_event(handler.event);
                   is_qmp_event(handler.event) && !meant.empty()) {
            add(handler.place, "QEMU has no event " + shown(handler.event) + meant, "");
        }
    }
}

/// Whether the earlier handler takes every event that the later one waits for.
bool takes_all_of(const Handler& earlier, const Handler& later) {
    const auto is_wanted_later = [&](const Match& match) {
        return std::find(later.matches.begin(), later.matches.end(), match) != later.matches.end();
    };
    return earlier.event == later.event && earlier.vm == later.vm &&
           std::all_of(earlier.matches.begin(), earlier.matches.end(), is_wanted_later);
}

void StateCheck::useless_handlers() {
    const std::vector<Handler>& handlers = state_.handlers;
    for (auto later = handlers.begin(); later != handlers.end(); ++later) {
        const auto earlier = std::find_if(handlers.begin(), later, [&](const Handler& each) {
            return takes_all_of(each, *later);
        });
        if (earlier != later) {
            add(later->place,
                "the handler of " + shown(later->label()) +
                    " never runs: " + shown(earlier->label()) + " stands before it",
                "the narrower of two handlers first");
        }
    }
}

}  // namespace

void check_states(const Plan& plan, const Role& role, Faults& faults) {
    for (const State& state : role.states) {
        StateCheck check(plan, role, state, faults);
        check.name();
        check.deadline();
        check.ways_out();
        check.events();
        check.useless_handlers();
    }
}

}  // namespace ktm::plan
