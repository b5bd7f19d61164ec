// SPDX-License-Identifier: Apache-2.0
// plan/layout.cc: where the boxes, lines and labels of a role's graph are drawn.
#include "plan/layout.hh"

#include <algorithm>
#include <compare>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "base/assert.hh"

namespace ktm::plan {

namespace {

constexpr int mark_y = 8;           // the start's mark, a disc
constexpr int first_box_y = 40;     // leaves room for the arrow out of it
constexpr int gap_min = 32;         // between two boxes of the spine
constexpr int arrow_room = 20;      // of a gap, beside its label
constexpr int label_distance = 10;  // from a label to the box or lane beside it
constexpr int label_lift = 3;       // from a label to the line below it
constexpr int lane_distance = 16;
constexpr int plain_slot = 16;  // the height of a place at a side that has no label
constexpr int slot_space = 7;   // below a line with a label
constexpr int exit_distance = 18;

/// How a link is drawn.
enum class Way { straight, jump, exit };

/// The box that jumps lead to, and whether they come from below it, or from the box itself.
struct Goal {
    std::size_t target = 0;
    bool from_below = false;
    [[nodiscard]] auto operator<=>(const Goal&) const = default;
};

/// What the links to one goal share: the rows that they pass, and the column of their line.
struct Lane {
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t links = 0;
    int column = 0;

    [[nodiscard]] bool meets(const Lane& other) const noexcept {
        return first <= other.last && other.first <= last;
    }
};

/// A place at a side of a box where a line begins or ends.
struct Slot {
    std::size_t link = 0;      ///< That begins here,
    std::optional<Goal> goal;  ///< or the goal whose lane ends here.
    int height = plain_slot;
    int line = plain_slot / 2;  ///< From the slot's upper edge.
    int group = 0;              ///< Those at the top have the smallest.
    int order = 0;              ///< Within the group.
};

int height_of(const std::vector<Slot>& slots) {
    return std::accumulate(slots.begin(), slots.end(), 0,
                           [](int sum, const Slot& slot) { return sum + slot.height; });
}

void sort_slots(std::vector<std::vector<Slot>>& side) {
    for (std::vector<Slot>& slots : side) {
        std::stable_sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) {
            return std::tie(a.group, a.order) < std::tie(b.group, b.order);
        });
    }
}

class Planner {
public:
    explicit Planner(const Graph& graph) : graph_(graph), rows_(graph.spine.size()) {}

    Layout plan() && {
        find_lanes();
        choose_columns();
        fill_sides();
        place_rows();
        place_columns();
        place_exits();
        for (std::size_t i = 0; i < graph_.links.size(); ++i) {
            layout_.routes.push_back(route(i));
        }
        if (rows_ > 0) {
            layout_.entry = {{centre_, mark_y}, {centre_, layout_.boxes[0].y}};
        }
        return std::move(layout_);
    }

private:
    [[nodiscard]] Way way_of(const Graph::Link& link) const {
        KTM_ASSERT(link.from < rows_ && link.to < rows_ + graph_.exits.size());
        if (link.to >= rows_) {
            return Way::exit;
        }
        return link.to == link.from + 1 ? Way::straight : Way::jump;
    }

    static Goal goal_of(const Graph::Link& link) { return {link.to, link.to <= link.from}; }

    void find_lanes() {
        for (const Graph::Link& link : graph_.links) {
            const Way way = way_of(link);
            if (way == Way::straight) {
                continue;
            }
            Lane& lane =
                way == Way::exit
                    ? exit_lanes_.try_emplace(link.to, Lane{link.from, rows_}).first->second
                    : lanes_.try_emplace(goal_of(link), Lane{link.to, link.to}).first->second;
            lane.first = std::min(lane.first, link.from);
            lane.last = std::max(lane.last, link.from);
            ++lane.links;
        }
    }

