// SPDX-License-Identifier: Apache-2.0
// ports/signals.hh: signals sent to this process.
#pragma once

#include <memory>

#include "base/result.hh"
#include "base/unique_function.hh"
#include "ports/pinned.hh"

namespace ktm::ports {

/// As long as it lives the signal is delivered here instead of doing its default harm.
class Watch : public Pinned {};

class Signals : public Pinned {
public:
    [[nodiscard]] virtual Result<std::unique_ptr<Watch>> watch(int signal,
                                                               UniqueFunction<void()> arrived) = 0;
};

}  // namespace ktm::ports
