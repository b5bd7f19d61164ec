// SPDX-License-Identifier: Apache-2.0
// net/fields.hh: the fields of what is asked of the kernel and of its answers, by their names.
//
// Each stands here once, for whoever writes or reads them. `fields(visitor, value)` calls the
// visitor with the name and the place of each field, in order; bytes() where it is no text.
#pragma once

#include <concepts>
#include <type_traits>

#include "net/account.hh"
#include "net/answer.hh"
#include "net/request.hh"

namespace ktm::net {

template <class T, class... Of>
concept AnyOf = (std::same_as<std::remove_const_t<T>, Of> || ...);

// --- Answers ------------------------------------------------------------------------------------

template <class Visitor, AnyOf<Counters> T>
void fields(Visitor& visitor, T& of) {
    visitor("rx_packets", of.rx_packets);
    visitor("rx_bytes", of.rx_bytes);
    visitor("rx_dropped", of.rx_dropped);
    visitor("rx_errors", of.rx_errors);
    visitor("tx_packets", of.tx_packets);
    visitor("tx_bytes", of.tx_bytes);
    visitor("tx_dropped", of.tx_dropped);
    visitor("tx_errors", of.tx_errors);
    visitor("rx_words", of.rx_words);
    visitor("tx_words", of.tx_words);
}

template <class Visitor, AnyOf<LinkFacts> T>
void fields(Visitor& visitor, T& of) {
    visitor("index", of.index);
    visitor("name", of.name);
    visitor("kind", of.kind);
    visitor("tag", of.tag);
    visitor("mac", of.mac);
    visitor("is_tap", of.is_tap);
    visitor("joins", of.joins);
    visitor("up", of.up);
    visitor("carrier", of.carrier);
    visitor("mtu", of.mtu);
    visitor("queue_length", of.queue_length);
    visitor("joined_max", of.joined_max);
    visitor("master", of.master);
    visitor("counters", of.counters);
}

template <class Visitor, AnyOf<RouteFacts> T>
void fields(Visitor& visitor, T& of) {
    visitor("to", of.to);
    visitor("link", of.link);
    visitor("via", of.via);
    visitor("source", of.source);
    visitor("table", of.table);
    visitor("metric", of.metric);
    visitor("protocol", of.protocol);
    visitor("mtu", of.mtu);
}

template <class Visitor, AnyOf<QdiscFacts> T>
void fields(Visitor& visitor, T& of) {
    visitor("kind", of.kind);
    visitor("handle", of.handle);
    visitor("parent", of.parent);
    visitor.bytes("options", of.options);
    visitor("packets", of.packets);
    visitor("bytes", of.bytes);
    visitor("queued_packets", of.queued_packets);
    visitor("queued_bytes", of.queued_bytes);
    visitor("dropped", of.dropped);
}

template <class Visitor, AnyOf<FilterFacts> T>
void fields(Visitor& visitor, T& of) {
    visitor("kind", of.kind);
    visitor("priority", of.priority);
    visitor("handle", of.handle);
    visitor("ours", of.ours);
}

template <class Visitor, AnyOf<NeighbourFacts> T>
void fields(Visitor& visitor, T& of) {
    visitor("address", of.address);
    visitor("mac", of.mac);
    visitor("link", of.link);
    visitor("permanent", of.permanent);
    visitor("protocol", of.protocol);
}

template <class Visitor, AnyOf<AddressFacts> T>
void fields(Visitor& visitor, T& of) {
    visitor("address", of.address);
    visitor("link", of.link);
}

template <class Visitor, AnyOf<Answer> T>
void fields(Visitor& visitor, T& of) {
    visitor("links", of.links);
    visitor("routes", of.routes);
    visitor("qdiscs", of.qdiscs);
    visitor("filters", of.filters);
    visitor("neighbours", of.neighbours);
    visitor("addresses", of.addresses);
    visitor("text", of.text);
}

template <class Visitor, AnyOf<Change> T>
void fields(Visitor& visitor, T& of) {
    visitor("of", of.of);
    visitor("gone", of.gone);
    visitor("link", of.link);
    visitor("route", of.route);
    visitor("name", of.name);
    visitor("kind", of.kind);
    visitor("address", of.address);
}

// --- Requests -----------------------------------------------------------------------------------

template <class Visitor, AnyOf<Encapsulation> T>
void fields(Visitor& visitor, T& of) {
    visitor("local", of.local);
    visitor("remote", of.remote);
    visitor("ttl", of.ttl);
}

template <class Visitor, AnyOf<Route> T>
void fields(Visitor& visitor, T& of) {
    visitor("to", of.to);
    visitor("link", of.link);
    visitor("via", of.via);
    visitor("table", of.table);
    visitor("metric", of.metric);
    visitor("encapsulation", of.encapsulation);
    visitor("protocol", of.protocol);
}

template <class Visitor, AnyOf<TunnelLink> T>
void fields(Visitor& visitor, T& of) {
    visitor("name", of.name);
    visitor("tag", of.tag);
    visitor("carrier", of.carrier);
    visitor("local", of.local);
    visitor("remote", of.remote);
    visitor("ttl", of.ttl);
    visitor("mtu", of.mtu);
    visitor("id", of.id);
    visitor("port", of.port);
    visitor("by_route", of.by_route);
    visitor("mac", of.mac);
}

template <class Visitor, AnyOf<Redirect> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("direction", of.direction);
    visitor("mac", of.mac);
    visitor("to", of.to);
    visitor("to_ingress", of.to_ingress);
    visitor("priority", of.priority);
    visitor("handle", of.handle);
}

