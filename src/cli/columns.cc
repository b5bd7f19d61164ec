// SPDX-License-Identifier: Apache-2.0
// cli/columns.cc: lines whose parts stand below each other.
#include "cli/columns.hh"

#include <algorithm>
#include <utility>

#include "base/text.hh"

namespace ktm::cli {

namespace {

constexpr std::string_view between_columns = "  ";

/// Of safe text: each byte that begins a letter counts as one.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

}  // namespace

void Columns::add(std::vector<Cell> row) {
    while (!row.empty() && row.back().text.empty()) {
        row.pop_back();
    }
    widths_.resize(std::max(widths_.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
        row[i].text = one_line(row[i].text);
        const bool is_last = i + 1 == row.size();
        widths_[i] = std::max(widths_[i], is_last ? 0 : width_of(row[i].text));
    }
    rows_.push_back(std::move(row));
}

std::vector<std::string> Columns::lines(const Console& console, std::size_t indent) const {
    std::vector<std::string> lines;
    for (const std::vector<Cell>& row : rows_) {
        std::string line = row.empty() ? "" : std::string(indent, ' ');
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += console.paint(row[i].colour, row[i].text);
            if (i + 1 < row.size()) {
                const std::size_t width = width_of(row[i].text);
                line += std::string(widths_[i] - width, ' ') + std::string(between_columns);
            }
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

std::string right_aligned(std::string text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string one_line(std::string_view text) {
    constexpr std::string_view breaks = "\t\r\n";
    std::string line;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(breaks), text.size());
        std::string_view piece = text.substr(0, end);
        if (!line.empty()) {
            piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
        }
        if (end < text.size()) {
            piece = piece.substr(0, piece.find_last_not_of(' ') + 1);
        }
        line += (line.empty() || piece.empty() ? "" : " ") + printable(piece);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return line;
}

std::string counted(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

int print(Console& console, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        if (!console.line(line)) {
            return console.explain_loss();
        }
    }
    return exit_done;
}

}  // namespace ktm::cli
