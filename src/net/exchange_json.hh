// SPDX-License-Identifier: Apache-2.0
// net/exchange_json.hh: what is asked of the kernel and what it says, as JSON.
#pragma once

#include <string>

#include "base/result.hh"
#include "json/document.hh"
#include "net/answer.hh"
#include "net/request.hh"

namespace ktm::net {

/// Whether it changes the kernel; the others only ask.
[[nodiscard]] bool is_change(const Request& request) noexcept;

/// {"what":"add-route","to":"10.1.2.3/32",…}. Fields that are zero or empty are left out. Two
/// requests have the same text if and only if they are equal.
[[nodiscard]] std::string to_json(const Request& request);

/// The same way; what the kernel has not said is not there.
[[nodiscard]] std::string to_json(const Answer& answer);
[[nodiscard]] std::string to_json(const Change& change);

/// Fields that this version does not know are ignored.
[[nodiscard]] Result<Answer> answer_from_json(const json::View& view);
[[nodiscard]] Result<Change> change_from_json(const json::View& view);

}  // namespace ktm::net
