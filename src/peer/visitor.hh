// SPDX-License-Identifier: Apache-2.0
// peer/visitor.hh: somebody who knocks, until it is known who.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "peer/message.hh"

namespace ktm::peer {

/// LIMIT: of a hello.
inline constexpr std::size_t hello_bytes_max = 64U << 10U;

/// Reads the first line of a connection, and takes nothing away: the session reads it once more.
class Visitor {
public:
    void receive(std::string_view bytes) { bytes_ += bytes; }
    /// The hello, or why it is none; nothing as long as the line has not come.
    [[nodiscard]] std::optional<Result<Message>> hello() const;
    /// All that came.
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

private:
    std::string bytes_;
};

}  // namespace ktm::peer
