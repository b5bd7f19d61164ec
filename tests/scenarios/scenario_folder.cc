// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/scenario_folder.cc: one scenario, read from its folder.
#include "scenarios/scenario_folder.hh"

#include <utility>

#include "harness/expectation.hh"
#include "json/parser.hh"

namespace ktm::testing {

namespace fs = std::filesystem;

namespace {

Error unreadable(const fs::path& file, std::string what) {
    return Error{Kind::invalid, "bad-scenario", std::move(what), "read " + file.string(), nullptr};
}

std::string first_line(const fs::path& file) {
    const std::string text = read_disk(file);
    return text.substr(0, text.find('\n'));
}

Result<sim::ProgramOutcome> read_program(const json::View& object) {
    sim::ProgramOutcome outcome;
    for (const json::View::Field& field : object.fields()) {
        if (field.key == "exit" && field.value.as_int()) {
            outcome.exit_code = static_cast<int>(*field.value.as_int());
        } else if (field.key == "out" && field.value.is_string()) {
            outcome.out = *field.value.as_string();
        } else if (field.key == "err" && field.value.is_string()) {
            outcome.err = *field.value.as_string();
        } else if (field.key == "delay" && field.value.type() == json::Type::null) {
            outcome.delay.reset();
        } else if (field.key == "delay" && field.value.is_string()) {
            const Result<Duration> delay = parse_duration(*field.value.as_string());
            KTM_CHECK(delay);
            outcome.delay = *delay;
        } else {
            return Error{Kind::invalid, "bad-scenario",
                         "the key '" + std::string{field.key} +
                             "'; expected exit, out, err or delay, of the right type",
                         "", nullptr};
        }
    }
    return outcome;
}

Result<void> read_programs(const fs::path& file,
                           std::map<std::string, sim::ProgramOutcome>& programs) {
    if (!fs::exists(file)) {
        return {};
    }
    const Result<json::Document> document = json::parse(read_disk(file));
    if (!document || !document->root().is_object()) {
        return unreadable(file, document ? "it is no object" : document.error().what);
    }
    for (const json::View::Field& field : document->root().fields()) {
        Result<sim::ProgramOutcome> outcome = read_program(field.value);
        if (!outcome) {
            return unreadable(file, outcome.error().sentence());
        }
        programs[std::string{field.key}] = std::move(*outcome);
    }
    return {};
}

}  // namespace

Result<Scenario> read_scenario_folder(const fs::path& folder) {
    Scenario scenario;
    scenario.folder = folder;
    scenario.claim = first_line(folder / "claim");
    if (scenario.claim.empty()) {
        scenario.claim = folder.filename().string();
    }
    scenario.plan = first_line(folder / "plan");
    if (scenario.plan.empty()) {
        return unreadable(folder / "plan", "there is no plan in it");
    }
    if (scenario.plan.ends_with(".lua")) {
        const fs::path file = (folder / scenario.plan).lexically_normal();
        scenario.plan_folder = file.parent_path();
        scenario.plan = (scenario.plan_folder.filename() / file.filename()).string();
    }
    scenario.role = first_line(folder / "role");
    scenario.rest = first_line(folder / "rest");
    scenario.vars = read_disk(folder / "vars.json");
    KTM_CHECK(read_programs(folder / "programs.json", scenario.programs));
    if (fs::exists(folder / "net.json")) {
        scenario.net = folder / "net.json";
    }
    if (fs::exists(folder / "trace.jsonl")) {
        Result<sim::ScenarioRecords> records =
            sim::read_scenario(read_disk(folder / "trace.jsonl"));
        if (!records) {
            return unreadable(folder / "trace.jsonl", records.error().sentence());
        }
        scenario.records = std::move(*records);
    }
    return scenario;
}

}  // namespace ktm::testing
