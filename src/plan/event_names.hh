// SPDX-License-Identifier: Apache-2.0
// plan/event_names.hh: the names of QEMU's events, to find those that are misspelt.
#pragma once

#include <string>
#include <string_view>

namespace ktm::plan {

/// "; did you mean 'STOP'?" of a name that is much like that of an event of QEMU's, and none; else
/// empty. What is like nothing may be an event of a QEMU that is not yet known here.
[[nodiscard]] std::string misspelt_event(std::string_view name);

}  // namespace ktm::plan
