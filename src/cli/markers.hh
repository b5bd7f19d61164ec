// SPDX-License-Identifier: Apache-2.0
// cli/markers.hh: the lines on stdout that scripts around the first katamaran read.
//
//     KATAMARAN_PROGRESS status=active ram_transferred=1 ram_total=3 ram_remaining=2
//     KATAMARAN_DOWNTIME_LIMIT applied_ms=25 rtt_ms=0 auto=false
//     KATAMARAN_RESULT downtime_ms=33 total_time_ms=534 ram_transferred=1 ram_total=3
//
// All figures are QEMU's. Progress is what the plan itself asks for while it copies; the limit is
// the one in force when QEMU came to the end of the copy; the result is asked for at the end.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_function.hh"
#include "trace/reader.hh"

namespace ktm::cli {

class Markers {
public:
    /// Where lines go; none are told before.
    void print_by(UniqueFunction<void(const std::string&)> print) { print_ = std::move(print); }

    /// The limit follows from the way to the other node and back, which is asked for so.
    void measure_by(UniqueFunction<std::optional<Duration>()> round_trip) {
        round_trip_ = std::move(round_trip);
    }

    /// The next line of the run's recording.
    void hear(std::string_view line);
    /// What QEMU says of the migration when the run is done, as JSON; empty when it did not.
    void conclude(std::string_view migration);

private:
    struct Asked {
        std::string command;
        std::optional<std::int64_t> limit_ms;
    };
    void take(const trace::Record& record);
    void take_reply(const trace::Record& record, const json::View& result);
    void tell_progress(Duration time, const json::View& migration);
    void tell_limit();

    UniqueFunction<void(const std::string&)> print_;
    UniqueFunction<std::optional<Duration>()> round_trip_;  ///< Null: the limit is fixed.
    trace::Reader reader_;
    std::vector<trace::Record> records_;
    std::map<std::string, Asked> asked_;    ///< Commands without an answer, by their number.
    std::optional<std::int64_t> limit_ms_;  ///< That QEMU has acknowledged.
    std::string status_;                    ///< Of the last progress that was told.
    std::optional<Duration> told_;          ///< When that was.
    bool limit_told_ = false;
};

}  // namespace ktm::cli
