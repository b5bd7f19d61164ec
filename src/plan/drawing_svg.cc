// SPDX-License-Identifier: Apache-2.0
// plan/drawing_svg.cc: the graph of a plan as a picture.
//
// lay_out() says where the parts of one role stand; here they get their words and their colours,
// and the roles their places beside each other.
#include <algorithm>
#include <map>
#include <utility>

#include "base/text.hh"
#include "draw/text_width.hh"
#include "plan/drawing.hh"
#include "plan/layout.hh"
#include "plan/svg.hh"

namespace ktm::plan {

using draw::Anchor;
using draw::disc_svg;
using draw::rectangle_svg;
using draw::shortened;
using draw::text_svg;
using draw::text_width;
using draw::Weight;
using draw::wrapped;
using draw::xml;

namespace {

// LIMIT: a longer name or label is cut off; the tooltip has all of it.
constexpr std::size_t letters_max = 48;

constexpr int name_font = 14;
constexpr int small_font = 12;
constexpr int badge_font = 11;
constexpr int title_font = 22;
constexpr int summary_font = 14;
constexpr int label_line = 15;
constexpr int summary_line = 20;

constexpr int page_margin = 24;
constexpr int page_width_min = 560;
constexpr int panel_padding = 22;
constexpr int panel_title = 34;
constexpr int panel_distance = 20;
constexpr int box_padding = 14;
constexpr int box_width_min = 150;
constexpr int end_height = 34;
constexpr int end_width_min = 84;
constexpr int mark_radius = 6;

/// What is shown of a name or label: measured and written alike.
std::string brief(std::string_view text) {
    return shortened(printable(text), letters_max);
}

/// The end of the classes of whatever leads to a target.
std::string kind_of(std::string_view target, const Role& role) {
    if (role.find(target) != nullptr) {
        return "state";
    }
    return is_end(target) ? std::string(target) : "unknown";
}

/// The edges from one state to one target: one line, with a line of text for each.
struct Bundle {
    std::string from;
    std::string to;
    std::vector<std::string> labels;  ///< As they are shown.
    std::vector<std::string> told;    ///< As they are, for the tooltip.
    bool late = true;                 ///< All of them are.
};

std::vector<Bundle> bundles_of(const Role& role) {
    std::vector<Bundle> bundles;
    for (const Edge& edge : drawn_edges(role)) {
        auto bundle = std::find_if(bundles.begin(), bundles.end(), [&](const Bundle& each) {
            return each.from == edge.from && each.to == edge.to;
        });
        if (bundle == bundles.end()) {
            bundle = bundles.insert(bundles.end(), Bundle{edge.from, edge.to, {}, {}, true});
        }
        bundle->told.push_back(edge.label.empty() ? "next" : edge.label);
        bundle->late = bundle->late && edge.kind == Edge::Kind::late;
    }
    for (Bundle& bundle : bundles) {
        // That a state simply goes on needs no word, unless other words stand there.
        if (bundle.told != std::vector<std::string>{"next"}) {
            for (const std::string& label : bundle.told) {
                bundle.labels.push_back(brief(label));
            }
        }
    }
    return bundles;
}

/// One role with its frame.
class Panel {
public:
    Panel(const Plan& plan, const Role& role)
        : plan_(plan), role_(role), bundles_(bundles_of(role)), committed_(committed_states(role)) {
        number_boxes();
        Graph graph;
        graph.spine.assign(states_.size(), state_size());
        for (const std::string& end : ends_) {
            (end == end_done ? graph.spine : graph.exits).push_back(end_size(end));
        }
        for (const Bundle& bundle : bundles_) {
            graph.links.push_back(
                {numbers_.at(bundle.from), numbers_.at(bundle.to), label_size(bundle)});
        }
        layout_ = lay_out(graph);
    }

    [[nodiscard]] Size size() const {
        const int title = text_width("role " + brief(role_.name), 15, Weight::bold);
        return {std::max(layout_.size.width, title) + 2 * panel_padding,
                layout_.size.height + panel_title + 2 * panel_padding};
    }

    [[nodiscard]] bool has_late() const {
        return std::any_of(bundles_.begin(), bundles_.end(),
                           [](const Bundle& bundle) { return bundle.late; });
    }

    [[nodiscard]] bool has_commit() const { return !committed_.empty(); }

