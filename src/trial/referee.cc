// SPDX-License-Identifier: Apache-2.0
// trial/referee.cc: what must hold in every migration, and who sees when it does not.
#include "trial/referee.hh"

#include <utility>

namespace ktm::trial {

namespace {

struct Words {
    std::string_view name;
    std::string_view meaning;
};

constexpr std::array<Words, invariants> words{{
    {"gets-there", "where nothing goes wrong the migration is done"},
    {"one-guest", "never two guests at once"},
    {"guest-lives", "at the end one guest runs, or the run says that none does"},
    {"stays-at-home", "until the commit every failure ends with the guest at the source"},
    {"no-way-back", "behind the commit nobody lets the guest run at the source"},
    {"disks-equal", "where the guest starts, its disk holds all that it wrote"},
    {"host-as-before", "a host is left as it was found"},
    {"vm-as-before", "until the commit a QEMU is left as it was found"},
    {"hold-open", "no packets are held for ever"},
    {"no-packet-lost",
     "a migration that goes well loses no packet, doubles none, and keeps their order"},
    {"in-time",
     "everything ends, and a fault lets no guest stand for more than two minutes longer"},
    {"truth", "what a run says of itself is so"},
    {"ledger", "who says that no packet was lost is right, and so is who says that some were"},
}};

}  // namespace

std::string_view name_of(Invariant invariant) noexcept {
    return words[static_cast<std::size_t>(invariant)].name;
}

std::string_view describe(Invariant invariant) noexcept {
    return words[static_cast<std::size_t>(invariant)].meaning;
}

void Referee::blame(Invariant invariant, std::string what, Instant at) {
    const std::uint32_t bit = 1U << static_cast<std::uint32_t>(invariant);
    if ((told_ & bit) == 0) {
        told_ |= bit;
        violations_.push_back({invariant, std::move(what), at});
    }
}

void Referee::on_guest(Side side, bool runs, bool fits, Instant at) {
    here(side).runs = runs;
    if (!runs) {
        standing_since_ = at;
        if (side == Side::source && begun_) {
            stopped_ = stopped_.value_or(at);
        }
        return;
    }
    if (standing_since_ && at - *standing_since_ > stood_.most) {
        stood_ = {at - *standing_since_, at};
    }
    standing_since_.reset();
    const std::string where{model::name_of(side)};
    if (here(model::other(side)).runs) {
        blame(Invariant::one_guest, "the guest runs at both nodes", at);
    }
    if (!fits) {
        blame(Invariant::disks_equal,
              "the guest starts at the " + where + ", whose disk lacks what it has written", at);
    }
    if (begun_ && side == Side::source && here(Side::source).committed) {
        blame(Invariant::no_way_back, "the guest is started at the source, which gave it away", at);
    }
    if (begun_) {
        started_ = at;
    }
    begun_ = true;
}

void Referee::on_commit(Side side, Instant) {
    here(side).committed = true;
}

void Referee::on_exit(Side side, bool killed, Instant at) {
    here(side).gone = true;
    here(side).killed = here(side).killed || killed;
    if (here(side).runs) {
        on_guest(side, false, true, at);
    }
}

std::optional<Duration> Referee::dark() const noexcept {
    if (!stopped_ || !started_ || *started_ < *stopped_) {
        return std::nullopt;
    }
    return *started_ - *stopped_;
}

}  // namespace ktm::trial
