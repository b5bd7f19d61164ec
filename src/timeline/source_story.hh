// SPDX-License-Identifier: Apache-2.0
// timeline/source_story.hh: all that one recording tells.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "timeline/kernel_story.hh"
#include "timeline/plan_story.hh"
#include "timeline/vm_story.hh"
#include "trace/record.hh"

namespace ktm::timeline {

/// A word that crossed the port `peer`, at one of its ends.
struct PeerWord {
    Duration at{};
    bool sent = false;
    std::string key;  ///< The same at both ends.
    std::string text;
    std::string detail;
};

/// Sorts the records of one recording to the actors that they are about.
class SourceStory {
public:
    SourceStory(std::string called, Duration offset) : name(std::move(called)), offset_(offset) {}

    void take(const trace::Record& record);

    /// What it is by its own words, or else by what it did; empty when neither says.
    [[nodiscard]] std::string role() const;
    [[nodiscard]] bool is_empty() const noexcept { return !begin_; }
    [[nodiscard]] Duration begin() const { return *begin_ + shift; }
    [[nodiscard]] Duration end() const noexcept { return last_ + shift; }
    [[nodiscard]] std::size_t backwards() const noexcept { return backwards_; }
    [[nodiscard]] std::size_t left_out() const;

    std::string name;
    std::map<std::string, VmStory> vms;  ///< By what stands behind "qmp:".
    PlanStory plan;
    KernelStory kernel;
    std::vector<PeerWord> words;
    std::vector<PeerWord> beats;  ///< The heartbeats; they are not drawn.
    Duration shift{};             ///< What is still to be added to all times of this recording.

private:
    void take_peer(const trace::Record& record, Duration at);

    Duration offset_;
    std::optional<Duration> begin_;
    Duration last_{};
    std::size_t backwards_ = 0;
    std::size_t left_out_ = 0;
};

}  // namespace ktm::timeline
