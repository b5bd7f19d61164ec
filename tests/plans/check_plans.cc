// SPDX-License-Identifier: Apache-2.0
// tests/plans/check_plans.cc: what is said of plans that are wrong, held against NAME.expected.
//
//     check_plans FOLDER    with broken/NAME.lua and broken/NAME.expected, parents/, modules/
//
// The first line of a broken plan, a comment, is the claim. Plans that are derived find their
// parents in parents/, and each finds modules in modules/ and beside it. KTM_LUA names the folder
// with plans and stdlib. KTM_UPDATE=1 rewrites the expectations; the difference is the review.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "harness/expectation.hh"
#include "script/loader.hh"

namespace {

namespace fs = std::filesystem;
using namespace ktm;

/// A file that no editor makes, or that would be too long to keep.
struct Made {
    std::string name;
    std::string claim;
    std::string text;
};

std::string deep_table() {
    std::string open;
    std::string close;
    for (int level = 0; level < 100; ++level) {
        open += "{ ";
        close += " }";
    }
    return "return plan { name = \"made-deep\", api = 1, summary = \"Is too deep.\",\n  vars = {\n"
           "    a = var.list { of = \"string\", doc = \"d\", " +
           open + close + " } },\n" +
           "  role \"node\" { state \"only\" { within = \"1s\", next = \"done\" } },\n}\n";
}

std::vector<Made> made_plans() {
    return {
        {"made-bytecode", "a file of bytecode is refused", "\x1bLJ\x02\x02\x0d\x02\x01\x02\x02"},
        {"made-deep", "a table that is nested too deep is refused", deep_table()},
        {"made-large", "a file that is too large is not read",
         "return " + std::string(1U << 20U, ' ') + "nil\n"},
        {"made-nul", "a NUL in a file is a mistake at its line",
         std::string{"return plan {\n  \0 }", 19}},
    };
}

std::string claim_of(const std::string& text) {
    const std::string line = text.substr(0, text.find('\n'));
    return line.substr(std::min(line.size(), line.find_first_not_of("- ")));
}

/// The plans of the repository and those of this folder, in a world of their own.
class Shelf {
public:
    Shelf(const fs::path& lua, const fs::path& folder) {
        testing::copy_folder(lua, "lua", files_);
        for (const char* name : {"broken", "parents", "modules"}) {
            testing::copy_folder(folder / name, name, files_);
        }
    }

    void put(const std::string& file, const std::string& text) { (void)files_.replace(file, text); }

    /// All sentences, a line each; what `plan check` says.
    std::string sentences_of(const std::string& plan) {
        const script::SearchPath path{{"parents", "lua/plans"}, {"lua/stdlib", "modules"}};
        std::string text;
        for (const plan::Fault& fault : script::load_plan(files_, path, plan).faults) {
            text += fault.sentence() + "\n";
        }
        return text;
    }

private:
    sim::VirtualFiles files_;
};

void judge_broken(testing::Tap& tap, Shelf& shelf, const std::string& claim, const fs::path& file) {
    const std::string name = file.filename().string();
    const std::string said = shelf.sentences_of("broken/" + name);
    std::vector<std::string> troubles;
    if (said.empty()) {
        troubles.emplace_back(file.string() + ": nothing is found wrong with it");
    } else if (shelf.sentences_of("broken/" + name) != said) {
        troubles.emplace_back(file.string() + ": the second time it says something else");
    } else {
        troubles = testing::compare(said, fs::path{file}.replace_extension(".expected"));
    }
    tap.judge(file.stem().string() + ": " + claim, troubles);
}

}  // namespace

int main(int count, char** words) {
    const char* lua = std::getenv("KTM_LUA");
    if (lua == nullptr || count != 2) {
        std::cerr << "usage: KTM_LUA=lua check_plans FOLDER\n";
        return 2;
    }
    const fs::path folder = words[1];
    Shelf shelf{lua, folder};
    testing::Tap tap;
    for (const fs::path& file : testing::files_in(folder / "broken", ".lua")) {
        judge_broken(tap, shelf, claim_of(testing::read_disk(file)), file);
    }
    for (const Made& made : made_plans()) {
        shelf.put("broken/" + made.name + ".lua", made.text);
        judge_broken(tap, shelf, made.claim, folder / "broken" / (made.name + ".lua"));
    }
    for (const fs::path& file : testing::files_in(fs::path{lua} / "plans", ".lua")) {
        const std::string said = shelf.sentences_of(file.stem().string());
        std::vector<std::string> troubles;
        if (!said.empty()) {
            troubles.push_back(said);
        }
        tap.judge("nothing is wrong with the plan " + file.stem().string(), troubles);
    }
    return tap.finish();
}
