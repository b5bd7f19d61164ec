// SPDX-License-Identifier: Apache-2.0
// tests/harness/expectation.cc: texts that are compared with files, and the TAP of it.
#include "harness/expectation.hh"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>

namespace ktm::testing {

namespace fs = std::filesystem;

namespace {

/// How many lines are shown on both sides of the place where two texts part.
constexpr std::size_t context_lines = 3;

void show(const std::vector<std::string>& lines, std::size_t first, std::size_t last, char mark,
          std::vector<std::string>& out) {
    for (std::size_t at = first; at < std::min(last, lines.size()); ++at) {
        out.push_back(std::string(1, mark) + " " + lines[at]);
    }
}

bool wants_update() {
    const char* wish = std::getenv("KTM_UPDATE");
    return wish != nullptr && std::string_view{wish} == "1";
}

}  // namespace

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::string read_disk(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

void copy_folder(const fs::path& folder, const std::string& name, sim::VirtualFiles& files) {
    if (!fs::is_directory(folder)) {
        return;
    }
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator{folder}) {
        if (entry.is_regular_file()) {
            const fs::path below = entry.path().lexically_relative(folder);
            (void)files.replace((fs::path{name} / below).string(), read_disk(entry.path()));
        }
    }
}

std::vector<fs::path> folders_in(const fs::path& folder) {
    std::vector<fs::path> folders;
    for (const fs::directory_entry& entry : fs::directory_iterator{folder}) {
        if (entry.is_directory()) {
            folders.push_back(entry.path());
        }
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

std::vector<fs::path> files_in(const fs::path& folder, const std::string& extension) {
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator{folder}) {
        if (entry.is_regular_file() && entry.path().extension() == extension) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<std::string> compare(const std::string& text, const fs::path& expected) {
    if (wants_update()) {
        std::ofstream{expected, std::ios::binary} << text;
        return {};
    }
    const std::string wanted_text = read_disk(expected);
    if (text == wanted_text) {
        return {};
    }
    const std::vector<std::string> wanted = lines_of(wanted_text);
    const std::vector<std::string> got = lines_of(text);
    const auto parting = std::mismatch(wanted.begin(), wanted.end(), got.begin(), got.end());
    const auto at = static_cast<std::size_t>(parting.first - wanted.begin());
    std::vector<std::string> troubles{
        expected.string() + ":" + std::to_string(at + 1) +
        ": it is not what happens; if what happens is right, run again with KTM_UPDATE=1"};
    show(wanted, at - std::min(at, context_lines), at, ' ', troubles);
    show(wanted, at, at + context_lines, '-', troubles);
    show(got, at, at + context_lines, '+', troubles);
    return troubles;
}

void Tap::judge(const std::string& claim, const std::vector<std::string>& troubles) {
    for (const std::string& trouble : troubles) {
        for (const std::string& line : lines_of(trouble)) {
            std::cout << "# " << line << '\n';
        }
    }
    failed_ += troubles.empty() ? 0 : 1;
    std::cout << (troubles.empty() ? "ok " : "not ok ") << ++count_ << ' ' << claim << std::endl;
}

int Tap::finish() const {
    std::cout << "1.." << count_ << std::endl;
    return failed_ > 0 || count_ == 0 ? 1 : 0;
}

}  // namespace ktm::testing
