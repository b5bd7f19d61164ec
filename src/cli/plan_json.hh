// SPDX-License-Identifier: Apache-2.0
// cli/plan_json.hh: a plan as JSON, for scripts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/writer.hh"
#include "plan/plan.hh"

namespace ktm::cli {

/// [a, b] of values that are JSON already.
[[nodiscard]] std::string json_list(const std::vector<std::string>& values);
[[nodiscard]] std::string json_texts(const std::vector<std::string>& texts);

/// Adds the vars, relations and roles of a plan. A default is written as a file of vars gives it,
/// and that of a secret never.
void add_parts(json::ObjectWriter& object, const plan::Plan& plan);

/// [{"name": …, "states": […], "edges": [{"from", "to", "kind", "label"}]}], with every edge.
[[nodiscard]] std::string graph_json(const plan::Plan& plan);

}  // namespace ktm::cli
