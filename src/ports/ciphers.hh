// SPDX-License-Identifier: Apache-2.0
// ports/ciphers.hh: keys that nobody can guess, and connections that only who has one can use.
#pragma once

#include <memory>
#include <string_view>

#include "base/shared_key.hh"
#include "ports/transport.hh"

namespace ktm::ports {

/// Codes of the errors with which a connection ends before anything was said on it. Behind the
/// first two another attempt would end in the same way.
inline constexpr std::string_view wrong_key_code = "wrong-key";
inline constexpr std::string_view no_tls_code = "no-tls";
/// The connection was ended by somebody on the way: the last bytes may be missing.
inline constexpr std::string_view truncated_code = "truncated";
/// TLS's alert "protocol_version", as a record: said in the clear to an end that speaks TLS to one
/// that does not, or the other way round, it ends the greeting of that one with no_tls_code.
inline constexpr std::string_view version_alert{"\x15\x03\x03\x00\x02\x02\x46", 7};

class Ciphers : public Pinned {
public:
    enum class End { connects, listens };

    /// A key of its own.
    [[nodiscard]] virtual Result<SharedKey> make_key() = 0;

    /// The connection, on which nothing was sent or read yet, behind TLS with this key: what is
    /// written is kept until the other end has shown that it has the key, and nothing is handed
    /// over before. There is no deadline here: that is the caller's Clock.
    [[nodiscard]] virtual std::unique_ptr<Stream> secure(std::unique_ptr<Stream> plain,
                                                         const SharedKey& key, End end) = 0;
};

}  // namespace ktm::ports
