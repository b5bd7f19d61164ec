// SPDX-License-Identifier: Apache-2.0
// timeline/terminal.cc: a timeline as text, for a terminal or a mail.
#include "timeline/terminal.hh"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.hh"
#include "draw/text_width.hh"
#include "timeline/axis.hh"
#include "timeline/chronicle.hh"

namespace ktm::timeline {

namespace {

constexpr std::size_t names_max = 20;
constexpr int break_columns = 5;
constexpr int tick_columns = 12;
constexpr int terminal_zoom_percent_max = 40;
// LIMIT: lines of the list; the picture has the rest.
constexpr std::size_t entries_max = 200;

/// The fill of a bar, and the same in ASCII.
struct Fill {
    const char* sign;
    const char* plain;
};

Fill fill_of(Look look) {
    switch (look) {
        case Look::quiet: return {"╌", "-"};
        case Look::step: return {"─", "-"};
        case Look::running: return {"━", "="};
        case Look::away: return {"·", "."};
        case Look::dark: return {"█", "#"};
        case Look::held: return {"▒", "%"};
        case Look::commit: return {"═", "="};
        case Look::good: return {"─", "-"};
        case Look::bad: return {"×", "x"};
        case Look::unknown: return {"?", "?"};
    }
    return {" ", " "};
}

std::size_t letters_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<std::uint8_t>(byte) & 0xC0) != 0x80;
    }));
}

std::string padded(std::string text, std::size_t width) {
    const std::size_t letters = letters_of(text);
    return letters < width ? text + std::string(width - letters, ' ') : text;
}

/// One line of a bar, cell by cell.
class Line {
public:
    explicit Line(int columns)
        : cells_(static_cast<std::size_t>(std::max(0, columns)), Cell{" ", Look::quiet}) {}

    /// What a reader must not miss is not covered by its neighbours, however short it is.
    void fill(int from, int to, const std::string& sign, Look look) {
        for (int x = std::max(0, from); x < std::min(to, size()); ++x) {
            Cell& cell = cells_[static_cast<std::size_t>(x)];
            if (!stands_out(cell.look) || stands_out(look)) {
                cell = {sign, look};
            }
        }
    }

    /// Letter by letter; what has no room is cut off.
    void write(int from, std::string_view text, Look look) {
        while (!text.empty()) {
            std::size_t bytes = 1;
            while (bytes < text.size() && (static_cast<std::uint8_t>(text[bytes]) & 0xC0) == 0x80) {
                ++bytes;
            }
            fill(from, from + 1, std::string{text.substr(0, bytes)}, look);
            text.remove_prefix(bytes);
            ++from;
        }
    }

    [[nodiscard]] int size() const { return static_cast<int>(cells_.size()); }

    /// Neighbours of one look are painted at once.
    [[nodiscard]] std::string text(TextLook& look) const {
        std::string out;
        for (std::size_t i = 0; i < cells_.size();) {
            const Look same = cells_[i].look;
            std::string part;
            for (; i < cells_.size() && cells_[i].look == same; ++i) {
                part += cells_[i].sign;
            }
            out += look.paint ? look.paint(same, part) : part;
        }
        return out;
    }

private:
    static bool stands_out(Look look) {
        return look == Look::dark || look == Look::bad || look == Look::held;
    }

    struct Cell {
        std::string sign;
        Look look;
    };
    std::vector<Cell> cells_;
};