    /// The shortest lanes choose first, and take the column next to the boxes that is free for
    /// them.
    void choose_columns() {
        std::vector<Lane*> by_length;
        for (auto& [goal, lane] : lanes_) {
            by_length.push_back(&lane);
        }
        std::stable_sort(by_length.begin(), by_length.end(), [](const Lane* a, const Lane* b) {
            return a->last - a->first < b->last - b->first;
        });
        std::vector<std::vector<const Lane*>> columns;
        for (Lane* lane : by_length) {
            const auto is_free = [&](const std::vector<const Lane*>& column) {
                return std::none_of(column.begin(), column.end(),
                                    [&](const Lane* other) { return other->meets(*lane); });
            };
            auto column = std::find_if(columns.begin(), columns.end(), is_free);
            if (column == columns.end()) {
                column = columns.insert(columns.end(), std::vector<const Lane*>{});
            }
            lane->column = static_cast<int>(column - columns.begin());
            column->push_back(lane);
        }
        columns_ = static_cast<int>(columns.size());
    }

    /// The lines at each side of each box, from above. A line crosses the lanes that are nearer to
    /// the box than its own: so of lines that turn down the one with the farthest lane stands
    /// highest, of those that turn up the one with the nearest, and lines of one box do not cross.
    void fill_sides() {
        left_.resize(rows_);
        right_.resize(rows_);
        for (std::size_t i = 0; i < graph_.links.size(); ++i) {
            const Graph::Link& link = graph_.links[i];
            Slot slot{i, std::nullopt};
            if (link.label.height > 0) {
                slot.line = link.label.height + label_lift;
                slot.height = slot.line + slot_space;
            }
            if (way_of(link) == Way::jump) {
                const bool is_up = link.to < link.from;
                const int column = lanes_.at(goal_of(link)).column;
                const bool is_loop = link.to == link.from;  // turns up into the entry above it
                slot.group = is_up ? 1 : (is_loop ? 4 : 2);
                slot.order = is_up ? column : -column;
                left_[link.from].push_back(slot);
            } else if (way_of(link) == Way::exit) {
                slot.order = -static_cast<int>(link.to);
                right_[link.from].push_back(slot);
            }
        }
        for (const auto& [goal, lane] : lanes_) {
            Slot slot{0, goal};
            slot.group = goal.from_below ? 3 : 0;
            left_[goal.target].push_back(slot);
        }
        sort_slots(left_);
        sort_slots(right_);
    }

    [[nodiscard]] int gap_below(std::size_t row) const {
        int gap = gap_min;
        for (const Graph::Link& link : graph_.links) {
            if (link.from == row && way_of(link) == Way::straight) {
                gap = std::max(gap, link.label.height + arrow_room);
            }
        }
        return gap;
    }

    void place_rows() {
        int y = first_box_y;
        for (std::size_t row = 0; row < rows_; ++row) {
            const Size& wanted = graph_.spine[row];
            const int height =
                std::max({wanted.height, height_of(left_[row]), height_of(right_[row])});
            layout_.boxes.push_back({0, y, wanted.width, height});
            place_slots(left_[row], layout_.boxes[row]);
            place_slots(right_[row], layout_.boxes[row]);
            y += height + gap_below(row);
        }
        bottom_ = rows_ > 0 ? layout_.boxes.back().bottom() : 0;
    }

    void place_slots(const std::vector<Slot>& slots, const Rectangle& box) {
        int y = box.y + (box.height - height_of(slots)) / 2;
        for (const Slot& slot : slots) {
            (slot.goal ? entry_y_[*slot.goal] : leave_y_[slot.link]) = y + slot.line;
            y += slot.height;
        }
    }

    /// The widths of the spine and of the zones for labels, and with them where the boxes stand.
    void place_columns() {
        int width = 0;
        for (const Size& box : graph_.spine) {
            width = std::max(width, box.width);
        }
        int left = lanes_.empty() ? 0 : 2 * label_distance;
        int right = 0;
        for (const Graph::Link& link : graph_.links) {
            const int room = link.label.width + 2 * label_distance;
            switch (way_of(link)) {
                case Way::jump: left = std::max(left, room); break;
                case Way::exit: right = std::max(right, room); break;
                case Way::straight: right = std::max(right, room - width / 2); break;
            }
        }
        first_lane_x_ = std::max(0, columns_ - 1) * lane_distance;
        spine_left_ = first_lane_x_ + left;
        spine_right_ = spine_left_ + width;
        zone_right_ = spine_right_ + right;
        centre_ = spine_left_ + width / 2;
        for (Rectangle& box : layout_.boxes) {
            box.x = centre_ - box.width / 2;
        }
        layout_.size = {zone_right_, bottom_};
    }

