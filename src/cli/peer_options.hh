// SPDX-License-Identifier: Apache-2.0
// cli/peer_options.hh: how a run meets the other node, and whether it may.
#pragma once

#include <string>

#include "base/result.hh"
#include "script/run.hh"

namespace ktm::cli {

/// What is given of the other node on the command line.
struct PeerWords {
    std::string wait;       ///< How long it is waited for; empty: the default.
    std::string key;        ///< The file of the key that both nodes have; empty: none.
    std::string usual_key;  ///< That of the environment, for who has another node.
    bool insecure = false;  ///< Words may go over a network as they are.
};

/// An error when a word means nothing for this role, or when what the two say could be read and
/// changed by others, and nobody has allowed that. Where it is allowed a warning is logged.
[[nodiscard]] Result<script::PeerOptions> peer_options(ports::Files& files, const plan::Plan& plan,
                                                       const plan::Settings& settings,
                                                       const PeerWords& words);

}  // namespace ktm::cli
