// SPDX-License-Identifier: Apache-2.0
// cli/timeline_command.cc: `katamaran trace timeline`: what happened, actor by actor.
#include "cli/timeline_command.hh"

#include <optional>

#include "base/wall_time.hh"
#include "cli/console.hh"
#include "cli/drawn_timeline.hh"
#include "timeline/builder.hh"
#include "trace/reader.hh"

namespace ktm::cli {

namespace {

/// The name of a recording: its file's, without folders and endings.
std::string name_of(const std::string& path) {
    std::string name = path.substr(path.rfind('/') + 1);
    for (const std::string_view ending : {".zst", ".jsonl", ".json"}) {
        if (name.ends_with(ending) && name.size() > ending.size()) {
            name.resize(name.size() - ending.size());
        }
    }
    return name;
}

/// What two names have in common at their begin: "golden-storage" of "golden-storage-source" and
/// "golden-storage-dest".
std::string name_of_both(const std::string& first, const std::string& second) {
    std::size_t same = 0;
    while (same < std::min(first.size(), second.size()) && first[same] == second[same]) {
        ++same;
    }
    const std::size_t dash = first.substr(0, same).find_last_of("-_. ");
    const bool is_word = dash != std::string::npos && dash > 0;
    return is_word ? first.substr(0, dash) : first + " and " + second;
}

class TraceTimeline {
public:
    TraceTimeline(ports::Files& files, const TraceTimelineOptions& options)
        : files_(files), options_(options), console_(false) {}

    int run() {
        if (!read_shift()) {
            return exit_usage;
        }
        std::optional<TimelineFile> file;
        if (!options_.out.empty()) {
            Result<TimelineFile> opened = TimelineFile::open(files_, options_.out);
            if (!opened) {
                console_.error(opened.error());
                return exit_usage;
            }
            file.emplace(std::move(*opened));
        }
        for (const std::string& path : options_.files) {
            if (!read(path)) {
                return exit_failed;
            }
        }
        builder_.call(options_.files.size() == 1
                          ? name_of(options_.files[0])
                          : name_of_both(name_of(options_.files[0]), name_of(options_.files[1])));
        const timeline::Timeline drawn = std::move(builder_).finish();
        const std::optional<int> width =
            options_.width == 0 ? std::nullopt : std::optional{options_.width};
        if (!file) {
            const int code = print_timeline(console_, drawn, width);
            return code == exit_done && damaged_ ? exit_failed : code;
        }
        if (const Result<void> written = file->write(drawn, width); !written) {
            console_.error(written.error());
            return exit_failed;
        }
        return damaged_ ? exit_failed : exit_done;
    }

private:
    bool read_shift() {
        if (options_.shift.empty()) {
            return true;
        }
        const bool back = options_.shift.front() == '-';
        const Result<Duration> shift = parse_duration(options_.shift.substr(back ? 1 : 0));
        if (!shift || options_.files.size() == 1) {
            console_.error(
                shift ? Error{Kind::usage, "", "there is no second recording", "--shift", nullptr}
                      : shift.error());
            return false;
        }
        shift_ = back ? -*shift : *shift;
        return true;
    }

    /// A damaged recording is drawn as far as it goes, which is said.
    bool read(const std::string& path) {
        trace::Reader reader;
        std::vector<trace::Record> records;
        bool begun = false;
        const auto take = [&] {
            if (!begun && (reader.header() || !records.empty())) {
                begin(path, reader.header());
                begun = true;
            }
            for (const trace::Record& record : records) {
                builder_.take(record);
            }
            records.clear();
        };
        const Result<void> read = files_.read_pieces(path, [&](std::string_view piece) {
            reader.receive(piece, records);
            take();
            return !reader.damage();
        });
        if (!read) {
            console_.error(read.error());
            return false;
        }
        reader.finish(records);
        take();
        if (reader.damage()) {
            Error damage = *reader.damage();
            damage.during = "read all of " + path;
            console_.error(damage);
            builder_.note("the recording " + path +
                          " is damaged; this is what stands before: " + damage.what);
            damaged_ = true;
        }
        return begun || !damaged_;
    }

    void begin(const std::string& path, const std::optional<trace::Header>& header) {
        ++sources_;
        builder_.begin_source(name_of(path), sources_ == 1 ? Duration::zero() : offset_of(header));
        if (sources_ == 1 && header && !header->started.empty()) {
            first_began_ = header->started;
            builder_.began(header->started);
        }
    }

    /// The second recording is put on the axis of the first: as it was told, or by civil time; one
    /// that does not know when it began has the same axis.
    Duration offset_of(const std::optional<trace::Header>& header) {
        if (shift_) {
            return *shift_;
        }
        const Result<WallTime> first = parse_wall_time(first_began_);
        const Result<WallTime> second = parse_wall_time(header ? header->started : "");
        if (!first || !second) {
            builder_.note(
                "not both recordings say when they began: their times are taken as those "
                "of one clock");
            return Duration::zero();
        }
        builder_.note("the recordings are put together by the clocks of their nodes");
        return *second - *first;
    }

    ports::Files& files_;
    const TraceTimelineOptions& options_;
    Console console_;
    timeline::Builder builder_;
    std::optional<Duration> shift_;
    std::size_t sources_ = 0;
    std::string first_began_;
    bool damaged_ = false;
};

}  // namespace

int run_trace_timeline(ports::Files& files, const TraceTimelineOptions& options) {
    return TraceTimeline{files, options}.run();
}

}  // namespace ktm::cli
