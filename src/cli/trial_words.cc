// SPDX-License-Identifier: Apache-2.0
// cli/trial_words.cc: what came of trials, for a person and for a script.
#include "cli/trial_words.hh"

#include <algorithm>
#include <cstdio>

#include "base/bytes.hh"
#include "base/text.hh"
#include "cli/plan_example.hh"
#include "cli/verdict.hh"
#include "json/writer.hh"
#include "trial/verdicts.hh"

namespace ktm::cli {

namespace {

using CopyBound = model::RamCopy::Bound;
using CopyCourse = model::RamCopy::Course;

constexpr std::size_t name_columns = 16;

std::string row(const std::string& name, const std::string& value) {
    const std::size_t gap = name_columns - std::min(name_columns - 1, name.size());
    return "  " + name + std::string(gap, ' ') + value;
}

/// A guest that dirties memory as fast as it is sent, or faster, gets nowhere unless all that it
/// writes to is little.
bool outruns(const CopyCourse& course) {
    return course.dirty_bytes_per_second >= course.sent_bytes_per_second;
}

/// How long the guest may stand in the end, and who says so: while it is copied, the plan may let
/// QEMU have less.
struct StandLimit {
    std::string name;
    Duration length{};
};

StandLimit limit_of(const CopyCourse& course, const trial::Stage& stage) {
    return !course.converged && stage.may_stand
               ? StandLimit{stage.may_stand->first, stage.may_stand->second}
               : StandLimit{"downtime-limit", std::chrono::milliseconds{course.downtime_limit_ms}};
}

std::string copy_of(const CopyCourse& course, const StandLimit& limit) {
    const auto amount = [](std::uint64_t bytes) { return format_bytes(Bytes{bytes}); };
    const auto rate = [&](double speed) {
        return amount(static_cast<std::uint64_t>(speed)) + "/s";
    };
    const auto time_for = [&](std::uint64_t bytes) {
        const double seconds = static_cast<double>(bytes) / course.sent_bytes_per_second;
        return rounded_text(Duration{static_cast<std::int64_t>(seconds * 1e9)});
    };
    const std::string pass = std::to_string(course.passes);
    std::string text = course.converged && !course.guest_ran ? "is sent once"
                       : course.converged                    ? "converges at pass " + pass
                       : outruns(course)                     ? "does not converge"
                                                             : "is not over";
    text += course.guest_ran ? ": the guest dirties " + rate(course.dirty_bytes_per_second)
                             : ": the guest stands";
    if (course.throttle_percent > 0) {
        text += " (slowed down by " + std::to_string(course.throttle_percent) + " %)";
    }
    text += course.bound == CopyBound::path     ? ", the link carries "
            : course.bound == CopyBound::thread ? ", QEMU's thread sends "
                                                : ", max-bandwidth lets through ";
    text += rate(course.sent_bytes_per_second);
    if (course.converged && outruns(course)) {
        text += ", and all that it writes to, " + amount(course.working_set_bytes) + ", in " +
                time_for(course.working_set_bytes);
    } else if (!course.converged && outruns(course)) {
        text += "; no pass of " + pass + " began with less than " +
                amount(course.least_left_bytes) + ", for which it would stand " +
                time_for(course.least_left_bytes) + ", and may " + rounded_text(limit.length) +
                " (" + limit.name + ")";
    } else if (!course.converged) {
        text += "; in pass " + pass + " " + amount(course.left_bytes) + " were left, which takes " +
                time_for(course.left_bytes);
    }
    if (course.guest_went_first) {
        text += course.rest_followed ? "; the guest went first, and the rest followed"
                                     : "; the guest went first, and the rest has not followed";
    }
    return text;
}

std::string_view name_of(CopyBound bound) {
    switch (bound) {
        case CopyBound::path: return "link";
        case CopyBound::thread: return "thread";
        case CopyBound::limiter: return "max-bandwidth";
    }
    return "";
}

std::string copy_json(const CopyCourse& course, const StandLimit& limit) {
    json::ObjectWriter out;
    out.boolean("converged", course.converged);
    out.boolean("postcopy", course.guest_went_first);
    out.integer("passes", static_cast<std::int64_t>(course.passes));
    out.integer("dirty_bytes_per_second", static_cast<std::int64_t>(course.dirty_bytes_per_second));
    out.integer("sent_bytes_per_second", static_cast<std::int64_t>(course.sent_bytes_per_second));
    out.text("bound", name_of(course.bound));
    out.integer("throttle_percent", static_cast<std::int64_t>(course.throttle_percent));
    out.integer("least_left_bytes", static_cast<std::int64_t>(course.least_left_bytes));
    out.integer("left_bytes", static_cast<std::int64_t>(course.left_bytes));
    out.integer("downtime_limit_ns", limit.length.count()).text("limited_by", limit.name);
    return std::move(out).finish();
}

std::string packets_of(const model::FlowAccount& account, std::uint64_t overtaken_max) {
    std::string text = std::to_string(account.delivered) + " of " + std::to_string(account.sent) +
                       " delivered, " + std::to_string(account.lost_in_all()) + " lost";
    for (const auto& [where, count] : account.lost) {
        text += "; " + std::to_string(count) + " " + where;
    }
    if (account.duplicated > 0) {
        text += "; " + std::to_string(account.duplicated) + " twice";
    }
    if (account.reordered > 0) {
        text += "; " + std::to_string(account.reordered) + " out of order, " +
                (account.reordered <= overtaken_max
                     ? "no more than the network's change of route makes"
                     : "of which the network's change of route makes no more than " +
                           std::to_string(overtaken_max));
    }
    return text + "; longest gap " + rounded_text(account.longest_gap);
}

Lines crossings_json(const std::vector<trial::Crossing>& list, bool two_nodes) {
    Lines lines;
    for (std::size_t at = 0; at < list.size(); ++at) {
        json::ObjectWriter line;
        line.text("kind", "crossing").integer("at", static_cast<std::int64_t>(at + 1));
        line.text("side", model::name_of(list[at].side));
        line.text("channel", trial::noun_of(list[at].channel)).text("text", list[at].text);
        std::string harms;
        for (const trial::Harm harm : trial::harms_at(list[at], two_nodes)) {
            harms += (harms.empty() ? "" : ",") + json::quoted(trial::name_of(harm));
        }
        line.json("harms", "[" + harms + "]");
        lines.push_back(std::move(line).finish());
    }
    return lines;
}

/// "after 120 of 4711 trials"; what is counted is what the campaign goes through.
std::string how_far(const trial::Campaign& campaign, trial::Scope scope) {
    const std::string part = std::to_string(campaign.done) + " of " + std::to_string(campaign.of);
    const std::string trials = std::to_string(campaign.trials) + " trials";
    switch (scope) {
        case trial::Scope::all: return "after " + part + " trials";
        case trial::Scope::pairs: return "after " + trials + ", behind " + part + " first faults";
        case trial::Scope::random: return "after " + part + " schedules, " + trials;
    }
    return "";
}

/// Whether the plan knows of a VM.
bool has_guest(const trial::Report& report) {
    return std::any_of(report.endings.begin(), report.endings.end(), [](const auto& ending) {
        return !ending.outcome || !ending.outcome->guests.empty();
    });
}

/// Of a guest that goes nowhere.
std::string how_long_stood(const trial::Report& report) {
    if (!report.guest_runs.front()) {
        return "to the end: it does not run any more";
    }
    return report.dark ? rounded_text(*report.dark) : "not at all";
}

std::string verdict_of(const trial::Ending& ending) {
    if (ending.outcome) {
        return verdict(*ending.outcome);
    }
    if (!ending.killed) {
        return "it never ended";
    }
    if (ending.left.empty()) {
        return "killed, and recovered";
    }
    std::string text = "killed; its recovery left behind: ";
    for (const std::string& left : ending.left) {
        text += (&left == ending.left.data() ? "" : "; ") + left;
    }
    return text;
}

}  // namespace

std::string rounded_text(Duration duration) {
    using std::chrono::milliseconds;
    return duration < milliseconds{100}
               ? format_duration(std::chrono::round<std::chrono::microseconds>(duration))
               : format_duration(std::chrono::round<milliseconds>(duration));
}

void add_violation(const trial::Violation& violation, Lines& lines) {
    lines.push_back("VIOLATED " + std::string{trial::name_of(violation.invariant)} + ": " +
                    std::string{trial::describe(violation.invariant)});
    lines.push_back("  " + violation.what);
}

void add_violation(const trial::Violation& violation, json::ObjectWriter& line) {
    line.text("invariant", trial::name_of(violation.invariant)).text("what", violation.what);
}

std::string faults_text(const trial::Faults& faults) {
    std::string text;
    for (const trial::Fault& fault : faults) {
        text += " --fault " + trial::text_of(fault);
    }
    return text;
}

Lines words_of(const trial::Report& report, const trial::Stage& stage, bool lists) {
    Lines lines;
    if (lists) {
        for (std::size_t at = 0; at < report.list.size(); ++at) {
            lines.push_back(std::to_string(at + 1) + "  " +
                            excerpt(describe(report.list[at]), 120));
        }
    }
    lines.push_back("");
    lines.push_back(row("total time", rounded_text(report.total)));
    if (report.copy) {
        lines.push_back(row("copy of RAM", copy_of(*report.copy, limit_of(*report.copy, stage))));
    }
    if (stage.has_two_nodes()) {
        lines.push_back(row("dark window", report.dark ? rounded_text(*report.dark) : "none"));
        const model::HeldMost& held = report.held_most[1];
        lines.push_back(row("held at most", std::to_string(held.plug + held.ring) + " packets: " +
                                                std::to_string(held.plug) + " in the plug, " +
                                                std::to_string(held.ring) + " in the ring"));
        for (const model::FlowAccount& account : report.accounts) {
            lines.push_back(
                row("to " + account.name, packets_of(account, trial::overtaken_max(stage.world))));
        }
    } else if (has_guest(report)) {
        lines.push_back(row("guest stood", how_long_stood(report)));
    }
    lines.push_back("");
    for (const trial::Violation& violation : report.violations) {
        add_violation(violation, lines);
    }
    for (const trial::Ending& ending : report.endings) {
        lines.push_back((stage.has_two_nodes() ? ending.role + ": " : "") + verdict_of(ending));
    }
    return lines;
}

Lines json_of(const trial::Report& report, const trial::Stage& stage) {
    Lines lines = crossings_json(report.list, stage.has_two_nodes());
    json::ObjectWriter line;
    line.text("kind", "end");
    line.integer("total_ns", report.total.count());
    if (report.dark) {
        line.integer("dark_ns", report.dark->count());
    }
    if (report.copy) {
        line.json("copy", copy_json(*report.copy, limit_of(*report.copy, stage)));
    }
    line.integer("crossings", static_cast<std::int64_t>(report.crossings));
    line.integer("held_most",
                 static_cast<std::int64_t>(report.held_most[1].plug + report.held_most[1].ring));
    line.integer("packets_lost", static_cast<std::int64_t>(report.packets_lost()));
    std::string violations;
    for (const trial::Violation& violation : report.violations) {
        json::ObjectWriter one;
        add_violation(violation, one);
        violations += (violations.empty() ? "" : ",") + std::move(one).finish();
    }
    line.json("violations", "[" + violations + "]");
    std::string endings;
    for (const trial::Ending& ending : report.endings) {
        json::ObjectWriter one;
        one.text("role", ending.role).boolean("killed", ending.killed);
        one.text("verdict", verdict_of(ending));
        if (ending.outcome) {
            one.integer("exit", exit_code_of(*ending.outcome));
        }
        endings += (endings.empty() ? "" : ",") + std::move(one).finish();
    }
    line.json("roles", "[" + endings + "]");
    lines.push_back(std::move(line).finish());
    return lines;
}

Lines words_of(const trial::Finding& finding, const std::string& again) {
    Lines lines;
    add_violation(finding.violation, lines);
    for (std::size_t at = 0; at < finding.faults.size(); ++at) {
        lines.push_back("  fault " + trial::text_of(finding.faults[at]) + " at " +
                        excerpt(finding.where[at], 160));
    }
    if (finding.seed) {
        lines.push_back("  seed " + std::to_string(*finding.seed));
    }
    lines.push_back("  again: " + again + faults_text(finding.faults));
    return lines;
}

std::string json_of(const trial::Violation& violation, const trial::Faults& faults,
                    std::optional<std::uint64_t> seed, const std::string& again) {
    json::ObjectWriter line;
    line.text("kind", "violation");
    add_violation(violation, line);
    std::string list;
    for (const trial::Fault& fault : faults) {
        list += (list.empty() ? "" : ",") + json::quoted(trial::text_of(fault));
    }
    line.json("faults", "[" + list + "]");
    if (seed) {
        line.integer("seed", static_cast<std::int64_t>(*seed));
    }
    line.text("again", again + faults_text(faults));
    return std::move(line).finish();
}

Lines sum_of(const trial::Campaign& campaign, trial::Scope scope, const std::string& again) {
    Lines lines;
    if (!campaign.undisturbed.empty()) {
        for (const trial::Violation& violation : campaign.undisturbed) {
            add_violation(violation, lines);
        }
        lines.push_back("  without any fault");
        lines.push_back("  again: " + again);
        lines.push_back("broken without any fault; no faults were tried");
        return lines;
    }
    for (const trial::Finding& finding : campaign.findings) {
        if (finding.same > 0) {
            lines.push_back("and in " + std::to_string(finding.same) + " further trials " +
                            std::string{trial::name_of(finding.violation.invariant)} + ": " +
                            finding.violation.what);
        }
    }
    const std::string found = std::to_string(campaign.violations) + " violations of " +
                              std::to_string(campaign.findings.size()) +
                              (campaign.findings.size() == 1 ? " kind" : " kinds");
    if (campaign.interrupted) {
        lines.push_back("interrupted " + how_far(campaign, scope) + ": " +
                        (campaign.findings.empty() ? "no violation" : found) + " so far");
        return lines;
    }
    const std::string share = campaign.tried == campaign.schedules
                                  ? ""
                                  : " for " + std::to_string(campaign.tried) + " of " +
                                        std::to_string(campaign.schedules) +
                                        " faults or pairs of them";
    for (const std::string& line : campaign.guessed) {
        lines.push_back("not judged: what '" + line +
                        "' does, and whether it was undone, is known to nobody here");
    }
    lines.push_back(std::to_string(campaign.trials) + " trials" + share + ", " +
                    std::to_string(campaign.crossings) + " crossings without a fault; " +
                    (campaign.tried == 0 && campaign.schedules > 0 ? "this share is empty"
                     : campaign.findings.empty()                   ? "every fault ended as it must"
                                                                   : found) +
                    (campaign.cut_short ? ", and then no more were looked for" : ""));
    return lines;
}

Lines words_of(const trial::Campaign& campaign, trial::Scope scope, const std::string& again) {
    Lines lines;
    for (const trial::Finding& finding : campaign.findings) {
        const Lines found = words_of(finding, again);
        lines.insert(lines.end(), found.begin(), found.end());
    }
    const Lines end = sum_of(campaign, scope, again);
    lines.insert(lines.end(), end.begin(), end.end());
    return lines;
}

Lines sum_json(const trial::Campaign& campaign, const std::string& again) {
    Lines lines;
    for (const trial::Violation& violation : campaign.undisturbed) {
        lines.push_back(json_of(violation, {}, std::nullopt, again));
    }
    std::string kinds;
    for (const trial::Finding& finding : campaign.findings) {
        json::ObjectWriter one;
        add_violation(finding.violation, one);
        one.integer("trials", static_cast<std::int64_t>(1 + finding.same));
        kinds += (kinds.empty() ? "" : ",") + std::move(one).finish();
    }
    json::ObjectWriter end;
    end.text("kind", "end").integer("trials", static_cast<std::int64_t>(campaign.trials));
    if (campaign.schedules > 0) {  // Random ones are not drawn from a list.
        end.integer("schedules", static_cast<std::int64_t>(campaign.schedules));
        end.integer("tried", static_cast<std::int64_t>(campaign.tried));
    }
    end.integer("crossings", static_cast<std::int64_t>(campaign.crossings));
    end.integer("violations", static_cast<std::int64_t>(campaign.violations));
    std::string guessed;
    for (const std::string& line : campaign.guessed) {
        guessed += (guessed.empty() ? "" : ",") + json::quoted(line);
    }
    end.json("not_judged", "[" + guessed + "]");
    end.json("found", "[" + kinds + "]").boolean("interrupted", campaign.interrupted);
    end.integer("done", static_cast<std::int64_t>(campaign.done));
    end.integer("of", static_cast<std::int64_t>(campaign.of));
    lines.push_back(std::move(end).finish());
    return lines;
}

std::string command_line_of(const TrialCommand& command) {
    const RunOptions& run = command.run;
    std::vector<std::string> words{"katamaran simulate", shell_word(run.plan)};
    const auto add = [&words](const char* option, const std::string& value) {
        if (!value.empty()) {
            words.insert(words.end(), {option, shell_word(value)});
        }
    };
    for (const std::string& var : run.vars) {
        add("--var", var);
    }
    add("--vars", run.vars_file);
    add("--role", run.role);
    add("--model", command.model);
    for (const std::string& program : command.programs) {
        add("--program", program);
    }
    return line_of(words);
}

}  // namespace ktm::cli
