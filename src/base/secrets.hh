// SPDX-License-Identifier: Apache-2.0
// base/secrets.hh: texts that must not be seen, taken out of what is written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktm {

/// What stands in the place of a secret.
inline constexpr std::string_view secret_mark = "(secret)";

class Secrets {
public:
    /// Each form in which the secret may be written: as it is, as JSON, as ASCII-only JSON.
    void add(std::string form);
    void add(const Secrets& others);

    [[nodiscard]] bool empty() const noexcept { return forms_.empty(); }
    /// The text with a mark in the place of each secret.
    [[nodiscard]] std::string hide(std::string_view text) const;

private:
    /// A text that was cut may end in the first part of a secret.
    void hide_beginnings(std::string& text) const;

    std::vector<std::string> forms_;  ///< Longest first, so that no part of one stays visible.
};

}  // namespace ktm
