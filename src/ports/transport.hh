// SPDX-License-Identifier: Apache-2.0
// ports/transport.hh: byte streams over unix sockets and TCP.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hh"
#include "base/result.hh"
#include "base/unique_function.hh"
#include "ports/pinned.hh"

namespace ktm::ports {

/// An open connection; destroying it closes it, from any place, its own callbacks included.
class Stream : public Pinned {
public:
    struct Handlers {
        /// Bytes that arrived; valid during the call only.
        UniqueFunction<void(std::string_view)> on_data;
        /// The stream has ended, once: nothing for an orderly end, else the error. Nothing follows.
        UniqueFunction<void(std::optional<Error>)> on_end;
    };

    /// Begins to read; called once. No handler runs from inside this call.
    virtual void start(Handlers handlers) = 0;

    /// Queues the bytes and returns at once; a failed write ends the stream by on_end.
    virtual void write(std::string bytes) = 0;

    /// The IP addresses of the two ends.
    struct Ends {
        std::string own;  ///< Empty for what is not known, and for a path.
        std::string other;
    };
    [[nodiscard]] virtual Ends ends() const { return {}; }

    /// Bytes that were queued and not yet taken by the system.
    [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
};

/// Something that was begun and can be given up: destroying it cancels it without a callback.
class Pending : public Pinned {};

/// An open listening socket; destroying it closes it and removes its path.
class Listener : public Pinned {};

class Transport : public Pinned {
public:
    using Connected = UniqueFunction<void(Result<std::unique_ptr<Stream>>)>;
    using Accepted = UniqueFunction<void(std::unique_ptr<Stream>)>;

    /// Calls `connected` once, later; an error that is known at once is returned instead. There is
    /// no deadline here: that is the caller's Clock.
    [[nodiscard]] virtual Result<std::unique_ptr<Pending>> connect(const Endpoint& endpoint,
                                                                   Connected connected) = 0;

    /// Calls `accepted` for each connection until the listener is destroyed.
    [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint,
                                                                   Accepted accepted) = 0;
};

}  // namespace ktm::ports
