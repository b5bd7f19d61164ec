// SPDX-License-Identifier: Apache-2.0
// os/process.hh: the Processes port on uv_spawn.
#pragma once

#include "os/loop.hh"
#include "ports/process.hh"

namespace ktm::os {

class UvProcesses final : public ports::Processes {
public:
    explicit UvProcesses(UvLoop& loop) : loop_(loop) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Process>> start(const ports::Program& program,
                                                                Ended ended) override;

private:
    UvLoop& loop_;
};

}  // namespace ktm::os
