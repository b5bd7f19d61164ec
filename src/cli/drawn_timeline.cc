// SPDX-License-Identifier: Apache-2.0
// cli/drawn_timeline.cc: a timeline as a file, or on the terminal.
#include "cli/drawn_timeline.hh"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "timeline/page.hh"
#include "timeline/perfetto.hh"
#include "timeline/picture.hh"
#include "timeline/terminal.hh"

namespace ktm::cli {

namespace {

constexpr std::array<std::pair<std::string_view, TimelineForm>, 4> endings{
    {{".svg", TimelineForm::svg},
     {".html", TimelineForm::html},
     {".json", TimelineForm::json},
     {".txt", TimelineForm::text}}};

constexpr int columns_usual = 100;

int terminal_columns() {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : columns_usual;
}

/// Whether the reader's locale has more than ASCII.
bool speaks_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            const std::string_view locale{value};
            return locale.find("UTF-8") != std::string_view::npos ||
                   locale.find("utf8") != std::string_view::npos;
        }
    }
    return false;
}

Colour colour_of(timeline::Look look) {
    using timeline::Look;
    switch (look) {
        case Look::running:
        case Look::good: return Colour::green;
        case Look::bad: return Colour::red;
        case Look::held:
        case Look::commit: return Colour::yellow;
        case Look::dark: return Colour::bold;
        case Look::step: return Colour::cyan;
        case Look::quiet:
        case Look::away:
        case Look::unknown: return Colour::plain;
    }
    return Colour::plain;
}

}  // namespace

Result<TimelineForm> timeline_form(const std::string& path) {
    for (const auto& [ending, form] : endings) {
        if (path.ends_with(ending)) {
            return form;
        }
    }
    return Error{Kind::usage, "unknown-ending",
                 "the ending of '" + path +
                     "' says nothing known; it is one of .svg, .html, .json (for "
                     "ui.perfetto.dev) and .txt",
                 "write a timeline", nullptr};
}

std::string rendered(const timeline::Timeline& timeline, TimelineForm form,
                     std::optional<int> width) {
    switch (form) {
        case TimelineForm::svg:
            return timeline::draw_svg(timeline, width.value_or(timeline::picture_width));
        case TimelineForm::html:
            return timeline::draw_html(timeline, width.value_or(timeline::picture_width));
        case TimelineForm::json: return timeline::write_perfetto(timeline);
        case TimelineForm::text: break;
    }
    timeline::TextLook look;
    look.columns = width.value_or(columns_usual);
    return timeline::draw_text(timeline, std::move(look));
}

int print_timeline(Console& console, const timeline::Timeline& timeline, std::optional<int> width) {
    timeline::TextLook look;
    look.columns = width.value_or(terminal_columns());
    look.plain = !speaks_utf8();
    look.paint = [&console](timeline::Look of, std::string_view text) {
        return console.paint(colour_of(of), text);
    };
    std::string text = timeline::draw_text(timeline, std::move(look));
    text.pop_back();
    return console.line(text) ? exit_done : console.explain_loss();
}

Result<TimelineFile> TimelineFile::open(ports::Files& files, const std::string& path) {
    const Result<TimelineForm> form = timeline_form(path);
    if (!form) {
        return form.error();
    }
    Result<std::unique_ptr<ports::Spool>> spool =
        files.spool(path, [](std::string_view bytes, bool) { return std::string(bytes); });
    if (!spool) {
        return std::move(spool).error();
    }
    return TimelineFile{*form, std::move(*spool)};
}

Result<void> TimelineFile::write(const timeline::Timeline& timeline, std::optional<int> width) {
    spool_->append(rendered(timeline, form_, width));
    return spool_->close(nullptr);
}

Result<std::unique_ptr<RunTimeline>> RunTimeline::open(ports::Files& files, const std::string& path,
                                                       monitor::Recorder& recorder) {
    Result<TimelineFile> file = TimelineFile::open(files, path);
    if (!file) {
        return std::move(file).error();
    }
    std::unique_ptr<RunTimeline> timeline{new RunTimeline{std::move(*file)}};
    timeline->builder_.begin_source("run");
    recorder.tell([run = timeline.get()](std::string_view line) { run->hear(line); });
    return timeline;
}

void RunTimeline::hear(std::string_view line) {
    records_.clear();
    reader_.receive(line, records_);
    for (const trace::Record& record : records_) {
        builder_.take(record);
    }
}

Result<void> RunTimeline::finish() {
    if (reader_.header()) {
        builder_.began(reader_.header()->started);
    }
    return file_.write(std::move(builder_).finish(), std::nullopt);
}

}  // namespace ktm::cli
