// SPDX-License-Identifier: Apache-2.0
// timeline/panel.cc: all lanes of a timeline on one axis, as SVG.
#include "timeline/panel.hh"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <vector>

#include "draw/svg.hh"
#include "draw/text_width.hh"
#include "timeline/chronicle.hh"
#include "timeline/picture_style.hh"

namespace ktm::timeline {

namespace {

using draw::Anchor;
using draw::text_svg;

constexpr int title_height = 22;
constexpr int bracket_height = 22;
constexpr int axis_height = 24;
constexpr int row_height = 20;
constexpr int row_gap = 2;
constexpr int label_height = 14;
constexpr int lane_gap = 9;
constexpr int counter_height = 34;
constexpr int tick_distance = 84;
constexpr std::size_t letters_max = 40;
// LIMIT: words that are tried for one lane; the others have their titles.
constexpr std::size_t labels_max = 400;

int width_of(const std::string& text) {
    return draw::text_width(text, font_small, draw::Weight::regular);
}

std::string attribute(const char* name, int value) {
    return std::string{" "} + name + "=\"" + std::to_string(value) + "\"";
}

std::string line_svg(int x1, int y1, int x2, int y2, const char* classes) {
    return "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
           attribute("y2", y2) + " class=\"" + classes + "\"/>\n";
}

std::string path_svg(const std::string& path, const std::string& classes) {
    return "<path d=\"" + path + "\" class=\"" + classes + "\"/>\n";
}

std::string at(int x, int y) {
    return std::to_string(x) + " " + std::to_string(y);
}

/// Opens a shape that can be pointed at; its title may have several lines.
std::string group(const std::string& key, std::string_view title) {
    std::string out = "<g data-key=\"" + key + "\"><title>";
    for (std::size_t end = title.find('\n'); end != std::string_view::npos;
         end = title.find('\n')) {
        out += draw::xml(title.substr(0, end)) + "\n";
        title.remove_prefix(end + 1);
    }
    return out + draw::xml(title) + "</title>\n";
}

/// The sign of a mark: the form tells the look where no colour does.
std::string sign_svg(Look look, int x, int y) {
    switch (look) {
        case Look::bad:
            return path_svg("M" + at(x - 4, y - 4) + "L" + at(x + 4, y + 4) + "M" +
                                at(x - 4, y + 4) + "L" + at(x + 4, y - 4),
                            "bad");
        case Look::good:
        case Look::commit:
            return path_svg("M" + at(x, y - 5) + "L" + at(x + 5, y) + "L" + at(x, y + 5) + "L" +
                                at(x - 5, y) + "Z",
                            name_of(look));
        case Look::dark: return path_svg("M" + at(x - 4, y - 4) + "h8v8h-8Z", "dark");
        case Look::running:
            return path_svg(
                "M" + at(x - 3, y - 5) + "L" + at(x + 6, y) + "L" + at(x - 3, y + 5) + "Z",
                "running");
        case Look::quiet:
        case Look::step:
        case Look::away:
        case Look::held:
        case Look::unknown:
            return path_svg("M" + at(x - 3, y - 4) + "h6L" + at(x, y + 3) + "Z", name_of(look));
    }
    return "";
}

int weight_of(Look look) {
    switch (look) {
        case Look::bad: return 4;
        case Look::dark:
        case Look::running:
        case Look::commit: return 3;
        case Look::good:
        case Look::held: return 2;
        case Look::step:
        case Look::away:
        case Look::unknown: return 1;
        case Look::quiet: return 0;
    }
    return 0;
}

/// Words that look for a place below the spans of a lane.
struct Label {
    int x = 0;
    std::string text;
    Look look = Look::quiet;
    std::size_t line = 0;  ///< Where it found one.
    int left = 0;
    bool placed = false;
};

/// The lines below the spans of one lane, and who stands where.
class LabelLines {
public:
    LabelLines(int left, int right, std::size_t lines)
        : left_(left), right_(right), taken_(lines) {}