    /// The height is the row's: all panels end on one line.
    [[nodiscard]] std::string draw(Point at, int height) const {
        std::string out = rectangle_svg({at.x, at.y, size().width, height}, 10, "panel");
        out +=
            text_svg({at.x + panel_padding, at.y + 30}, "role text", "role " + brief(role_.name));
        out += "<g transform=\"translate(" + std::to_string(at.x + panel_padding) + " " +
               std::to_string(at.y + panel_padding + panel_title) + ")\">\n";
        for (std::size_t i = 0; i < bundles_.size(); ++i) {
            out += edge_svg(bundles_[i], layout_.routes[i]);
        }
        if (!layout_.entry.empty()) {
            const Point mark = layout_.entry.front();
            out += arrow_svg(layout_.entry, "state", false);
            out += disc_svg(mark, mark_radius, "head-state");
        }
        for (const State* state : states_) {
            out += state_svg(*state, layout_.boxes[numbers_.at(state->name)]);
        }
        for (const std::string& end : ends_) {
            out += end_svg(end, layout_.boxes[numbers_.at(end)]);
        }
        return out + "</g>\n";
    }

    /// The role in words, for who cannot see it.
    [[nodiscard]] std::string description() const {
        std::string text = "Role " + role_.name + ".";
        for (const State* state : states_) {
            const std::string deadline = deadline_text(plan_, *state);
            text += " " + state->name + (deadline.empty() ? "" : ", " + deadline) +
                    (state->commits ? ", commits" : "");
            const char* joint = ": ";
            for (const Bundle& bundle : bundles_) {
                if (bundle.from == state->name) {
                    text += joint + joined(bundle.told) + " to " + bundle.to;
                    joint = "; ";
                }
            }
            text += ".";
        }
        return text;
    }

private:
    /// The states and `done` are the spine, other ends the exits.
    void number_boxes() {
        for (const State& state : role_.states) {
            if (numbers_.try_emplace(state.name, states_.size()).second) {
                states_.push_back(&state);
            }
        }
        for (const std::string& end : drawn_ends(role_)) {
            numbers_.emplace(end, states_.size() + ends_.size());
            ends_.push_back(end);
        }
    }

    static Size label_size(const Bundle& bundle) {
        Size size{0, static_cast<int>(bundle.labels.size()) * label_line};
        for (const std::string& label : bundle.labels) {
            size.width = std::max(size.width, text_width(label, small_font, Weight::regular));
        }
        return size;
    }

    static int badge_width() { return text_width("commits", badge_font, Weight::bold) + 14; }

    /// All boxes of a role are equal, for a quiet picture.
    [[nodiscard]] Size state_size() const {
        Size size{box_width_min, 36};
        for (const State* state : states_) {
            const std::string deadline = brief(deadline_text(plan_, *state));
            const int name = text_width(brief(state->name), name_font, Weight::bold);
            const int badge = state->commits ? 12 + badge_width() : 0;
            const int text =
                std::max(name + badge, text_width(deadline, small_font, Weight::regular));
            size.width = std::max(size.width, text + 2 * box_padding);
            size.height = deadline.empty() ? size.height : 52;
        }
        return size;
    }

    static Size end_size(const std::string& end) {
        return {std::max(end_width_min,
                         text_width(brief(end), name_font, Weight::bold) + 2 * box_padding),
                end_height};
    }

    [[nodiscard]] std::string edge_svg(const Bundle& bundle, const Route& route) const {
        const std::string kind = kind_of(bundle.to, role_);
        std::string out = "<g><title>" +
                          xml(bundle.from + " → " + bundle.to + ": " + joined(bundle.told)) +
                          "</title>\n";
        out += route_svg(route, kind, bundle.late);
        // A width is only estimated: at the left it is the end of the text that must be in place.
        const bool is_left = route.points[1].x < route.points[0].x;
        const int x = is_left ? route.label.right() : route.label.x;
        int y = route.label.y;
        for (const std::string& label : bundle.labels) {
            out += text_svg({x, y + 12}, "text", label, is_left ? Anchor::end : Anchor::start);
            y += label_line;
        }
        return out + "</g>\n";
    }

    [[nodiscard]] std::string state_svg(const State& state, const Rectangle& box) const {
        const bool committed =
            std::find(committed_.begin(), committed_.end(), state.name) != committed_.end();
        const std::string deadline = deadline_text(plan_, state);
        const int left = box.x + box_padding;
        const int middle = box.y + box.height / 2;
        std::string out = "<g><title>" +
                          xml(state.name + (deadline.empty() ? "" : ", " + deadline)) +
                          "</title>\n";
        out += rectangle_svg(
            box, 7, state.commits ? "committed commits" : (committed ? "committed" : "box"));
        const int name_y = deadline.empty() ? middle + 5 : middle - 4;
        out += text_svg({left, name_y}, "name text", brief(state.name));
        if (!deadline.empty()) {
            out += text_svg({left, middle + 14}, "muted", brief(deadline));
        }
        if (state.commits) {
            const Rectangle badge{box.right() - box_padding - badge_width(), name_y - 14,
                                  badge_width(), 18};
            out += rectangle_svg(badge, 9, "badge");
            out += text_svg({badge.x + badge.width / 2, name_y - 1}, "on-badge", "commits",
                            Anchor::middle);
        }
        return out + "</g>\n";
    }

