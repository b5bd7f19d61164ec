// SPDX-License-Identifier: Apache-2.0
// script/var_reader.hh: one `var.type {…}` of a plan.
#pragma once

#include <string>

#include "plan/var.hh"
#include "script/form.hh"

namespace ktm::script {

/// The var that a node declares; faults go to the form.
[[nodiscard]] plan::Var read_var(const std::string& name, const Datum& node, Form& form);

/// The types that follow `var.`, in alphabetical order.
[[nodiscard]] std::vector<std::string> var_type_names();

}  // namespace ktm::script
