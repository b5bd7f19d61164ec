// SPDX-License-Identifier: Apache-2.0
// draw/svg.cc: shapes and texts as SVG.
#include "draw/svg.hh"

#include "base/text.hh"

namespace ktm::draw {

namespace {

std::string number(std::string_view name, int value) {
    return " " + std::string(name) + "=\"" + std::to_string(value) + "\"";
}

}  // namespace

std::string xml(std::string_view text) {
    std::string safe;
    const std::string shown = printable(text);
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const std::string_view rest = std::string_view{shown}.substr(i);
        if (rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF")) {
            safe += "\xEF\xBF\xBD";
            i += 2;
            continue;
        }
        switch (shown[i]) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            case '\'': safe += "&#39;"; break;
            default: safe += shown[i];
        }
    }
    return safe;
}

std::string rectangle_svg(const Rectangle& area, int radius, std::string_view classes) {
    return "<rect" + number("x", area.x) + number("y", area.y) + number("width", area.width) +
           number("height", area.height) + number("rx", radius) + " class=\"" +
           std::string(classes) + "\"/>\n";
}

std::string text_svg(Point at, std::string_view classes, std::string_view text, Anchor anchor) {
    std::string attribute;
    if (anchor != Anchor::start) {
        attribute = anchor == Anchor::middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"";
    }
    return "<text" + number("x", at.x) + number("y", at.y) + attribute + " class=\"" +
           std::string(classes) + "\">" + xml(text) + "</text>\n";
}

std::string disc_svg(Point centre, int radius, std::string_view classes) {
    return "<circle" + number("cx", centre.x) + number("cy", centre.y) + number("r", radius) +
           " class=\"" + std::string(classes) + "\"/>\n";
}

}  // namespace ktm::draw
