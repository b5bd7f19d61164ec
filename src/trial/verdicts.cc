// SPDX-License-Identifier: Apache-2.0
// trial/verdicts.cc: what the referee looks at when nothing acts any more.
#include "trial/verdicts.hh"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "trial/site.hh"

namespace ktm::trial {

namespace {

using engine::End;
using About = Node::About;

/// What was found at the end of a trial, asked in the words of the invariants.
class Judge {
public:
    explicit Judge(Site& site) : site_(site), now_(site.virtual_clock().now()) {
        for (const Side side : {Side::source, Side::dest}) {
            if (site.has(side)) {
                sides_.push_back(side);
            }
        }
        committed_ = site.referee().has_committed(Side::source);
        const bool commits = std::any_of(sides_.begin(), sides_.end(), [&](Side side) {
            const Part& part = *site.stage().part(side);
            const auto& states = part.plan.plan().find(part.settings.role)->states;
            return std::any_of(states.begin(), states.end(),
                               [](const plan::State& state) { return state.commits; });
        });
        moves_ = sides_.size() == 2 && commits;
    }

    void judge() {
        judge_success();
        judge_guest();
        for (const Side side : sides_) {
            judge_host(side);
            judge_vm(side);
            judge_words(side);
            judge_ledger(side);
        }
        judge_packets();
    }

private:
    [[nodiscard]] const script::Outcome* outcome(Side side) {
        Katamaran* katamaran = site_.node(side).katamaran();
        return katamaran == nullptr || !katamaran->outcome() ? nullptr : &*katamaran->outcome();
    }
    [[nodiscard]] bool ended(Side side, End end) {
        const script::Outcome* there = outcome(side);
        return there != nullptr && there->ended.end == end;
    }
    void blame(Invariant invariant, const std::string& what) {
        site_.referee().blame(invariant, what, now_);
    }
    [[nodiscard]] bool runs(Side side) { return site_.referee().runs(side); }
    [[nodiscard]] bool was_killed(Side side) { return site_.referee().was_killed(side); }

    /// Somebody told a person that the guest needs one.
    [[nodiscard]] bool is_told() {
        return std::any_of(sides_.begin(), sides_.end(), [&](Side side) {
            const script::Outcome* there = outcome(side);
            return (there != nullptr && there->ended.end == End::stranded) ||
                   site_.node(side).says_left(About::vm);
        });
    }

    void judge_success() {
        for (const Side side : sides_) {
            if (site_.crossings().is_undisturbed() && !ended(side, End::done)) {
                const script::Outcome* said = outcome(side);
                blame(Invariant::gets_there,
                      "the " + std::string{model::name_of(side)} +
                          (said == nullptr || !said->ended.cause
                               ? " is not done"
                               : " is not done: " + said->ended.cause->sentence()));
            }
        }
    }

    void judge_guest() {
        if (!moves_ || !committed_) {
            const bool is_there = site_.node(Side::source).had_qemu();
            if (is_there && !runs(Side::source) && !was_killed(Side::source)) {
                blame(Invariant::stays_at_home,
                      (moves_ ? "the source has not given the guest away, and " : "") +
                          why_it_does_not_run());
            }
            return;
        }
        // Between the commit of a post-copy and the last device the guest is in neither QEMU.
        const bool died_between = was_killed(Side::source) &&
                                  site_.node(Side::dest).qemu_failed_to_load() &&
                                  !site_.node(Side::dest).saw_guest_run();
        if (site_.node(Side::dest).qemu_is_gone() && !was_killed(Side::dest) && !died_between) {
            blame(Invariant::guest_lives,
                  "the QEMU at the destination has ended, with the guest that was given to it");
        }
        const bool arrived = ended(Side::dest, End::done) || site_.node(Side::dest).saw_guest_run();
        const bool died_later = was_killed(Side::dest) && arrived;
        if (!runs(Side::source) && !runs(Side::dest) && !died_later && !is_told()) {
            blame(Invariant::guest_lives,
                  "the guest runs nowhere, and nobody says that a person must look");
        }
    }

