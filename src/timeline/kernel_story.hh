// SPDX-License-Identifier: Apache-2.0
// timeline/kernel_story.hh: what one run changed of its host, and what the host told.
//
// Theory of operation. What is asked of the kernel comes in two messages of one number: the request
// with its words, and later the answer or an error. A few requests begin something that lasts (a
// tunnel, a diversion, a hold) and others end it; the table in the source file has both. They count
// from their answer on, and not at all after an error. While a plug is blocked, packets are held.
// Answers to questions have counters in them. What is not in the table is a mark, so that a request
// that nobody knew when this was written is still there.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/document.hh"
#include "timeline/row.hh"
#include "timeline/timeline.hh"
#include "trace/record.hh"

namespace ktm::timeline {

class KernelStory {
public:
    void take(const trace::Record& record, Duration at);
    /// A line of the journal: what must be undone, or was.
    void take_journal(std::string_view line, Duration at);
    /// A note of the plan: what a hold has lost, what was released.
    void take_note(std::string_view note, Duration at);

    [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }

    /// What still stands is drawn to the end of what is known.
    void close(Duration end);
    /// Each without spans and marks when nothing of it happened. Once, behind close().
    [[nodiscard]] Lane kernel_lane();
    [[nodiscard]] Lane packets_lane();
    [[nodiscard]] std::vector<Counter> counters();

private:
    struct Asked {
        std::string what;     ///< "block-plug".
        std::string thing;    ///< What begins or ends by it; empty for nothing.
        std::string subject;  ///< The interface that it is about.
        std::string words;
        std::string place;
    };

    void take_acquired(std::string_view text, Duration at);
    void take_request(const json::View& message, const json::View& request, Duration at);
    void take_answer(const json::View& message, Duration at);
    void carry_out(const Asked& asked, Duration at);
    void take_facts(const Asked& asked, const json::View& answer, Duration at);
    void begin(const std::string& key, Span span);
    void end(const std::string& key, Duration at);
    void count(const std::string& name, Duration at, double value, bool minor);

    std::map<std::string, Asked, std::less<>> asked_;    ///< By number.
    std::map<std::string, Span, std::less<>> standing_;  ///< By place and thing.
    std::vector<Span> lasted_;
    std::vector<Span> held_;
    std::vector<Mark> marks_;
    std::vector<Mark> losses_;
    std::map<std::string, Counter, std::less<>> counters_;
    std::size_t left_out_ = 0;
};

}  // namespace ktm::timeline
