// SPDX-License-Identifier: Apache-2.0
// script/run_net.cc: the kernel's side of a run: made when it is needed, closed at the end.
#include <algorithm>
#include <string>
#include <utility>

#include "script/net_side.hh"
#include "script/peer_side.hh"
#include "script/run.hh"

namespace ktm::script {

NetSide& Run::net() {
    if (net_ == nullptr) {
        net_ = std::make_unique<NetSide>(*this, world_, host_settings_);
        if (machine_.is_committed()) {
            (void)net_->host().commit();
        }
    }
    return *net_;
}

void Run::report_losses(const host::Hold& hold) {
    const host::HoldCounts& counts = hold.last_counts();
    const std::string& tap = hold.tap();
    if (counts.guarded) {
        observer_.on_words(
            "warn", "the hold on " + tap + " was opened by its guard: it was blocked for too long");
    }
    if (counts.lost() == 0) {
        return;
    }
    const auto part = [](std::uint64_t count, const char* where) {
        return count == 0 ? std::string{} : std::to_string(count) + where;
    };
    std::string text;
    for (const std::string& lost : {part(counts.dropped_plug, " did not fit into its plug"),
                                    part(counts.dropped_ring, " did not fit into its ring"),
                                    part(counts.left, " were not taken by anybody")}) {
        text += lost.empty() ? "" : (text.empty() ? "" : ", ") + lost;
    }
    text = "the hold on " + tap + " lost " + std::to_string(counts.lost()) + " packets: " + text;
    auto& losses = outcome_.losses;
    if (std::find(losses.begin(), losses.end(), text) != losses.end()) {
        return;  // Two asked, and both were told.
    }
    observer_.on_words("error", text);
    outcome_.losses.push_back(std::move(text));
}

/// Behind the commit nothing is undone, by us or by who recovers. What is not written down would be
/// undone by them all the same, and there would be two guests; so the run does not commit then.
engine::CommitWritten Run::write_commit() {
    if (net_ == nullptr) {
        return {};
    }
    Result<void> written = net_->host().commit();
    return written ? engine::CommitWritten{} : engine::CommitWritten{std::move(written).error()};
}

bool Run::net_is_busy() const {
    return net_ != nullptr && net_->is_busy() && !lost_patience_;
}

// --- The ledger of packets
// ------------------------------------------------------------------------

net::Account Run::account() const {
    net::Account account = net_ == nullptr ? net::Account{} : net_->account();
    account.role = settings_.role;
    account.stopped_at = static_cast<std::uint64_t>(stopped_.count());
    account.resumed_at = static_cast<std::uint64_t>(resumed_.count());
    account.gave_up =
        outcome_.ended.end == engine::End::aborted && !vms_.empty() && resumed_ == Duration{};
    account.stays = outcome_.ended.end == engine::End::stranded;
    return account;
}

void Run::balance() {
    PacketLedger& ledger = outcome_.ledger;
    ledger.ours = account();
    std::optional<net::ClockDifference> clock;
    if (peer_ != nullptr) {
        ledger.theirs = peer_->their_account();
        if (const auto& reading = peer_->their_clock()) {
            clock = {reading->offset, reading->round_trip / 2};
        }
    }
    ledger.proof =
        net::prove(ledger.ours, ledger.theirs ? &*ledger.theirs : nullptr, peer_ == nullptr, clock);
}

/// What was not given back stays written down, for whoever recovers.
void Run::close_net() {
    if (net_ == nullptr) {
        return;
    }
    const bool keeps = outcome_.ended.end == engine::End::done || outcome_.ended.committed;
    if (Result<void> closed = keeps ? net_->host().commit() : Result<void>{}; !closed) {
        observer_.on_words("error", closed.error().sentence());
        outcome_.ended.left.push_back(
            {"the journal " + net_->host().journal_path(),
             "it does not say that the run has committed: remove it, and do not recover from it",
             true});
    } else if (Result<std::string> journal = net_->host().close()) {
        outcome_.journal = std::move(*journal);
    } else {
        observer_.on_words("warn", journal.error().sentence() + ": " + net_->host().journal_path());
    }
    net_.reset();
}

}  // namespace ktm::script
