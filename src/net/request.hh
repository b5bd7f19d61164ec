// SPDX-License-Identifier: Apache-2.0
// net/request.hh: what can be asked of the kernel of one network namespace, as values.
//
// Each is one message to the kernel, or a few in one piece, with one answer. The changes are what
// katamaran does to a host, and nothing else; the queries are what it must know before and
// afterwards. Who carries them out is behind ports/network.hh.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.hh"
#include "net/mac_address.hh"

namespace ktm::net {

/// The name of an interface: 1 to 15 bytes, no '/', no space, no ':', not "." or "..".
[[nodiscard]] bool is_link_name(std::string_view name) noexcept;

/// The kinds of tunnel devices; the kernel's own names are those of name_of(). Those that end in
/// tap, and vxlan, carry Ethernet frames; the others carry IP packets.
enum class Carrier : std::uint8_t { ipip, gre, gretap, ip6tnl, ip6gre, ip6gretap, vxlan };
[[nodiscard]] std::string_view name_of(Carrier carrier) noexcept;
[[nodiscard]] bool carries_frames(Carrier carrier) noexcept;
/// Whether a device of this kind can be one of ours.
[[nodiscard]] bool is_tunnel_kind(std::string_view kind) noexcept;

/// What marks a route, a qdisc or a filter as ours, where the kernel has no room for a text.
inline constexpr std::uint8_t our_protocol = 0x6b;  ///< Of routes and neighbours.
/// The same of a guest's arrival, which stays when the guest has come: not a leftover.
inline constexpr std::uint8_t arrival_protocol = 0x6c;
inline constexpr std::uint32_t our_plug_handle = 0x6b610000;  ///< "6b61:"
inline constexpr std::uint32_t our_pacer_handle = 0x6b620000;
inline constexpr std::uint32_t our_filter_handle = 0x6b61;

/// The main routing table.
inline constexpr std::uint32_t main_table = 254;

// --- Changes ----------------------------------------------------------------------------------

struct TunnelLink {
    std::string name;
    std::string tag;  ///< Its alias: how leftovers are recognised.
    Carrier carrier = Carrier::ipip;
    IpAddress local;
    IpAddress remote;
    std::uint8_t ttl = 64;
    std::uint32_t mtu = 1500;
    std::uint32_t id = 0;    ///< The VNI of a vxlan, the key of a gre; 0 for a gre is no key.
    std::uint16_t port = 0;  ///< Of a vxlan.
    /// The far address comes with the route (an "external" device): then the outer packet is never
    /// marked "don't fragment", whatever the inner one says.
    bool by_route = false;
    MacAddress mac;  ///< Of those that carry frames.

