// SPDX-License-Identifier: Apache-2.0
// base/assert.cc: how the process ends when an invariant is broken.
#include "base/assert.hh"

#include <cstdio>
#include <cstdlib>

namespace ktm {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    std::fprintf(stderr, "katamaran: broken invariant: %s (%s:%d)\n", expression, file, line);
    std::abort();
}

}  // namespace ktm
