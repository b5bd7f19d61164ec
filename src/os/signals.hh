// SPDX-License-Identifier: Apache-2.0
// os/signals.hh: the Signals port on libuv.
#pragma once

#include "os/loop.hh"
#include "ports/signals.hh"

namespace ktm::os {

class UvSignals final : public ports::Signals {
public:
    explicit UvSignals(UvLoop& loop) : loop_(loop) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Watch>> watch(
        int signal, UniqueFunction<void()> arrived) override;

private:
    UvLoop& loop_;
};

}  // namespace ktm::os
