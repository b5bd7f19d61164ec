// SPDX-License-Identifier: Apache-2.0
// plan/drawing.hh: the graph of a plan as mermaid, dot or SVG.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.hh"

namespace ktm::plan {

/// Markdown with a stateDiagram-v2 for each role, as GitHub shows it.
[[nodiscard]] std::string draw_mermaid(const Plan& plan);
/// For graphviz; a cluster for each role.
[[nodiscard]] std::string draw_dot(const Plan& plan);
/// A picture that needs nothing else: laid out here, text selectable, readable on light and dark
/// paper.
[[nodiscard]] std::string draw_svg(const Plan& plan);

/// The edges that a drawing shows: all but those of a `late` that nobody wrote, because every state
/// has one. The legend says where these lead.
[[nodiscard]] std::vector<Edge> drawn_edges(const Role& role);
inline constexpr std::string_view late_legend =
    "a state that is late goes to abort, after the commit to stranded";

/// The targets of drawn edges that are no states: first the ends, in the order done, abort,
/// stranded, then what a wrong plan names.
[[nodiscard]] std::vector<std::string> drawn_ends(const Role& role);

/// "within 10 s", or "within patience (1 h)" when a var says how long; empty for no deadline.
[[nodiscard]] std::string deadline_text(const Plan& plan, const State& state);

/// The summary, and the plan's parent if it has one.
[[nodiscard]] std::string subtitle_of(const Plan& plan);

}  // namespace ktm::plan
