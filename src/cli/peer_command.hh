// SPDX-License-Identifier: Apache-2.0
// cli/peer_command.hh: `katamaran peer`: what two nodes need to talk to each other.
#pragma once

#include <string>

#include "ports/loop.hh"

namespace ktm::cli {

struct PeerKeyOptions {
    std::string file;  ///< Empty: the key is printed.
};

/// `katamaran peer key`; the exit code.
[[nodiscard]] int make_peer_key(const ports::World& world, const PeerKeyOptions& options);

}  // namespace ktm::cli