    /// Of a guest at the source that nobody gave away.
    [[nodiscard]] std::string why_it_does_not_run() {
        if (site_.node(Side::source).qemu_is_gone()) {
            return "its QEMU has ended";
        }
        const std::string stopped = "the guest was stopped, and ";
        const script::Outcome* said = outcome(Side::source);
        if (said != nullptr && said->ended.end == End::done) {
            return stopped + "the run says done";
        }
        if (said != nullptr) {
            for (const engine::Left& left : said->ended.left) {
                if (!left.in_kernel) {
                    return stopped + "an undo failed: " + left.what + ": " + left.why;
                }
            }
        }
        Node& node = site_.node(Side::source);
        return stopped + (node.says_left(About::vm) ? "its recovery failed"
                          : node.was_killed()       ? "nothing in the journal wakes it"
                                                    : "no undo wakes it");
    }

    void judge_host(Side side) {
        Node& node = site_.node(side);
        const std::string name{model::name_of(side)};
        if (node.holds_packets()) {
            blame(Invariant::hold_open, "a hold at the " + name + " is still blocked");
        }
        const std::string difference = node.difference();
        if (!difference.empty() && !node.says_left(About::host)) {
            blame(Invariant::host_as_before, "the " + name + " is not as before: " + difference);
        }
        const script::Outcome* said = outcome(side);
        const bool is_named = said != nullptr && !said->journal.empty();
        const bool has_journal = !node.journals().empty();
        const bool says_left = node.says_left(About::host) || node.says_left(About::vm);
        if (has_journal && !is_named && !says_left) {
            blame(Invariant::host_as_before, "a journal stays at the " + name);
        } else if (is_named && !has_journal) {
            blame(Invariant::truth,
                  "the " + name + " says that there is a journal: " + said->journal);
        }
    }

    /// What a run that is done has made of its QEMU is what the plan is for, and so is what a
    /// migration has made of both. Where a run is stranded a person looks at the guest anyway.
    void judge_vm(Side side) {
        Node& node = site_.node(side);
        if (committed_ || site_.referee().has_committed(side) || ended(side, End::done) ||
            ended(side, End::stranded) || node.says_left(About::vm)) {
            return;
        }
        const std::string difference = node.qemu_difference();
        if (!difference.empty()) {
            blame(Invariant::vm_as_before, "QEMU at the " + std::string{model::name_of(side)} +
                                               " is not as before: " + difference);
        }
    }

    void judge_words(Side side) {
        const script::Outcome* said = outcome(side);
        if (said == nullptr) {
            return;
        }
        const std::string name{model::name_of(side)};
        if (moves_ && said->ended.end == End::done && !runs(Side::dest) &&
            !was_killed(Side::dest)) {
            blame(Invariant::truth,
                  "the " + name + " says done, and the guest does not run at the destination");
        }
        if (said->ended.end == End::done && site_.node(side).lacks_file()) {
            blame(Invariant::truth, "the " + name + " says done, and what QEMU wrote is not whole");
        }
        const std::uint64_t dropped = dropped_by_plug(side);
        if (said->ended.end == End::done && dropped > 0 && said->losses.empty()) {
            blame(Invariant::truth, "the " + name + " says nothing of " + packets(dropped) +
                                        " for which its plug had no room");
        }
        for (const script::GuestStatus& guest : said->guests) {
            const std::string_view status = site_.node(side).katamaran()->status_at_end();
            // QEMU was about to become the other by itself.
            const bool was_at_it = guest.status == "finish-migrate" && status == "postmigrate";
            if (guest.vm.empty() && !guest.status.empty() && !status.empty() &&
                guest.status != status && !was_at_it) {
                blame(Invariant::truth, "the " + name + " says that its guest is " + guest.status +
                                            ", and it is " + std::string{status});
            }
        }
    }

    void judge_ledger(Side side) {
        const script::Outcome* said = outcome(side);
        if (said == nullptr) {
            return;
        }
        // What comes to a QEMU that was killed is lost, diverted or not; who says so is right.
        const bool says_zero = said->ledger.proof.says == net::Proof::Says::zero_lost;
        std::vector<model::FlowAccount> known = site_.node(side).katamaran()->packets_at_end();
        for (model::FlowAccount& account : known) {
            std::erase_if(account.lost, [&](const auto& place) {
                return std::any_of(sides_.begin(), sides_.end(), [&](Side at) {
                    return says_zero && was_killed(at) &&
                           place.first.find(model::name_of(at)) != std::string::npos;
                });
            });
        }
        const std::string what = contradiction(said->ledger.proof, known);
        if (!what.empty()) {
            blame(Invariant::ledger, "the " + std::string{model::name_of(side)} + what);
        }
    }

