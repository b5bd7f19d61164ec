// SPDX-License-Identifier: Apache-2.0
// cli/search_path.cc: where plans and the standard library are found on this machine.
#include "cli/search_path.hh"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace ktm::cli {

namespace {

std::string installed_folder() {
    if (const char* folder = std::getenv("KATAMARAN_LUA"); folder != nullptr && *folder != '\0') {
        return folder;
    }
    std::error_code fault;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", fault);
    const std::filesystem::path beside = program.parent_path().parent_path();
    for (const char* folder : {"share/katamaran", "lua"}) {
        // One that is not there is a fault to the library, too.
        std::error_code none;
        if (!fault && std::filesystem::is_directory(beside / folder / "plans", none)) {
            return beside / folder;
        }
    }
    return beside / "share/katamaran";
}

}  // namespace

script::SearchPath search_path() {
    script::SearchPath path;
    path.plans.emplace_back(".");
    if (const char* folders = std::getenv("KATAMARAN_PLAN_PATH"); folders != nullptr) {
        std::string_view rest{folders};
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(':'), rest.size());
            if (end > 0) {
                path.plans.emplace_back(rest.substr(0, end));
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    path.plans.emplace_back("/etc/katamaran/plans");
    const std::string installed = installed_folder();
    path.plans.push_back(installed + "/plans");
    path.modules.push_back(installed + "/stdlib");
    return path;
}

}  // namespace ktm::cli
