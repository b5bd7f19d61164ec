// SPDX-License-Identifier: Apache-2.0
// peer/hello.hh: what the katamaran at each node says of itself first, and whether the two fit.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.hh"
#include "base/shared_key.hh"

namespace ktm::peer {

/// LIMIT: the version of the conversation; two nodes must speak the same.
inline constexpr int protocol_version = 1;

/// A katamaran that carries out one role of one run.
struct Hello {
    int version = protocol_version;
    std::string tool;    ///< Its own version, for people.
    std::string plan;    ///< The name of its plan,
    std::string digest;  ///< and of all the text that went into it.
    std::string role;
    std::string run;  ///< Tells this process from each other, also from one that begins later.
    std::map<std::string, std::string> agreed;  ///< Vars that must be the same at both nodes.
    /// For what else the two nodes send each other in this run; of the side that listens, and only
    /// where nobody else can hear it. A recording has zeros in its place.
    std::optional<SharedKey> key{};
};

/// Why the two cannot carry out one plan together, with the values of both; nothing when they can.
[[nodiscard]] std::optional<Error> mismatch(const Hello& ours, const Hello& theirs);

}  // namespace ktm::peer
