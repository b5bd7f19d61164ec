// SPDX-License-Identifier: Apache-2.0
// tests/unit/trial/verdicts_test.cc: what the referee says of small plans, and of a broken world.
#include <catch2/catch.hpp>
#include <string>

#include "sim/virtual_files.hh"
#include "trial/campaign.hh"
#include "trial/site.hh"
#include "trial/verdicts.hh"

using namespace ktm;
using namespace ktm::trial;
using namespace std::chrono_literals;

namespace {

/// A plan of one node with one state, in which this is done.
Stage stage_of(const std::string& enter, const std::string& next = "done") {
    sim::VirtualFiles files;
    REQUIRE(files.replace("/plans/small.lua", R"(-- A plan.
return plan {
  name = "small", api = 1, summary = "Does one thing.",
  vars = { qmp = var.path { doc = "QMP socket of the VM." } },
  role "node" {
    state "act" { within = "20min", next = ")" + next +
                                                  R"(", enter = function(m)
)" + enter + R"(
    end },
  },
}
)"));
    StageOptions options;
    options.plan = "small";
    options.path.plans = {"/plans"};
    Staging staging = set_the_stage(files, options);
    std::string faults;
    for (const plan::Fault& fault : staging.faults) {
        faults += fault.sentence() + "\n";
    }
    INFO(faults);
    REQUIRE(staging.stage);
    return std::move(*staging.stage);
}

/// What was violated, a line each.
std::string violated(const Report& report) {
    std::string text;
    for (const Violation& violation : report.violations) {
        text += (text.empty() ? "" : "\n") + std::string{name_of(violation.invariant)} + ": " +
                violation.what;
    }
    return text;
}

std::string without_faults(const std::string& enter, const std::string& next = "done") {
    Stage stage = stage_of(enter, next);
    return violated(play(stage, {}));
}

/// Of every single fault.
std::string of_faults(const std::string& enter) {
    Stage stage = stage_of(enter);
    const Campaign campaign = run_campaign(stage, {}, {});
    CHECK(campaign.undisturbed.empty());
    std::string text;
    for (const Finding& finding : campaign.findings) {
        text += (text.empty() ? "" : "\n") + std::string{name_of(finding.violation.invariant)} +
                ": " + finding.violation.what;
    }
    return text;
}

const std::string fails = R"(error { kind = "refused", code = "x", what = "no" })";
const std::string sets = R"(qmp("migrate-set-parameters", { ["downtime-limit"] = 5 }) )";

}  // namespace

TEST_CASE("trial/verdicts: a parameter that an aborted run leaves is named with its values") {
    const std::string said = without_faults(sets + fails);
    CHECK(said.starts_with("gets-there: "));
    CHECK(
        said.ends_with("\nvm-as-before: QEMU at the source is not as before: "
                       "parameter downtime-limit is 5, was 300"));
}

TEST_CASE("trial/verdicts: what a run that is done has set is what its plan is for") {
    CHECK(without_faults(sets).empty());
}

TEST_CASE("trial/verdicts: what is put back is found as before, also behind a kill") {
    CHECK(of_faults("m:undo('put it back', qmp.restore { parameters = { ['downtime-limit'] = 300 } "
                    "}) " +
                    sets)
              .empty());
    CHECK(of_faults("m:undo('put it back', function() qmp('migrate-set-parameters', "
                    "{ ['downtime-limit'] = 300 }) end) " +
                    sets) ==
          "vm-as-before: QEMU at the source is not as before: parameter downtime-limit is 5, was "
          "300");
}

TEST_CASE("trial/verdicts: an undo that fails and is told of is no violation") {
    const std::string said =
        without_faults("m:undo('put it back', function() error('cannot') end) " + sets + fails);
    CHECK(said.find("vm-as-before") == std::string::npos);
}

TEST_CASE("trial/verdicts: a guest that nobody wakes again is told as that") {
    CHECK(without_faults("qmp('stop') " + fails)
              .ends_with("stays-at-home: the guest was stopped, and no undo wakes it"));
    CHECK(without_faults("qmp('stop')") ==
          "stays-at-home: the guest was stopped, and the run says done");
    CHECK(without_faults("m:undo('wake it', function() error('cannot') end) qmp('stop') " + fails)
              .find("stopped, and an undo failed: wake it: ") != std::string::npos);
    CHECK(without_faults("qmp('quit')").find("its QEMU has ended") != std::string::npos);
}

TEST_CASE("trial/verdicts: a guest may stand as long as its plan wants, and not for a fault") {
    CHECK(of_faults("m:undo('wake it', qmp.wake) qmp('stop', nil, { within = '5s' }) "
                    "sleep('5min') qmp('cont', nil, { within = '5s' })")
              .empty());
    const std::string said = of_faults(
        "m:undo('wake it', function() sleep('5min') qmp('cont') end, "
        "{ within = '10min' }) qmp('stop') sleep('1s') qmp('cont')");
    CHECK(said.find("in-time: the guest stood for 5 min 0 s, and for 1 s when nothing goes") !=
          std::string::npos);
}

TEST_CASE("trial/verdicts: packets that are still held when all is over are seen") {
    Stage stage = stage_of("sleep('1s')");
    Told told;
    Recorded recorded;
    Site site{stage, {}, told, recorded};
    site.node(Side::source).kernel().link("tap0")->root.plug.emplace().blocked = true;
    judge(site);
    REQUIRE(site.referee().violations().size() > 1);
    CHECK(site.referee().violations()[1].invariant == Invariant::hold_open);
    CHECK(site.referee().violations()[1].what == "a hold at the source is still blocked");
}

TEST_CASE("trial/verdicts: the network reorders what is on its way, and no more") {
    WorldSettings world;
    CHECK(overtaken_max(world) == 3);
    world.latency = 0ns;
    CHECK(overtaken_max(world) == 1);
}

TEST_CASE("trial/verdicts: a ledger is held against what became of the packets") {
    model::FlowAccount flow;
    flow.sent = flow.delivered = 100;
    net::Proof said;
    CHECK(contradiction(said, {flow}).empty());
    said.says = net::Proof::Says::zero_lost;
    said.sent = 40;
    CHECK(contradiction(said, {flow}).empty());
    flow.delivered = 99;
    flow.lost["in the ring"] = 1;
    CHECK(contradiction(said, {flow}) ==
          " says 'zero lost of 40 diverted', and 1 were lost: 1 in the ring");

    said.says = net::Proof::Says::lost;
    said.lost = {{2, "the ring"}};
    CHECK(contradiction(said, {flow}) == " says 'LOST 2 packets: the ring', and 1 were lost");
    flow.delivered = 98;
    flow.waiting["there"] = 1;  // It may never be taken.
    CHECK(contradiction(said, {flow}).empty());
    said.lost = {{1, "the ring"}};  // At least so many.
    CHECK(contradiction(said, {flow}).empty());
    said.says = net::Proof::Says::not_proven;
    said.lost.clear();
    CHECK(contradiction(said, {flow}).empty());
}