template <class Visitor, AnyOf<SavedQdisc> T>
void fields(Visitor& visitor, T& of) {
    visitor("kind", of.kind);
    visitor("handle", of.handle);
    visitor.bytes("options", of.options);
}

template <class Visitor, AnyOf<AddTunnel> T>
void fields(Visitor& visitor, T& of) {
    fields(visitor, of.link);
}

template <class Visitor, AnyOf<AddRoute, DeleteRoute> T>
void fields(Visitor& visitor, T& of) {
    fields(visitor, of.route);
}

template <class Visitor, AnyOf<AddRedirect> T>
void fields(Visitor& visitor, T& of) {
    fields(visitor, of.redirect);
}

template <class Visitor, AnyOf<DeleteRedirect> T>
void fields(Visitor& visitor, T& of) {
    fields(visitor, of.redirect);
    visitor("alone", of.alone);
}

template <class Visitor, AnyOf<DeleteLink, FindLink, ReadSetting> T>
void fields(Visitor& visitor, T& of) {
    visitor("name", of.name);
}

template <class Visitor, AnyOf<FindKind> T>
void fields(Visitor& visitor, T& of) {
    visitor("name", of.name);
    visitor("queues", of.queues);
}

template <class Visitor, AnyOf<AddAddress> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("address", of.address);
}

template <class Visitor, AnyOf<SetQueueLength> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("packets", of.packets);
    visitor("joined_max", of.joined_max);
}

template <class Visitor, AnyOf<SetInput> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("reverse_path_filter", of.reverse_path_filter);
    visitor("forwarding", of.forwarding);
}

template <class Visitor, AnyOf<SetNeighbour> T>
void fields(Visitor& visitor, T& of) {
    visitor("address", of.address);
    visitor("mac", of.mac);
    visitor("link", of.link);
    visitor("protocol", of.protocol);
}

template <class Visitor, AnyOf<DeleteNeighbour> T>
void fields(Visitor& visitor, T& of) {
    visitor("address", of.address);
    visitor("link", of.link);
}

template <class Visitor,
          AnyOf<AddPacer, AddClsact, DeleteClsact, ListQdiscs, ListNeighbours, ListAddresses> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
}

template <class Visitor, AnyOf<SetPace> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("packets_per_second", of.packets_per_second);
}

template <class Visitor, AnyOf<AddPlug> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("below_pacer", of.below_pacer);
    visitor("limit_bytes", of.limit_bytes);
}

template <class Visitor, AnyOf<BlockPlug, OpenPlug> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("below_pacer", of.below_pacer);
}

template <class Visitor, AnyOf<DeleteRootQdisc> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("handle", of.handle);
}

template <class Visitor, AnyOf<PutRootQdisc> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("saved", of.saved);
}

template <class Visitor, AnyOf<WriteSetting> T>
void fields(Visitor& visitor, T& of) {
    visitor("name", of.name);
    visitor("value", of.value);
}

template <class Visitor, AnyOf<ListLinks> T>
void fields(Visitor& /*visitor*/, T& /*of*/) {}

template <class Visitor, AnyOf<FindRoutes> T>
void fields(Visitor& visitor, T& of) {
    visitor("to", of.to);
    visitor("table", of.table);
}

template <class Visitor, AnyOf<RouteTo> T>
void fields(Visitor& visitor, T& of) {
    visitor("address", of.address);
}

template <class Visitor, AnyOf<ListOurRoutes> T>
void fields(Visitor& visitor, T& of) {
    visitor("family", of.family);
}

template <class Visitor, AnyOf<ListFilters> T>
void fields(Visitor& visitor, T& of) {
    visitor("link", of.link);
    visitor("direction", of.direction);
}

// --- Accounts ------------------------------------------------------------------------------------

template <class Visitor, AnyOf<Seen> T>
void fields(Visitor& visitor, T& of) {
    visitor("counters", of.counters);
    visitor("let_go", of.let_go);
    visitor("queued", of.queued);
    visitor("dropped", of.dropped);
    visitor("counts", of.counts);
    visitor("let_go_bytes", of.let_go_bytes);
    visitor("closed", of.closed);
    visitor("joins", of.joins);
}

template <class Visitor, AnyOf<Point> T>
void fields(Visitor& visitor, T& of) {
    visitor("part", of.part);
    visitor("link", of.link);
    visitor("netns", of.netns);
    visitor("before", of.before);
    visitor("amid", of.amid);
    visitor("again", of.again);
    visitor("after", of.after);
    visitor("late", of.late);
    visitor("unread", of.unread);
    visitor("left", of.left);
    visitor("unsure", of.unsure);
    visitor("most", of.most);
    visitor("still_at", of.still_at);
}

template <class Visitor, AnyOf<Account> T>
void fields(Visitor& visitor, T& of) {
    visitor("role", of.role);
    visitor("points", of.points);
    visitor("diverts", of.diverts);
    visitor("holds", of.holds);
    visitor("gave_up", of.gave_up);
    visitor("stays", of.stays);
    visitor("diverted_at", of.diverted_at);
    visitor("stopped_at", of.stopped_at);
    visitor("resumed_at", of.resumed_at);
}

}  // namespace ktm::net
