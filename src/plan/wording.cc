// SPDX-License-Identifier: Apache-2.0
// plan/wording.cc: the phrases of which faults and errors are made.
#include "plan/wording.hh"

#include "base/nearest.hh"
#include "base/text.hh"

namespace ktm::plan {

namespace {

/// LIMIT: a name has at most 63 bytes; more of a wrong one would hide the sentence around it.
constexpr std::size_t shown_bytes_max = 63;

}  // namespace

std::string shown(std::string_view name) {
    return "'" + excerpt(name, shown_bytes_max) + "'";
}

std::string listed(const std::vector<std::string>& names, std::string_view joint) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) {
            text += i + 1 == names.size() ? " " + std::string(joint) + " " : ", ";
        }
        text += excerpt(names[i], shown_bytes_max);
    }
    return text;
}

std::string meant(std::string_view name, const std::vector<std::string>& names) {
    const std::vector<std::string> best = nearest(name, names, 1);
    return best.empty() ? "" : best[0];
}

std::string inside(std::string_view place, std::string_view name) {
    return excerpt(place, shown_bytes_max) + "." + excerpt(name, shown_bytes_max);
}

std::string first_at(const Place& place) {
    return place.line > 0 ? "; the first is at " + place.text() : "";
}

}  // namespace ktm::plan
