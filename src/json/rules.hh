// SPDX-License-Identifier: Apache-2.0
// json/rules.hh: what a reader of JSON decides beyond the grammar.
#pragma once

namespace ktm::json {

/// LIMIT: containers within containers; QEMU's deepest answers have about ten.
inline constexpr unsigned depth_max = 64;

/// What a key that stands twice in an object means. RFC 8259 leaves it open.
enum class Keys {
    unique,        ///< The text is refused.
    first_counts,  ///< Everybody who asks gets the first one.
};

struct Rules {
    unsigned levels_max = depth_max;
    Keys keys = Keys::unique;
};

}  // namespace ktm::json