    void place(Label& label) {
        const int width = width_of(label.text) + 6;
        const bool fits_right = label.x + 4 + width <= right_;
        const int from = fits_right ? label.x + 4 : label.x - 4 - width;
        if (from < left_) {
            return;
        }
        for (std::size_t line = 0; line < taken_.size(); ++line) {
            if (is_free(line, from, from + width)) {
                taken_[line].insert({from, from + width});
                label.line = line;
                label.left = from;
                label.placed = true;
                used_ = std::max(used_, line + 1);
                return;
            }
        }
    }

    [[nodiscard]] std::size_t used() const noexcept { return used_; }

private:
    [[nodiscard]] bool is_free(std::size_t line, int from, int to) const {
        const auto next = taken_[line].lower_bound({from, from});
        if (next != taken_[line].end() && next->first < to) {
            return false;
        }
        return next == taken_[line].begin() || std::prev(next)->second <= from;
    }

    int left_;
    int right_;
    std::vector<std::set<std::pair<int, int>>> taken_;
    std::size_t used_ = 0;
};

std::string title_of(const Lane& lane, const std::string& text, const std::string& detail,
                     const std::string& when) {
    return lane.name + ": " + text + "\n" + when + (detail.empty() ? "" : "\n" + detail);
}

std::string span_title(const Lane& lane, const Span& span) {
    const auto length = std::chrono::round<std::chrono::microseconds>(span.end - span.begin);
    return title_of(lane, span.text, span.detail,
                    "at " + clock_text(span.begin) + " s, for " + format_duration(length) +
                        (span.open ? " or longer" : ""));
}

/// One lane of one panel.
class LaneDrawing {
public:
    LaneDrawing(const Lane& lane, std::size_t number, const Axis& axis, int top)
        : lane_(lane), number_(number), axis_(axis), top_(top) {}

    /// `words` are other words that belong to this lane, by where they stand.
    void draw(const PanelLook& look, const std::vector<std::pair<int, std::string>>& words) {
        is_overview_ = look.is_overview;
        for (const bool on_top : {false, true}) {
            draw_spans(on_top);
        }
        draw_marks();
        for (const auto& [x, text] : words) {
            wish({x, draw::shortened(text, letters_max), Look::step});
        }
        place_labels(look.label_lines);
    }

    [[nodiscard]] int spans_bottom() const {
        return top_ +
               static_cast<int>(std::max<std::size_t>(1, lane_.rows)) * (row_height + row_gap);
    }
    [[nodiscard]] int bottom() const {
        return spans_bottom() + static_cast<int>(lines_used_) * label_height;
    }
    [[nodiscard]] const std::string& shapes() const { return svg_; }
    /// What stands on top of everything.
    [[nodiscard]] const std::string& texts() const { return texts_; }

private:
    /// Those on top are drawn behind the others, and not hidden.
    void draw_spans(bool on_top) {
        // By row, and on top by look: what is hidden behind another is left out.
        std::map<std::pair<std::size_t, Look>, int> drawn_to;
        for (std::size_t i = 0; i < lane_.spans.size(); ++i) {
            const Span& span = lane_.spans[i];
            const bool is_on_top =
                span.look == Look::dark || span.look == Look::held || span.look == Look::bad;
            if (is_on_top != on_top || !axis_.shows(span.begin, span.end)) {
                continue;
            }
            const int left = axis_.x(span.begin);
            const int right = std::max(axis_.x(span.end), left + (on_top ? 3 : 2));
            const std::pair key{span.row, on_top ? span.look : Look::quiet};
            int& to = drawn_to.try_emplace(key, axis_.left() - 1).first->second;
            if (right <= to) {
                continue;
            }
            to = std::max(to, right);
            draw_span(span, i, left, right);
        }
    }

    void draw_span(const Span& span, std::size_t i, int left, int right) {
        const int y = top_ + static_cast<int>(span.row) * (row_height + row_gap);
        const std::string text = draw::shortened(span.text, letters_max);
        svg_ += group(key_of(number_, Entry::Kind::span, i), span_title(lane_, span));
        svg_ += draw::rectangle_svg({left, y, right - left, row_height}, 2, name_of(span.look));
        const Axis::Part part = axis_.unbroken(left, right);
        if (width_of(text) + 10 <= part.right - part.left) {
            const bool is_dark = span.look == Look::dark;  // Its length stands above it.
            texts_ += text_svg({(part.left + part.right) / 2, y + 14},
                               is_dark ? "on-dark" : "halo strong", text, Anchor::middle);
        } else if (span.look != Look::quiet && span.look != Look::dark) {
            wish({left, text, span.look});
        }
        svg_ += "</g>\n";
    }

