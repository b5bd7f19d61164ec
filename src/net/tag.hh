// SPDX-License-Identifier: Apache-2.0
// net/tag.hh: the names of what a run makes, and how it is recognised later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ktm::net {

/// Whose work something is. A run is named by 16 hexadecimal digits, a VM by a digest of them.
struct Tag {
    std::string run;
    std::string vm;

    /// What stands in the alias of a device: "katamaran/RUN/VM".
    [[nodiscard]] std::string text() const;
    /// Nothing when the alias is not ours.
    [[nodiscard]] static std::optional<Tag> parse(std::string_view alias);

    friend bool operator==(const Tag&, const Tag&) = default;
};

/// The name of the nth device that a run makes: "ktm" and 12 more bytes at most.
[[nodiscard]] std::string link_name(const Tag& tag, unsigned nth);

/// 16 hexadecimal digits that stand for a text.
[[nodiscard]] std::string digest_of(std::string_view text);

}  // namespace ktm::net
