// SPDX-License-Identifier: Apache-2.0
// net/account.cc: what the counters of two nodes prove of a guest's packets.
#include "net/account.hh"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "base/text.hh"

namespace ktm::net {

namespace {

using Says = Proof::Says;
constexpr std::array<std::string_view, 4> says_names{"nothing", "zero-lost", "lost", "not-proven"};

/// Of Ethernet, IP and TCP with all their options; and of a packet that was joined of many.
constexpr std::int64_t header_bytes_max = 160;
constexpr std::int64_t joined_bytes_max = 65'536 + header_bytes_max;

/// The guest stood before its STOP was heard, for less than this, in nanoseconds.
constexpr std::uint64_t stop_heard_within = 20'000'000;

/// A direction through a tunnel, and the other one, by what counts there.
struct Way {
    std::uint64_t Counters::*packets;
    std::uint64_t Counters::*words;
    std::uint64_t Counters::*packets_back;
    std::uint64_t Counters::*words_back;
};
constexpr Way in_way{&Counters::tx_packets, &Counters::tx_words, &Counters::rx_packets,
                     &Counters::rx_words};
constexpr Way out_way{&Counters::rx_packets, &Counters::rx_words, &Counters::tx_packets,
                      &Counters::tx_words};

/// What grew between two readings of a place; nothing where one of them is not there.
std::uint64_t growth(const std::optional<Seen>& from, const std::optional<Seen>& to,
                     std::uint64_t Counters::*of) noexcept {
    return from && to ? grown(to->counters.*of, from->counters.*of) : 0;
}

std::uint64_t growth(const Point& point, std::initializer_list<std::uint64_t Counters::*> all) {
    std::uint64_t sum = 0;
    for (std::uint64_t Counters::*of : all) {
        sum += growth(point.before, point.after, of);
    }
    return sum;
}

/// What passed a tunnel between two readings of it, in one direction; the kernel's own words are
/// none of the guest's.
std::uint64_t passed(const std::optional<Seen>& from, const std::optional<Seen>& to, Way way) {
    const std::uint64_t there = grown(growth(from, to, way.packets), growth(from, to, way.words));
    const bool is_counted =
        from && to && to->counts && (from->counts || from->counters == Counters{});
    if (!is_counted) {
        return there;
    }
    const std::uint64_t words =
        growth(from, to, &Counters::rx_words) + growth(from, to, &Counters::tx_words);
    const std::uint64_t back =
        grown(growth(from, to, way.packets_back), growth(from, to, way.words_back));
    return grown(grown(to->let_go, from->let_go), words + back);
}

std::uint64_t not_sent(const Point& point) {
    return growth(point, {&Counters::tx_dropped, &Counters::tx_errors});
}

std::uint64_t not_received(const Point& point) {
    return growth(point, {&Counters::rx_dropped, &Counters::rx_errors});
}

std::string at(const Account& account) {
    return " at the " + (account.role.empty() ? std::string{"other node"} : account.role);
}

bool is_awake_at_home(const Account& account) noexcept {
    return account.stopped_at == 0 || account.resumed_at > account.stopped_at;
}

std::string unclear(std::uint64_t packets, const std::string& tap) {
    return grouped(packets) + " may wait in " + tap +
           ", or were joined to others and taken with them";
}

/// Looks at two accounts, place by place.
class Auditor {
public:
    Auditor(const Account& ours, const Account* theirs, bool is_alone)
        : ours_(ours), theirs_(theirs), is_alone_(is_alone) {
        sender_ = ours.diverts ? &ours : theirs != nullptr && theirs->diverts ? theirs : nullptr;
        receiver_ = sender_ == &ours ? theirs : sender_ != nullptr ? &ours : nullptr;
    }

