// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/folding.cc: what happens again and again, told a few times.
#include "scenarios/folding.hh"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <sstream>
#include <vector>

namespace ktm::testing {

namespace {

constexpr std::size_t round_lines_max = 16;
/// Fewer rounds are told as they are.
constexpr std::size_t rounds_min = 12;
constexpr std::size_t first_rounds = 2;

struct Line {
    std::string text;
    std::string form;  ///< Each number as one #.
};

std::string form_of(const std::string& text) {
    std::string form;
    for (const char c : text.substr(std::min(text.size(), text.find_first_not_of(' ')))) {
        const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
        if (!digit || form.empty() || form.back() != '#') {
            form += digit ? '#' : c;
        }
    }
    return form;
}

bool same_form(const std::vector<Line>& lines, std::size_t a, std::size_t b, std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) {
        if (b + at >= lines.size() || lines[a + at].form != lines[b + at].form) {
            return false;
        }
    }
    return true;
}

/// How often the `count` lines at `first` stand one behind the other.
std::size_t rounds_of(const std::vector<Line>& lines, std::size_t first, std::size_t count) {
    std::size_t rounds = 1;
    while (same_form(lines, first, first + rounds * count, count)) {
        ++rounds;
    }
    return rounds;
}

}  // namespace

std::string folded(const std::string& text) {
    std::vector<Line> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        std::string form = form_of(line);
        lines.push_back({std::move(line), std::move(form)});
    }
    std::string out;
    const auto tell = [&](std::size_t first, std::size_t count) {
        for (std::size_t at = first; at < first + count; ++at) {
            out += lines[at].text + "\n";
        }
    };
    for (std::size_t at = 0; at < lines.size();) {
        std::size_t count = 1;
        while (count <= round_lines_max && rounds_of(lines, at, count) < rounds_min) {
            ++count;
        }
        if (count > round_lines_max) {
            tell(at++, 1);
            continue;
        }
        const std::size_t rounds = rounds_of(lines, at, count);
        tell(at, first_rounds * count);
        out += "            …  these " + std::to_string(count) + " lines " +
               std::to_string(rounds - first_rounds - 1) + " times more\n";
        at += rounds * count;
        tell(at - count, count);
    }
    return out;
}

}  // namespace ktm::testing
