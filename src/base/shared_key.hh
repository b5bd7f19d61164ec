// SPDX-License-Identifier: Apache-2.0
// base/shared_key.hh: a key that two nodes have, and nobody else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace ktm {

/// 32 bytes that nobody can guess.
class SharedKey {
public:
    using Raw = std::array<std::uint8_t, 32>;

    explicit SharedKey(const Raw& raw) : raw_(raw) {}
    /// 64 hexadecimal digits, and perhaps the end of their line. An error shows none of them.
    [[nodiscard]] static Result<SharedKey> parse(std::string_view text);

    [[nodiscard]] const Raw& raw() const noexcept { return raw_; }
    /// As text: 64 small hexadecimal digits.
    [[nodiscard]] std::string hex() const;

    friend bool operator==(const SharedKey&, const SharedKey&) = default;

private:
    Raw raw_;
};

}  // namespace ktm