    Proof audit() && {
        proof_.is_diverted = sender_ != nullptr;
        look_between();
        for (const Account* account : {&ours_, theirs_}) {
            if (account == nullptr) {
                continue;
            }
            if (awaits_guest(*account)) {
                look_at_awaited(*account);
            } else {
                look_at_holds(*account);
            }
        }
        if (sender_ != nullptr) {
            look_at_home(*sender_);
        }
        look_for_the_other();
        conclude();
        return std::move(proof_);
    }

private:
    void lose(std::uint64_t packets, const std::string& where) {
        if (packets > 0) {
            proof_.lost.push_back({packets, where});
        }
    }
    void doubt(std::string what) { proof_.doubts.push_back(std::move(what)); }

    /// Whether a place was read before and after; else that is a doubt.
    bool is_read(const Account& account, const Point& point) {
        if (point.before && point.after) {
            return true;
        }
        doubt("the counters of " + point.link + at(account) + " could not be read" +
              (point.unread.empty() ? "" : ": " + point.unread));
        return false;
    }

    /// The sum of what went through the tunnels of a node; nothing where one of them is not known.
    std::optional<std::uint64_t> through_tunnels(const Account& account, Way way) {
        std::uint64_t sum = 0;
        bool is_known = true;
        bool is_there = false;
        for (const Point& point : account.points) {
            if (point.part == part_tunnel) {
                is_there = true;
                is_known = is_read(account, point) && is_known;
                sum += passed(point.before, point.after, way);
            }
        }
        if (!is_there) {
            doubt("there was no tunnel" + at(account));
        }
        return is_known && is_there ? std::optional{sum} : std::nullopt;
    }

    void look_between() {
        if (sender_ == nullptr) {
            return;
        }
        const auto sent = through_tunnels(*sender_, in_way);
        proof_.sent = sent.value_or(0);
        std::uint64_t refused = 0;
        for (const Point& point : sender_->points) {
            if (point.part == part_tunnel) {
                lose(not_sent(point), "the tunnel " + point.link + at(*sender_));
                refused += not_sent(point);
            }
        }
        if (receiver_ == nullptr) {
            return;
        }
        const auto came = through_tunnels(*receiver_, out_way);
        proof_.came = came.value_or(0);
        if (!sent || !came) {
            return;
        }
        // Of those that were refused as one each is sent, as far as that is counted.
        const std::uint64_t missing = grown(*sent, *came + (counts_each(*sender_) ? refused : 0));
        if (missing > 0 && receiver_->stays) {
            doubt(grouped(missing) + " had not come out of the tunnel" + at(*receiver_) +
                  " when that was counted last, and it stays");
        } else if (counts_each(*sender_) && counts_each(*receiver_)) {
            lose(missing, where_between());
        } else if (*sent > 0 || *came > 0) {
            doubt("of what is joined on the way not each is counted; " + grouped(*sent) +
                  " went into the tunnel and " + grouped(*came) + " came out");
        }
        if (*came > *sent) {
            doubt(grouped(*came - *sent) + " more came out of the tunnel" + at(*receiver_) +
                  " than went into it" + at(*sender_));
        }
    }

    /// Whether its tunnels count each packet of those that travel as one.
    [[nodiscard]] static bool counts_each(const Account& account) {
        return std::all_of(account.points.begin(), account.points.end(), [](const Point& point) {
            return point.part != part_tunnel || (point.after && point.after->counts);
        });
    }

    /// Where what did not come out of the tunnel has gone, as far as somebody counted it.
    [[nodiscard]] std::string where_between() const {
        std::string others;
        for (const auto& [account, of] :
             {std::pair{sender_, &not_sent}, std::pair{receiver_, &not_received}}) {
            for (const Point& point : account->points) {
                const std::uint64_t dropped = of(point);
                if (dropped == 0) {
                    continue;
                }
                if (point.part == part_carrier || point.part == part_tunnel) {
                    return "the tunnel's " + point.link + at(*account);
                }
                if (point.part == part_wire) {
                    others += (others.empty() ? " (" : ", ") + point.link + at(*account) +
                              " dropped " + grouped(dropped) + ", those of others among them";
                }
            }
        }
        return "the wire between the nodes" + (others.empty() ? "" : others + ")");
    }

