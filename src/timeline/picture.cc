// SPDX-License-Identifier: Apache-2.0
// timeline/picture.cc: a timeline as SVG, for paper, a runbook or a page.
#include "timeline/picture.hh"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.hh"
#include "draw/svg.hh"
#include "draw/text_width.hh"
#include "timeline/axis.hh"
#include "timeline/panel.hh"
#include "timeline/picture_style.hh"

namespace ktm::timeline {

namespace {

using draw::text_svg;

constexpr int margin = 20;
constexpr int names_width_max = 180;
constexpr int break_width = 74;
constexpr int funnel_height = 26;
constexpr int line_height = 17;
/// A dark window that takes this much of the first panel needs no second one.
constexpr int zoom_percent_max = 40;

struct Swatch {
    Look look;
    std::string_view words;
};
constexpr std::array<Swatch, 10> swatches{{{Look::running, "the guest runs"},
                                           {Look::dark, "dark: the guest runs nowhere"},
                                           {Look::away, "the guest is not here"},
                                           {Look::held, "packets are held"},
                                           {Look::step, "at work"},
                                           {Look::quiet, "acquired by the plan"},
                                           {Look::commit, "the commit"},
                                           {Look::good, "ready, done"},
                                           {Look::bad, "trouble"},
                                           {Look::unknown, "unknown, or being taken back"}}};

bool has_span(const Timeline& timeline, Look look) {
    return std::any_of(timeline.lanes.begin(), timeline.lanes.end(), [&](const Lane& lane) {
        return std::any_of(lane.spans.begin(), lane.spans.end(),
                           [&](const Span& span) { return span.look == look; });
    });
}

class Picture {
public:
    Picture(const Timeline& timeline, int width)
        : timeline_(timeline), width_(std::clamp(width, picture_width_min, picture_width_max)) {
        int names = 60;
        for (const Lane& lane : timeline.lanes) {
            names = std::max(names, draw::text_width(lane.name, font_name, draw::Weight::bold));
        }
        plot_left_ = margin + std::min({names, names_width_max, width_ / 3}) + 10;
    }

    std::string draw() && {
        draw_head();
        const Axis whole{timeline_, plot_left_, width_ - margin, break_width};
        const DarkWindow* dark = zoomed(whole);
        const Panel first = draw_panel(
            timeline_, whole,
            {dark != nullptr ? "The whole run" : "", Duration::zero(), 2, dark != nullptr}, margin,
            y_);
        body_ += first.svg;
        y_ = first.bottom;
        if (dark != nullptr) {
            draw_zoom(whole, *dark);
        }
        draw_legend();
        draw_notes();
        return frame();
    }

private:
    void draw_head() {
        y_ = margin + font_title - 4;
        const std::string title = timeline_.title.empty() ? "timeline" : timeline_.title;
        body_ += text_svg({margin, y_}, "title", draw::shortened(title, 60));
        y_ += 24;
        write(headline(timeline_), "headline", font_headline, 19);
        for (const Ending& ending : timeline_.endings) {
            write((ending.who.empty() ? "" : ending.who + ": ") + ending.text, "muted", font_small,
                  15);
        }
        y_ += 4;
    }

    /// A text in as many lines as it needs.
    void write(const std::string& text, const char* classes, int size, int height) {
        for (const std::string& line : draw::wrapped(printable(text), width_ - 2 * margin, size)) {
            body_ += text_svg({margin, y_}, classes, line);
            y_ += height;
        }
    }

    [[nodiscard]] const DarkWindow* zoomed(const Axis& whole) const {
        const DarkWindow* dark = main_window(timeline_);
        if (dark == nullptr) {
            return nullptr;
        }
        const int share = whole.x(dark->end) - whole.x(dark->begin);
        return share * 100 > (whole.right() - whole.left()) * zoom_percent_max ? nullptr : dark;
    }

    void draw_zoom(const Axis& whole, const DarkWindow& dark) {
        const Duration around = std::max<Duration>(dark.length() / 2, std::chrono::milliseconds{1});
        const Axis zoom{std::max(timeline_.begin, dark.begin - around),
                        std::min(timeline_.end, dark.end + around), plot_left_, width_ - margin};
        const int top = y_ + funnel_height;
        const auto side = [&](Duration at, int to) {
            const std::string from = std::to_string(whole.x(at)) + " " + std::to_string(y_ - 24);
            body_ += "<path d=\"M" + from + "L" + std::to_string(whole.x(at)) + " " +
                     std::to_string(y_) + "L" + std::to_string(to) + " " + std::to_string(top) +
                     "\" class=\"funnel\"/>\n";
        };
        side(zoom.begin(), zoom.left());
        side(zoom.end(), zoom.right());
        const Panel panel =
            draw_panel(timeline_, zoom,
                       {"The dark window, enlarged (0 is the STOP, at " + seconds(dark.begin) + ")",
                        dark.begin, 4, false},
                       margin, top + 6);
        body_ += panel.svg;
        y_ = panel.bottom;
    }

    static std::string seconds(Duration at) {
        const std::int64_t ms = std::chrono::round<std::chrono::milliseconds>(at).count();
        const std::int64_t size = ms < 0 ? -ms : ms;
        return (ms < 0 ? "-" : "") + std::to_string(size / 1000) + "." +
               std::to_string(1000 + size % 1000).substr(1) + " s";
    }

    void draw_legend() {
        y_ += 14;
        int x = margin;
        for (const Swatch& swatch : swatches) {
            if (!has_span(timeline_, swatch.look)) {
                continue;
            }
            const std::string words{swatch.words};
            const int width = 32 + draw::text_width(words, font_small, draw::Weight::regular) + 20;
            if (x > margin && x + width > width_ - margin) {
                x = margin;
                y_ += 22;
            }
            body_ += draw::rectangle_svg({x, y_, 26, 14}, 2, name_of(swatch.look));
            body_ += text_svg({x + 32, y_ + 11}, "muted", words);
            x += width;
        }
        y_ += 26;
    }

    void draw_notes() {
        y_ += 6;
        if (timeline_.began) {
            write("The zero of the axis is " + *timeline_.began + ".", "muted", font_small, 15);
        }
        for (const std::string& note : timeline_.notes) {
            write("Note: " + note, "text", font_small, 15);
        }
    }

    [[nodiscard]] std::string frame() const {
        const std::string w = std::to_string(width_);
        const std::string h = std::to_string(y_ + margin / 2);
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
               "\" viewBox=\"0 0 " + w + " " + h + "\" class=\"ktm-time\" role=\"img\">\n<title>" +
               draw::xml((timeline_.title.empty() ? "" : timeline_.title + ": ") +
                         headline(timeline_)) +
               "</title>\n" + picture_style() +
               draw::rectangle_svg({0, 0, width_, y_ + margin / 2}, 0, "paper") + body_ +
               "</svg>\n";
    }

    const Timeline& timeline_;
    int width_;
    int plot_left_ = 0;
    int y_ = 0;
    std::string body_;
};

}  // namespace

std::string draw_svg(const Timeline& timeline, int width) {
    return Picture{timeline, width}.draw();
}

}  // namespace ktm::timeline
