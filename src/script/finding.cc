// SPDX-License-Identifier: Apache-2.0
// script/finding.cc: what a look has found, and what two nodes make of each other's findings.
#include "script/finding.hh"

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::script {

namespace {

/// LIMIT: of a text that the other node says of itself, where it is shown.
constexpr std::size_t told_bytes = 160;

constexpr std::array<std::string_view, 4> state_names{"ok", "warn", "bad", "unknown"};

std::string said_there(const std::string& text) {
    return excerpt(text, told_bytes);
}

}  // namespace

std::string_view name_of(Finding::State state) noexcept {
    return state_names[static_cast<std::size_t>(state)];
}

std::string sentence_of(const Finding& finding) {
    return finding.what + ": " + finding.saw +
           (finding.remedy.empty() ? "" : "; " + finding.remedy);
}

std::string finding_json(const Finding& finding) {
    json::ObjectWriter object;
    object.text("look", finding.what)
        .text("state", name_of(finding.state))
        .text("saw", finding.saw)
        .text("remedy", finding.remedy);
    return std::move(object).finish();
}

bool has_bad(const Findings& findings) noexcept {
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.state == Finding::State::bad; });
}

Error refusal_of(const Findings& findings) {
    std::string what;
    std::size_t count = 0;
    for (const Finding& finding : findings) {
        if (finding.state == Finding::State::bad && ++count == 1) {
            what = finding.what + ": " + finding.saw;
        }
    }
    if (count > 1) {
        what = std::to_string(count) + " things are bad, the first is " + what;
    }
    return Error{Kind::refused, "looks", std::move(what), "begin", nullptr};
}

std::string to_json(const SharedThings& ours, const Findings& findings) {
    json::ObjectWriter shared;
    for (const auto& [what, thing] : ours) {
        shared.text(what, thing.value);
    }
    std::string bad = "[";
    for (const Finding& finding : findings) {
        if (finding.state == Finding::State::bad) {
            bad += (bad.size() > 1 ? "," : "") + json::quoted(finding.what + ": " + finding.saw);
        }
    }
    json::ObjectWriter report;
    report.json("shared", std::move(shared).finish()).json("bad", bad + "]");
    return std::move(report).finish();
}

std::optional<Report> report_of(const json::View& data) {
    const std::optional<json::View> shared = data.find("shared");
    const std::optional<json::View> bad = data.find("bad");
    if (!shared || !shared->is_object() || !bad || !bad->is_array()) {
        return std::nullopt;
    }
    Report report;
    for (const auto& [what, value] : shared->fields()) {
        report.shared.emplace(what, value.as_string().value_or(""));
    }
    for (const json::View& item : bad->items()) {
        report.bad.emplace_back(item.as_string().value_or(""));
    }
    return report;
}

Findings compared(const SharedThings& ours, const Report& theirs) {
    Findings findings;
    for (const auto& [what, thing] : ours) {
        const auto there = theirs.shared.find(what);
        if (there == theirs.shared.end()) {
            findings.push_back({Finding::State::unknown, what,
                                thing.value + " here; the other node says nothing of it", ""});
        } else if (there->second == thing.value) {
            findings.push_back({Finding::State::ok, what, thing.value + " at both nodes", ""});
        } else {
            findings.push_back(
                {thing.only_warns ? Finding::State::warn : Finding::State::bad, what,
                 thing.value + " here, and " + said_there(there->second) + " at the other node",
                 thing.remedy});
        }
    }
    for (const std::string& bad : theirs.bad) {
        findings.push_back({Finding::State::bad, "the other node", said_there(bad),
                            "it says there what to do about it"});
    }
    return findings;
}

Findings uncompared(const SharedThings& ours) {
    Findings findings;
    for (const auto& [what, thing] : ours) {
        findings.push_back({Finding::State::unknown, what,
                            thing.value + " here; a run compares it with the other node", ""});
    }
    return findings;
}

}  // namespace ktm::script
