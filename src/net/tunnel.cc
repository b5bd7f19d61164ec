// SPDX-License-Identifier: Apache-2.0
// net/tunnel.cc: the devices of a tunnel, decided.
#include "net/tunnel.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "net/tag.hh"

namespace ktm::net {

namespace {

constexpr std::array<std::string_view, 3> tunnel_modes{"ipip", "gre", "vxlan"};

/// What the outer headers of each kind cost.
constexpr std::uint32_t v4_header = 20;
constexpr std::uint32_t v6_header = 40;
constexpr std::uint32_t gre_header = 4;
constexpr std::uint32_t gre_key = 4;
constexpr std::uint32_t ethernet_header = 14;
constexpr std::uint32_t vxlan_headers = 8 + 8 + ethernet_header;
/// LIMIT: of a VNI.
constexpr std::uint32_t id_max = (1U << 24U) - 1;
/// LIMIT: below this IPv6 has no packets.
constexpr std::uint32_t mtu_min = 1280;
constexpr std::uint32_t mtu_max = 65000;

Carrier lower_carrier(const TunnelWish& wish, bool over_v6, bool frames) {
    if (wish.mode == TunnelMode::vxlan) {
        return Carrier::vxlan;
    }
    if (wish.mode == TunnelMode::gre) {
        if (frames) {
            return over_v6 ? Carrier::ip6gretap : Carrier::gretap;
        }
        return over_v6 ? Carrier::ip6gre : Carrier::gre;
    }
    return over_v6 ? Carrier::ip6tnl : Carrier::ipip;
}

std::uint32_t headers_of(Carrier carrier, bool over_v6, bool has_key) {
    const std::uint32_t outer = over_v6 ? v6_header : v4_header;
    const std::uint32_t gre = has_key ? gre_header + gre_key : gre_header;
    switch (carrier) {
        case Carrier::ipip:
        case Carrier::ip6tnl: return outer;
        case Carrier::gre:
        case Carrier::ip6gre: return outer + gre;
        case Carrier::gretap:
        case Carrier::ip6gretap: return outer + gre + ethernet_header;
        case Carrier::vxlan: return outer + vxlan_headers;
    }
    return outer;
}

/// The two addresses inside of a wrapped tunnel: a /31 that follows from the ends and the id, so
/// that both ends find the same without talking. In 169.254.32.0 to 169.254.95.255: outside of
/// what clouds and hosts use of 169.254.
struct InnerPair {
    IpAddress local;
    IpAddress remote;
};
InnerPair inner_pair(const TunnelWish& wish) {
    const bool local_first = *wish.local < wish.remote;
    const std::string first = (local_first ? *wish.local : wish.remote).text();
    const std::string second = (local_first ? wish.remote : *wish.local).text();
    const std::string digest = digest_of(first + " " + second + " " + std::to_string(wish.id));
    const auto place = static_cast<std::uint32_t>(std::stoul(digest.substr(0, 8), nullptr, 16));
    constexpr std::uint32_t pairs = 8192;
    const std::uint32_t host = place % pairs * 2;
    const auto address = [&](bool second_of_pair) {
        const std::uint32_t at = host + (second_of_pair ? 1 : 0);
        std::array<std::uint8_t, 16> bytes{169, 254, static_cast<std::uint8_t>(32 + at / 256),
                                           static_cast<std::uint8_t>(at % 256)};
        return IpAddress{Family::v4, bytes};
    };
    return {address(!local_first), address(local_first)};
}

/// An Ethernet address for the end of a tunnel, which both ends can find without asking.
constexpr const char* lower_end = " lower";
constexpr const char* upper_end = " upper";
MacAddress end_mac(const IpAddress& end, const char* device) {
    const std::string digest = digest_of(end.text() + device);
    MacAddress::Octets octets{};
    for (std::size_t at = 0; at < octets.size(); ++at) {
        octets[at] = static_cast<std::uint8_t>(std::stoul(digest.substr(2 * at, 2), nullptr, 16));
    }
    octets[0] = static_cast<std::uint8_t>((octets[0] & 0xfcU) | 0x02U);  // Local, not a group.
    return MacAddress{octets};
}

Result<void> check(const TunnelWish& wish) {
    if (wish.local->family() != wish.remote.family()) {
        return misfit("mixed-families", "the ends " + wish.local->text() + " and " +
                                            wish.remote.text() +
                                            " are of different families; expected two of one");
    }
    if (wish.remote.is_unspecified() || wish.local->is_unspecified() ||
        *wish.local == wish.remote) {
        return misfit("bad-ends", "a tunnel from " + wish.local->text() + " to " +
                                      wish.remote.text() + " leads nowhere");
    }
    if (wish.mtu < mtu_min || wish.mtu > mtu_max) {
        return misfit("bad-mtu", "an MTU of " + std::to_string(wish.mtu) + " is outside of " +
                                     std::to_string(mtu_min) + " to " + std::to_string(mtu_max));
    }
    if (wish.id > id_max) {
        return misfit("bad-id", "the id " + std::to_string(wish.id) + " is larger than " +
                                    std::to_string(id_max));
    }
    return {};
}

/// What a device carries that nothing is wrapped around.
Carries bare_carries(const TunnelWish& wish, Carrier carrier, bool over_v6, std::uint32_t room) {
    const std::uint32_t fits = std::min(wish.mtu, room);
    if (over_v6) {
        return {fits, fits};
    }
    switch (carrier) {
        case Carrier::ipip: return {wish.mtu, 0};  // By route: fragmented; no IPv6 in it.
        case Carrier::vxlan:                       // IPv6 is told "too big" by the device.
            return {wish.mtu, fits};
        case Carrier::gre:
        case Carrier::gretap: return {wish.mtu, wish.mtu};
        case Carrier::ip6tnl:
        case Carrier::ip6gre:
        case Carrier::ip6gretap: break;
    }
    return {room, room};
}

void wrap(const TunnelWish& wish, TunnelForm& form) {
    const InnerPair inner = inner_pair(wish);
    TunnelLink upper;
    upper.name = wish.upper_name;
    upper.tag = wish.tag;
    upper.carrier = wish.frames ? Carrier::gretap : Carrier::gre;
    upper.local = inner.local;
    upper.remote = inner.remote;
    upper.ttl = wish.ttl;
    upper.mtu = wish.mtu;
    upper.id = wish.id;
    upper.mac = end_mac(*wish.local, upper_end);
    form.upper = std::move(upper);
    form.lower_address = *IpPrefix::parse(inner.local.text() + "/31");
    form.carries = {wish.mtu, wish.mtu};
}

/// The MTU of the way to the far end, and the address that packets to it get.
struct Underlay {
    std::uint32_t mtu = 0;
    std::optional<IpAddress> source;
    LinkFacts link;
};
Result<Underlay> underlay_of(const TunnelWish& wish, const Answer& way, const Answer& links) {
    if (way.routes.empty()) {
        return misfit("no-route", "there is no route to " + wish.remote.text());
    }
    const RouteFacts& route = way.routes.front();
    const auto link =
        std::find_if(links.links.begin(), links.links.end(),
                     [&](const LinkFacts& facts) { return facts.name == route.link; });
    if (link == links.links.end()) {
        return misfit("no-route", "the route to " + wish.remote.text() + " has no interface");
    }
    const std::uint32_t mtu = route.mtu == 0 ? link->mtu : std::min(route.mtu, link->mtu);
    return Underlay{mtu, route.source, *link};
}

/// Reverse-path filtering is the larger number of the device's and that of "all". Where all are
/// filtered, ours is made loose (2): then packets must come from somewhere to which there is a
/// route, and the device needs an address, any one, for without it everything is dropped.
constexpr std::uint8_t loose = 2;
std::uint8_t reverse_path_filter(const Answer& all) {
    const bool is_off = all.text.empty() || all.text.front() == '0';
    return is_off ? 0 : loose;
}
/// The dummy address of RFC 7600.
constexpr std::string_view dummy_address = "192.0.0.8/32";

Steps steps_of(const TunnelForm& form, std::uint8_t filter) {
    Steps steps;
    steps.push_back({AddTunnel{form.lower}, UndoTunnel{form.lower.name, form.lower.tag}, false});
    if (form.lower_address) {
        steps.push_back({AddAddress{form.lower.name, *form.lower_address}, std::nullopt, false});
    }
    if (form.lower_address && carries_frames(form.lower.carrier)) {
        const MacAddress far = end_mac(form.lower.remote, lower_end);
        steps.push_back(
            {SetNeighbour{form.upper->remote, far, form.lower.name}, std::nullopt, false});
    }
    if (form.upper) {
        steps.push_back(
            {AddTunnel{*form.upper}, UndoTunnel{form.upper->name, form.upper->tag}, false});
        steps.push_back({SetInput{form.lower.name, filter, false}, std::nullopt, false});
    }
    steps.push_back({SetInput{form.entrance().name, filter, true}, std::nullopt, false});
    if (filter == loose) {
        steps.push_back({AddAddress{form.entrance().name, *IpPrefix::parse(dummy_address)},
                         std::nullopt, false});
    }
    return steps;
}

}  // namespace

std::optional<TunnelMode> tunnel_mode(std::string_view name) noexcept {
    for (std::size_t at = 0; at < tunnel_modes.size(); ++at) {
        if (tunnel_modes[at] == name) {
            return static_cast<TunnelMode>(at);
        }
    }
    return std::nullopt;
}

std::string_view name_of(TunnelMode mode) noexcept {
    return tunnel_modes[static_cast<std::size_t>(mode)];
}

std::optional<Encapsulation> TunnelForm::encapsulation() const {
    if (!entrance().by_route) {
        return std::nullopt;
    }
    return Encapsulation{lower.local, lower.remote, lower.ttl};
}

std::optional<MacAddress> TunnelForm::far_mac() const {
    if (!carries_frames(entrance().carrier)) {
        return std::nullopt;
    }
    return end_mac(lower.remote, upper ? upper_end : lower_end);
}

Result<TunnelForm> form_of(const TunnelWish& wish, std::uint32_t underlay_mtu) {
    KTM_CHECK(check(wish));
    const bool over_v6 = wish.remote.family() == Family::v6;
    const bool fragments_itself = wish.mode == TunnelMode::gre && !over_v6;
    const bool wrapped = wish.wrapped && !fragments_itself;
    if (wish.frames && !wrapped && wish.mode == TunnelMode::ipip) {
        return misfit("no-frames",
                      "a bare ipip tunnel carries no Ethernet frames; expected gre or "
                      "vxlan, or a wrapped one");
    }
    const Carrier carrier = lower_carrier(wish, over_v6, wish.frames && !wrapped);
    const std::uint32_t headers = headers_of(carrier, over_v6, wish.id != 0);
    if (underlay_mtu < headers + mtu_min) {
        return misfit("bad-mtu", "the way to " + wish.remote.text() + " carries only " +
                                     std::to_string(underlay_mtu) + " bytes");
    }
    const std::uint32_t room = underlay_mtu - headers;
    TunnelForm form;
    form.lower.name = wish.lower_name;
    form.lower.tag = wish.tag;
    form.lower.carrier = carrier;
    form.lower.local = *wish.local;
    form.lower.remote = wish.remote;
    form.lower.ttl = wish.ttl;
    form.lower.id = wish.id;
    form.lower.port = wish.mode == TunnelMode::vxlan ? wish.port : std::uint16_t{0};
    form.lower.mac = end_mac(*wish.local, lower_end);
    if (wrapped) {
        form.lower.mtu = room;
        wrap(wish, form);
        return form;
    }
    form.lower.mtu = wish.mtu;
    form.lower.by_route = carrier == Carrier::ipip;
    form.carries = bare_carries(wish, carrier, over_v6, room);
    return form;
}

Wanted want_tunnel(TunnelWish wish, std::shared_ptr<TunnelForm> form) {
    Wanted wanted;
    wanted.what = "the " + std::string{name_of(wish.mode)} + " tunnel to " + wish.remote.text();
    wanted.queries = {RouteTo{wish.remote}, ListLinks{}, ReadSetting{"ipv4/conf/all/rp_filter"}};
    wanted.steps = [wish = std::move(wish),
                    form = std::move(form)](const Answers& answers) mutable -> Result<Steps> {
        const Result<Underlay> underlay = underlay_of(wish, answers[0], answers[1]);
        if (!underlay) {
            return Error{underlay.error()};
        }
        if (!wish.local) {
            wish.local = underlay->source;
        }
        if (!wish.local) {
            return misfit("no-source", "it is not known which address packets to " +
                                           wish.remote.text() + " get; say it with `from`");
        }
        Result<TunnelForm> decided = form_of(wish, underlay->mtu);
        if (!decided) {
            return std::move(decided).error();
        }
        *form = std::move(*decided);
        form->underlay = underlay->link;
        return steps_of(*form, reverse_path_filter(answers[2]));
    };
    return wanted;
}

}  // namespace ktm::net