std::string without_end(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

class Text {
public:
    Text(const Timeline& timeline, TextLook look) : timeline_(timeline), look_(std::move(look)) {
        look_.columns = std::clamp(look_.columns, text_columns_min, text_columns_max);
        for (const Lane& lane : timeline.lanes) {
            names_ = std::max(names_, std::min(names_max, letters_of(lane.name)));
        }
        bars_ = look_.columns - static_cast<int>(names_) - 2;
    }

    std::string draw() && {
        out_ = (timeline_.title.empty() ? "" : timeline_.title + ": ") + headline(timeline_) + "\n";
        for (const Ending& ending : timeline_.endings) {
            out_ += (ending.who.empty() ? "" : ending.who + ": ") + ending.text + "\n";
        }
        if (!timeline_.lanes.empty()) {
            const Axis whole{timeline_, 0, bars_, break_columns};
            panel(whole, Duration::zero());
            zoom(whole);
            list();
        }
        for (const std::string& note : timeline_.notes) {
            out_ += "note: " + printable(note) + "\n";
        }
        return std::move(out_);
    }

private:
    void panel(const Axis& axis, Duration zero) {
        out_ += "\n";
        for (const Lane& lane : timeline_.lanes) {
            for (std::size_t row = 0; row < lane.rows; ++row) {
                const std::string name =
                    row == 0 ? draw::shortened(lane.name, names_max) : std::string();
                Line line = bar(lane, row, axis);
                breaks(axis, line);
                out_ += without_end(padded(name, names_) + "  " + line.text(look_));
            }
        }
        Line ticks{bars_};
        int free_from = 0;
        for (const Axis::Tick& tick : axis.ticks(zero, tick_columns)) {
            const int width = static_cast<int>(tick.text.size());
            if (tick.x >= free_from && tick.x + 1 + width <= bars_) {
                ticks.write(tick.x, (look_.plain ? "|" : "╵") + tick.text, Look::quiet);
                free_from = tick.x + width + 2;
            }
        }
        out_ += without_end(std::string(names_ + 2, ' ') + ticks.text(look_));
    }

    Line bar(const Lane& lane, std::size_t row, const Axis& axis) const {
        Line line{bars_};
        for (const Span& span : lane.spans) {
            if (span.row == row && axis.shows(span.begin, span.end)) {
                draw_span(line, span, axis);
            }
        }
        for (const Mark& mark : lane.marks) {
            if (row + 1 != lane.rows || mark.minor || !axis.shows(mark.at)) {
                continue;
            }
            if (lane.spans.empty() || mark.look == Look::bad) {
                const bool bad = mark.look == Look::bad;
                line.write(std::min(axis.x(mark.at), bars_ - 1),
                           bad ? (look_.plain ? "X" : "✗") : (look_.plain ? "^" : "▴"), mark.look);
            }
        }
        return line;
    }

    void draw_span(Line& line, const Span& span, const Axis& axis) const {
        const int from = std::min(axis.x(span.begin), bars_ - 1);
        const int to = std::max(axis.x(span.end), from + 1);
        const Fill fill = fill_of(span.look);
        line.fill(from, to, look_.plain ? fill.plain : fill.sign, span.look);
        const bool has_edge = span.look != Look::dark && span.look != Look::held;
        if (has_edge) {
            line.write(from, look_.plain ? "|" : "│", span.look);
        }
        const std::string text = " " + draw::shortened(span.text, 40) + " ";
        const int width = static_cast<int>(letters_of(text));
        const Axis::Part part = axis.unbroken(from, to);
        if (width + 3 <= part.right - part.left) {
            line.write(part.left + 2, text, span.look);
        }
    }

    void breaks(const Axis& axis, Line& line) const {
        for (const Axis::Piece& piece : axis.pieces()) {
            if (piece.broken) {
                line.write(piece.left + 1, look_.plain ? " ~ " : " ≈ ", Look::quiet);
            }
        }
    }

    void zoom(const Axis& whole) {
        const DarkWindow* dark = main_window(timeline_);
        if (dark == nullptr ||
            (whole.x(dark->end) - whole.x(dark->begin)) * 100 > bars_ * terminal_zoom_percent_max) {
            return;
        }
        const Duration around =
            std::max<Duration>(dark->length() / 2, std::chrono::milliseconds{1});
        const Axis axis{std::max(timeline_.begin, dark->begin - around),
                        std::min(timeline_.end, dark->end + around), 0, bars_};
        out_ +=
            "\nthe dark window, enlarged; 0 is the STOP, at " + clock_text(dark->begin) + " s\n";
        panel(axis, dark->begin);
    }

    void list() {
        out_ += "\n";
        std::size_t shown = 0;
        std::size_t more = 0;
        for (const Entry& entry : chronicle(timeline_)) {
            if (entry.minor) {
                continue;
            }
            if (++shown > entries_max) {
                ++more;
                continue;
            }
            std::string when = clock_text(entry.begin);
            when = std::string(when.size() < 12 ? 12 - when.size() : 0, ' ') + when;
            const std::string length = length_text(entry);
            const std::string head =
                when + "  " +
                padded(draw::shortened(timeline_.lanes[entry.lane].name, names_max), names_) + "  ";
            const std::string what =
                entry.what + (length.empty() ? "" : ", " + length) +
                (entry.detail.empty() || entry.kind == Entry::Kind::span ? ""
                                                                         : "  " + entry.detail);
            const std::size_t room =
                static_cast<std::size_t>(look_.columns) - std::min<std::size_t>(30, names_ + 16);
            const std::string cut = draw::shortened(printable(what), room);
            out_ += without_end(head + (look_.paint ? look_.paint(entry.look, cut) : cut));
        }
        if (more > 0) {
            out_ += "… and " + std::to_string(more) + " more\n";
        }
    }

    const Timeline& timeline_;
    TextLook look_;
    std::size_t names_ = 0;
    int bars_ = 0;
    std::string out_;
};

}  // namespace

std::string draw_text(const Timeline& timeline, TextLook look) {
    return Text{timeline, std::move(look)}.draw();
}

}  // namespace ktm::timeline
