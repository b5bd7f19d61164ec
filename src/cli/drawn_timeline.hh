// SPDX-License-Identifier: Apache-2.0
// cli/drawn_timeline.hh: a timeline as a file, or on the terminal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/console.hh"
#include "monitor/recorder.hh"
#include "ports/files.hh"
#include "timeline/builder.hh"
#include "timeline/timeline.hh"
#include "trace/reader.hh"

namespace ktm::cli {

/// What a timeline can be written as. The ending of a file's name decides.
enum class TimelineForm { svg, html, json, text };

/// An unknown ending is an error that names the known ones.
[[nodiscard]] Result<TimelineForm> timeline_form(const std::string& path);

/// Width in pixels, of a text in columns; nothing for what is usual.
[[nodiscard]] std::string rendered(const timeline::Timeline& timeline, TimelineForm form,
                                   std::optional<int> width);

/// On stdout, as wide as the terminal is, and in colours where it has some.
[[nodiscard]] int print_timeline(Console& console, const timeline::Timeline& timeline,
                                 std::optional<int> width);

/// A new file for a timeline: begun before anything else is, written when all is over.
class TimelineFile {
public:
    /// An error when the ending is unknown, the file exists, or it cannot be written.
    [[nodiscard]] static Result<TimelineFile> open(ports::Files& files, const std::string& path);

    [[nodiscard]] Result<void> write(const timeline::Timeline& timeline, std::optional<int> width);

private:
    TimelineFile(TimelineForm form, std::unique_ptr<ports::Spool> spool)
        : form_(form), spool_(std::move(spool)) {}

    TimelineForm form_;
    std::unique_ptr<ports::Spool> spool_;
};

/// The timeline of a run: of all that its recorder is told.
class RunTimeline {
public:
    /// Begins the file. LIFETIME: the result outlives the recorder.
    [[nodiscard]] static Result<std::unique_ptr<RunTimeline>> open(ports::Files& files,
                                                                   const std::string& path,
                                                                   monitor::Recorder& recorder);

    /// Writes it; the recorder is told nothing any more.
    [[nodiscard]] Result<void> finish();

private:
    explicit RunTimeline(TimelineFile file) : file_(std::move(file)) {}
    void hear(std::string_view line);

    TimelineFile file_;
    trace::Reader reader_;
    std::vector<trace::Record> records_;
    timeline::Builder builder_;
};

}  // namespace ktm::cli
