// SPDX-License-Identifier: Apache-2.0
// timeline/vm_story.hh: what one QEMU told, and what it was asked.
//
// Theory of operation. Records of one monitor go in, in their order. The guest is unknown until
// something says where it stands; since events are never held back, that was so from the first
// record on: a STOP means that it ran until then. A RESUME of a QEMU that waits for a guest is the
// guest's arrival. A completed migration makes a stopped guest one that has left. A lost connection
// makes a running guest unknown; what did not run does not begin to by that.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "json/document.hh"
#include "timeline/row.hh"
#include "timeline/timeline.hh"
#include "trace/record.hh"

namespace ktm::timeline {

enum class GuestIs : std::uint8_t {
    unseen,   ///< Nobody had asked yet.
    unknown,  ///< It was asked, and did not say.
    running,
    stopped,
    waiting,  ///< A QEMU that waits for a guest to come.
    left,     ///< For the other side.
    gone,     ///< The guest was shut down.
};

struct GuestTurn {
    Duration at{};
    GuestIs is = GuestIs::unknown;
    std::string why;  ///< "STOP", "query-status said paused".
};

class VmStory {
public:
    void take(const trace::Record& record, Duration at);

    [[nodiscard]] bool sends() const noexcept { return sends_; }
    [[nodiscard]] bool receives() const noexcept { return receives_ && !sends_; }
    /// The first is of the first record; times do not go backwards.
    [[nodiscard]] const std::vector<GuestTurn>& turns() const noexcept { return turns_; }

    /// What can be drawn; `end` is where the timeline ends. Once.
    [[nodiscard]] Lane qemu_lane(Duration end);
    /// Without spans when there were no jobs.
    [[nodiscard]] Lane jobs_lane(Duration end);
    [[nodiscard]] std::vector<Counter> counters();
    [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }

private:
    struct Asked {
        std::string command;
        std::string arguments;
        Duration at{};
    };

    void take_command(const json::View& message, std::string_view command, Duration at);
    void take_event(const json::View& message, std::string_view event, Duration at);
    void take_reply(const json::View& message, Duration at);
    void take_status(const json::View& reply, Duration at);
    void take_progress(const json::View& reply, Duration at);
    void take_migration(std::string_view status, Duration at);
    void take_job(const json::View& data, Duration at);
    void take_end(std::string_view text, Duration at);
    void turn(GuestIs is, Duration at, std::string why);
    /// What it was until now, if nobody knew.
    void was(GuestIs is);
    [[nodiscard]] GuestIs guest() const noexcept { return turns_.back().is; }
    void mark(Mark mark) { keep(marks_, std::move(mark), left_out_); }
    void count(const char* name, const json::View& from, std::string_view key, Duration at,
               double unit);

    bool sends_ = false;
    bool receives_ = false;
    std::vector<GuestTurn> turns_;
    Row migration_;
    std::vector<Mark> marks_;
    std::vector<Span> calls_;
    std::map<std::string, Asked, std::less<>> asked_;  ///< By id.
    std::map<std::string, Row, std::less<>> jobs_;     ///< By id.
    std::vector<Mark> job_marks_;
    std::map<std::string, Counter, std::less<>> counters_;
    std::size_t left_out_ = 0;
};

}  // namespace ktm::timeline