    void draw_marks() {
        std::set<std::pair<int, Look>> drawn;
        for (std::size_t i = 0; i < lane_.marks.size(); ++i) {
            const Mark& mark = lane_.marks[i];
            if (mark.minor || !axis_.shows(mark.at)) {
                continue;
            }
            const int x = axis_.x(mark.at);
            const bool is_told = mark.look == Look::dark || mark.look == Look::running;
            if (!is_overview_ || !is_told) {
                wish({x, draw::shortened(mark.text, letters_max), mark.look});
            }
            if (!drawn.insert({x, mark.look}).second) {
                continue;
            }
            svg_ +=
                group(key_of(number_, Entry::Kind::mark, i),
                      title_of(lane_, mark.text, mark.detail, "at " + clock_text(mark.at) + " s"));
            svg_ += sign_svg(mark.look, x, spans_bottom() - row_gap);
            svg_ += "</g>\n";
        }
    }

    void wish(Label label) {
        if (labels_.size() < labels_max || weight_of(label.look) > 2) {
            labels_.push_back(std::move(label));
        }
    }

    void place_labels(std::size_t label_lines) {
        LabelLines lines{axis_.left(), axis_.right(), label_lines};
        std::stable_sort(labels_.begin(), labels_.end(), [](const Label& a, const Label& b) {
            return weight_of(a.look) > weight_of(b.look);
        });
        std::set<std::pair<int, std::string>> told;
        for (Label& label : labels_) {
            if (told.insert({label.x, label.text}).second) {
                lines.place(label);
            }
        }
        lines_used_ = lines.used();
        for (const Label& label : labels_) {
            if (!label.placed) {
                continue;
            }
            const int y = spans_bottom() + static_cast<int>(label.line) * label_height;
            svg_ += line_svg(label.x, spans_bottom() - row_gap, label.x, y + 10, "leader");
            texts_ += text_svg({label.left, y + 11},
                               weight_of(label.look) > 2 ? "halo strong" : "halo", label.text);
        }
    }

    const Lane& lane_;
    std::size_t number_;
    const Axis& axis_;
    int top_;
    bool is_overview_ = false;
    std::string svg_;
    std::string texts_;
    std::vector<Label> labels_;
    std::size_t lines_used_ = 0;
};

/// A number as people write it: three digits, no more.
std::string short_number(double value) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(),
                  value < 100 && value != std::floor(value) ? "%.1f" : "%.0f", value);
    return text.data();
}

/// All lanes below each other.
class Drawing {
public:
    Drawing(const Timeline& timeline, const Axis& axis, const PanelLook& look, int left, int top)
        : timeline_(timeline), axis_(axis), look_(look), left_(left), top_(top) {}

    Panel draw() && {
        const bool has_title = !look_.title.empty();
        const int lanes_top = top_ + (has_title ? title_height : 0) + bracket_height;
        y_ = lanes_top;
        for (std::size_t i = 0; i < timeline_.lanes.size(); ++i) {
            draw_lane(i);
        }
        for (const Counter& counter : timeline_.counters) {
            if (!counter.minor) {
                draw_counter(counter);
            }
        }
        for (std::size_t i = 0; i < timeline_.arrows.size(); ++i) {
            draw_arrow(i);
        }
        const int bottom = y_;
        std::string back = has_title ? text_svg({left_, top_ + 14}, "panel", look_.title) : "";
        back += dark_bands(lanes_top, bottom) + axis_svg(lanes_top, bottom);
        return {back + svg_ + gaps(lanes_top, bottom) + texts_, lanes_top, bottom + axis_height};
    }

private:
    void draw_lane(std::size_t i) {
        const Lane& lane = timeline_.lanes[i];
        svg_ += line_svg(left_, y_ - lane_gap / 2, axis_.right(), y_ - lane_gap / 2, "rule");
        svg_ += text_svg({left_, y_ + 14}, "name", draw::shortened(lane.name, letters_max));
        LaneDrawing drawing{lane, i, axis_, y_};
        drawing.draw(look_, words_of(i));
        svg_ += drawing.shapes();
        texts_ += drawing.texts();
        lane_tops_.push_back(y_);
        y_ = drawing.bottom() + lane_gap;
    }

