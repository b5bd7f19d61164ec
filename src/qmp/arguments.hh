// SPDX-License-Identifier: Apache-2.0
// qmp/arguments.hh: the arguments of a command, typed and checked by this QEMU's schema.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "json/document.hh"
#include "qmp/schema.hh"

namespace ktm::qmp {

/// An argument as a person writes it: "downtime-limit=25", "server.type=unix".
struct WrittenArgument {
    std::string key;
    std::string value;
};

/// Splits KEY=VALUE.
[[nodiscard]] Result<WrittenArgument> parse_argument(std::string_view text);

/// The arguments as a JSON object, each value typed by the schema. Dots reach into objects and
/// lists
/// ("server.type=unix", "capabilities.0.state=on"); a value for an object or a list may be JSON.
[[nodiscard]] Result<std::string> build_arguments(const Schema& schema, std::string_view command,
                                                  const std::vector<WrittenArgument>& arguments);

/// Holds a JSON object against what the command takes.
[[nodiscard]] Result<void> check_arguments(const Schema& schema, std::string_view command,
                                           const json::View& arguments);

}  // namespace ktm::qmp
