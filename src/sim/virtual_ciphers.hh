// SPDX-License-Identifier: Apache-2.0
// sim/virtual_ciphers.hh: the Ciphers port without a cipher: who has the key is asked, nothing is
// hidden.
#pragma once

#include <cstdint>

#include "ports/ciphers.hh"

namespace ktm::sim {

/// Each end first sends a name of its key in a line, and hands over what follows when the two names
/// are equal. Keys are numbered, so that a simulation repeats.
class VirtualCiphers final : public ports::Ciphers {
public:
    [[nodiscard]] Result<SharedKey> make_key() override;
    [[nodiscard]] std::unique_ptr<ports::Stream> secure(std::unique_ptr<ports::Stream> plain,
                                                        const SharedKey& key, End end) override;

private:
    std::uint64_t last_ = 0;
};

}  // namespace ktm::sim
