// SPDX-License-Identifier: Apache-2.0
// base/error.hh: what went wrong, as a value.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ktm {

/// The families of errors; a caller branches on these, a person reads the sentence.
enum class Kind {
    usage,      ///< The person or script asked for something that makes no sense.
    invalid,    ///< A text does not have the form it must have.
    io,         ///< The operating system refused.
    protocol,   ///< The other side broke the rules of the protocol.
    refused,    ///< The other side understood and said no.
    timeout,    ///< The answer did not come in time.
    lost,       ///< The connection ended before the answer came.
    cancelled,  ///< We gave it up ourselves.
};

[[nodiscard]] std::string_view name_of(Kind kind) noexcept;

/// An operating error. `code` is a short stable token for scripts ("ECONNREFUSED", "GenericError"),
/// `what` says what is wrong, `during` what we tried, as an infinitive ("connect to /run/x.sock").
struct Error {
    Kind kind = Kind::invalid;
    std::string code;
    std::string what;
    std::string during;
    std::shared_ptr<const Error> cause;

    /// One line for a person: "could not DURING: WHAT (CODE), because CAUSE".
    [[nodiscard]] std::string sentence() const;

    /// The same error, seen from one level up: the caller's intent replaces an empty `during`.
    [[nodiscard]] Error while_trying(std::string intent) &&;

    /// A new error whose cause is this one.
    [[nodiscard]] Error wrapped(Kind outer, std::string code_token, std::string text,
                                std::string intent) &&;
};

/// Makes the error of a failed system call from its errno value.
[[nodiscard]] Error system_error(int errno_value, std::string during);

}  // namespace ktm
