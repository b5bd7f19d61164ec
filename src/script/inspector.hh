// SPDX-License-Identifier: Apache-2.0
// script/inspector.hh: what is wrong inside the functions of a plan, as far as it can be seen
// without running them.
//
// A misspelt word in an undo is found at the worst moment, unless somebody looks. So each name that
// a function uses as a global must be a word, and each field behind `m.`, `qmp.` and the like must
// exist. And a handler must wait for something that can happen: a timer that is begun, a word that
// a node says, an event that is emitted, as far as the text of the plan tells their names.
#pragma once

#include "plan/fault.hh"
#include "plan/plan.hh"
#include "script/modules.hh"

namespace ktm::script {

void inspect(const plan::Plan& plan, const Modules& modules, plan::Faults& faults);

}  // namespace ktm::script
