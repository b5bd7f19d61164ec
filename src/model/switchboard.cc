// SPDX-License-Identifier: Apache-2.0
// model/switchboard.cc: addresses, and who is found there.
#include "model/switchboard.hh"

#include <algorithm>
#include <utility>

namespace ktm::model {

namespace {

bool is_any(std::string_view host) {
    return host.empty() || host == "0.0.0.0" || host == "::" || host == "[::]";
}

bool is_loopback(std::string_view host) {
    return host.starts_with("127.") || host == "::1" || host == "[::1]" || host == "localhost";
}

bool same(const Switchboard::Listener& a, const Switchboard::Listener& b) {
    return a.incoming == b.incoming && a.exports == b.exports;
}

}  // namespace

void Switchboard::own(int node, std::string host) {
    addresses_.push_back({node, std::move(host)});
}

std::optional<int> Switchboard::node_of(int asking, std::string_view host) const {
    if (is_loopback(host)) {
        return asking;
    }
    const auto found = std::ranges::find(addresses_, host, &Address::host);
    return found == addresses_.end() ? std::nullopt : std::optional{found->node};
}

std::optional<std::string> Switchboard::listen(int node, std::string_view host,
                                               std::string_view port, Listener listener) {
    if (!is_any(host) && node_of(node, host) != node) {
        return "Failed to bind socket: Cannot assign requested address";
    }
    for (const Place& place : places_) {
        if (place.node == node && place.port == port &&
            (place.host == host || is_any(place.host) || is_any(host))) {
            return "Failed to find an available port: Address already in use";
        }
    }
    places_.push_back({node, std::string(host), std::string(port), listener});
    return std::nullopt;
}

void Switchboard::leave(Listener listener) {
    std::erase_if(places_, [&](const Place& place) { return same(place.listener, listener); });
}

Switchboard::Found Switchboard::find(int node, std::string_view host, std::string_view port) const {
    const std::optional<int> there = node_of(node, host);
    if (!there) {
        return {};
    }
    const bool over_wire = *there != node;
    if (over_wire && wire_.is_cut()) {
        return {Reach::silent, {}, true};
    }
    for (const Place& place : places_) {
        if (place.node == *there && place.port == port &&
            (place.host == host || is_any(place.host))) {
            return {Reach::reached, place.listener, over_wire};
        }
    }
    return {Reach::refused, {}, over_wire};
}

}  // namespace ktm::model
