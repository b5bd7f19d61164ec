// SPDX-License-Identifier: Apache-2.0
// trial/stage.cc: a plan, loaded once for each of its roles, and the world in which it is tried.
#include "trial/stage.hh"

#include <algorithm>
#include <array>
#include <utility>

namespace ktm::trial {

namespace {

/// What the simulated world calls things, where a plan must know it.
struct WorldVar {
    std::string_view name;
    plan::Type type;
    std::string_view source;
    std::string_view dest;
    std::string_view v6 = {};  ///< On both sides, where the nodes have addresses of IPv6 alone.
};
constexpr std::array<WorldVar, 10> world_vars{{
    {"qmp", plan::Type::path, "/run/source.qmp", "/run/dest.qmp"},
    {"tap", plan::Type::ifname, "tap0", "tap0"},
    {"dest_ip", plan::Type::ip, "192.0.2.2", "192.0.2.2", "2001:db8:77::2"},
    {"source_ip", plan::Type::ip, "192.0.2.1", "192.0.2.1", "2001:db8:77::1"},
    {"listen_ip", plan::Type::ip, "192.0.2.2", "192.0.2.2", "2001:db8:77::2"},
    {"vm_ip", plan::Type::list, "10.1.2.3", "10.1.2.3", "2001:db8:1::3"},
    {"drives", plan::Type::list, "disk0", "disk0"},
    {"file", plan::Type::path, "/vm/state", "/vm/state"},
    {"drive", plan::Type::text, "disk0", "disk0"},
    {"start", plan::Type::path, "/vm/start-qemu", "/vm/start-qemu"},
}};

/// A plan that takes addresses of IPv6 alone somewhere is tried where there are no others.
bool knows_only_v6(const plan::Plan& plan) {
    return std::any_of(plan.vars.begin(), plan.vars.end(),
                       [](const plan::Var& var) { return var.family == Family::v6; });
}

std::string_view of_world(std::string_view name, Side side, bool v6 = false) {
    const auto found = std::find_if(world_vars.begin(), world_vars.end(),
                                    [&](const WorldVar& var) { return var.name == name; });
    if (found == world_vars.end()) {
        return {};
    }
    if (v6 && !found->v6.empty()) {
        return found->v6;
    }
    return side == Side::source ? found->source : found->dest;
}

bool is_of(const plan::Var& var, const std::string& role) {
    return var.role.empty() || var.role == role;
}

/// What of all that is given is for this role; the world gives what is missing.
std::vector<plan::Given> given_to(const plan::Plan& plan, const std::string& role, Side side,
                                  const std::vector<plan::Given>& given) {
    const bool v6 = knows_only_v6(plan);
    std::vector<plan::Given> mine;
    for (const plan::Given& one : given) {
        const plan::Var* var = plan.find_var(one.name);
        if (var == nullptr || is_of(*var, role)) {
            mine.push_back(one);
        }
    }
    for (const plan::Var& var : plan.vars) {
        const bool is_given = std::any_of(
            mine.begin(), mine.end(), [&](const plan::Given& one) { return one.name == var.name; });
        const std::string_view value = of_world(var.name, side, v6);
        // The tap of the world is called as the plan calls it.
        const bool has_default = var.preset.has_value();
        if (!is_given && !has_default && !var.optional && is_of(var, role) && !value.empty()) {
            mine.push_back({var.name, std::string{value}, nullptr, "the simulated world"});
        }
    }
    return mine;
}

std::string text_of(const plan::Settings& settings, std::string_view name) {
    const auto found = settings.values.find(name);
    if (found == settings.values.end()) {
        return "";
    }
    const plan::Value& value = found->second;
    return value.type() == plan::Type::list ? "" : value.text();
}

std::vector<std::string> texts_of(const plan::Settings& settings, std::string_view name) {
    std::vector<std::string> texts;
    const auto found = settings.values.find(name);
    if (found == settings.values.end()) {
        return texts;
    }
    if (found->second.type() != plan::Type::list) {
        texts.push_back(found->second.text());
        return texts;
    }
    for (const plan::Value& item : found->second.as_list()) {
        texts.push_back(item.text());
    }
    return texts;
}

std::vector<IpAddress> addresses_of(const plan::Settings& settings, std::string_view name) {
    std::vector<IpAddress> addresses;
    for (const std::string& text : texts_of(settings, name)) {
        if (const Result<IpAddress> address = IpAddress::parse(text)) {
            addresses.push_back(*address);
        }
    }
    return addresses;
}

/// The roles that play together: both ends of a peer, the one that connects first; or one alone.
std::vector<std::string> roles_of(const plan::Plan& plan, const StageOptions& options,
                                  plan::Faults& faults) {
    if (options.role.empty()) {
        std::string source;
        std::string dest;
        for (const plan::Role& role : plan.roles) {
            (role.peer.to.empty() ? dest : source) = role.peer.given() ? role.name : "";
        }
        if (plan.roles.size() == 2 && !source.empty() && !dest.empty()) {
            return {source, dest};
        }
    }
    const std::string name = plan::decide_role(plan, options.role, {}, faults);
    const plan::Role* role = plan.find(name);
    if (role != nullptr && role->peer.given()) {
        faults.push_back({role->place, "role " + name,
                          "it has another node, and cannot be played alone",
                          "a plan with two roles, one with peer_to and one with peer_from; and no "
                          "role that is chosen",
                          ""});
    }
    return {name};
}

/// Each part has an interpreter of its own, marked as it was loaded.
void add_part(ports::Files& files, const StageOptions& options, const std::string& role, Side side,
              Stage& stage, plan::Faults& faults) {
    script::Loading loading =
        script::load_plan(files, options.path, options.plan, std::make_unique<script::Arena>());
    if (!loading.plan) {
        faults = std::move(loading.faults);
        return;
    }
    const plan::Plan& plan = loading.plan->plan();
    plan::Settings settings =
        plan::resolve(plan, role, given_to(plan, role, side, options.given), faults);
    if (!faults.empty()) {
        return;
    }
    const std::string tap = text_of(settings, "tap");
    Part part{side, std::move(*loading.plan), std::move(settings), "", "", "", ""};
    part.socket = text_of(part.settings, "qmp");
    part.tap = tap.empty() ? std::string{of_world("tap", side)} : tap;
    part.netns = text_of(part.settings, "netns");
    part.starter = text_of(part.settings, "start");
    part.plan.interpreter().mark();
    stage.parts.push_back(std::move(part));
}

}  // namespace

const Part* Stage::part(Side side) const noexcept {
    const auto found = std::find_if(parts.begin(), parts.end(),
                                    [&](const Part& part) { return part.side == side; });
    return found == parts.end() ? nullptr : &*found;
}

Staging set_the_stage(ports::Files& files, const StageOptions& options) {
    Staging staging;
    script::Loading loading = script::load_plan(files, options.path, options.plan);
    if (!loading.plan) {
        staging.faults = std::move(loading.faults);
        return staging;
    }
    const plan::Plan& plan = loading.plan->plan();
    const std::vector<std::string> roles = roles_of(plan, options, staging.faults);
    Stage stage;
    stage.world = options.world;
    stage.programs = options.programs;
    stage.plan_name = plan.name;
    Side side = Side::source;
    for (const std::string& role : roles) {
        if (staging.faults.empty()) {
            add_part(files, options, role, side, stage, staging.faults);
        }
        side = Side::dest;
    }
    if (!staging.faults.empty()) {
        return staging;
    }
    const plan::Settings& first = stage.parts.front().settings;
    stage.guest = addresses_of(first, "vm_ip");
    stage.drives = texts_of(first, "drives");
    for (const char* name : {"downtime", "downtime_max"}) {
        const auto found = first.values.find(name);
        if (found != first.values.end() && found->second.type() == plan::Type::duration) {
            stage.may_stand.emplace(name, found->second.as_duration());
        }
    }
    for (const Part& part : stage.parts) {
        for (const std::string_view name : {"dest_ip", "listen_ip"}) {
            for (const IpAddress& address : addresses_of(part.settings, name)) {
                stage.dest_addresses.push_back(address);
            }
        }
    }
    staging.stage.emplace(std::move(stage));
    return staging;
}

std::string describe_world_vars() {
    std::string text;
    for (const WorldVar& var : world_vars) {
        text += "  " + std::string{var.name} +
                std::string(12 - std::min<std::size_t>(12, var.name.size()), ' ') +
                std::string{var.source} + (var.source == var.dest ? "" : ", ") +
                (var.source == var.dest ? "" : std::string{var.dest}) +
                (var.v6.empty() ? "" : " or " + std::string{var.v6}) + "\n";
    }
    return text;
}

}  // namespace ktm::trial
