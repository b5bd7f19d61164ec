// SPDX-License-Identifier: Apache-2.0
// tests/lua/api_pages.cc: writes the files that are made from the described words of plans.
//
// Usage: api_pages FOLDER. They are written below FOLDER, at their paths in the repository.
#include "script/api_pages.hh"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace {

bool write(const std::filesystem::path& file, const std::string& text) {
    std::error_code fault;
    std::filesystem::create_directories(file.parent_path(), fault);
    std::ofstream out{file, std::ios::binary};
    out << text;
    out.close();
    return !out.fail();
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("Usage: api_pages FOLDER\n", stderr);
        return 2;
    }
    for (const auto& [path, text] : ktm::script::api_pages()) {
        const std::filesystem::path file = std::filesystem::path{arguments[1]} / path;
        if (!write(file, text)) {
            std::fprintf(stderr, "api_pages: could not write %s\n", file.c_str());
            return 1;
        }
    }
    return 0;
}
