// SPDX-License-Identifier: Apache-2.0
// qmp/message.hh: the kinds of messages that QEMU sends, as values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/id.hh"
#include "base/result.hh"
#include "base/time.hh"
#include "json/parser.hh"

namespace ktm::qmp {

struct CommandTag;
/// Names a command on one connection; it is the "id" on the wire.
using CommandId = Id<CommandTag>;

/// What QEMU says of itself in its first message.
struct Greeting {
    int major = 0;
    int minor = 0;
    int micro = 0;
    std::string package;
    std::vector<std::string> capabilities;

    /// "7.2.22 (Debian 1:7.2+dfsg-7)".
    [[nodiscard]] std::string version() const;
};

/// Something that happened to the VM. The data is the field `data` of `body`.
struct Event {
    std::string name;
    std::optional<WallTime> time;  ///< QEMU's own stamp.
    json::Document body;

    /// The event's data; an event without data has an empty object's view or null.
    [[nodiscard]] std::optional<json::View> data() const { return body.root().find("data"); }
};

/// The answer to a command, or a complaint of QEMU's parser, which has no id.
struct Reply {
    std::optional<CommandId> id;
    json::Document body;
    bool is_error = false;

    /// The result. Only for a reply that is not an error.
    [[nodiscard]] json::View result() const { return *body.root().find("return"); }
    /// QEMU's class as the code and its text. Only for an error.
    [[nodiscard]] Error refusal() const;
};

using Message = std::variant<Greeting, Event, Reply>;

/// Reads one line. A line that is JSON but no QMP message is an error of kind protocol.
[[nodiscard]] Result<Message> decode(json::Parser& parser, std::string_view padded_line);

/// The line that asks QEMU to run a command. `arguments` is a JSON object, or empty for none.
[[nodiscard]] std::string encode(CommandId id, std::string_view command,
                                 std::string_view arguments);

}  // namespace ktm::qmp
