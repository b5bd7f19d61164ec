// SPDX-License-Identifier: Apache-2.0
// host/hold.cc: a hold on a tap.
#include "host/hold.hh"

#include <algorithm>
#include <utility>

namespace ktm::host {

namespace {

/// Whether the kernel said that it has no such kind of qdisc.
bool is_unknown_kind(const Error& error) {
    for (const Error* at = &error; at != nullptr; at = at->cause.get()) {
        if (at->code == "ENOENT" || at->code == "EOPNOTSUPP" || at->code == "ENOTSUP") {
            return true;
        }
    }
    return false;
}

}  // namespace

Hold::Hold(Host& host, ports::Clock& clock, Namespace& space, net::HoldWish wish, Duration at_most)
    : host_(host),
      clock_(clock),
      space_(space),
      wish_(std::move(wish)),
      at_most_(at_most),
      alive_(std::make_shared<bool>(true)) {}

Hold::~Hold() {
    *alive_ = false;
}

// --- Installing ------------------------------------------------------------------------------

void Hold::install(Done done) {
    // The length of the queue as it is decides how long the ring must be.
    space_.send({net::FindLink{wish_.tap}},
                [this, alive = alive_, done = std::move(done)](auto outcome) mutable {
                    if (!*alive) {
                        return;
                    }
                    if (!outcome.front()) {
                        done(std::move(outcome.front()).error());
                        return;
                    }
                    const auto& links = outcome.front()->links;
                    acquire_ring(links.empty() ? net::LinkFacts{} : links.front(), std::move(done));
                });
}

void Hold::acquire_ring(const net::LinkFacts& tap, Done done) {
    const bool plug = wish_.mode != net::HoldMode::ring;
    Result<net::HoldForm> form = net::form_of(wish_, tap.queue_length, plug, plug);
    if (!form) {
        done(std::move(form).error());
        return;
    }
    form_ = *form;
    host_.acquire(space_, UndoKind::hold, net::want_ring(wish_, form_),
                  [this, alive = alive_, queue_length = tap.queue_length,
                   joined_max = tap.joins ? tap.joined_max : 0,
                   done = std::move(done)](Result<AcquiredId> acquired) mutable {
                      if (!*alive) {
                          return;
                      }
                      if (!acquired) {
                          done(std::move(acquired).error());
                          return;
                      }
                      ring_ = *acquired;
                      base_queue_length_ = queue_length;
                      base_joined_max_ = joined_max;
                      if (form_.plug) {
                          acquire_plug(true, std::move(done));
                      } else {
                          begin_counting(std::move(done));
                      }
                  });
}

void Hold::acquire_plug(bool with_pacer, Done done) {
    form_ = *net::form_of(wish_, base_queue_length_, true, with_pacer);
    host_.acquire(space_, UndoKind::hold, net::want_plug(wish_, form_),
                  [this, alive = alive_, with_pacer,
                   done = std::move(done)](Result<AcquiredId> acquired) mutable {
                      if (*alive) {
                          settle_plug(with_pacer, std::move(acquired), std::move(done));
                      }
                  });
}

void Hold::settle_plug(bool with_pacer, Result<AcquiredId> acquired, Done done) {
    if (acquired) {
        plug_ = *acquired;
        if (Result<void> guarded = set_guard(); !guarded) {
            done(std::move(guarded).error());
            return;
        }
        begin_counting(std::move(done));
        return;
    }
    const bool lacks = is_unknown_kind(acquired.error());
    if (with_pacer && lacks) {
        acquire_plug(false, std::move(done));
        return;
    }
    // What else was wrong, such as the hold of another run, would be wrong with a ring too.
    const bool can_do_without = lacks || acquired.error().code == "no-way-back";
    if (wish_.mode == net::HoldMode::plug_and_ring || !can_do_without) {
        done(std::move(acquired).error());
        return;
    }
    without_plug_ = acquired.error().sentence();
    form_ = *net::form_of(wish_, base_queue_length_, false, false);
    begin_counting(std::move(done));
}

/// One guard acts once.
Result<void> Hold::set_guard() {
    guard_.reset();
    Result<std::unique_ptr<ports::Guard>> guard =
        space_.network().guard({net::OpenPlug{wish_.tap, form_.pacer}});
    if (!guard) {
        return std::move(guard).error();
    }
    guard_ = std::move(*guard);
    return {};
}

void Hold::begin_counting(Done done) {
    look([this, done = std::move(done)](Result<Seen> seen) mutable {
        if (!seen) {
            done(std::move(seen).error());
            return;
        }
        base_ = *seen;
        counting_ = true;
        done({});
    });
}

// --- Blocking and opening -----------------------------------------------------------------------

void Hold::block(Done done) {
    if (!givers_.empty()) {
        done(Error{Kind::usage, "given-back", "it is being given back", "", nullptr});
        return;
    }
    if (!plug_ || (blocked_ && !may_be_open_)) {
        done({});
        return;
    }
    Result<void> armed = guarded_ ? set_guard() : Result<void>{};
    if (armed) {
        armed = guard_->arm(at_most_);
    }
    if (!armed) {
        done(std::move(armed).error());
        return;
    }
    // An opening that is under way is void from here on.
    const bool was_blocked = std::exchange(blocked_, true);
    ++blocks_;
    space_.send({net::BlockPlug{wish_.tap, form_.pacer}},
                [this, was_blocked, alive = alive_, done = std::move(done)](auto outcome) mutable {
                    if (!*alive) {
                        return;
                    }
                    Result<net::Answer>& answer = outcome.front();
                    if (answer) {
                        may_be_open_ = false;
                        done({});
                        return;
                    }
                    if (!was_blocked && !is_unknown(answer.error())) {
                        blocked_ = false;
                        guarded_ = !guard_->disarm() || guarded_;
                    }
                    done(std::move(answer).error());
                });
}

void Hold::open(Done done) {
    may_be_open_ = true;
    try_to_open({0, blocks_, std::move(done)});
}

/// To open it twice does nothing.
void Hold::try_to_open(Opening opening) {
    if (!blocked_ || opening.blocks != blocks_) {
        opening.done({});
        return;
    }
    net::Requests requests;
    if (form_.pacer) {
        requests.emplace_back(net::SetPace{wish_.tap, form_.pace});
    }
    requests.emplace_back(net::OpenPlug{wish_.tap, form_.pacer});
    space_.send(std::move(requests),
                [this, alive = alive_, opening = std::move(opening)](auto outcome) mutable {
                    if (!*alive) {
                        return;
                    }
                    if (outcome.back()) {
                        note_open();
                        opening.done({});
                    } else if (is_gone_already(outcome.back().error())) {
                        open_if_gone(std::move(outcome.back()).error(), std::move(opening));
                    } else {
                        open_again(std::move(outcome.back()).error(), std::move(opening));
                    }
                });
}

/// Two may have opened it at once; the later one finds nothing to note.
void Hold::note_open() {
    if (std::exchange(blocked_, false)) {
        guarded_ = !guard_->disarm() || guarded_;
    }
}

/// The guest behind it gets nothing: what is refused is tried again. A kernel that did not answer
/// for seconds has lost packets by then, and that is no opening that went well.
void Hold::open_again(Error error, Opening opening) {
    if (is_unknown(error) || opening.failed == again_after.size()) {
        opening.done(std::move(error));
        return;
    }
    const Duration pause = again_after[opening.failed++];
    space_.later(pause, [this, alive = alive_, opening = std::move(opening)]() mutable {
        if (*alive) {
            try_to_open(std::move(opening));
        }
    });
}

/// What is gone holds nothing any more; but it must be gone.
void Hold::open_if_gone(Error error, Opening opening) {
    space_.send({net::FindLink{wish_.tap}}, [this, alive = alive_, error = std::move(error),
                                             opening = std::move(opening)](auto outcome) mutable {
        if (!*alive) {
            return;
        }
        if (!outcome.back()) {
            open_again(std::move(outcome.back()).error(), std::move(opening));
        } else if (!outcome.back()->links.empty()) {
            open_again(std::move(error), std::move(opening));
        } else {
            note_open();
            opening.done({});
        }
    });
}

// --- Counting --------------------------------------------------------------------------------

void Hold::look(UniqueFunction<void(Result<Seen>)> done) {
    space_.send({net::FindLink{wish_.tap}, net::ListQdiscs{wish_.tap}},
                [this, alive = alive_, done = std::move(done)](auto outcome) mutable {
                    if (!*alive) {
                        return;
                    }
                    std::optional<Error> wrong;
                    for (auto& answer : outcome) {
                        if (!answer && !wrong) {
                            wrong = std::move(answer).error();
                        }
                    }
                    if (!wrong && outcome[0]->links.empty()) {
                        wrong = Error{Kind::lost, "ENODEV", wish_.tap + " is gone", "", nullptr};
                    }
                    if (wrong) {
                        unread_ = wrong->sentence();
                        last_.reset();
                        done(std::move(*wrong));
                        return;
                    }
                    const Seen seen = net::seen_of(outcome[0]->links.front(), outcome[1]->qdiscs);
                    last_ = seen;
                    unread_.clear();
                    done(seen);
                });
}

HoldCounts Hold::counts_from(const Seen& seen) {
    HoldCounts counts;
    counts.taken = net::grown(seen.counters.tx_packets, base_.counters.tx_packets);
    counts.queued = seen.queued;
    counts.queued_most = std::max(counts_.queued_most, seen.queued);
    counts.dropped_plug = seen.dropped;
    counts.dropped_ring = net::grown(seen.counters.tx_dropped, base_.counters.tx_dropped);
    counts.guarded = guarded_;
    counts_ = counts;
    return counts;
}

/// What was let go and is neither taken nor dropped yet: never more than the ring takes.
net::InRing Hold::in_ring(const Seen& seen) const {
    if (!seen.counts) {
        return {};
    }
    net::InRing all = net::in_ring(base_, seen);
    all.sure = std::min<std::uint64_t>(all.sure, form_.ring);
    all.unsure = std::min<std::uint64_t>(all.unsure, form_.ring - all.sure);
    return all;
}

void Hold::note_opening() {
    if (!is_there() || amid_) {
        return;
    }
    look([this](const Result<Seen>& seen) {
        if (seen) {
            amid_ = *seen;
        }
    });
}

net::Point Hold::point() const {
    net::Point point;
    point.part = net::part_hold;
    point.link = wish_.tap;
    point.netns = space_.place();
    if (counting_) {
        point.before = base_;
        point.after = last_;
    }
    point.amid = amid_;
    point.unread = unread_;
    point.left = counts_.left;
    point.unsure = unsure_;
    point.most = counts_.queued_most;
    return point;
}

void Hold::count(Counted done) {
    if (!ring_) {
        done(counts_);
        return;
    }
    look([this, done = std::move(done)](Result<Seen> seen) mutable {
        if (!seen) {
            done(std::move(seen).error());
        } else {
            done(counts_from(*seen));
        }
    });
}

// --- Giving back -----------------------------------------------------------------------------

void Hold::give_back(Counted done) {
    stays_ = false;
    end(std::move(done));
}

void Hold::finish(Counted done) {
    stays_ = true;
    end(std::move(done));
}

void Hold::end(Counted done) {
    givers_.push_back(std::move(done));
    if (givers_.size() > 1) {
        return;
    }
    open([this](Result<void> opened) {
        if (!opened) {
            tell_givers(opened);
            return;
        }
        if (!counting_) {
            put_back();  // It was never whole, and has held nothing.
            return;
        }
        drain_began_ = clock_.now();
        moved_ = drain_began_;
        moved_to_ = UINT64_MAX;
        gone_at_.reset();
        drain();
    });
}

void Hold::drain() {
    look([this](Result<Seen> seen) {
        if (seen) {
            drain_further(*seen);
        } else {
            // The tap is gone, and took the hold with it; what is known of it was counted before.
            put_back();
        }
    });
}

void Hold::drain_further(const Seen& seen) {
    const Instant now = clock_.now();
    if (seen.counters.tx_packets != moved_to_) {
        moved_to_ = seen.counters.tx_packets;
        moved_ = now;
    }
    (void)counts_from(seen);
    const net::InRing ring = in_ring(seen);
    const std::uint64_t waiting = seen.queued + ring.sure + ring.unsure;
    // First come, first served: what waited at first is gone when as many were taken since.
    if (!gone_at_) {
        gone_at_ = seen.counters.tx_packets + waiting;
    }
    // Packets go on coming: what is left must fit into the ring as it will be, with room to spare.
    // Where nobody counts what is in the ring, a reader that stands still has emptied it.
    const bool fits = seen.counts && ((seen.queued == 0 && waiting <= base_queue_length_ / 4) ||
                                      (seen.joins && seen.counters.tx_packets >= *gone_at_));
    const bool stands_still = now - moved_ >= reader_patience;
    if (fits || stands_still || now - drain_began_ >= drain_within) {
        counts_.left = fits ? 0 : seen.queued + ring.sure;
        unsure_ = fits ? 0 : ring.unsure;
        put_back();
        return;
    }
    timer_ = clock_.arm(drain_poll, [this] { drain(); });
}

void Hold::put_back() {
    guard_.reset();
    if (!form_.pacer || !plug_) {
        stays_ ? let_be() : give_plug();
        return;
    }
    // ORDER: what waits in the pacer for its turn would die with it.
    space_.send({net::SetPace{wish_.tap, 0}}, [this, alive = alive_](const auto&) {
        if (*alive) {
            stays_ ? let_be() : give_plug();
        }
    });
}

/// Whoever sends to the guest may join packets again: to part them costs it speed.
void Hold::let_be() {
    if (base_joined_max_ > 1) {
        space_.send({net::SetQueueLength{wish_.tap, form_.ring, base_joined_max_}},
                    [this, alive = alive_](const auto& outcome) {
                        if (*alive) {
                            // What cannot be put back is an entry of the ledger like any other.
                            outcome.front() ? let_parts_be() : give_plug();
                        }
                    });
        return;
    }
    let_parts_be();
}

void Hold::let_parts_be() {
    for (std::optional<AcquiredId>* part : {&plug_, &ring_}) {
        if (*part) {
            host_.let_be(**part);
            part->reset();
        }
    }
    tell_givers({});
}

void Hold::give_plug() {
    if (!plug_) {
        give_ring({});
        return;
    }
    host_.give_back(*std::exchange(plug_, std::nullopt),
                    [this, alive = alive_](Result<void> given) {
                        if (*alive) {
                            give_ring(std::move(given));
                        }
                    });
}

void Hold::give_ring(Result<void> plug) {
    if (!ring_) {
        tell_givers(plug);
        return;
    }
    host_.give_back(*std::exchange(ring_, std::nullopt),
                    [this, alive = alive_, plug = std::move(plug)](const Result<void>& ring) {
                        if (*alive) {
                            tell_givers(plug ? ring : plug);
                        }
                    });
}

/// LIFETIME: whoever is told may destroy the Hold.
void Hold::tell_givers(const Result<void>& given) {
    const HoldCounts counts = counts_;
    const std::optional<Error> error =
        given ? std::nullopt : std::optional<Error>{Error{given.error()}};
    for (Counted& giver : std::exchange(givers_, {})) {
        giver(error ? Result<HoldCounts>{Error{*error}} : Result<HoldCounts>{counts});
    }
}

}  // namespace ktm::host
