// SPDX-License-Identifier: Apache-2.0
// qmp/schema.hh: what this QEMU can do, from its own answer to query-qmp-schema.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "json/document.hh"

namespace ktm::qmp {

/// The schema of one QEMU. Between 6.2 and 10.x commands and arguments come and go; nothing here is
/// inferred from a version number.
class Schema {
public:
    /// `types` is the list that query-qmp-schema returns.
    [[nodiscard]] static Result<Schema> read(json::Document types);

    [[nodiscard]] bool has_command(std::string_view name) const;
    [[nodiscard]] bool has_event(std::string_view name) const;
    [[nodiscard]] bool has_argument(std::string_view command, std::string_view argument) const;
    /// Names in alphabetical order.
    [[nodiscard]] std::vector<std::string> commands() const;
    [[nodiscard]] std::vector<std::string> events() const;
    [[nodiscard]] std::vector<std::string> arguments(std::string_view command) const;
    /// The migration capabilities that migrate-set-capabilities takes.
    [[nodiscard]] std::vector<std::string> capabilities() const;

    /// One entry of the schema by the name of its type; the schema's own references always resolve.
    [[nodiscard]] std::optional<json::View> type(std::string_view name) const;
    [[nodiscard]] std::optional<json::View> command(std::string_view name) const;

    /// The list as one line, for a cache.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] Error unknown_command(std::string_view name) const;
    [[nodiscard]] Error unknown_event(std::string_view name) const;

private:
    explicit Schema(json::Document types);
    [[nodiscard]] std::vector<std::string> names_of(std::string_view meta_type) const;

    /// LIFETIME: on the heap, because the views below point into it and a Schema can be moved.
    std::unique_ptr<const json::Document> types_;
    std::map<std::string_view, json::View> by_name_;
};

}  // namespace ktm::qmp
