// SPDX-License-Identifier: Apache-2.0
// trace/record.hh: one thing that crossed a port, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hh"
#include "json/document.hh"

namespace ktm::trace {

/// The version of the format that is written; every version up to it is read.
inline constexpr int format_version = 1;

enum class Direction {
    in,    ///< The world told us.
    out,   ///< We told the world.
    open,  ///< The port was connected.
    eof,   ///< The port ended; the text says why.
    note,  ///< Something worth knowing when the trace is read: a warning, a decision.
};

[[nodiscard]] std::string_view name_of(Direction direction) noexcept;
[[nodiscard]] std::optional<Direction> direction_of(std::string_view name) noexcept;

struct Header {
    int version = format_version;
    std::string tool;            ///< The version of katamaran that wrote it.
    std::string started;         ///< Civil time of the zero of all times below.
    std::string migration = "";  ///< How somebody else calls what it is of; in each line, too.
};

struct Record {
    Duration time{};  ///< Since the start of the trace, on the monotonic clock.
    std::string port;
    Direction direction = Direction::note;
    std::optional<json::Document> message;  ///< What crossed, where it was JSON.
    std::string text;                       ///< What crossed or happened, where it was not.
    std::size_t line = 0;                   ///< Where it stands in the file, from 1.
};

}  // namespace ktm::trace
