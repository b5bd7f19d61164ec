// SPDX-License-Identifier: Apache-2.0
// cli/awaited_event.hh: the event that `--wait` names.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "qmp/message.hh"

namespace ktm::cli {

/// An event by its name and by fields of its data that must be equal.
class AwaitedEvent {
public:
    /// Reads EVENT[,FIELD=VALUE…], such as "MIGRATION,status=completed".
    [[nodiscard]] static Result<AwaitedEvent> parse(std::string_view text);

    [[nodiscard]] bool matches(const qmp::Event& event) const;
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::string text() const;

private:
    std::string name_;
    std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace ktm::cli