    /// Whether it has waited for a guest in vain, as far as the other node can say.
    [[nodiscard]] bool awaits_guest(const Account& account) const {
        const bool has_tunnel =
            std::any_of(account.points.begin(), account.points.end(),
                        [](const Point& point) { return point.part == part_tunnel; });
        return account.gave_up && !account.diverts && has_tunnel && theirs_ != nullptr;
    }

    void look_at_awaited(const Account& account) {
        for (const Point& point : account.points) {
            if (point.part != part_hold) {
                continue;
            }
            proof_.is_idle = sender_ == nullptr;
            if (sender_ != nullptr) {
                lose(proof_.came,
                     point.link + at(account) + ", where the guest did not come to run");
                return;
            }
        }
    }

    void look_at_holds(const Account& account) {
        for (const Point& point : account.points) {
            if (point.part != part_hold) {
                continue;
            }
            lose(point.left, point.link + at(account) + ", where nobody took them");
            if (!point.before || !point.after) {
                if (account.holds || sender_ != nullptr) {
                    (void)is_read(account, point);
                }
                continue;
            }
            if (point.unsure > 0) {
                doubt(unclear(point.unsure, point.link + at(account)));
            }
            lose(grown(point.after->dropped, point.before->dropped),
                 "the plug of " + point.link + at(account));
            lose(growth(point, {&Counters::tx_dropped}), "the ring of " + point.link + at(account));
            if (point.after->closed && sender_ != nullptr) {
                doubt("nobody has " + point.link + at(account) +
                      " open any more, and what it held is gone");
            }
            if (point.amid) {
                proof_.held += grown(point.amid->arrived(), point.before->arrived());
            }
            look_behind_tunnel(account, point);
        }
    }

    /// Others may send to the tap as well, and most of them do so when the guest runs there; so it
    /// is looked at in two parts, and what they sent can hide a loss only within one of these.
    void look_behind_tunnel(const Account& account, const Point& tap) {
        if (&account != receiver_) {
            return;
        }
        const auto came = [&](const std::optional<Seen> Point::*from,
                              const std::optional<Seen> Point::*to) {
            std::uint64_t sum = 0;
            for (const Point& point : account.points) {
                if (point.part == part_tunnel) {
                    sum += passed(point.*from, point.*to, out_way);
                }
            }
            return sum;
        };
        const auto arrived = [&](const std::optional<Seen>& from, const std::optional<Seen>& to) {
            return from && to ? grown(to->arrived(), from->arrived()) : 0;
        };
        // Where the tap's queue was away for a while its ring counts what it never saw.
        const std::uint64_t told = growth(tap, {&Counters::tx_dropped});
        std::uint64_t missing =
            grown(came(&Point::before, &Point::after), arrived(tap.before, tap.after));
        // In a plug what was joined is one.
        if (tap.amid && tap.amid->queued == 0) {
            // The tunnel was read before the tap, and again behind it: what came in between can
            // make the tap's number the larger one in either part, and never the smaller one.
            missing = std::max(
                missing,
                grown(came(&Point::before, &Point::amid), arrived(tap.before, tap.amid)) +
                    grown(came(&Point::again, &Point::after), arrived(tap.amid, tap.after)));
        }
        lose(grown(missing, told), "the way from the tunnel to " + tap.link + at(account));
    }

    void look_behind(const Account& account, const Point& home) {
        if (home.after && !home.late && !home.unread.empty()) {
            doubt("what came to " + home.link + at(account) +
                  " behind the diversion is not known: " + home.unread);
        }
    }

    /// What came before the diversion and was not taken any more.
    void look_at_home(const Account& account) {
        for (const Point& point : account.points) {
            if (point.part == part_home) {
                lose(growth(point.before, point.late ? point.late : point.after,
                            &Counters::tx_dropped),
                     "the ring of " + point.link + at(account));
                look_behind(account, point);
            }
        }
        if (is_awake_at_home(account)) {
            return;
        }
        if (account.stopped_at < account.diverted_at) {
            doubt("the guest stood" + at(account) +
                  " before its packets were diverted, and QEMU may have taken one that it did not "
                  "see");
        }
        bool is_there = false;
        for (const Point& point : account.points) {
            if (point.part == part_home) {
                is_there = true;
                look_at_home(account, point);
            }
        }
        if (!is_there) {
            proof_.notes.push_back("the guest's tap" + at(account) + " was not looked into");
        }
    }

