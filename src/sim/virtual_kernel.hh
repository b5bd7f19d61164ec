// SPDX-License-Identifier: Apache-2.0
// sim/virtual_kernel.hh: what a kernel knows of one network namespace, and how it answers.
//
// A model without ports and without time: a request goes in, an answer comes out, and the state is
// another one. It follows Linux in what can be had, in which order routes stand, in what goes with
// a device that is deleted, and in its errors. What it does not follow: it forwards no packets
// (who does that for it listens, and counts in its state), it does not ask whether a gateway can be
// reached, and an IPv6 route has one way alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "base/unique_function.hh"
#include "net/answer.hh"
#include "net/request.hh"

namespace ktm::sim {

/// A sch_plug: from its first instant it holds what comes.
struct VirtualPlug {
    bool blocked = true;
    std::uint32_t limit_bytes = 0;
    std::uint32_t queued_packets = 0;
    std::uint32_t queued_bytes = 0;
    std::uint32_t dropped = 0;
};

/// A tbf.
struct VirtualPacer {
    std::uint32_t packets_per_second = 0;  ///< 0: no limit.
};

/// The root qdisc of a device. One that nobody asked for has the handle 0.
struct VirtualRoot {
    std::string kind;
    std::uint32_t handle = 0;
    std::string options;
    std::optional<VirtualPacer> pacer;   ///< Ours.
    std::optional<VirtualPlug> plug;     ///< Ours: the root itself, or below the pacer.
    std::vector<net::QdiscFacts> parts;  ///< Below a root of somebody else.
    std::uint64_t packets = 0;           ///< That were let go, by whoever forwards them.
    std::uint64_t bytes = 0;
};

struct VirtualFilter {
    net::Direction direction = net::Direction::egress;
    net::FilterFacts facts;
    std::optional<net::Redirect> redirect;  ///< Of ours.
};

struct VirtualLink {
    net::LinkFacts facts;
    std::string default_qdisc = "noqueue";
    std::optional<net::TunnelLink> tunnel;
    VirtualRoot root;
    std::string filter_room;  ///< "clsact", "ingress", or empty.
    std::vector<VirtualFilter> filters;
};

struct VirtualRoute {
    net::RouteFacts facts;
    std::optional<net::Encapsulation> encapsulation;
};

/// A frame that somebody sent out through a device.
struct SentFrame {
    std::string link;
    std::string bytes;
};

struct VirtualKernelState {
    std::uint32_t last_index = 0;
    std::vector<VirtualLink> links;    ///< By index.
    std::vector<VirtualRoute> routes;  ///< The first that fits is taken.
    std::vector<net::NeighbourFacts> neighbours;
    std::vector<net::AddressFacts> addresses;
    std::map<std::string, std::string> settings;
    std::set<std::string> lacking;  ///< Kinds that this kernel does not have: "plug", "ipip".
    std::vector<SentFrame> sent;
};

class VirtualKernel {
public:
    /// Hears of a request before it is carried out; with nothing, of a change by others.
    using Listener = UniqueFunction<void(const net::Request* request)>;

    /// With a loopback device, and the settings that each namespace has.
    VirtualKernel();

    /// Whoever keeps this kernel's counters true brings them up to date when called. One at a time;
    /// it hears nothing of what is done to state() or to a link by hand.
    void listen(Listener before) { before_ = std::move(before); }

    [[nodiscard]] Result<net::Answer> apply(const net::Request& request);
    [[nodiscard]] Result<void> send_frame(const std::string& link, std::string_view frame);

    /// What changed since this was last asked.
    [[nodiscard]] std::vector<net::Change> take_changes();

    /// All of it but counters, as text: two states with the same text are the same to everybody.
    [[nodiscard]] std::string dump() const;

    [[nodiscard]] const VirtualKernelState& state() const noexcept { return state_; }

    // --- What others than us do ---------------------------------------------------------------

    /// A device that is up, of this kind: "" for hardware, "bridge", "veth".
    VirtualLink& add_link(const std::string& name, const std::string& kind);
    /// A tap that a program has open.
    VirtualLink& add_tap(const std::string& name, std::uint32_t queue_length = 1000);
    /// Nothing when there is none.
    [[nodiscard]] VirtualLink* link(std::string_view name);
    [[nodiscard]] const VirtualLink* link(std::string_view name) const;
    void add_address(const std::string& link, const std::string& prefix);
    /// With the protocol "static", behind all others of its prefix and metric.
    void add_route(const std::string& to, const std::string& link, std::uint32_t metric = 0,
                   std::uint32_t table = net::main_table);
    void set(const std::string& setting, const std::string& value);
    /// The kernel was built without it: "plug", "tbf", "ipip", "clsact", "u32".
    void lack(const std::string& kind);
    /// Anything else. LIFETIME: as long as nothing is added or deleted.
    [[nodiscard]] VirtualKernelState& state() noexcept { return state_; }

private:
    struct Changes;
    struct Queries;

    /// 0, or the errno; nothing when it is no change.
    [[nodiscard]] std::optional<int> change(const net::Request& request);
    [[nodiscard]] int query(const net::Request& request, net::Answer& answer) const;
    [[nodiscard]] bool has(std::string_view kind) const;
    void delete_link(const std::string& name);
    void tell_listener(const net::Request* request);
    void tell_link(const VirtualLink& link, bool gone);
    void tell_route(const VirtualRoute& route, bool gone);
    void tell_qdisc(const std::string& link, const std::string& kind, bool gone);
    void tell_neighbour(const net::NeighbourFacts& neighbour, bool gone);

    VirtualKernelState state_;
    std::vector<net::Change> changes_;
    Listener before_;
};

}  // namespace ktm::sim
