// SPDX-License-Identifier: Apache-2.0
// trial/stage.hh: a plan, loaded once for each of its roles, and the world in which it is tried.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hh"
#include "plan/fault.hh"
#include "plan/settings.hh"
#include "ports/files.hh"
#include "script/loader.hh"
#include "trial/referee.hh"
#include "trial/world_settings.hh"

namespace ktm::trial {

/// What programs that a plan runs write, by their lines: the words with one blank between them.
using ProgramOutputs = std::map<std::string, std::string, std::less<>>;

/// A role, ready to be played again and again.
struct Part {
    Side side = Side::source;
    script::LoadedPlan plan;
    plan::Settings settings;

    /// What the world must have: from the vars of that name, or what the world has anyway.
    std::string socket;  ///< Of its QEMU; empty when the plan has none.
    std::string tap;
    std::string netns;
    std::string starter;  ///< The program that starts its QEMU anew; empty when it has none.
};

struct Stage {
    WorldSettings world;
    std::vector<Part> parts;  ///< The source first; a plan of one role has one.
    std::string plan_name;
    std::vector<IpAddress> guest;     ///< Its addresses.
    std::vector<std::string> drives;  ///< As block nodes.
    std::vector<IpAddress> dest_addresses;
    ProgramOutputs programs;
    /// The var that says how long the guest may stand in the end, and its value: `downtime_max`, or
    /// `downtime`. While it copies, a plan may hold QEMU back with less.
    std::optional<std::pair<std::string, Duration>> may_stand;
    /// How long the guest stands when nothing goes wrong, once somebody had to know.
    std::optional<Duration> stands;

    [[nodiscard]] bool has_two_nodes() const noexcept { return parts.size() == 2; }
    [[nodiscard]] const Part* part(Side side) const noexcept;
};

struct StageOptions {
    std::string plan;
    std::string role;  ///< One alone, of a plan whose roles have no other node; or empty.
    std::vector<plan::Given> given;
    WorldSettings world;
    ProgramOutputs programs;
    script::SearchPath path;
};

struct Staging {
    std::optional<Stage> stage;  ///< Without faults only.
    plan::Faults faults;
};

/// Loads the plan and judges the vars; one that is required and not given gets what the simulated
/// world has under its name: qmp, tap, vm_ip, dest_ip, listen_ip, drives. `given` is what each role
/// gets of it: those vars that it has.
[[nodiscard]] Staging set_the_stage(ports::Files& files, const StageOptions& options);

/// The vars by which a plan meets the simulated world, with what they are there; for help.
[[nodiscard]] std::string describe_world_vars();

}  // namespace ktm::trial
