// SPDX-License-Identifier: Apache-2.0
// script/table_file.hh: a file of Lua that returns a table of plain values.
#pragma once

#include <optional>
#include <string>

#include "plan/fault.hh"
#include "ports/files.hh"
#include "script/datum.hh"

namespace ktm::script {

struct TableFile {
    std::optional<Datum> table;  ///< Texts, numbers, booleans and tables of them; without faults.
    plan::Faults faults;         ///< Sorted.
};

/// Reads `return { … }`. Each value has the line on which it stands, as far as it is written out
/// in the table that is returned.
[[nodiscard]] TableFile read_table(ports::Files& files, const std::string& file);

}  // namespace ktm::script
