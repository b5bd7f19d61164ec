// SPDX-License-Identifier: Apache-2.0
// tests/unit/plan/layout_test.cc: in no picture does one thing stand on another.
#include "plan/layout.hh"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <string>

#include "draw/text_width.hh"

using namespace ktm::draw;
using namespace ktm::plan;

namespace {

using Lines = std::vector<std::string>;

/// Numbers that look random and are the same each time.
class Dice {
public:
    explicit Dice(std::uint32_t seed) : state_(seed) {}

    /// From 0 to `sides` - 1.
    std::size_t roll(std::size_t sides) {
        state_ = state_ * 1664525U + 1013904223U;
        return (state_ >> 8) % sides;
    }

    int between(int low, int high) {
        return low + static_cast<int>(roll(static_cast<std::size_t>(high - low + 1)));
    }

private:
    std::uint32_t state_;
};

Graph::Link link_of(std::size_t from, std::size_t to, int width = 90, int lines = 1) {
    return {from, to, {width, lines * 15}};
}

Graph chain(std::size_t states) {
    Graph graph;
    graph.spine.assign(states, {150, 52});
    for (std::size_t i = 0; i + 1 < states; ++i) {
        graph.links.push_back(link_of(i, i + 1));
    }
    return graph;
}

/// A graph in which anything may happen, but no link twice.
Graph any_graph(std::uint32_t seed) {
    Dice dice{seed};
    Graph graph;
    const std::size_t states = 1 + dice.roll(14);
    for (std::size_t i = 0; i < states; ++i) {
        graph.spine.push_back({dice.between(60, 260), dice.between(20, 80)});
    }
    for (std::size_t i = dice.roll(4); i > 0; --i) {
        graph.exits.push_back({dice.between(60, 160), dice.between(20, 60)});
    }
    const std::size_t boxes = states + graph.exits.size();
    std::set<std::pair<std::size_t, std::size_t>> used;
    for (std::size_t i = dice.roll(4 * states + 1); i > 0; --i) {
        const std::size_t from = dice.roll(states);
        const std::size_t to = dice.roll(boxes);
        if (used.emplace(from, to).second) {
            graph.links.push_back(link_of(from, to, dice.between(0, 320), dice.between(0, 4)));
        }
    }
    return graph;
}

/// The area that a level or upright line covers, one wide.
Rectangle area_of(Point a, Point b) {
    return {std::min(a.x, b.x), std::min(a.y, b.y), std::max(1, std::abs(a.x - b.x)),
            std::max(1, std::abs(a.y - b.y))};
}

std::string text(const Rectangle& area) {
    return std::to_string(area.x) + "," + std::to_string(area.y) + " " +
           std::to_string(area.width) + "x" + std::to_string(area.height);
}

std::string numbered(const char* what, std::size_t i, const Rectangle& area) {
    return std::string(what) + " " + std::to_string(i) + " at " + text(area);
}

/// Looks for everything that a picture must not have.
class Inspection {
public:
    Inspection(const Graph& graph, const Layout& layout) : graph_(graph), layout_(layout) {}

    Lines faults() && {
        if (layout_.boxes.size() != graph_.spine.size() + graph_.exits.size() ||
            layout_.routes.size() != graph_.links.size()) {
            return {"boxes or routes are missing"};
        }
        sizes();
        solids();
        lines();
        shared_lines();
        return std::move(faults_);
    }

private:
    void sizes() {
        const Rectangle page{0, 0, layout_.size.width, layout_.size.height};
        for (std::size_t i = 0; i < layout_.boxes.size(); ++i) {
            const bool is_exit = i >= graph_.spine.size();
            const Size& wanted = is_exit ? graph_.exits[i - graph_.spine.size()] : graph_.spine[i];
            const Rectangle& box = layout_.boxes[i];
            if (box.width != wanted.width || box.height < wanted.height) {
                faults_.push_back(numbered("too small: box", i, box));
            }
            inside(page, box, numbered("box", i, box));
        }
        for (std::size_t i = 0; i < layout_.routes.size(); ++i) {
            const Rectangle& label = layout_.routes[i].label;
            const Size& wanted = graph_.links[i].label;
            if (wanted.height > 0 &&
                (label.width != wanted.width || label.height != wanted.height)) {
                faults_.push_back(numbered("of another size: label", i, label));
            }
            inside(page, label, numbered("label", i, label));
            for (const Point& point : layout_.routes[i].points) {
                const Rectangle dot{point.x, point.y, 0, 0};
                inside(page, dot, numbered("corner of route", i, dot));
            }
        }
    }

