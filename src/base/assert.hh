// SPDX-License-Identifier: Apache-2.0
// base/assert.hh: invariants that stay on in release builds.
#pragma once

namespace ktm {

/// Prints the broken invariant with its place and aborts the process.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace ktm

/// States an invariant. A wrong input is never an assertion: it is a Result.
#define KTM_ASSERT(expression)               \
    (static_cast<bool>(expression) ? void(0) \
                                   : ::ktm::assertion_failed(#expression, __FILE__, __LINE__))