    /// What the plan of this lane said to the other.
    [[nodiscard]] std::vector<std::pair<int, std::string>> words_of(std::size_t lane) const {
        std::vector<std::pair<int, std::string>> words;
        for (const Arrow& arrow : timeline_.arrows) {
            if (arrow.from == lane && axis_.shows(arrow.sent)) {
                words.emplace_back(axis_.x(arrow.sent), "“" + arrow.text + "”");
            }
        }
        return words;
    }

    /// An area under steps. Of the samples that fall on one pixel the highest is drawn.
    void draw_counter(const Counter& counter) {
        double highest = 0;
        std::map<int, double> heights;
        for (const Counter::Sample& sample : counter.samples) {
            if (sample.at < axis_.begin()) {
                heights[axis_.left()] = sample.value;  // What it still is when the panel begins.
                highest = sample.value;
            } else if (axis_.shows(sample.at) && std::isfinite(sample.value)) {
                double& height = heights.try_emplace(axis_.x(sample.at), 0).first->second;
                height = std::max(height, sample.value);
                highest = std::max(highest, sample.value);
            }
        }
        if (heights.size() < 2 || highest <= 0) {
            return;
        }
        const int floor = y_ + counter_height;
        const auto level = [&](double value) {
            return floor - static_cast<int>(std::lround(value / highest * (counter_height - 4)));
        };
        std::string path = "M" + at(heights.begin()->first, floor);
        int before = floor;
        for (const auto& [x, value] : heights) {
            path += "L" + at(x, before) + "L" + at(x, level(value));
            before = level(value);
        }
        const bool goes_on = counter.samples.back().at > axis_.end();
        const int last = goes_on ? axis_.right() : heights.rbegin()->first;
        path += "L" + at(last, before) + "L" + at(last, floor) + "Z";
        svg_ += line_svg(left_, y_ - lane_gap / 2, axis_.right(), y_ - lane_gap / 2, "rule");
        int line = y_ + 12;
        for (const std::string& part :
             draw::wrapped(counter.name, axis_.left() - left_ - 8, font_small)) {
            svg_ += text_svg({left_, line}, "muted", part);
            line += 13;
        }
        svg_ += path_svg(path, "counter");
        texts_ += text_svg({axis_.right() - 2, y_ + 10}, "halo muted",
                           "highest " + short_number(highest), Anchor::end);
        y_ = floor + lane_gap;
    }

    void draw_arrow(std::size_t i) {
        const Arrow& arrow = timeline_.arrows[i];
        if (!axis_.shows(arrow.sent, arrow.heard)) {
            return;
        }
        const int from_x = axis_.x(arrow.sent);
        const int to_x = axis_.x(arrow.heard);
        const bool down = arrow.to > arrow.from;
        const int from_y = lane_tops_[arrow.from] + (down ? row_height : 0);
        const int to_y = lane_tops_[arrow.to] + (down ? 0 : row_height);
        const int back = down ? -7 : 7;
        svg_ += group(key_of(arrow.from, Entry::Kind::arrow, i),
                      arrow.text + "\nsaid at " + clock_text(arrow.sent) + " s, heard at " +
                          clock_text(arrow.heard) + " s");
        svg_ += path_svg("M" + at(from_x, from_y) + "L" + at(to_x, to_y + back / 2), "arrow");
        svg_ += path_svg("M" + at(to_x, to_y) + "L" + at(to_x - 4, to_y + back) + "L" +
                             at(to_x + 4, to_y + back) + "Z",
                         "arrow-head");
        svg_ += "</g>\n";
    }