    void inside(const Rectangle& page, const Rectangle& area, const std::string& name) {
        if (area.x < page.x || area.y < page.y || area.right() > page.right() ||
            area.bottom() > page.bottom()) {
            faults_.push_back("outside of " + text(page) + ": " + name);
        }
    }

    /// Boxes and labels are solid: no two of them meet.
    void solids() {
        std::vector<std::pair<Rectangle, std::string>> all;
        for (std::size_t i = 0; i < layout_.boxes.size(); ++i) {
            all.emplace_back(layout_.boxes[i], numbered("box", i, layout_.boxes[i]));
        }
        for (std::size_t i = 0; i < layout_.routes.size(); ++i) {
            if (const Rectangle& label = layout_.routes[i].label; !label.is_empty()) {
                all.emplace_back(label, numbered("label", i, label));
            }
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (all[i].first.overlaps(all[j].first)) {
                    faults_.push_back(all[j].second + " meets " + all[i].second);
                }
            }
        }
    }

    /// A line is level or upright, goes from its box to its box, and through no box and no label.
    void lines() {
        for (std::size_t i = 0; i < layout_.routes.size(); ++i) {
            const std::vector<Point>& points = layout_.routes[i].points;
            if (points.size() < 2) {
                faults_.push_back("no line: route " + std::to_string(i));
                continue;
            }
            touches(layout_.boxes[graph_.links[i].from], points.front(), i);
            touches(layout_.boxes[graph_.links[i].to], points.back(), i);
            for (std::size_t k = 0; k + 1 < points.size(); ++k) {
                if ((points[k].x == points[k + 1].x) == (points[k].y == points[k + 1].y)) {
                    faults_.push_back("neither level nor upright: route " + std::to_string(i));
                }
                passes(area_of(points[k], points[k + 1]), i);
            }
        }
    }

    void touches(const Rectangle& box, Point point, std::size_t route) {
        const bool at_side = (point.x == box.x || point.x == box.right()) && point.y > box.y &&
                             point.y < box.bottom();
        const bool at_end = (point.y == box.y || point.y == box.bottom()) && point.x > box.x &&
                            point.x < box.right();
        if (!at_side && !at_end) {
            faults_.push_back("not at its box " + text(box) + ": route " + std::to_string(route));
        }
    }

    void passes(const Rectangle& line, std::size_t route) {
        for (std::size_t i = 0; i < layout_.boxes.size(); ++i) {
            if (line.overlaps(layout_.boxes[i])) {
                faults_.push_back("route " + std::to_string(route) + " runs through " +
                                  numbered("box", i, layout_.boxes[i]));
            }
        }
        for (std::size_t i = 0; i < layout_.routes.size(); ++i) {
            if (line.overlaps(layout_.routes[i].label)) {
                faults_.push_back("route " + std::to_string(route) + " runs through " +
                                  numbered("label", i, layout_.routes[i].label));
            }
        }
    }

