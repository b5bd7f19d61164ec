// SPDX-License-Identifier: Apache-2.0
// script/accounting.cc: what a run counts of a guest's packets, without being asked to.
#include "script/accounting.hh"

#include <algorithm>
#include <utility>

#include "script/net_side.hh"
#include "script/run.hh"

namespace ktm::script {

namespace {

/// A guest that runs takes what is in its ring within less than this.
constexpr Duration stillness_pause = std::chrono::milliseconds{5};
/// LIMIT: the kernel answers a thousand times faster.
constexpr Duration moment = std::chrono::milliseconds{200};
/// LIMIT: half a second.
constexpr std::size_t stillness_looks = 100;

/// Whether what is below the device counts otherwise than itself.
bool has_queues(const net::Point& point) {
    return point.part == net::part_home || point.part == net::part_tunnel;
}

}  // namespace

void Accounting::add(std::string_view part, const std::string& place, net::Seen before,
                     const std::string& link) {
    net::Point point;
    point.part = part;
    point.link = link;
    point.netns = place;
    point.before = before;
    account_.points.push_back(std::move(point));
}

/// Devices of ours begin to count when they are made. Of the one below them it is known from the
/// question how to reach the other node.
void Accounting::add_tunnel(const std::string& place, host::AcquiredId id,
                            const net::TunnelForm& form) {
    const std::size_t first = account_.points.size();
    add(net::part_tunnel, place, {}, form.entrance().name);
    if (form.upper) {
        add(net::part_carrier, place, {}, form.lower.name);
    }
    add(net::part_wire, place, net::seen_of(form.underlay, {}), form.underlay.name);
    Points& points = tunnels_[id];
    for (std::size_t at = first; at < account_.points.size(); ++at) {
        points.push_back(at);
    }
}

void Accounting::add_diversion(const std::string& place, host::AcquiredId id,
                               const std::vector<IpAddress>& addresses) {
    diversions_.insert(id);
    Result<host::Namespace*> space = host_.enter(place);
    if (!space || addresses.empty()) {
        return;
    }
    net::Requests ways;
    for (const IpAddress& address : addresses) {
        ways.emplace_back(net::RouteTo{address});
    }
    (*space)->send(std::move(ways), [this, place](const ports::Network::Outcome& outcome) {
        std::set<std::string> links;
        for (const Result<net::Answer>& way : outcome) {
            if (way && !way->routes.empty()) {
                links.insert(way->routes.front().link);
            }
        }
        for (const std::string& link : links) {
            add_home(place, link);
        }
    });
}

/// Only a tap has a ring that a guest leaves behind.
void Accounting::add_home(const std::string& place, const std::string& link) {
    Result<host::Namespace*> space = host_.enter(place);
    if (!space) {
        return;
    }
    (*space)->send({net::FindLink{link}, net::ListQdiscs{link}},
                   [this, place, link](const ports::Network::Outcome& outcome) {
                       const Result<net::Answer>& found = outcome.front();
                       const bool is_tap =
                           found && !found->links.empty() && found->links.front().is_tap;
                       if (is_tap && outcome.back()) {
                           add(net::part_home, place,
                               net::seen_of(found->links.front(), outcome.back()->qdiscs), link);
                       }
                   });
}

void Accounting::note_turned(host::AcquiredId id) {
    if (!diversions_.contains(id)) {
        return;
    }
    turned_.insert(id);
    if (account_.diverts) {
        return;
    }
    account_.diverts = true;
    account_.diverted_at = static_cast<std::uint64_t>(run_.elapsed().count());
    read(of_part(net::part_home), When::amid, [this] { wait_for_stillness(stillness_looks); });
}

void Accounting::wait_for_stillness(std::size_t looks) {
    std::map<std::size_t, net::Seen> moving;
    for (const std::size_t at : of_part(net::part_home)) {
        const net::Point& point = account_.points[at];
        const std::optional<net::Seen>& latest = point.again ? point.again : point.amid;
        if (latest && latest->joins && point.still_at == 0) {
            moving.emplace(at, *latest);
        }
    }
    Result<host::Namespace*> space =
        moving.empty() || looks == 0 ? Result<host::Namespace*>{nullptr}
                                     : host_.enter(account_.points[moving.begin()->first].netns);
    if (!space || *space == nullptr) {
        return;
    }
    (*space)->later(stillness_pause, [this, looks, moving = std::move(moving)] {
        // What stands is not looked at: each look would be one while the guest does not run.
        if (run_.has_stopped()) {
            return;
        }
        Points points;
        for (const auto& [at, before] : moving) {
            points.push_back(at);
        }
        read(points, When::again, [this, looks, moving] { note_stillness(moving, looks); });
    });
}

void Accounting::note_stillness(const std::map<std::size_t, net::Seen>& before, std::size_t looks) {
    for (const auto& [at, then] : before) {
        net::Point& point = account_.points[at];
        const bool is_still = point.again && point.again->let_go == then.let_go &&
                              point.again->counters.tx_packets == then.counters.tx_packets;
        if (is_still) {
            point.still_at = static_cast<std::uint64_t>(run_.elapsed().count());
        }
    }
    wait_for_stillness(looks - 1);
}

bool Accounting::note_opening() {
    const bool is_first = !std::exchange(opened_, true);
    if (is_first) {
        read(of_part(net::part_tunnel), When::amid, [] {});
    }
    return is_first;
}

void Accounting::close(host::AcquiredId id, UniqueFunction<void()> then) {
    const auto tunnel = tunnels_.extract(id);
    if (tunnel.empty()) {
        then();
        return;
    }
    Points points = tunnel.mapped();
    if (account_.diverts) {
        for (const std::size_t home : of_part(net::part_home)) {
            points.push_back(home);
        }
    }
    read(points, When::after, std::move(then));
}

void Accounting::close_all() {
    tunnels_.clear();
    Points points;
    for (std::size_t at = 0; at < account_.points.size(); ++at) {
        const net::Point& point = account_.points[at];
        const bool is_needed = point.part != net::part_home || account_.diverts;
        if (!point.after && point.unread.empty() && is_needed) {
            points.push_back(at);
        }
    }
    read_at_end(points, When::after);
}

void Accounting::look_back() {
    read_at_end(left_homes(), When::late);
}

void Accounting::glance_back() {
    const Points points = left_homes();
    if (points.empty()) {
        return;
    }
    for (const std::size_t at : points) {
        account_.points[at].unread = "the kernel did not answer in time";
    }
    run_.net().begin_work();
    const auto is_over = std::make_shared<bool>(false);
    const auto end = [this, is_over] {
        if (!std::exchange(*is_over, true)) {
            run_.net().end_work();
            run_.drain();
        }
    };
    moment_ = run_.world().clock.arm(moment, end);
    read(points, When::late, end);
}

Accounting::Points Accounting::left_homes() const {
    Points points = account_.diverts ? of_part(net::part_home) : Points{};
    std::erase_if(points, [this](std::size_t at) { return !account_.points[at].after; });
    return points;
}

/// As long as packets go into a tunnel, what it has counted is not the last word.
net::Account Accounting::account() const {
    net::Account account = account_;
    for (net::Point& point : account.points) {
        if (!turned_.empty() && point.part == net::part_tunnel) {
            point.after.reset();
            point.unread = "packets still go into it";
        }
    }
    return account;
}

Accounting::Points Accounting::of_part(std::string_view part) const {
    Points points;
    for (std::size_t at = 0; at < account_.points.size(); ++at) {
        if (account_.points[at].part == part) {
            points.push_back(at);
        }
    }
    return points;
}

// --- Reading ------------------------------------------------------------------------------------

/// Calls `then` when the last of them has answered.
void Accounting::read(const Points& points, When when, UniqueFunction<void()> then) {
    std::map<std::string, Points> by_place;
    for (const std::size_t at : points) {
        by_place[account_.points[at].netns].push_back(at);
    }
    struct Reading {
        std::size_t left = 1;
        UniqueFunction<void()> then;
    };
    auto reading = std::make_shared<Reading>();
    reading->left += by_place.size();
    reading->then = std::move(then);
    const auto one_is_done = [reading] {
        if (--reading->left == 0) {
            reading->then();
        }
    };
    for (const auto& [place, there] : by_place) {
        Result<host::Namespace*> space = host_.enter(place);
        if (space) {
            ask(**space, there, when, one_is_done);
        } else {
            for (const std::size_t at : there) {
                account_.points[at].unread = space.error().sentence();
            }
            one_is_done();
        }
    }
    one_is_done();
}

void Accounting::read_at_end(const Points& points, When when) {
    NetSide& net = run_.net();
    net.begin_work();
    read(points, when, [this, &net] {
        net.end_work();
        run_.drain();
    });
}

void Accounting::ask(host::Namespace& space, const Points& points, When when,
                     UniqueFunction<void()> then) {
    net::Requests requests;
    for (const std::size_t at : points) {
        const net::Point& point = account_.points[at];
        requests.emplace_back(net::FindLink{point.link});
        if (has_queues(point)) {
            requests.emplace_back(net::ListQdiscs{point.link});
        }
    }
    space.send(std::move(requests), [this, points, when, then = std::move(then)](
                                        const ports::Network::Outcome& outcome) mutable {
        std::size_t next = 0;
        for (const std::size_t at : points) {
            net::Point& point = account_.points[at];
            const Result<net::Answer>& link = outcome[next++];
            settle(point, when, link, has_queues(point) ? &outcome[next++] : nullptr);
        }
        then();
    });
}

void Accounting::settle(net::Point& point, When when, const Result<net::Answer>& link,
                        const Result<net::Answer>* queue) {
    std::optional<net::Seen>& seen = when == When::amid    ? point.amid
                                     : when == When::again ? point.again
                                     : when == When::after ? point.after
                                                           : point.late;
    if (!link || (queue != nullptr && !*queue)) {
        point.unread = (link ? queue->error() : link.error()).sentence();
    } else if (link->links.empty()) {
        point.unread = point.link + " is gone";
    } else {
        const auto& qdiscs = queue == nullptr ? std::vector<net::QdiscFacts>{} : (*queue)->qdiscs;
        seen = point.part == net::part_tunnel ? net::seen_of_tunnel(link->links.front(), qdiscs)
                                              : net::seen_of(link->links.front(), qdiscs);
        if (when == When::late) {
            point.unread.clear();
        }
    }
}

}  // namespace ktm::script
