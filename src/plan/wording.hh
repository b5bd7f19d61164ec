// SPDX-License-Identifier: Apache-2.0
// plan/wording.hh: the phrases of which faults and errors are made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/fault.hh"

namespace ktm::plan {

/// The name in single quotes, safe to show and not too long.
[[nodiscard]] std::string shown(std::string_view name);

/// "a, b or c", or with another last joint: "a, b and c".
[[nodiscard]] std::string listed(const std::vector<std::string>& names,
                                 std::string_view joint = "or");

/// The one name that was probably meant; empty when none is close.
[[nodiscard]] std::string meant(std::string_view name, const std::vector<std::string>& names);

/// "source.precopy", safe to show: a thing and the place that it is in.
[[nodiscard]] std::string inside(std::string_view place, std::string_view name);

/// "; the first is at plans/move.lua:12", or nothing when the place is unknown.
[[nodiscard]] std::string first_at(const Place& place);

}  // namespace ktm::plan