    /// The exits stand beside the last box, if nothing leaves it, and below it otherwise. Their
    /// lanes come down from the right edge of the label zone, or farther out.
    void place_exits() {
        if (graph_.exits.empty()) {
            return;
        }
        const bool beside =
            rows_ > 0 && std::none_of(graph_.links.begin(), graph_.links.end(),
                                      [&](const auto& link) { return link.from == rows_ - 1; });
        const int y = beside ? layout_.boxes.back().y : bottom_ + gap_min;
        int x = std::max(spine_right_ + 2 * label_distance,
                         zone_right_ - graph_.exits.front().width / 2);
        for (const Size& exit : graph_.exits) {
            const Rectangle& box =
                layout_.boxes.emplace_back(Rectangle{x, y, exit.width, exit.height});
            x += exit.width + exit_distance;
            layout_.size.width = std::max(layout_.size.width, box.right());
            layout_.size.height = std::max(layout_.size.height, box.bottom());
        }
    }

    [[nodiscard]] Route route(std::size_t index) const {
        const Graph::Link& link = graph_.links[index];
        switch (way_of(link)) {
            case Way::straight: return straight(link);
            case Way::jump: return jump(link, leave_y_.at(index));
            case Way::exit: return exit(link, leave_y_.at(index));
        }
        return {};
    }

    [[nodiscard]] Route straight(const Graph::Link& link) const {
        const int top = layout_.boxes[link.from].bottom();
        const int bottom = layout_.boxes[link.to].y;
        Route route{{{centre_, top}, {centre_, bottom}}, 2, true, {}};
        const int y = top + (bottom - top - link.label.height - label_lift) / 2;
        place_label(route, link, {centre_ + label_distance, y});
        return route;
    }

    [[nodiscard]] Route jump(const Graph::Link& link, int y) const {
        const Goal goal = goal_of(link);
        const Lane& lane = lanes_.at(goal);
        const int x = first_lane_x_ - lane.column * lane_distance;
        const int entry = entry_y_.at(goal);
        Route route{{{layout_.boxes[link.from].x, y},
                     {x, y},
                     {x, entry},
                     {layout_.boxes[link.to].x, entry}},
                    lane.links > 1 ? std::size_t{1} : std::size_t{4},
                    link.from == (goal.from_below ? lane.last : lane.first),
                    {}};
        place_label(
            route, link,
            {spine_left_ - label_distance - link.label.width, y - label_lift - link.label.height});
        return route;
    }

    [[nodiscard]] Route exit(const Graph::Link& link, int y) const {
        const Lane& lane = exit_lanes_.at(link.to);
        const Rectangle& target = layout_.boxes[link.to];
        const int x = target.x + target.width / 2;
        Route route{{{layout_.boxes[link.from].right(), y}, {x, y}, {x, target.y}},
                    lane.links > 1 ? std::size_t{1} : std::size_t{3},
                    link.from == lane.first,
                    {}};
        place_label(route, link,
                    {spine_right_ + label_distance, y - label_lift - link.label.height});
        return route;
    }

    static void place_label(Route& route, const Graph::Link& link, Point at) {
        if (link.label.height > 0) {
            route.label = {at.x, at.y, link.label.width, link.label.height};
        }
    }

    const Graph& graph_;
    std::size_t rows_;
    Layout layout_;
    std::map<Goal, Lane> lanes_;
    std::map<std::size_t, Lane> exit_lanes_;  ///< By exit.
    std::vector<std::vector<Slot>> left_;     ///< By row.
    std::vector<std::vector<Slot>> right_;
    std::map<std::size_t, int> leave_y_;  ///< By link.
    std::map<Goal, int> entry_y_;
    int columns_ = 0;  ///< Of lanes.
    int first_lane_x_ = 0;
    int spine_left_ = 0;
    int spine_right_ = 0;
    int zone_right_ = 0;
    int centre_ = 0;
    int bottom_ = 0;
};

}  // namespace

Layout lay_out(const Graph& graph) {
    return Planner{graph}.plan();
}

}  // namespace ktm::plan
