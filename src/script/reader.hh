// SPDX-License-Identifier: Apache-2.0
// script/reader.hh: from the tree that a plan file returned to a plan, or to the changes of one.
#pragma once

#include <string>
#include <variant>

#include "plan/derive.hh"
#include "plan/plan.hh"
#include "script/datum.hh"
#include "script/source_text.hh"

namespace ktm::script {

/// What `derive "parent" {…}` declares.
struct Derivation {
    std::string parent;
    plan::Changes changes;
};

/// What a file declares; each thing that has not the form it must have is added to the faults.
[[nodiscard]] std::variant<plan::Plan, Derivation> read_declaration(const Datum& returned,
                                                                    const SourceTexts& sources,
                                                                    plan::Faults& faults);

}  // namespace ktm::script