    /// Lines may cross, but have a stretch in common only behind the corner where both say so, and
    /// only on the way to one target.
    void shared_lines() {
        for (std::size_t i = 0; i < layout_.routes.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                shared_by(i, j);
            }
        }
        leaders();
    }

    void shared_by(std::size_t i, std::size_t j) {
        const Route& one = layout_.routes[i];
        const Route& other = layout_.routes[j];
        for (std::size_t k = 0; k + 1 < one.points.size(); ++k) {
            for (std::size_t m = 0; m + 1 < other.points.size(); ++m) {
                const Rectangle a = area_of(one.points[k], one.points[k + 1]);
                const Rectangle b = area_of(other.points[m], other.points[m + 1]);
                const bool parallel = (a.width > 1) == (b.width > 1);
                const bool is_known = graph_.links[i].to == graph_.links[j].to &&
                                      k >= one.shared_from && m >= other.shared_from;
                if (parallel && a.overlaps(b) && !is_known) {
                    faults_.push_back("routes " + std::to_string(j) + " and " + std::to_string(i) +
                                      " lie on each other at " + text(a));
                }
            }
        }
    }

    /// What several share is drawn by one of them, and covers all that the others have of it.
    void leaders() {
        for (std::size_t i = 0; i < layout_.routes.size(); ++i) {
            const Route& one = layout_.routes[i];
            if (!one.is_shared()) {
                if (!one.leads) {
                    faults_.push_back("drawn by nobody: route " + std::to_string(i));
                }
                continue;
            }
            std::size_t covered = 0;
            for (std::size_t j = 0; j < layout_.routes.size(); ++j) {
                const Route& other = layout_.routes[j];
                if (!other.leads || !other.is_shared() ||
                    other.points.back() != one.points.back()) {
                    continue;
                }
                const Rectangle all =
                    area_of(other.points[other.shared_from], other.points[other.shared_from + 1]);
                const Rectangle part =
                    area_of(one.points[one.shared_from], one.points[one.shared_from + 1]);
                covered += part.x == all.x && part.y >= all.y && part.bottom() <= all.bottom();
            }
            if (covered != 1) {
                faults_.push_back("drawn " + std::to_string(covered) + " times: route " +
                                  std::to_string(i));
            }
        }
    }

    const Graph& graph_;
    const Layout& layout_;
    Lines faults_;
};

Lines faults_of(const Graph& graph) {
    return Inspection{graph, lay_out(graph)}.faults();
}

}  // namespace

TEST_CASE("plan/layout: the inspection of these tests sees what it looks for") {
    Graph graph = chain(4);
    graph.exits = {{84, 34}};
    graph.links.push_back(link_of(0, 4));
    graph.links.push_back(link_of(1, 4));
    graph.links.push_back(link_of(3, 1));
    graph.links.push_back(link_of(3, 0));
    const Layout good = lay_out(graph);
    REQUIRE(Inspection{graph, good}.faults().empty());
    const auto says = [&](const std::string& wanted, const auto& spoil) {
        Layout layout = good;
        spoil(layout);
        const Lines faults = Inspection{graph, layout}.faults();
        INFO(wanted);
        CHECK(std::any_of(faults.begin(), faults.end(), [&](const std::string& fault) {
            return fault.find(wanted) != std::string::npos;
        }));
    };
    says("missing", [](Layout& layout) { layout.routes.pop_back(); });
    says("too small", [](Layout& layout) { layout.boxes[2].height = 3; });
    says("of another size", [](Layout& layout) { layout.routes[0].label.width = 3; });
    says("outside", [](Layout& layout) { layout.size.width -= 1; });
    says("meets", [](Layout& layout) { layout.boxes[1].y -= 40; });
    says("meets", [](Layout& layout) { layout.routes[0].label.y += 20; });
    says("not at its box", [](Layout& layout) { layout.routes[5].points.back().x -= 1; });
    says("neither level", [](Layout& layout) { layout.routes[5].points[1].y += 1; });
    says("runs through box", [&](Layout& layout) {
        layout.routes[5].points[1].x = layout.routes[5].points[2].x = layout.boxes[2].x + 9;
    });
    says("runs through label", [&](Layout& layout) {
        layout.routes[5].points[1].x = layout.routes[5].points[2].x = layout.boxes[2].x - 30;
    });
    says("lie on each other", [](Layout& layout) {
        layout.routes[5].points[1].x = layout.routes[6].points[1].x;
        layout.routes[5].points[2].x = layout.routes[6].points[2].x;
    });
    says("drawn by nobody", [](Layout& layout) { layout.routes[5].leads = false; });
    says("drawn 0 times", [](Layout& layout) { layout.routes[3].leads = false; });
    says("drawn 2 times", [](Layout& layout) {
        layout.routes[4] = layout.routes[3];
        layout.routes[4].leads = true;
    });
}

