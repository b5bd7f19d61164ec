// SPDX-License-Identifier: Apache-2.0
// qmp/message.hh: the kinds of messages that QEMU sends, as values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
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

/// Something that happened to the VM.
struct Event {
    json::Document body;  ///< The whole message.

    [[nodiscard]] std::string_view name() const { return *body.root().find_string("event"); }
    [[nodiscard]] std::optional<json::View> data() const { return body.root().find("data"); }
    /// QEMU's own stamp; nothing where it has none or its clock failed.
    [[nodiscard]] std::optional<WallTime> time() const;
};

/// The result of a command.
struct Reply {
    json::Document body;  ///< The whole message.

    [[nodiscard]] json::View result() const { return *body.root().find("return"); }
};

/// One line of QEMU, told apart by what it is.
struct Message {
    enum class Form { greeting, event, result, error };

    Form form = Form::event;
    std::optional<CommandId> id;
    json::Document body;
};

/// What a message of form greeting says.
[[nodiscard]] Result<Greeting> greeting_of(const json::Document& body);

/// What a message of form error says: QEMU's class as the code, and its text.
[[nodiscard]] Error refusal_of(const json::Document& body);

/// How the lines of QEMU are read. A key that stands twice in the envelope, where it would decide
/// whose reply this is, is refused by decode(); in the data below it the first one counts, for all
/// readers.
inline constexpr json::Rules line_rules{json::depth_max, json::Keys::first_counts};

/// Reads one line. A line that is JSON but no QMP message is an error of kind protocol.
[[nodiscard]] Result<Message> decode(json::Parser& parser, std::string_view padded_line);

/// The line that asks QEMU to run a command. `arguments` is a JSON object, or empty for none.
[[nodiscard]] std::string encode(CommandId id, std::string_view command,
                                 std::string_view arguments);

}  // namespace ktm::qmp
