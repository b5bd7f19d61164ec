// SPDX-License-Identifier: Apache-2.0
// cli/narrator.hh: the records of a trace, told one by one.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/console.hh"
#include "trace/record.hh"

namespace ktm::cli {

/// One record in words.
struct Telling {
    std::string name;    ///< The command, the event, "return", "error", …
    std::string detail;  ///< The fields that matter.
    Colour colour = Colour::plain;
};

/// Tells records in their order. It remembers commands, to name the one that a reply answers and
/// how long that took, and STOP, to say at RESUME how long the guest stood.
class Narrator {
public:
    [[nodiscard]] Telling tell(const trace::Record& record);

private:
    struct Asked {
        std::string command;
        Duration time;
    };

    [[nodiscard]] Telling tell_command(const trace::Record& record, const json::View& message,
                                       std::string_view command);
    [[nodiscard]] Telling tell_event(const trace::Record& record, const json::View& message,
                                     std::string_view event);
    [[nodiscard]] Telling tell_error(const trace::Record& record, const json::View& message,
                                     const json::View& error);
    [[nodiscard]] std::string asked(const trace::Record& record, const json::View& message);

    std::map<std::string, Asked> asked_;
    std::map<std::string, Duration> stopped_;
};

}  // namespace ktm::cli
