// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/run_scenarios.cc: plays scenarios and holds them against their expected.txt.
//
//     run_scenarios FOLDER…           each is a scenario, or a folder of scenarios; prints TAP
//     run_scenarios --text FOLDER…    prints all that happens, and compares nothing
//
// KTM_LUA names the folder with plans and stdlib. KTM_UPDATE=1 rewrites the expectations; the
// difference is the review. What is called `plans` holds plans of several scenarios.
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "harness/expectation.hh"
#include "scenarios/folding.hh"
#include "scenarios/stage.hh"

namespace {

namespace fs = std::filesystem;
using namespace ktm;

/// The same play, again and again in one process, is the same text.
constexpr int plays = 3;

std::vector<fs::path> scenarios_in(const std::vector<std::string>& arguments) {
    std::vector<fs::path> found;
    for (const std::string& argument : arguments) {
        fs::path folder = fs::path{argument}.lexically_normal();
        folder = folder.has_filename() ? folder : folder.parent_path();
        if (fs::exists(folder / "plan")) {
            found.push_back(folder);
            continue;
        }
        for (const fs::path& inner : testing::folders_in(folder)) {
            if (inner.filename() != "plans" && inner.filename() != "__pycache__") {
                found.push_back(inner);
            }
        }
    }
    return found;
}

std::vector<std::string> judged(const testing::Scenario& scenario, const fs::path& lua) {
    const testing::Telling first = testing::play(scenario, lua);
    if (!first.troubles.empty()) {
        std::vector<std::string> troubles = first.troubles;
        troubles.push_back(testing::folded(first.text));
        return troubles;
    }
    for (int again = 1; again < plays; ++again) {
        if (testing::play(scenario, lua).text != first.text) {
            return {"played again in the same process it is another text"};
        }
    }
    return testing::compare(testing::folded(first.text), scenario.folder / "expected.txt");
}

int judge(const std::vector<fs::path>& folders, const fs::path& lua) {
    testing::Tap tap;
    for (const fs::path& folder : folders) {
        const Result<testing::Scenario> scenario = testing::read_scenario_folder(folder);
        const std::string name = folder.filename().string();
        if (!scenario) {
            tap.judge(name, {scenario.error().sentence()});
        } else {
            tap.judge(name + ": " + scenario->claim, judged(*scenario, lua));
        }
    }
    return tap.finish();
}

int tell(const std::vector<fs::path>& folders, const fs::path& lua) {
    for (const fs::path& folder : folders) {
        const Result<testing::Scenario> scenario = testing::read_scenario_folder(folder);
        if (!scenario) {
            std::cerr << scenario.error().sentence() << '\n';
            return 1;
        }
        const testing::Telling telling = testing::play(*scenario, lua);
        std::cout << telling.text << std::flush;
        for (const std::string& trouble : telling.troubles) {
            std::cerr << folder.filename().string() << ": " << trouble << '\n';
        }
    }
    return 0;
}

}  // namespace

int main(int count, char** words) {
    std::vector<std::string> arguments(words + 1, words + count);
    const char* lua = std::getenv("KTM_LUA");
    const bool text_only = !arguments.empty() && arguments.front() == "--text";
    if (text_only) {
        arguments.erase(arguments.begin());
    }
    if (lua == nullptr || arguments.empty()) {
        std::cerr << "usage: KTM_LUA=lua run_scenarios [--text] FOLDER…\n";
        return 2;
    }
    const std::vector<fs::path> folders = scenarios_in(arguments);
    return text_only ? tell(folders, lua) : judge(folders, lua);
}
