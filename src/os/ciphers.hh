// SPDX-License-Identifier: Apache-2.0
// os/ciphers.hh: the Ciphers port on OpenSSL.
#pragma once

#include "ports/ciphers.hh"

namespace ktm::os {

class OpensslCiphers final : public ports::Ciphers {
public:
    [[nodiscard]] Result<SharedKey> make_key() override;
    [[nodiscard]] std::unique_ptr<ports::Stream> secure(std::unique_ptr<ports::Stream> plain,
                                                        const SharedKey& key, End end) override;
};

}  // namespace ktm::os