    [[nodiscard]] std::string dark_bands(int top, int bottom) const {
        std::string out;
        int told_to = axis_.left() - 1;
        for (const DarkWindow& dark : timeline_.dark) {
            if (!axis_.shows(dark.begin, dark.end)) {
                continue;
            }
            const int left = axis_.x(dark.begin);
            const int right = std::max(axis_.x(dark.end), left + 2);
            out += draw::rectangle_svg({left, top - 4, right - left, bottom - top + 4}, 0, "band");
            out += line_svg(left, top - 8, left, bottom, "band-edge");
            out += line_svg(right, top - 8, right, bottom, "band-edge");
            out += bracket(dark, left, right, top - 10, told_to);
        }
        return out;
    }

    /// How long it was, above the window: between its edges, or beside them.
    static std::string length_of(const DarkWindow& dark) {
        return (dark.ended ? "dark " : "dark, at least ") + brief_text(dark.length());
    }

    [[nodiscard]] std::string bracket(const DarkWindow& dark, int left, int right, int y,
                                      int& told_to) const {
        const std::string text = length_of(dark);
        const int width = draw::text_width(text, font_small, draw::Weight::bold) + 8;
        int from = (left + right - width) / 2;
        from = std::clamp(from, axis_.left(), std::max(axis_.left(), axis_.right() - width));
        std::string out;
        if (right - left > width + 24) {
            out += path_svg("M" + at(left + 1, y - 3) + "H" + std::to_string(from - 2) + "M" +
                                at(from + width + 2, y - 3) + "H" + std::to_string(right - 1) +
                                "M" + at(left + 6, y - 6) + "L" + at(left + 1, y - 3) + "L" +
                                at(left + 6, y) + "M" + at(right - 6, y - 6) + "L" +
                                at(right - 1, y - 3) + "L" + at(right - 6, y),
                            "arrow");
        }
        if (from > told_to) {
            out += text_svg({from + width / 2, y + 1}, "strong", text, Anchor::middle);
            told_to = from + width;
        }
        return out;
    }

    [[nodiscard]] std::string axis_svg(int top, int bottom) const {
        std::string out;
        for (const Axis::Tick& tick : axis_.ticks(look_.zero, tick_distance)) {
            out += line_svg(tick.x, top - 4, tick.x, bottom + 5, "grid");
            out += text_svg({tick.x, bottom + 18}, "muted", tick.text, Anchor::middle);
        }
        return out + line_svg(axis_.left(), bottom, axis_.right(), bottom, "axis");
    }

    /// Where the scale is broken the paper shows, with how much is missing.
    [[nodiscard]] std::string gaps(int top, int bottom) const {
        std::string out;
        for (const Axis::Piece& piece : axis_.pieces()) {
            if (!piece.broken) {
                continue;
            }
            const int middle = (piece.left + piece.right) / 2;
            out += "<g><title>" +
                   draw::xml("nothing happened for " + format_duration(piece.end - piece.begin)) +
                   "</title>\n";
            out += draw::rectangle_svg({middle - 4, top - 4, 8, bottom - top + 10}, 0, "gap");
            for (const int x : {middle - 4, middle + 4}) {
                std::string path = "M" + at(x, top - 4);
                bool out_turn = true;
                for (int y = top + 4; y < bottom + 6; y += 8) {
                    path += "L" + at(x + (out_turn ? 2 : -2), y);
                    out_turn = !out_turn;
                }
                out += path_svg(path, "axis");
            }
            out += text_svg({middle, bottom + 18}, "muted",
                            "… " + brief_text(piece.end - piece.begin) + " …", Anchor::middle);
            out += "</g>\n";
        }
        return out;
    }

    const Timeline& timeline_;
    const Axis& axis_;
    const PanelLook& look_;
    int left_;
    int top_;
    int y_ = 0;
    std::string svg_;
    std::string texts_;
    std::vector<int> lane_tops_;
};

}  // namespace

Panel draw_panel(const Timeline& timeline, const Axis& axis, const PanelLook& look, int left,
                 int top) {
    return Drawing{timeline, axis, look, left, top}.draw();
}

}  // namespace ktm::timeline