    [[nodiscard]] std::string end_svg(const std::string& end, const Rectangle& box) const {
        return rectangle_svg(box, box.height / 2, "end end-" + kind_of(end, role_)) +
               text_svg({box.x + box.width / 2, box.y + box.height / 2 + 5}, "name text",
                        brief(end), Anchor::middle);
    }

    const Plan& plan_;
    const Role& role_;
    std::vector<Bundle> bundles_;
    std::vector<std::string> committed_;
    std::vector<const State*> states_;
    std::vector<std::string> ends_;
    std::map<std::string, std::size_t> numbers_;  ///< Of the boxes, by name of state or end.
    Layout layout_;
};

/// What stands below the panels: swatches with words, in as many rows as they need.
class Legend {
public:
    Legend(Point at, int width) : left_(at.x), right_(at.x + width), at_(at) {}

    void add(const std::string& words, int swatch_width, const auto& draw_swatch) {
        const int gap = swatch_width > 0 ? 8 : 0;
        const int width = swatch_width + gap + text_width(words, small_font, Weight::regular);
        if (at_.x > left_ && at_.x + width > right_) {
            break_row();
        }
        out_ += draw_swatch(Rectangle{at_.x, at_.y, swatch_width, swatch_height});
        out_ += text_svg({at_.x + swatch_width + gap, at_.y + 12}, "muted", words);
        at_.x += width + 26;
    }

    void break_row() { at_ = {left_, at_.y + row_height}; }

    [[nodiscard]] int bottom() const { return at_.y + swatch_height; }
    [[nodiscard]] const std::string& text() const { return out_; }

private:
    static constexpr int swatch_height = 16;
    static constexpr int row_height = 26;

    int left_;
    int right_;
    Point at_;
    std::string out_;
};

Legend legend_of(const std::vector<Panel>& panels, Point at, int width) {
    Legend legend{at, width};
    const auto any = [&](bool (Panel::*has)() const) {
        return std::any_of(panels.begin(), panels.end(),
                           [&](const Panel& panel) { return (panel.*has)(); });
    };
    const auto end = [&](std::string_view name, const std::string& words) {
        legend.add(words, 26, [&](const Rectangle& area) {
            return rectangle_svg(area, 8, "end end-" + std::string(name));
        });
    };
    if (any(&Panel::has_commit)) {
        legend.add("after the commit: no undo runs any more", 26,
                   [](const Rectangle& area) { return rectangle_svg(area, 4, "committed"); });
    }
    if (any(&Panel::has_late)) {
        legend.add("when the state is late", 34, [](const Rectangle& area) {
            const int y = area.y + area.height / 2;
            return arrow_svg({{area.x, y}, {area.right(), y}}, "state", true);
        });
    }
    end(end_done, "done: exit code 0");
    end(end_abort, "abort: all is undone, exit code 1");
    end(end_stranded, "stranded: a person must look, exit code 3");
    legend.break_row();
    legend.add(std::string(late_legend), 0, [](const Rectangle&) { return std::string(); });
    return legend;
}

}  // namespace

std::string draw_svg(const Plan& plan) {
    std::vector<Panel> panels;
    int width = 0;
    int height = 0;
    for (const Role& role : plan.roles) {
        const Panel& panel = panels.emplace_back(plan, role);
        width += panel.size().width + (panels.size() > 1 ? panel_distance : 0);
        height = std::max(height, panel.size().height);
    }
    const std::string name = brief(plan.name);
    width = std::max({width, page_width_min, text_width(name, title_font, Weight::bold)});
    int y = page_margin + title_font;
    std::string body = text_svg({page_margin, y}, "title text", name);
    y += 8;
    for (const std::string& line : wrapped(printable(subtitle_of(plan)), width, summary_font)) {
        y += summary_line;
        body += text_svg({page_margin, y}, "summary muted", line);
    }
    y += page_margin;
    int x = page_margin;
    std::string description = subtitle_of(plan);
    for (const Panel& panel : panels) {
        body += panel.draw({x, y}, height);
        x += panel.size().width + panel_distance;
        description += " " + panel.description();
    }
    y += panels.empty() ? 0 : height + page_margin;
    const Legend legend = legend_of(panels, {page_margin, y}, width);
    const Size page{width + 2 * page_margin, legend.bottom() + page_margin};
    const std::string w = std::to_string(page.width);
    const std::string h = std::to_string(page.height);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
           "\" viewBox=\"0 0 " + w + " " + h + "\" class=\"ktm\" role=\"img\">\n<title>" +
           xml(plan.name) + "</title>\n<desc>" + xml(description) + "</desc>\n" + style_svg() +
           rectangle_svg({0, 0, page.width, page.height}, 0, "paper") + body + legend.text() +
           "</svg>\n";
}

}  // namespace ktm::plan
