// SPDX-License-Identifier: Apache-2.0
// os/files.hh: the Files port of a loop: nothing that is appended makes it wait for a disk.
#pragma once

#include "disk/files.hh"
#include "os/spool.hh"

namespace ktm::os {

class UvFiles final : public disk::PlainFiles {
public:
    explicit UvFiles(UvLoop& loop) : loop_(loop) {}

    [[nodiscard]] Result<std::unique_ptr<ports::Spool>> spool(const std::string& path,
                                                              ports::Filter filter) override {
        return open_spool(loop_, path, std::move(filter));
    }

private:
    UvLoop& loop_;
};

}  // namespace ktm::os