    friend bool operator==(const TunnelLink&, const TunnelLink&) = default;
};

/// Makes the device, tags it and sets it up. The kernel ignores an alias at the creation, so these
/// are three messages; they go out as one, and no signal comes between them.
struct AddTunnel {
    TunnelLink link;
    friend bool operator==(const AddTunnel&, const AddTunnel&) = default;
};

struct DeleteLink {
    std::string name;
    friend bool operator==(const DeleteLink&, const DeleteLink&) = default;
};

/// An address of a device of ours; it goes with the device.
struct AddAddress {
    std::string link;
    IpPrefix address;
    friend bool operator==(const AddAddress&, const AddAddress&) = default;
};

struct SetQueueLength {
    std::string link;
    std::uint32_t packets = 0;
    /// Packets that may come to the device joined to one, beside that; 0: as it is, 1: none.
    std::uint32_t joined_max = 0;
    friend bool operator==(const SetQueueLength&, const SetQueueLength&) = default;
};

/// What IPv4 does with packets that come in through a device.
struct SetInput {
    std::string link;
    std::uint8_t reverse_path_filter = 0;
    bool forwarding = true;
    friend bool operator==(const SetInput&, const SetInput&) = default;
};

struct Encapsulation {
    IpAddress local;
    IpAddress remote;
    std::uint8_t ttl = 64;
    friend bool operator==(const Encapsulation&, const Encapsulation&) = default;
};

struct Route {
    IpPrefix to;
    std::string link;
    std::optional<IpAddress> via;
    std::uint32_t table = main_table;
    std::uint32_t metric = 0;
    std::optional<Encapsulation> encapsulation;
    std::uint8_t protocol = our_protocol;
    friend bool operator==(const Route&, const Route&) = default;
};

/// Puts a route of ours in front of all others of the same prefix and metric. Those stay as they
/// are, so that the way back is one deletion; and the kernel does that itself when the device goes.
struct AddRoute {
    Route route;
    friend bool operator==(const AddRoute&, const AddRoute&) = default;
};

/// Deletes a route of ours, never another's.
struct DeleteRoute {
    Route route;
    friend bool operator==(const DeleteRoute&, const DeleteRoute&) = default;
};

/// A neighbour that is known for good: a guest that stands still answers no question.
struct SetNeighbour {
    IpAddress address;
    MacAddress mac;
    std::string link;
    std::uint8_t protocol = our_protocol;
    friend bool operator==(const SetNeighbour&, const SetNeighbour&) = default;
};

struct DeleteNeighbour {
    IpAddress address;
    std::string link;
    friend bool operator==(const DeleteNeighbour&, const DeleteNeighbour&) = default;
};

/// A tbf of ours as the root of a device; it lets everything pass until SetPace.
struct AddPacer {
    std::string link;
    friend bool operator==(const AddPacer&, const AddPacer&) = default;
};

/// How fast the pacer lets packets go; 0 is no limit.
struct SetPace {
    std::string link;
    std::uint32_t packets_per_second = 0;
    friend bool operator==(const SetPace&, const SetPace&) = default;
};

/// A plug of ours, below the pacer or as the root. It blocks from its first instant, so it goes out
/// together with an OpenPlug.
struct AddPlug {
    std::string link;
    bool below_pacer = true;
    std::uint32_t limit_bytes = 0;
    friend bool operator==(const AddPlug&, const AddPlug&) = default;
};

/// From here on the plug holds what comes.
struct BlockPlug {
    std::string link;
    bool below_pacer = true;
    friend bool operator==(const BlockPlug&, const BlockPlug&) = default;
};

/// The plug lets go what it holds, and all that comes later.
struct OpenPlug {
    std::string link;
    bool below_pacer = true;
    friend bool operator==(const OpenPlug&, const OpenPlug&) = default;
};

/// Takes our root qdisc away; the kernel puts its default in its place.
struct DeleteRootQdisc {
    std::string link;
    std::uint32_t handle = our_pacer_handle;
    friend bool operator==(const DeleteRootQdisc&, const DeleteRootQdisc&) = default;
};

/// A qdisc as the kernel described it, to be put back as it was.
struct SavedQdisc {
    std::string kind;
    std::uint32_t handle = 0;
    std::string options;  ///< The kernel's own bytes.
    friend bool operator==(const SavedQdisc&, const SavedQdisc&) = default;
};

struct PutRootQdisc {
    std::string link;
    SavedQdisc saved;
    friend bool operator==(const PutRootQdisc&, const PutRootQdisc&) = default;
};

/// Where filters can sit on a device.
struct AddClsact {
    std::string link;
    friend bool operator==(const AddClsact&, const AddClsact&) = default;
};

struct DeleteClsact {
    std::string link;
    friend bool operator==(const DeleteClsact&, const DeleteClsact&) = default;
};

enum class Direction : std::uint8_t { ingress, egress };
[[nodiscard]] std::string_view name_of(Direction direction) noexcept;

/// Sends the frames for an address elsewhere, before any other filter sees them; without an
/// address all frames. A packet has no frame header where a filter could see it: there the
/// address is left out.
struct Redirect {
    std::string link;
    Direction direction = Direction::egress;
    std::optional<MacAddress> mac;
    std::string to;
    bool to_ingress = false;  ///< As if it had come in there.
    std::uint16_t priority = 1;
    std::uint32_t handle =
        0;  ///< Of one that was found in the kernel; 0: it follows from the rest.
    friend bool operator==(const Redirect&, const Redirect&) = default;
};

struct AddRedirect {
    Redirect redirect;
    friend bool operator==(const AddRedirect&, const AddRedirect&) = default;
};

struct DeleteRedirect {
    Redirect redirect;
    /// Nobody else has a filter of that priority there: then nothing of it stays, not even the
    /// classifier's empty list.
    bool alone = false;
    friend bool operator==(const DeleteRedirect&, const DeleteRedirect&) = default;
};

/// A setting below /proc/sys/net: "ipv6/conf/all/forwarding".
struct WriteSetting {
    std::string name;
    std::string value;
    friend bool operator==(const WriteSetting&, const WriteSetting&) = default;
};

// --- Queries ------------------------------------------------------------------------------------

/// An empty answer when there is none, which is no error.
struct FindLink {
    std::string name;
    friend bool operator==(const FindLink&, const FindLink&) = default;
};
struct ListLinks {
    friend bool operator==(const ListLinks&, const ListLinks&) = default;
};
/// All routes of a table with exactly this prefix.
struct FindRoutes {
    IpPrefix to;
    std::uint32_t table = main_table;
    friend bool operator==(const FindRoutes&, const FindRoutes&) = default;
};
/// The route that a packet to this address would take.
struct RouteTo {
    IpAddress address;
    friend bool operator==(const RouteTo&, const RouteTo&) = default;
};
/// Routes with our protocol, in all tables.
struct ListOurRoutes {
    Family family = Family::v4;
    friend bool operator==(const ListOurRoutes&, const ListOurRoutes&) = default;
};
struct ListQdiscs {
    std::string link;
    friend bool operator==(const ListQdiscs&, const ListQdiscs&) = default;
};
struct ListFilters {
    std::string link;
    Direction direction = Direction::egress;
    friend bool operator==(const ListFilters&, const ListFilters&) = default;
};
struct ListNeighbours {
    std::string link;
    friend bool operator==(const ListNeighbours&, const ListNeighbours&) = default;
};
/// All addresses, or those of one device.
struct ListAddresses {
    std::string link;
    friend bool operator==(const ListAddresses&, const ListAddresses&) = default;
};
struct ReadSetting {
    std::string name;
    friend bool operator==(const ReadSetting&, const ReadSetting&) = default;
};
/// Whether the kernel can have devices, or with `queues` qdiscs, of this kind. Its answer is one
/// of the texts below. Nothing is made for it, and no module is loaded where it is seen that there
/// is one.
struct FindKind {
    std::string name;
    bool queues = false;
    friend bool operator==(const FindKind&, const FindKind&) = default;
};
inline constexpr std::string_view kind_is_there = "there";
inline constexpr std::string_view kind_is_loadable = "loadable";  ///< When it is wanted.
inline constexpr std::string_view kind_is_lacking = "none";

using Request = std::variant<AddTunnel, DeleteLink, AddAddress, SetQueueLength, SetInput, AddRoute,
                             DeleteRoute, SetNeighbour, DeleteNeighbour, AddPacer, SetPace, AddPlug,
                             BlockPlug, OpenPlug, DeleteRootQdisc, PutRootQdisc, AddClsact,
                             DeleteClsact, AddRedirect, DeleteRedirect, WriteSetting, FindLink,
                             ListLinks, FindRoutes, RouteTo, ListOurRoutes, ListQdiscs, ListFilters,
                             ListNeighbours, ListAddresses, ReadSetting, FindKind>;
using Requests = std::vector<Request>;

/// What it is for people, after "could not": "add the route 10.1.2.3/32 into ktm1a2b3c4d0".
[[nodiscard]] std::string describe(const Request& request);

}  // namespace ktm::net