    void look_at_home(const Account& account, const Point& point) {
        if (!is_read(account, point)) {
            return;
        }
        const std::string tap = point.link + at(account);
        if (!point.before->counts || !point.after->counts) {
            proof_.notes.push_back("what waits in " + tap + " is counted by nobody");
            return;
        }
        if (point.late && point.late->let_go > point.after->let_go) {
            doubt(grouped(point.late->let_go - point.after->let_go) + " came to " + tap +
                  " when nothing diverted them any more");
        }
        // Since it was the emptiest.
        const bool was_empty = point.again && point.still_at != 0 &&
                               account.stopped_at >= point.still_at + stop_heard_within;
        InRing waiting = in_ring(was_empty ? *point.again : *point.before, *point.after);
        std::uint64_t others = 0;
        if (was_empty) {
            others = grown(point.after->let_go, point.again->let_go);
        } else if (point.amid) {
            const InRing later = in_ring(*point.amid, *point.after);
            if (later.sure + later.unsure > waiting.sure + waiting.unsure) {
                waiting = later;
            }
            others = grown(point.after->let_go, point.amid->let_go);
        }
        const std::uint64_t waits = waiting.sure;
        if (waiting.unsure > 0) {
            doubt(unclear(waiting.unsure, tap));
        }
        if (waits > others) {
            lose(waits - others, tap + ", which the guest had left");
        } else if (waits > 0) {
            doubt(grouped(waits) + " wait in " + tap + " that came when others were diverted");
        }
    }

    void look_for_the_other() {
        const bool is_concerned = sender_ != nullptr || ours_.holds;
        if (is_concerned && is_alone_ && sender_ != nullptr) {
            doubt("this run has no other node that could say what came out of the tunnel");
        } else if (is_concerned && !is_alone_ && theirs_ == nullptr) {
            doubt("the other node's counters are unknown");
        }
    }

    void conclude() {
        if (!proof_.lost.empty()) {
            proof_.says = Says::lost;
        } else if (!proof_.doubts.empty()) {
            proof_.says = Says::not_proven;
        } else if (sender_ != nullptr) {
            proof_.says = Says::zero_lost;
        }
    }