TEST_CASE("plan/layout: an empty graph has an empty picture") {
    const Layout layout = lay_out({});
    CHECK(layout.boxes.empty());
    CHECK(layout.entry.empty());
    CHECK(layout.size == Size{0, 0});
}

TEST_CASE("plan/layout: a chain goes straight down") {
    const Graph graph = chain(5);
    const Layout layout = lay_out(graph);
    CHECK(faults_of(graph).empty());
    REQUIRE(layout.entry.size() == 2);
    const int centre = layout.entry.front().x;
    CHECK(layout.entry.back() == Point{centre, layout.boxes[0].y});
    for (const Route& route : layout.routes) {
        REQUIRE(route.points.size() == 2);
        CHECK(route.points[0].x == centre);
        CHECK(route.points[1].x == centre);
        CHECK(route.points[0].y < route.points[1].y);
    }
}

TEST_CASE("plan/layout: exits are left to the right and jumps to the left") {
    Graph graph = chain(3);
    graph.exits = {{84, 34}, {84, 34}};
    graph.links = {link_of(0, 3), link_of(1, 4), link_of(2, 0), link_of(0, 2)};
    const Layout layout = lay_out(graph);
    CHECK(faults_of(graph).empty());
    const Rectangle& first = layout.boxes[0];
    CHECK(layout.routes[0].points[1].x > first.right());
    CHECK(layout.routes[1].points[1].x > layout.routes[0].points[1].x);
    CHECK(layout.routes[2].points[1].x < first.x);
    CHECK(layout.routes[3].points[1].x < first.x);
}

TEST_CASE("plan/layout: exits stand beside a last box that leads nowhere, and below any other") {
    Graph graph = chain(3);
    graph.exits = {{84, 34}};
    graph.links.push_back(link_of(0, 3));
    CHECK(lay_out(graph).boxes[3].y == lay_out(graph).boxes[2].y);
    graph.links.push_back(link_of(2, 3));
    CHECK(lay_out(graph).boxes[3].y > lay_out(graph).boxes[2].bottom());
    CHECK(faults_of(graph).empty());
}

TEST_CASE("plan/layout: a box grows with what leaves it, and its neighbours make room") {
    Graph graph = chain(3);
    graph.exits = {{84, 34}, {84, 34}, {84, 34}};
    const int before = lay_out(graph).boxes[1].height;
    for (std::size_t exit = 3; exit < 6; ++exit) {
        graph.links.push_back(link_of(1, exit, 100, 3));
    }
    CHECK(lay_out(graph).boxes[1].height > before + 45);
    CHECK(faults_of(graph).empty());
}

TEST_CASE("plan/layout: a state that leads to itself") {
    Graph graph = chain(2);
    graph.links.push_back(link_of(0, 0));
    graph.links.push_back(link_of(1, 1, 200, 2));
    CHECK(faults_of(graph).empty());
}

TEST_CASE("plan/layout: jumps whose rows do not meet share a column, those that do never") {
    Graph graph = chain(8);
    graph.links.push_back(link_of(2, 0));
    graph.links.push_back(link_of(6, 4));
    graph.links.push_back(link_of(7, 1));
    const Layout layout = lay_out(graph);
    const auto lane = [&](std::size_t i) { return layout.routes[i].points[1].x; };
    CHECK(lane(7) == lane(8));
    CHECK(lane(9) < lane(7));
    CHECK(faults_of(graph).empty());
}

TEST_CASE("plan/layout: links to one target share its lane, which the farthest one draws") {
    Graph graph = chain(6);
    for (std::size_t from : {std::size_t{2}, std::size_t{5}, std::size_t{3}}) {
        graph.links.push_back(link_of(from, 0));
    }
    const Layout layout = lay_out(graph);
    for (std::size_t i = 5; i < 8; ++i) {
        CHECK(layout.routes[i].is_shared());
        CHECK(layout.routes[i].points.back() == layout.routes[5].points.back());
        CHECK(layout.routes[i].leads == (i == 6));
    }
    CHECK(faults_of(graph).empty());
}

