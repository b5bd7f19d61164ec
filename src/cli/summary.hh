// SPDX-License-Identifier: Apache-2.0
// cli/summary.hh: a QMP message in a few words, with the fields that matter.
#pragma once

#include <string>
#include <string_view>

#include "json/document.hh"

namespace ktm::cli {

/// The fields of an object as "status=active remaining=133 MB", cut at `width` bytes. Values that
/// are counts of bytes by their well-known names are shown as amounts.
[[nodiscard]] std::string summary_of(const json::View& value, std::size_t width);

}  // namespace ktm::cli
