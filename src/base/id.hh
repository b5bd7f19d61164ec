// SPDX-License-Identifier: Apache-2.0
// base/id.hh: numbers that name things and cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>

namespace ktm {

/// A counted name; two ids with different tags are different types. Zero is never given out.
template <class Tag>
struct Id {
    std::uint64_t value = 0;

    friend auto operator<=>(const Id&, const Id&) = default;
};

/// Gives out 1, 2, 3, …: ids come from counters, so that a run can be repeated exactly.
template <class Tag>
class IdCounter {
public:
    [[nodiscard]] Id<Tag> next() noexcept { return Id<Tag>{++last_}; }
    [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

private:
    std::uint64_t last_ = 0;
};

}  // namespace ktm
