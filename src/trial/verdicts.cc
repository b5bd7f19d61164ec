// SPDX-License-Identifier: Apache-2.0
// trial/verdicts.cc: what the referee looks at when nothing acts any more.
#include "trial/verdicts.hh"

#include <algorithm>
#include <string>
#include <vector>

#include "trial/site.hh"

namespace ktm::trial {

namespace {

using engine::End;

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
    }

    void judge() {
        judge_success();
        judge_guest();
        for (const Side side : sides_) {
            judge_host(side);
            judge_words(side);
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
                   !site_.node(side).left().empty();
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
        const bool moves = sides_.size() == 2;
        if (!moves || !committed_) {
            if (!runs(Side::source) && !was_killed(Side::source)) {
                blame(Invariant::stays_at_home, moves ? "the guest does not run at the source, "
                                                        "which has not given it away"
                                                      : "the guest does not run any more");
            }
            return;
        }
        if (site_.node(Side::dest).qemu_is_gone() && !was_killed(Side::dest)) {
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
    void judge_host(Side side) {
        Node& node = site_.node(side);
        const std::string name{model::name_of(side)};
        const bool stays = ended(side, End::stranded) || !node.left().empty();
        if (node.holds_packets()) {
            blame(Invariant::hold_open, "a hold at the " + name + " is still blocked");
        }
        const std::string difference = node.difference();
        if (!difference.empty() && !stays && !is_left_behind(side)) {
            blame(Invariant::host_as_before, "the " + name + " is not as before: " + difference);
        }
        const std::vector<std::string> journals = node.journals();
        if (!journals.empty() && !stays && !is_left_behind(side)) {
            blame(Invariant::host_as_before, "a journal stays at the " + name);
        }
    }

    /// The run says itself that it could not take something back.
    [[nodiscard]] bool is_left_behind(Side side) {
        const script::Outcome* there = outcome(side);
        return there != nullptr && (!there->ended.left.empty() || !there->journal.empty());
    }

    void judge_words(Side side) {
        const script::Outcome* said = outcome(side);
        if (said == nullptr) {
            return;
        }
        const std::string name{model::name_of(side)};
        const bool moves = sides_.size() == 2;
        if (moves && said->ended.end == End::done && !runs(Side::dest) && !was_killed(Side::dest)) {
            blame(Invariant::truth,
                  "the " + name + " says done, and the guest does not run at the destination");
        }
        if (said->ended.end == End::done && site_.node(side).lacks_file()) {
            blame(Invariant::truth, "the " + name + " says done, and what QEMU wrote is not whole");
        }
        for (const script::GuestStatus& guest : said->guests) {
            const bool says_runs = guest.status == "running";
            if (guest.vm.empty() && says_runs && !was_killed(side) &&
                !site_.node(side).katamaran()->ran_at_end()) {
                blame(Invariant::truth, "the " + name + " says that the guest runs there");
            }
        }
    }

    /// When the network learns of the new node, what goes there at once overtakes what is still on
    /// its way through the tunnel; that is no fault of a plan.
    [[nodiscard]] std::uint64_t overtaken() const {
        const WorldSettings& world = site_.stage().world;
        const auto latency = static_cast<std::uint64_t>(world.latency.count());
        return 1 + world.packets_per_second * latency / 1'000'000'000;
    }

    /// Whether packets are lost there because of a fault, and no plan could have saved them.
    [[nodiscard]] bool is_of_fault(std::string_view place) {
        // Two late things in a row keep packets for longer than any hold was asked to; it says so.
        const script::Outcome* said = outcome(Side::dest);
        const bool is_said = said != nullptr && !said->losses.empty();
        const bool overflows = place.find("no room in the dest's") != std::string_view::npos;
        return place.find("wire was cut") != std::string_view::npos ||
               (overflows && is_said && site_.crossings().late() > 1) ||
               (was_killed(Side::dest) && place.find("at the dest") != std::string_view::npos);
    }

    void judge_packets() {
        const bool went_well = std::all_of(sides_.begin(), sides_.end(),
                                           [&](Side side) { return ended(side, End::done); });
        if (!went_well || sides_.size() != 2) {
            return;
        }
        for (const model::FlowAccount& account : site_.accounts()) {
            const auto blamed =
                std::find_if(account.lost.begin(), account.lost.end(),
                             [&](const auto& place) { return !is_of_fault(place.first); });
            if (blamed != account.lost.end()) {
                blame(Invariant::no_packet_lost,
                      std::to_string(blamed->second) + " packets were lost, " + blamed->first);
            } else if (account.duplicated > 0 || account.reordered > overtaken()) {
                blame(Invariant::no_packet_lost,
                      std::to_string(account.duplicated) + " packets came twice, " +
                          std::to_string(account.reordered) + " out of order");
            }
        }
    }

    Site& site_;
    Instant now_;
    std::vector<Side> sides_;
    bool committed_ = false;
};

}  // namespace

void judge(Site& site) {
    Judge{site}.judge();
}

}  // namespace ktm::trial