    const Account& ours_;
    const Account* theirs_;
    bool is_alone_;
    const Account* sender_ = nullptr;
    const Account* receiver_ = nullptr;
    Proof proof_;
};

Duration between(std::uint64_t from, std::uint64_t to) {
    return Duration{static_cast<std::int64_t>(to) - static_cast<std::int64_t>(from)};
}

/// From the last STOP where the guest was to its RESUME, here or there.
std::optional<DarkWindow> dark_window(const Account& ours, const Account* theirs,
                                      const std::optional<ClockDifference>& clock) {
    for (const Account* one : {&ours, theirs}) {
        if (one != nullptr && one->stopped_at != 0 && one->resumed_at > one->stopped_at) {
            return DarkWindow{between(one->stopped_at, one->resumed_at), Duration{}};
        }
    }
    if (theirs == nullptr || !clock) {
        return std::nullopt;
    }
    std::optional<Duration> length;
    if (ours.stopped_at != 0 && theirs->resumed_at != 0) {
        length = between(ours.stopped_at, theirs->resumed_at) - clock->ahead;
    } else if (theirs->stopped_at != 0 && ours.resumed_at != 0) {
        length = between(theirs->stopped_at, ours.resumed_at) + clock->ahead;
    }
    if (!length) {
        return std::nullopt;
    }
    return DarkWindow{std::max(*length, Duration{}), clock->error};
}

}  // namespace

InRing in_ring(const Seen& from, const Seen& to) {
    const auto packets_of = [](const Seen& seen) {
        return static_cast<std::int64_t>(seen.let_go) -
               static_cast<std::int64_t>(seen.counters.tx_packets + seen.counters.tx_dropped);
    };
    const auto bytes_of = [](const Seen& seen) {
        return static_cast<std::int64_t>(seen.let_go_bytes) -
               static_cast<std::int64_t>(seen.counters.tx_bytes);
    };
    const std::int64_t packets = packets_of(to) - packets_of(from);
    if (packets <= 0 || !to.joins) {
        return {static_cast<std::uint64_t>(std::max<std::int64_t>(packets, 0)), 0};
    }
    // What was dropped is in the queue's bytes, and in none of the tap's.
    const auto dropped =
        static_cast<std::int64_t>(grown(to.counters.tx_dropped, from.counters.tx_dropped));
    const std::int64_t bytes =
        bytes_of(to) - bytes_of(from) - packets * header_bytes_max - dropped * joined_bytes_max;
    if (bytes <= 0) {
        return {0, static_cast<std::uint64_t>(packets)};
    }
    const std::int64_t sure = std::min((bytes - 1) / joined_bytes_max + 1, packets);
    return {static_cast<std::uint64_t>(sure), static_cast<std::uint64_t>(packets - sure)};
}

Seen seen_of(const LinkFacts& link, const std::vector<QdiscFacts>& qdiscs) {
    Seen seen;
    seen.counters = link.counters;
    seen.closed = link.is_tap && !link.carrier;
    seen.joins = link.joins && link.joined_max != 1;
    for (const QdiscFacts& qdisc : qdiscs) {
        if (qdisc.parent == root_parent) {
            seen.let_go = qdisc.packets;
            seen.let_go_bytes = qdisc.bytes;
            seen.counts = qdisc.kind != "noqueue";
        }
        if (qdisc.handle == our_plug_handle) {
            seen.queued = qdisc.queued_packets;
            seen.dropped = qdisc.dropped;
        }
    }
    return seen;
}

Seen seen_of_tunnel(const LinkFacts& link, const std::vector<QdiscFacts>& qdiscs) {
    Seen seen;
    seen.counters = link.counters;
    const std::uint64_t at_least = link.counters.rx_packets + link.counters.tx_packets;
    for (const QdiscFacts& qdisc : qdiscs) {
        if (qdisc.parent == filters_parent) {
            seen.let_go = qdisc.packets;
            seen.let_go_bytes = qdisc.bytes;
            // Without a filter it counts nothing.
            seen.counts = qdisc.packets >= at_least;
        }
    }
    return seen;
}

std::uint64_t Proof::lost_in_all() const noexcept {
    std::uint64_t sum = 0;
    for (const Vanished& one : lost) {
        sum += one.packets;
    }
    return sum;
}

std::string_view name_of(Proof::Says says) noexcept {
    return says_names[static_cast<std::size_t>(says)];
}

Proof prove(const Account& ours, const Account* theirs, bool is_alone,
            const std::optional<ClockDifference>& clock) {
    Proof proof = Auditor{ours, theirs, is_alone}.audit();
    proof.dark = dark_window(ours, theirs, clock);
    return proof;
}

std::string sentence(const Proof& proof) {
    switch (proof.says) {
        case Says::nothing: return "";
        case Says::zero_lost: return "zero lost of " + grouped(proof.sent) + " diverted";
        case Says::not_proven: return "not proven: " + joined(proof.doubts, "; ");
        case Says::lost: break;
    }
    std::string text = "LOST " + grouped(proof.lost_in_all()) +
                       (proof.lost_in_all() == 1 ? " packet: " : " packets: ");
    for (const Vanished& one : proof.lost) {
        text += (&one == proof.lost.data() ? "" : ", ") +
                (proof.lost.size() == 1 ? "" : grouped(one.packets) + " in ") + one.where;
    }
    return text + (proof.doubts.empty() ? "" : "; not known: " + joined(proof.doubts, "; "));
}

std::string text_of(const DarkWindow& dark) {
    return format_duration(dark.length) +
           (dark.error == Duration{} ? "" : " ± " + format_duration(dark.error));
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, ",");
    }
    return text;
}

}  // namespace ktm::net
