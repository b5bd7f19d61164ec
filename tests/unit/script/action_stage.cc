// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/action_stage.cc: one action of a plan, run in a small world.
#include "script/action_stage.hh"

#include <catch2/catch.hpp>

#include "script/loader.hh"

namespace ktm::testing {

namespace {

struct Listener : script::Observer {
    void on_words(std::string_view, std::string_view text) override {
        told.words.emplace_back(text);
    }
    void on_over(const script::Outcome& last) override { told.outcome = last; }

    Told told;
};

constexpr const char* head = R"(
  local function tried(action)
    local ok, problem = pcall(action)
    if ok then return "nothing" end
    if type(problem) ~= "table" then return "text" end
    return problem.kind .. " " .. problem.code
  end
  return plan { name = "one", api = 1, summary = "s",
    vars = {
      size = var.size { "4kB", doc = "d" },
      none = var.int { optional = true, doc = "d" },
      other = var.int { 1, role = "dest", doc = "d" },
    },
    role "source" { state "a" { within = "5s", next = "done", enter = function(m)
)";
constexpr const char* foot = R"( end } },
    role "dest" { state "a" { within = "5s", next = "done" } } })";

host::Settings host_settings() {
    host::Settings settings;
    settings.header = {"0.0.0",  "00000000000000aa", "/run/vm.qmp",         "one",
                       "source", "a boot",           "2026-01-01T00:00:00Z"};
    return settings;
}

/// A node with a guest's tap, a way out, and a bridged guest's bridge.
void furnish(sim::VirtualKernel& kernel) {
    kernel.add_tap("tap0");
    kernel.add_tap("closed0").facts.carrier = false;
    for (const char* link : {"eth1", "br0"}) {
        kernel.add_link(link, link == std::string_view{"br0"} ? "bridge" : "");
    }
    kernel.add_address("eth1", "192.0.2.1/24");
    kernel.add_address("eth1", "2001:db8::1/64");
    kernel.add_route("10.1.2.0/24", "tap0");
}

}  // namespace

Told told_by(const std::string& action, const Preparing& prepare) {
    sim::VirtualWorld world;
    furnish(world.networks().kernel());
    if (prepare) {
        prepare(world);
    }
    const std::string before = world.networks().dump();
    REQUIRE(world.files().replace("plans/one.lua", head + action + foot));
    REQUIRE(world.files().replace("/sys/class/net/lo/mtu", "65536\n"));
    REQUIRE(world.files().replace("/sys/class/net/tap0/mtu", "1500\n"));
    REQUIRE(world.files().replace("/sys/large", std::string((1U << 20U) + 1, 'x')));
    for (const char* fine : {"ip -brief link", "ip link set tap0 up", "ip link set tap0 down",
                             "/usr/lib/katamaran/probe", "/usr/lib/katamaran/unlock"}) {
        world.processes().install(fine, {0, "fine\n", "", Duration::zero()});
    }
    world.processes().install("fails", {3, "", "no room\nmore", Duration::zero()});
    world.processes().install("undoes", {0, "", "", Duration::zero()});
    world.processes().install("hangs", {0, "", "", std::nullopt});
    script::Loading loading = script::load_plan(world.files(), {{"plans"}, {}}, "one");
    INFO(action << "\n" << (loading.faults.empty() ? "" : loading.faults.front().what));
    REQUIRE(loading.plan);
    plan::Faults faults;
    const plan::Settings settings = plan::resolve(loading.plan->plan(), "source", {}, faults);
    REQUIRE(faults.empty());
    Listener listener;
    const ports::World ports = world.ports();
    script::Run run{ports, *loading.plan, settings, host_settings(), nullptr, listener};
    run.start();
    world.loop().run();
    REQUIRE(!world.fault());
    listener.told.programs = world.processes().started();
    if (world.networks().dump() != before) {
        listener.told.changed = world.networks().dump();
    }
    for (const auto& [path, text] : world.files().all()) {
        listener.told.journals += path.ends_with(".journal") ? text : "";
    }
    return listener.told;
}

std::string raised_by(const std::string& code, const Preparing& prepare) {
    const Told told = told_by("log.info(tried(function() " + code + " end))", prepare);
    REQUIRE(!told.words.empty());
    return told.words.back();
}

void check(std::initializer_list<Claim> claims, const Preparing& prepare) {
    for (const Claim& claim : claims) {
        INFO(claim.code);
        CHECK(raised_by(claim.code, prepare) == claim.raised);
    }
}

}  // namespace ktm::testing
