// SPDX-License-Identifier: Apache-2.0
// ports/network.hh: the kernel's side of a network namespace.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/time.hh"
#include "base/unique_function.hh"
#include "net/answer.hh"
#include "net/request.hh"
#include "ports/pinned.hh"

namespace ktm::ports {

/// Somebody else who carries out some requests when this process dies or stands still, and never
/// otherwise. Destroying it sends it home; while it is armed it acts first, as we cannot any more.
class Guard : public Pinned {
public:
    /// From here on it acts when we die, and when `within` has passed without disarm(), and again
    /// from time to time until then.
    [[nodiscard]] virtual Result<void> arm(Duration within) = 0;
    /// False when it has acted already: somebody was late.
    [[nodiscard]] virtual bool disarm() = 0;
};

/// One network namespace, entered once.
class Network : public Pinned {
public:
    /// One for each request, in order.
    using Outcome = std::vector<Result<net::Answer>>;
    using Answered = UniqueFunction<void(Outcome)>;
    struct Handlers {
        UniqueFunction<void(const net::Change&)> on_change;
        /// Changes were lost, because too many came at once: what is known is out of date.
        UniqueFunction<void()> on_overrun;
        /// The namespace can no longer be watched.
        UniqueFunction<void(Error)> on_end;
    };

    /// What tells it from every other namespace of this host, also from later ones.
    [[nodiscard]] virtual const std::string& identity() const noexcept = 0;

    /// Hands all requests to the kernel at once; it takes them in order, each whether or not the
    /// one before went well. `answered` is called once, perhaps before this returns: the kernel
    /// mostly answers at once. There is no deadline here, that is the caller's Clock; destroying
    /// the Network forgets who waits.
    virtual void send(net::Requests requests, Answered answered) = 0;

    /// What is under way is not waited for any more, and holds nothing up that is sent later. Calls
    /// nobody.
    virtual void give_up() {}

    /// Tells changes until it is destroyed; never from inside this call.
    [[nodiscard]] virtual Result<std::unique_ptr<Pinned>> watch(Handlers handlers) = 0;

    /// Sends one Ethernet frame out through a device.
    [[nodiscard]] virtual Result<void> send_frame(const std::string& link,
                                                  std::string_view frame) = 0;

    /// Somebody who stands ready to send these requests. LIMIT: changes alone, 16 of them.
    [[nodiscard]] virtual Result<std::unique_ptr<Guard>> guard(const net::Requests& requests) = 0;
};

class Networks : public Pinned {
public:
    /// By a path ("/proc/4242/ns/net"), by a name as `ip netns` gives them ("blue"), or our own:
    /// "".
    [[nodiscard]] virtual Result<std::shared_ptr<Network>> open(const std::string& place) = 0;
};

}  // namespace ktm::ports
