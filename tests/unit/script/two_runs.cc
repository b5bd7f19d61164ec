// SPDX-License-Identifier: Apache-2.0
// tests/unit/script/two_runs.cc: two runs of one plan, source and dest, in one simulated world.
#include "script/two_runs.hh"

#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

#include "script/loader.hh"

namespace ktm::testing {

namespace {

script::LoadedPlan loaded(sim::VirtualWorld& world, const std::string& plan) {
    const std::string path = "plans/two.lua";
    REQUIRE(world.files().replace(path, plan));
    script::Loading loading = script::load_plan(world.files(), {{"plans"}, {}}, path);
    for (const plan::Fault& fault : loading.faults) {
        FAIL_CHECK(fault.sentence());
    }
    REQUIRE(loading.plan);
    return std::move(*loading.plan);
}

host::Settings host_settings(const std::string& role) {
    host::Settings settings;
    settings.header = {"0.0.0",  "the run of " + role,  "", "two", role,
                       "a boot", "2026-01-01T00:00:00Z"};
    return settings;
}

plan::Settings settings_of(const plan::Plan& plan, const std::string& role,
                           const TwoRuns::Vars& vars) {
    std::vector<plan::Given> given;
    for (const auto& [name, text] : vars) {
        given.push_back({name, text, nullptr, "--var"});
    }
    plan::Faults faults;
    plan::Settings settings = plan::resolve(plan, role, given, faults);
    for (const plan::Fault& fault : faults) {
        FAIL_CHECK(fault.sentence());
    }
    return settings;
}

/// Hears how a run ended, and nothing else.
struct EndListener final : script::Observer {
    void on_over(const script::Outcome& last) override {
        end = std::string{engine::name_of(last.ended.end)};
        end += last.ended.cause ? " " + last.ended.cause->code : "";
    }
    std::string end = "not over";
};

}  // namespace

std::string end_of_lone_plan(sim::VirtualWorld& world, const std::string& function) {
    REQUIRE(world.files().replace("lib/steps.lua", "return { act = " + function + " }"));
    REQUIRE(world.files().replace("plans/lone.lua", R"(local steps = require "steps"
        return plan { name = "lone", api = 1, summary = "s",
          role "r" { state "a" { within = "5s", next = "done",
            enter = function() steps.act() end } } })"));
    script::Loading loading = script::load_plan(world.files(), {{"plans"}, {"lib"}}, "lone");
    REQUIRE(loading.plan);
    const plan::Settings settings = settings_of(loading.plan->plan(), "r", {});
    EndListener listener;
    const ports::World ports = world.ports();
    script::Run run{ports, *loading.plan, settings, host_settings("r"), nullptr, listener};
    run.start();
    world.loop().run();
    return listener.end;
}

Side::Side(sim::VirtualWorld& world, TornTransport& transport, const std::string& plan,
           std::string role, const TwoRuns::Vars& vars, script::PeerOptions options)
    : world_(world),
      plan_(loaded(world, plan)),
      settings_(settings_of(plan_.plan(), role, vars)),
      ports_{world.loop(),  world.virtual_clock(), transport,        world.processes(),
             world.files(), world.signals(),       world.networks(), world.ports().ciphers} {
    run_ = std::make_unique<script::Run>(ports_, plan_, settings_, host_settings(role), nullptr,
                                         *this, options);
}

void Side::on_action(const engine::Action& action) {
    if (const auto* entered = std::get_if<engine::Entered>(&action)) {
        states.push_back(entered->state);
    } else if (const auto* dropped = std::get_if<engine::Ignored>(&action)) {
        ignored.push_back(dropped->event);
    }
}

void Side::on_finding(const script::Finding& finding) {
    findings.push_back(std::string{name_of(finding.state)} + " " + sentence_of(finding));
}

void Side::on_words(std::string_view, std::string_view text) {
    words.emplace_back(text);
}

void Side::on_over(const script::Outcome& last) {
    outcome = last;
    ended_at = world_.virtual_clock().now().time_since_epoch();
}

std::string Side::end() const {
    if (!outcome) {
        return "not over";
    }
    const engine::Ended& ended = outcome->ended;
    return std::string{engine::name_of(ended.end)} + (ended.cause ? " " + ended.cause->code : "");
}

bool Side::said(std::string_view text) const {
    return std::any_of(words.begin(), words.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    });
}

TwoRuns::TwoRuns(const std::string& source_states, const std::string& dest_states,
                 const std::string& vars, Given given)
    : transport(world.ports().transport) {
    const std::string plan = two_roles(source_states, dest_states, vars);
    source = std::make_unique<Side>(world, transport, plan, "source", given.source, given.options);
    const bool is_same = given.other_dest.empty();
    dest = std::make_unique<Side>(world, transport,
                                  is_same ? plan : two_roles(source_states, given.other_dest, vars),
                                  "dest", given.dest, given.options);
}

void TwoRuns::play() {
    play_until(std::chrono::hours{1});
}

void TwoRuns::play_until(Duration instant) {
    sim::VirtualClock& clock = world.virtual_clock();
    const auto end = clock.arm(instant - clock.now().time_since_epoch(), [] {});
    while (!(source->is_over() && dest->is_over()) && clock.now() < Instant{instant} &&
           clock.run_next()) {
    }
}

void TwoRuns::after(Duration delay, UniqueFunction<void()> what) {
    timers_.push_back(world.virtual_clock().arm(delay, std::move(what)));
}

std::string two_roles(const std::string& source, const std::string& dest, const std::string& vars) {
    // A test may say any word for a node; that this function would, keeps the plan from being told
    // that nobody does.
    return R"(local _ = function(word) peer.send(word) end
      return plan { name = "two", api = 1, summary = "s", vars = {
        dest_ip = var.ip { "192.0.2.2", role = "source", doc = "d" },
        listen_ip = var.ip { "192.0.2.2", role = "dest", doc = "d" },
        )" +
           vars + R"( },
      role "source" { peer_to = var "dest_ip",
        )" +
           source + R"( },
      role "dest" { peer_from = var "listen_ip",
        )" +
           dest + R"( } })";
}

}  // namespace ktm::testing
