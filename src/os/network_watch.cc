// SPDX-License-Identifier: Apache-2.0
// os/network_watch.cc: what changes in a network namespace, as it changes.
#include <linux/rtnetlink.h>
#include <uv.h>

#include <cerrno>
#include <map>
#include <utility>

#include "base/assert.hh"
#include "os/handle.hh"
#include "os/link_table.hh"
#include "os/netlink_answers.hh"
#include "os/netlink_message.hh"
#include "os/network.hh"

namespace ktm::os {

namespace {

/// LIMIT: datagrams that are read in a row, before the loop gets its turn.
constexpr int reads_max = 256;

struct WatchState : State<uv_poll_t> {
    explicit WatchState(NetlinkSocket netlink) : socket(std::move(netlink)) {}

    NetlinkSocket socket;
    ports::Network::Handlers handlers;
    bool ended = false;
    /// A route that went with its device is told when the device has no name any more.
    std::map<std::uint32_t, std::string> names;

    std::string name_of(std::uint32_t link) {
        std::string now = link_name(socket.number(), link);
        if (now.empty()) {
            const auto known = names.find(link);
            return known != names.end() ? known->second : "";
        }
        names[link] = now;
        return now;
    }

    void note_link(const nlmsghdr* message) {
        if (message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK) {
            const net::LinkFacts link = link_facts(message);
            names[link.index] = link.name;
        }
    }

    void tell(const nlmsghdr* message) {
        // An overrun is told once, so what a handler ended is asked again each time.
        if (!owned) {
            return;
        }
        note_link(message);
        const auto change =
            change_of(message, [this](std::uint32_t link) { return name_of(link); });
        if (message->nlmsg_type == RTM_DELLINK) {
            names.erase(change ? change->link.index : 0);
        }
        if (change && handlers.on_change) {
            handlers.on_change(*change);
        }
    }

    void end(int fault) {
        ended = true;
        (void)uv_poll_stop(&handle);
        if (handlers.on_end) {
            handlers.on_end(system_error(fault, "watch the network namespace"));
        }
    }

    void read() {
        for (int reads = 0; owned && reads < reads_max; ++reads) {
            const int fault = socket.receive([this](const nlmsghdr* message) { tell(message); });
            if (fault == EAGAIN) {
                return;
            }
            if (fault == ENOBUFS && owned && handlers.on_overrun) {
                handlers.on_overrun();
            } else if (fault != 0 && fault != ENOBUFS && owned) {
                end(fault);
                return;
            }
        }
    }
};

void on_readable(uv_poll_t* handle, int status, int) noexcept {
    auto* state = static_cast<WatchState*>(handle->data);
    if (!state->owned) {
        return;
    }
    state->read();
    // libuv stops at an error of the socket, and an overrun is one, which was just told.
    if (status < 0 && state->owned && !state->ended) {
        KTM_ASSERT(uv_poll_start(&state->handle, UV_READABLE, on_readable) == 0);
    }
}

class NetlinkWatch final : public ports::Pinned {
public:
    explicit NetlinkWatch(Owned<WatchState> state) : state_(std::move(state)) {}

private:
    Owned<WatchState> state_;
};

}  // namespace

Result<std::unique_ptr<ports::Pinned>> watch_network(UvLoop& loop, const NetworkNamespace& space,
                                                     ports::Network::Handlers handlers) {
    Result<NetlinkSocket> socket = NetlinkSocket::open(space);
    if (!socket) {
        return std::move(socket).error();
    }
    auto fresh = std::make_unique<WatchState>(*std::move(socket));
    fresh->handlers = std::move(handlers);
    // ORDER: asked before joined, so that no change is taken for a part of the list. A name that is
    // missing because this failed is only missed in what is told.
    (void)fresh->socket.ask(std::string(Message{RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}}.whole()),
                            [&](const nlmsghdr* message) { fresh->note_link(message); });
    for (const int group :
         {RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_TC, RTNLGRP_NEIGH}) {
        if (const int fault = fresh->socket.join(group); fault != 0) {
            return system_error(fault, "watch the network namespace");
        }
    }
    KTM_ASSERT(uv_poll_init(loop.raw(), &fresh->handle, fresh->socket.number()) == 0);
    Owned<WatchState> state = own(std::move(fresh));
    KTM_ASSERT(uv_poll_start(&state->handle, UV_READABLE, on_readable) == 0);
    // A watch alone is no reason to go on: the loop ends when the work does.
    uv_unref(state->raw());
    return std::unique_ptr<ports::Pinned>{std::make_unique<NetlinkWatch>(std::move(state))};
}

}  // namespace ktm::os
