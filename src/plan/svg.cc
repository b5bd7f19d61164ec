// SPDX-License-Identifier: Apache-2.0
// plan/svg.cc: the lines and colours of a plan's picture.
#include "plan/svg.hh"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace ktm::plan {

namespace {

constexpr int corner_radius = 8;
constexpr int head_length = 8;
constexpr int head_half_width = 4;

struct Colour {
    std::string_view selector;
    std::string_view property;
    std::string_view on_light;
    std::string_view on_dark;
};

constexpr std::array<Colour, 28> colours{{
    {"paper", "fill", "#ffffff", "#0d1117"},
    {"panel", "fill", "#f6f8fa", "#161b22"},
    {"panel", "stroke", "#d0d7de", "#30363d"},
    {"text", "fill", "#1f2328", "#e6edf3"},
    {"muted", "fill", "#57606a", "#9198a1"},
    {"box", "fill", "#ffffff", "#21262d"},
    {"box", "stroke", "#8c959f", "#6e7681"},
    {"committed", "fill", "#f3ecff", "#2d2142"},
    {"committed", "stroke", "#8250df", "#a371f7"},
    {"badge", "fill", "#8250df", "#8957e5"},
    {"line-state", "stroke", "#57606a", "#9198a1"},
    {"head-state", "fill", "#57606a", "#9198a1"},
    {"end-done", "fill", "#dafbe1", "#12261e"},
    {"end-done", "stroke", "#1a7f37", "#3fb950"},
    {"line-done", "stroke", "#1a7f37", "#3fb950"},
    {"head-done", "fill", "#1a7f37", "#3fb950"},
    {"end-abort", "fill", "#ffebe9", "#2d1214"},
    {"end-abort", "stroke", "#cf222e", "#f85149"},
    {"line-abort", "stroke", "#cf222e", "#f85149"},
    {"head-abort", "fill", "#cf222e", "#f85149"},
    {"end-stranded", "fill", "#fff8c5", "#2b2111"},
    {"end-stranded", "stroke", "#9a6700", "#d29922"},
    {"line-stranded", "stroke", "#9a6700", "#d29922"},
    {"head-stranded", "fill", "#9a6700", "#d29922"},
    {"end-unknown", "fill", "#ffffff", "#21262d"},
    {"end-unknown", "stroke", "#8c959f", "#6e7681"},
    {"line-unknown", "stroke", "#57606a", "#9198a1"},
    {"head-unknown", "fill", "#57606a", "#9198a1"},
}};

constexpr std::string_view forms = R"(
.ktm text{font-family:"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif;font-size:12px}
.ktm .title{font-size:22px;font-weight:bold}
.ktm .summary{font-size:14px}
.ktm .role{font-size:15px;font-weight:bold}
.ktm .name{font-size:14px;font-weight:bold}
.ktm .on-badge{font-size:11px;font-weight:bold;fill:#ffffff}
.ktm .box,.ktm .committed,.ktm .end{stroke-width:1.5}
.ktm .commits{stroke-width:3}
.ktm .line{fill:none;stroke-width:1.5}
.ktm .late{stroke-dasharray:5 4}
)";

int sign(int value) {
    return value == 0 ? 0 : (value > 0 ? 1 : -1);
}

/// So far from `from` towards `to`, along a line that is level or upright.
Point towards(Point from, Point to, int distance) {
    return {from.x + sign(to.x - from.x) * distance, from.y + sign(to.y - from.y) * distance};
}

int distance(Point a, Point b) {
    return std::abs(a.x - b.x) + std::abs(a.y - b.y);
}

std::string pair(Point point) {
    return std::to_string(point.x) + " " + std::to_string(point.y);
}

int radius_at(const std::vector<Point>& points, std::size_t corner) {
    const int room = std::min(distance(points[corner - 1], points[corner]),
                              distance(points[corner], points[corner + 1]));
    return std::min(corner_radius, room / 2);
}

/// The round corners from point `first` to before point `last`.
std::string corners_of(const std::vector<Point>& points, std::size_t first, std::size_t last) {
    std::string path;
    for (std::size_t i = first; i < last; ++i) {
        const int radius = radius_at(points, i);
        path += "L" + pair(towards(points[i], points[i - 1], radius)) + "Q" + pair(points[i]) +
                " " + pair(towards(points[i], points[i + 1], radius));
    }
    return path;
}

/// Where a line must end so that its head has a point.
Point below_head(const std::vector<Point>& points) {
    return towards(points.back(), points[points.size() - 2], head_length - 1);
}

std::string whole_path(const std::vector<Point>& points) {
    return "M" + pair(points.front()) + corners_of(points, 1, points.size() - 1) + "L" +
           pair(below_head(points));
}

/// The part that a line has for itself: to where it has turned into the shared one.
std::string own_path(const Route& route) {
    return "M" + pair(route.points.front()) + corners_of(route.points, 1, route.shared_from + 1);
}

std::string shared_path(const Route& route) {
    const std::vector<Point>& points = route.points;
    const std::size_t from = route.shared_from;
    return "M" + pair(towards(points[from], points[from + 1], radius_at(points, from))) +
           corners_of(points, from + 1, points.size() - 1) + "L" + pair(below_head(points));
}

std::string head_of(const std::vector<Point>& points) {
    const Point tip = points.back();
    const Point base = towards(tip, points[points.size() - 2], head_length);
    const bool is_level = base.y == tip.y;
    const int dx = is_level ? 0 : head_half_width;
    const int dy = is_level ? head_half_width : 0;
    return "M" + pair(tip) + "L" + pair({base.x - dx, base.y - dy}) + "L" +
           pair({base.x + dx, base.y + dy}) + "Z";
}

std::string line_svg(const std::string& path, const std::string& kind, bool late) {
    return "<path d=\"" + path + "\" class=\"line line-" + kind + (late ? " late" : "") + "\"/>\n";
}

std::string head_svg(const std::vector<Point>& points, const std::string& kind) {
    return "<path d=\"" + head_of(points) + "\" class=\"head-" + kind + "\"/>\n";
}

}  // namespace

std::string style_svg() {
    std::string light;
    std::string dark;
    for (const Colour& colour : colours) {
        const std::string head =
            ".ktm ." + std::string(colour.selector) + "{" + std::string(colour.property) + ":";
        light += head + std::string(colour.on_light) + "}\n";
        dark += head + std::string(colour.on_dark) + "}\n";
    }
    return "<style>" + std::string(forms) + light + "@media (prefers-color-scheme:dark){\n" + dark +
           "}\n</style>\n";
}

std::string arrow_svg(const std::vector<Point>& points, const std::string& kind, bool late) {
    return line_svg(whole_path(points), kind, late) + head_svg(points, kind);
}

std::string route_svg(const Route& route, const std::string& kind, bool late) {
    if (!route.is_shared()) {
        return arrow_svg(route.points, kind, late);
    }
    std::string out = line_svg(own_path(route), kind, late);
    if (route.leads) {
        out += line_svg(shared_path(route), kind, false) + head_svg(route.points, kind);
    }
    return out;
}

}  // namespace ktm::plan
