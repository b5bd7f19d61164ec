// SPDX-License-Identifier: Apache-2.0
// script/finding.hh: what a look has found, and what two nodes make of each other's findings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "json/document.hh"

namespace ktm::script {

struct Finding {
    enum class State : unsigned char { ok, warn, bad, unknown };
    State state = State::ok;
    std::string what;    ///< What was looked at: "tap0", "port 4444".
    std::string saw;     ///< What it is like: "nobody has it open".
    std::string remedy;  ///< What to do about it; empty when nothing must be done.

    friend bool operator==(const Finding&, const Finding&) = default;
};
using Findings = std::vector<Finding>;

[[nodiscard]] std::string_view name_of(Finding::State state) noexcept;
/// "tap0: nobody has it open; start the QEMU that waits first".
[[nodiscard]] std::string sentence_of(const Finding& finding);
[[nodiscard]] std::string finding_json(const Finding& finding);
[[nodiscard]] bool has_bad(const Findings& findings) noexcept;
/// What a run says of itself when something is bad: how much, and the first of it.
[[nodiscard]] Error refusal_of(const Findings& findings);

/// A thing of this node that is to be the same at the other one.
struct Shared {
    std::string value;
    std::string remedy;
    bool only_warns = false;  ///< Another value there is no reason not to begin.
};
/// By what it is: "machine type".
using SharedThings = std::map<std::string, Shared, std::less<>>;

/// What one node tells the other when it has looked.
struct Report {
    std::map<std::string, std::string, std::less<>> shared;
    std::vector<std::string> bad;  ///< In words.
};
[[nodiscard]] std::string to_json(const SharedThings& ours, const Findings& findings);
/// Nothing when it is none.
[[nodiscard]] std::optional<Report> report_of(const json::View& data);

/// What follows of the two: a finding for each thing that is shared, and one for what is bad there.
[[nodiscard]] Findings compared(const SharedThings& ours, const Report& theirs);
/// The same where the other node is not asked.
[[nodiscard]] Findings uncompared(const SharedThings& ours);

}  // namespace ktm::script
