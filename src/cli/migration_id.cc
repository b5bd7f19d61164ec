// SPDX-License-Identifier: Apache-2.0
// cli/migration_id.cc: the name that somebody else has given to what happens here.
#include "cli/migration_id.hh"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/text.hh"

namespace ktm::cli {

namespace {

/// LIMIT: it is part of file names and of the tags of devices.
constexpr std::size_t id_max = 64;

bool is_id(std::string_view text) {
    const auto fits = [](char character) {
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
               (character >= '0' && character <= '9') || character == '-' || character == '_';
    };
    return !text.empty() && text.size() <= id_max && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

Result<std::string> migration_id() {
    const char* given = std::getenv("KATAMARAN_MIGRATION_ID");
    if (given == nullptr || *given == '\0') {
        return std::string{};
    }
    if (!is_id(given)) {
        return Error{Kind::usage, "bad-id",
                     "KATAMARAN_MIGRATION_ID is '" + printable(excerpt(given, id_max)) +
                         "'; expected 1 to " + std::to_string(id_max) +
                         " letters, digits, '-' and '_'",
                     "", nullptr};
    }
    return std::string{given};
}

std::string migration_mark() {
    Result<std::string> id = migration_id();
    return id ? *std::move(id) : std::string{};
}

}  // namespace ktm::cli
