// SPDX-License-Identifier: Apache-2.0
// cli/case_words.cc: what came of the cases of a plan, for a person and for a script.
#include "cli/case_words.hh"

#include <algorithm>

#include "base/text.hh"
#include "cli/columns.hh"
#include "cli/faults.hh"
#include "cli/plan_json.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

constexpr std::size_t case_indent = 8;
const std::string case_margin(case_indent, ' ');

std::string_view status_of(const CaseResult& result) {
    return result.is_wrong() ? "wrong" : result.is_good() ? "ok" : "FAILED";
}

std::string how_long(Duration took) {
    return format_duration(std::chrono::round<std::chrono::milliseconds>(took));
}

/// The states side by side; what does not fit has a mark in front.
void add_states(const Difference& difference, const Console& console, Lines& lines) {
    lines.push_back(case_margin + difference.what + ":");
    Columns table;
    table.add({{"", Colour::plain}, {"expected", Colour::dim}, {"got", Colour::dim}});
    for (const trial::SequenceRow& row : difference.rows) {
        const auto cell = [&](const std::string& text) {
            return Cell{!row.fits && text.empty() ? "-" : text,
                        row.fits ? Colour::plain : Colour::red};
        };
        table.add({{row.fits ? "" : ">", Colour::red}, cell(row.expected), cell(row.got)});
    }
    for (std::string& line : table.lines(console, case_indent + 2)) {
        lines.push_back(std::move(line));
    }
}

void add_differences(const CaseResult& result, const Console& console, Lines& lines) {
    for (const Difference& difference : result.differences) {
        if (!difference.rows.empty()) {
            add_states(difference, console, lines);
            continue;
        }
        lines.push_back(case_margin + difference.what + ": expected " +
                        console.paint(Colour::green, one_line(difference.expected)) + ", got " +
                        console.paint(Colour::red, one_line(difference.got)));
    }
}

std::string rows_json(const std::vector<trial::SequenceRow>& rows) {
    std::vector<std::string> list;
    for (const trial::SequenceRow& row : rows) {
        json::ObjectWriter object;
        object.text("expected", row.expected).text("got", row.got).boolean("fits", row.fits);
        list.push_back(std::move(object).finish());
    }
    return json_list(list);
}

std::string differences_json(const CaseResult& result) {
    std::vector<std::string> list;
    for (const Difference& difference : result.differences) {
        json::ObjectWriter object;
        object.text("what", difference.what);
        if (difference.rows.empty()) {
            object.text("expected", difference.expected).text("got", difference.got);
        } else {
            object.json("rows", rows_json(difference.rows));
        }
        list.push_back(std::move(object).finish());
    }
    return json_list(list);
}

std::string violations_json(const CaseResult& result) {
    std::vector<std::string> list;
    const auto add = [&list](const trial::Violation& violation, const trial::Faults& faults) {
        json::ObjectWriter object;
        add_violation(violation, object);
        std::vector<std::string> texts;
        std::transform(faults.begin(), faults.end(), std::back_inserter(texts), trial::text_of);
        list.push_back(std::move(object.json("faults", json_texts(texts))).finish());
    };
    for (const trial::Violation& violation : result.violations) {
        add(violation, {});
    }
    if (result.campaign) {
        for (const trial::Violation& violation : result.campaign->undisturbed) {
            add(violation, {});
        }
        for (const trial::Finding& finding : result.campaign->findings) {
            add(finding.violation, finding.faults);
        }
    }
    return json_list(list);
}

}  // namespace

Lines words_of(const CaseResult& result, Duration took, const Console& console) {
    const Colour colour = result.is_wrong()  ? Colour::yellow
                          : result.is_good() ? Colour::green
                                             : Colour::red;
    std::string status{status_of(result)};
    status.resize(case_indent, ' ');
    Lines lines{console.paint(colour, status) + one_line(result.file) + "  " +
                console.paint(Colour::dim, how_long(took))};
    if (result.is_good() || result.is_wrong()) {
        return lines;
    }
    if (!result.claim.empty()) {
        lines.push_back(case_margin + one_line(result.claim));
    }
    if (!result.trouble.empty()) {
        lines.push_back(case_margin + one_line(result.trouble));
    }
    Lines broken;
    for (const trial::Violation& violation : result.violations) {
        add_violation(violation, broken);
    }
    for (const std::string& line : broken) {
        lines.push_back(case_margin + one_line(line));
    }
    add_differences(result, console, lines);
    if (result.campaign) {
        for (const std::string& line :
             words_of(*result.campaign, trial::Scope::all, result.again)) {
            lines.push_back(case_margin + one_line(line));
        }
    } else {
        lines.push_back(case_margin + "again: " + result.again);
    }
    return lines;
}

std::string json_of(const CaseResult& result, Duration took) {
    json::ObjectWriter line;
    line.text("kind", "case").text("file", result.file).text("claim", result.claim);
    line.text("status", result.is_wrong() ? "wrong" : result.is_good() ? "passed" : "failed");
    line.integer("elapsed_us", std::chrono::round<std::chrono::microseconds>(took).count());
    if (result.is_wrong()) {
        line.json("faults", faults_json(result.faults));
        return std::move(line).finish();
    }
    if (!result.trouble.empty()) {
        line.text("trouble", result.trouble);
    }
    line.json("violations", violations_json(result));
    line.json("differences", differences_json(result));
    if (result.campaign) {
        line.integer("trials", static_cast<std::int64_t>(result.campaign->trials));
    }
    line.text("again", result.again);
    return std::move(line).finish();
}

std::string words_of(const CaseCounts& counts, Duration took, const Console& console) {
    const auto part = [&](std::size_t count, const char* what, Colour colour) {
        const std::string text = std::to_string(count) + " " + what;
        return count == 0 ? "" : ", " + console.paint(colour, text);
    };
    return counted(counts.passed + counts.failed + counts.wrong, "case") +
           part(counts.passed, "passed", Colour::green) +
           part(counts.failed, "failed", Colour::red) +
           part(counts.wrong, "wrong", Colour::yellow) + " after " + how_long(took);
}

std::string json_of(const CaseCounts& counts, int exit_code) {
    json::ObjectWriter line;
    line.text("kind", "end");
    line.integer("passed", static_cast<std::int64_t>(counts.passed));
    line.integer("failed", static_cast<std::int64_t>(counts.failed));
    line.integer("wrong", static_cast<std::int64_t>(counts.wrong));
    line.integer("exit", exit_code);
    return std::move(line).finish();
}

}  // namespace ktm::cli