TEST_CASE("plan/layout: every box linked with every box, and no box or label is met") {
    for (std::size_t states = 1; states <= 7; ++states) {
        Graph graph;
        graph.spine.assign(states, {150, 52});
        graph.exits = {{84, 34}, {84, 34}};
        for (std::size_t from = 0; from < states; ++from) {
            for (std::size_t to = 0; to < states + 2; ++to) {
                graph.links.push_back(link_of(from, to,
                                              static_cast<int>(20 + 31 * ((from + to) % 9)),
                                              static_cast<int>((from * to) % 4)));
            }
        }
        CHECK(faults_of(graph) == Lines{});
    }
}

TEST_CASE("plan/layout: forty states with a hundred jumps") {
    Dice dice{40};
    Graph graph = chain(40);
    graph.exits = {{84, 34}, {84, 34}, {84, 34}};
    std::set<std::pair<std::size_t, std::size_t>> used;
    while (used.size() < 100) {
        const std::size_t from = dice.roll(40);
        const std::size_t to = dice.roll(43);
        if (to != from + 1 && used.emplace(from, to).second) {
            graph.links.push_back(link_of(from, to, dice.between(30, 300), dice.between(1, 3)));
        }
    }
    CHECK(faults_of(graph) == Lines{});
}

TEST_CASE("plan/layout: a thousand graphs of all kinds") {
    for (std::uint32_t seed = 0; seed < 1000; ++seed) {
        const Lines faults = faults_of(any_graph(seed));
        if (!faults.empty()) {
            FAIL("seed " << seed << ": " << faults.front());
        }
    }
}

TEST_CASE("plan/layout: the same graph has the same picture") {
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
        const Layout one = lay_out(any_graph(seed));
        const Layout other = lay_out(any_graph(seed));
        CHECK(one.boxes == other.boxes);
        CHECK(one.size == other.size);
        for (std::size_t i = 0; i < one.routes.size(); ++i) {
            CHECK(one.routes[i].points == other.routes[i].points);
            CHECK(one.routes[i].label == other.routes[i].label);
        }
    }
}

// --- The width of texts --------------------------------------------------------------------------

TEST_CASE("plan/layout: a text is as wide as its letters, and a bold one wider") {
    CHECK(text_width("", 12, Weight::regular) == 0);
    CHECK(text_width("iiii", 100, Weight::regular) == 4 * 28);
    CHECK(text_width("WWWW", 100, Weight::regular) == 4 * 99);
    CHECK(text_width("WWWW", 100, Weight::bold) == 4 * 111);
    CHECK(text_width("i", 10, Weight::regular) == 3);
    CHECK(text_width("~", 100, Weight::regular) == 84);
    CHECK(text_width("ä→", 100, Weight::regular) == 200);
    CHECK(text_width("\U0001F680", 100, Weight::regular) == 140);
}

TEST_CASE("plan/layout: a long text is cut between letters") {
    CHECK(shortened("switchover", 10) == "switchover");
    CHECK(shortened("switchover", 9) == "switchov…");
    CHECK(shortened("äöüäöü", 6) == "äöüäöü");
    CHECK(shortened("äöüäöü", 4) == "äöü…");
    CHECK(shortened("", 4) == "");
}

TEST_CASE("plan/layout: lines are broken at spaces, and a word that is too long has its own") {
    CHECK(wrapped("", 100, 10).empty());
    CHECK(wrapped("  ", 100, 10).empty());
    CHECK(wrapped("one two  three", 1000, 10) == Lines{"one two three"});
    CHECK(wrapped("one two three", text_width("one two", 10, Weight::regular), 10) ==
          Lines{"one two", "three"});
    CHECK(wrapped("a incomprehensible b", 30, 10) == Lines{"a", "incomprehensible", "b"});
}
