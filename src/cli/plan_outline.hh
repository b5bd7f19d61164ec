// SPDX-License-Identifier: Apache-2.0
// cli/plan_outline.hh: the text of a new plan that is derived from another and changes nothing yet.
#pragma once

#include <string>

#include "plan/plan.hh"

namespace ktm::cli {

/// The file of a plan `name`: what can be changed stands there as comments, with what the parent
/// has. Each is right as it is when its dashes are taken away, but for examples such as "PATH".
[[nodiscard]] std::string outline_of(const plan::Plan& parent, const std::string& name);

}  // namespace ktm::cli
