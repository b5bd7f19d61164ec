// SPDX-License-Identifier: Apache-2.0
// script/net_side.hh: the kernel's side of a run: what its plan has acquired there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/hold.hh"
#include "host/host.hh"
#include "net/tunnel.hh"
#include "script/accounting.hh"
#include "script/run.hh"

namespace ktm::script {

/// LIMIT: what watches of one run there may be; each is a socket.
inline constexpr std::size_t watches_max = 16;
/// LIMIT: events of watches that wait in the queue; what more comes is an overrun, and not the end
/// of the run. Somebody else's thousand routes are no trouble of ours.
inline constexpr std::size_t unheard_max = engine::events_max / 2;

class NetSide {
public:
    /// LIFETIME: all outlive it; the run owns it.
    NetSide(Run& run, const ports::World& world, host::Settings settings);
    ~NetSide();
    NetSide(const NetSide&) = delete;
    NetSide& operator=(const NetSide&) = delete;

    [[nodiscard]] host::Host& host() noexcept { return host_; }
    [[nodiscard]] ports::Clock& time() noexcept { return clock_; }

    /// What a tunnel of this run looks like, by its device; null when it is none.
    [[nodiscard]] const net::TunnelForm* tunnel(const std::string& place,
                                                const std::string& link) const;
    void keep_tunnel(const std::string& place, std::shared_ptr<net::TunnelForm> form);

    [[nodiscard]] Accounting& accounting() noexcept { return accounting_; }
    /// All that was counted, by the holds too.
    [[nodiscard]] net::Account account() const;

    [[nodiscard]] std::uint64_t keep_hold(std::unique_ptr<host::Hold> hold);
    [[nodiscard]] host::Hold& hold(std::uint64_t id) const;
    /// Whether this run holds packets at that tap.
    [[nodiscard]] bool has_hold(const host::Namespace& space, const std::string& tap) const;

    /// Makes events of what changes in a namespace, at one device or at all.
    [[nodiscard]] Result<std::uint64_t> watch(host::Namespace& space, const std::string& link);
    void unwatch(std::uint64_t id) { watches_.erase(id); }

    /// Something was begun that changes the kernel; the run's end waits for it.
    void begin_work() noexcept { ++works_; }
    void end_work() noexcept { --works_; }
    [[nodiscard]] bool is_busy() const noexcept { return works_ > 0; }

    /// The plan is over: it hears nothing more. Of a hold that stays, the plug is opened, as its
    /// guard would do when we die, and what it lost is counted. What was not read for the last time
    /// is read, and where the guest was once more.
    void wind_up();

private:
    void tell(std::string name, const std::string& fields);
    void tell_overrun(const std::string& place);
    void on_change(const net::Change& change, const std::string& place, const std::string& only);

    Run& run_;
    ports::Clock& clock_;
    host::Host host_;
    Accounting accounting_;
    /// By namespace and device.
    std::map<std::pair<std::string, std::string>, std::shared_ptr<net::TunnelForm>> tunnels_;
    std::map<std::uint64_t, std::unique_ptr<host::Hold>> holds_;
    std::map<std::uint64_t, std::unique_ptr<ports::Pinned>> watches_;
    std::uint64_t last_ = 0;
    unsigned works_ = 0;
    bool is_over_ = false;
    std::size_t unheard_ = 0;  ///< Events that came since a body began, as far as is known.
};

}  // namespace ktm::script
