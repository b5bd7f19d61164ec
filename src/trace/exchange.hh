// SPDX-License-Identifier: Apache-2.0
// trace/exchange.hh: what is asked of the kernel, of programs and of files, and what they say.
//
// Each is two messages of one number on one port, the second when the answer comes:
//
//     out  {"id":7,"in":"blue","request":{"what":"add-route",…},"words":"add the route …"}
//     in   {"id":7,"answer":{…}}   or   {"id":7,"error":{"kind":"io","code":"EPERM",…}}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hh"
#include "json/document.hh"

namespace ktm::trace {

/// The ports on which there are exchanges.
inline constexpr std::string_view net_port = "net";
inline constexpr std::string_view exec_port = "exec";
inline constexpr std::string_view files_port = "files";
/// What a run writes down to be undone, line by line.
inline constexpr std::string_view journal_port = "journal";
/// Signals that reached us, by their names.
inline constexpr std::string_view signal_port = "signal";
/// The run itself.
inline constexpr std::string_view plan_port = "plan";
/// The katamaran at the other node.
inline constexpr std::string_view peer_port = "peer";

/// `request` is JSON; `place` is the namespace, `words` say it for people.
[[nodiscard]] std::string request_message(std::uint64_t id, std::string_view place,
                                          std::string_view request, std::string_view words);
/// `answer` is JSON.
[[nodiscard]] std::string answer_message(std::uint64_t id, std::string_view answer);
[[nodiscard]] std::string error_message(std::uint64_t id, const Error& error);

/// The number of either message; nothing when it is neither.
[[nodiscard]] std::optional<std::uint64_t> exchange_id(const json::View& message) noexcept;

/// The error of an answer: "error" of the message. What is not there is empty.
[[nodiscard]] Error error_in(const json::View& error);

}  // namespace ktm::trace