    /// A plug is a hold of ours; a ring that is full may be one that nobody holds anything in.
    [[nodiscard]] std::uint64_t dropped_by_plug(Side side) {
        std::uint64_t dropped = 0;
        for (const model::FlowAccount& account : site_.accounts()) {
            const auto lost = account.lost.find(describe(model::Loss::plug_full, side));
            dropped += lost == account.lost.end() ? 0 : lost->second;
        }
        return dropped;
    }

    /// Whether packets are lost there because of a fault, and no plan could have saved them.
    [[nodiscard]] bool is_of_fault(std::string_view place) {
        // Two late things in a row keep packets for longer than any hold was asked to; it says so.
        const script::Outcome* said = outcome(Side::dest);
        const bool is_said = said != nullptr && !said->losses.empty();
        const bool overflows = place.find("no room in the dest's") != std::string_view::npos;
        // A guest that stands at the source is seen to when QEMU answers; until then its tap fills.
        const bool stands_unseen =
            place.find("no room in the source's ring") != std::string_view::npos &&
            site_.crossings().late() > 0;
        return place.find("wire was cut") != std::string_view::npos || stands_unseen ||
               (overflows && is_said && site_.crossings().late() > 1) ||
               (was_killed(Side::dest) && place.find("at the dest") != std::string_view::npos);
    }

    void judge_packets() {
        const bool went_well = std::all_of(sides_.begin(), sides_.end(),
                                           [&](Side side) { return ended(side, End::done); });
        if (!went_well || sides_.size() != 2) {
            return;
        }
        const std::uint64_t overtaken = overtaken_max(site_.stage().world);
        for (const model::FlowAccount& account : site_.accounts()) {
            if (const std::string lost = lost_of(account); !lost.empty()) {
                blame(Invariant::no_packet_lost, lost);
            } else if (account.duplicated > 0) {
                blame(Invariant::no_packet_lost, packets(account.duplicated) + " came twice");
            } else if (account.reordered > overtaken) {
                blame(Invariant::no_packet_lost,
                      packets(account.reordered) +
                          " came out of order; the network's change of route makes no more than " +
                          std::to_string(overtaken));
            }
        }
    }

    [[nodiscard]] static std::string packets(std::uint64_t count) {
        return std::to_string(count) + (count == 1 ? " packet" : " packets");
    }

    /// How many packets of a flow the plan has lost, and where the most of them.
    [[nodiscard]] std::string lost_of(const model::FlowAccount& account) {
        std::uint64_t all = 0;
        std::pair<std::string, std::uint64_t> most;
        for (const auto& place : account.lost) {
            if (!is_of_fault(place.first)) {
                all += place.second;
                if (place.second > most.second) {
                    most = place;
                }
            }
        }
        if (all == 0) {
            return "";
        }
        return packets(all) + (all == 1 ? " was lost, " : " were lost, ") +
               (most.second < all ? std::to_string(most.second) + " of them: " : "") + most.first;
    }

    Site& site_;
    Instant now_;
    std::vector<Side> sides_;
    bool committed_ = false;
    bool moves_ = false;  ///< The plan gives a guest from one node to the other.
};

}  // namespace

std::uint64_t overtaken_max(const WorldSettings& world) noexcept {
    const auto latency = static_cast<std::uint64_t>(world.latency.count());
    return 1 + world.packets_per_second * latency / 1'000'000'000;
}

/// Where a packet still waits, nobody can know yet whether it is lost.
std::string contradiction(const net::Proof& said, const std::vector<model::FlowAccount>& known) {
    std::uint64_t lost = 0;
    std::uint64_t waiting = 0;
    std::string places;
    for (const model::FlowAccount& account : known) {
        lost += account.lost_in_all();
        waiting += account.waiting_in_all();
        for (const auto& [place, packets] : account.lost) {
            places += (places.empty() ? "" : ", ") + std::to_string(packets) + " " + place;
        }
    }
    const std::string words = " says '" + net::sentence(said) + "', and ";
    if (said.says == net::Proof::Says::zero_lost && lost > 0) {
        return words + std::to_string(lost) + " were lost: " + places;
    }
    if (said.says == net::Proof::Says::lost && said.lost_in_all() > lost + waiting) {
        return words + std::to_string(lost) + " were lost" +
               (waiting == 0 ? "" : ", and " + std::to_string(waiting) + " wait");
    }
    return "";
}

void judge(Site& site) {
    Judge{site}.judge();
}

}  // namespace ktm::trial
