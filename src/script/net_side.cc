// SPDX-License-Identifier: Apache-2.0
// script/net_side.cc: what a run has acquired of the kernel, and what it hears of it.
#include "script/net_side.hh"

#include <algorithm>
#include <utility>

#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::script {

NetSide::NetSide(Run& run, const ports::World& world, host::Settings settings)
    : run_(run), clock_(world.clock), host_(world, settings), accounting_(run, host_) {
    // A disk can make us wait between two changes, with the guest perhaps stopped.
    if (const Result<bool> memory = world.files.is_in_memory(settings.folder); memory && !*memory) {
        run_.observer().on_words("warn", "the journal in " + settings.folder +
                                             " lies on a disk; each change may wait for it");
    }
}

NetSide::~NetSide() = default;

const net::TunnelForm* NetSide::tunnel(const std::string& place, const std::string& link) const {
    const auto found = tunnels_.find({place, link});
    return found == tunnels_.end() ? nullptr : found->second.get();
}

void NetSide::keep_tunnel(const std::string& place, std::shared_ptr<net::TunnelForm> form) {
    const std::string link = form->entrance().name;
    tunnels_[{place, link}] = std::move(form);
}

std::uint64_t NetSide::keep_hold(std::unique_ptr<host::Hold> hold) {
    holds_[++last_] = std::move(hold);
    return last_;
}

bool NetSide::has_hold(const host::Namespace& space, const std::string& tap) const {
    return std::any_of(holds_.begin(), holds_.end(), [&](const auto& one) {
        const host::Hold& hold = *one.second;
        return hold.is_there() && hold.tap() == tap && hold.space().identity() == space.identity();
    });
}

host::Hold& NetSide::hold(std::uint64_t id) const {
    return *holds_.at(id);
}

net::Account NetSide::account() const {
    net::Account account = accounting_.account();
    for (const auto& [id, hold] : holds_) {
        account.points.push_back(hold->point());
    }
    return account;
}

void NetSide::wind_up() {
    is_over_ = true;
    accounting_.glance_back();
    accounting_.close_all();
    for (const auto& [id, hold] : holds_) {
        if (!hold->is_there()) {
            continue;
        }
        begin_work();
        hold->open([this, left = hold.get()](const Result<void>&) {
            left->count([this, left](const Result<host::HoldCounts>&) {
                run_.report_losses(*left);
                end_work();
                run_.drain();
            });
        });
    }
}

Result<std::uint64_t> NetSide::watch(host::Namespace& space, const std::string& link) {
    if (watches_.size() == watches_max) {
        return Error{Kind::invalid, "bad-argument",
                     "more than " + std::to_string(watches_max) + " watches in one run", "",
                     nullptr};
    }
    const std::string place = space.place();
    Result<std::unique_ptr<ports::Pinned>> watch = space.network().watch(
        {[this, place, link](const net::Change& change) { on_change(change, place, link); },
         [this, place] { tell_overrun(place); },
         [this, place](const Error& error) {
             json::ObjectWriter fields;
             fields.text("netns", place).text("why", error.sentence());
             tell("net:end", std::move(fields).finish());
         }});
    if (!watch) {
        return std::move(watch).error();
    }
    watches_[++last_] = std::move(*watch);
    return last_;
}

void NetSide::tell_overrun(const std::string& place) {
    json::ObjectWriter fields;
    fields.text("netns", place);
    tell("net:overrun", std::move(fields).finish());
}

/// LIFETIME: the run may be over, and this gone, behind it.
void NetSide::tell(std::string name, const std::string& fields) {
    if (is_over_) {
        return;
    }
    Result<json::Document> document = json::parse(fields);
    run_.post(engine::Happened{engine::Event{
        std::move(name), "",
        document ? std::make_shared<const json::Document>(std::move(*document)) : nullptr}});
    run_.drain();
}

void NetSide::on_change(const net::Change& change, const std::string& place,
                        const std::string& only) {
    json::ObjectWriter fields;
    const std::string& link = change.of == net::Change::Of::link    ? change.link.name
                              : change.of == net::Change::Of::route ? change.route.link
                                                                    : change.name;
    if (!only.empty() && link != only) {
        return;
    }
    unheard_ = run_.is_in_body() ? unheard_ + 1 : 0;
    if (unheard_ >= unheard_max) {
        if (unheard_ == unheard_max) {
            tell_overrun(place);  // LIFETIME: this may be gone behind it.
        }
        return;
    }
    fields.text("link", link).boolean("gone", change.gone);
    std::string name = "net:link";
    switch (change.of) {
        case net::Change::Of::link:
            fields.boolean("up", change.link.up).boolean("carrier", change.link.carrier);
            fields.integer("mtu", change.link.mtu);
            fields.integer("queue_length", change.link.queue_length);
            break;
        case net::Change::Of::route:
            name = "net:route";
            fields.text("to", change.route.to.text());
            if (change.route.via) {
                fields.text("via", change.route.via->text());
            }
            break;
        case net::Change::Of::qdisc:
            name = "net:qdisc";
            fields.text("kind", change.kind);
            break;
        case net::Change::Of::neighbour:
            name = "net:neighbour";
            fields.text("address", change.address.text());
            break;
    }
    tell(std::move(name), std::move(fields).finish());
}

}  // namespace ktm::script
