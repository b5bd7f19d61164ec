// SPDX-License-Identifier: Apache-2.0
// base/nearest.cc: edit distance with transpositions, and the sentence made from it.
#include "base/nearest.hh"

#include <algorithm>
#include <utility>

namespace ktm {

namespace {

/// LIMIT: names longer than this are not worth a guess, and the table below is quadratic.
constexpr std::size_t name_bytes_max = 128;

/// Optimal string alignment: inserted, dropped, changed and swapped letters cost one each.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

/// QMP mixes '-' and '_', and people do not remember which; it is the commonest slip of all.
std::string folded(std::string_view name) {
    std::string text;
    for (const char c : name) {
        const bool upper = c >= 'A' && c <= 'Z';
        text += c == '_' ? '-' : (upper ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return text;
}

std::size_t score(std::string_view wanted, std::string_view name) {
    const std::string a = folded(wanted);
    const std::string b = folded(name);
    // A part of the name, or the name with more behind it, but not with another word.
    const bool part = (a.size() >= 4 && b.find(a) != std::string::npos) ||
                      (b.size() >= 3 && a.starts_with(b) && a.find('-', b.size()) == a.npos);
    return part ? std::min<std::size_t>(distance(a, b), 2) : distance(a, b);
}

}  // namespace

std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string>& names,
                                 std::size_t count) {
    std::vector<std::pair<std::size_t, std::string>> close;
    // Of three letters two others make another word.
    const std::size_t allowed = wanted.size() < 4 ? 1 : std::max<std::size_t>(2, wanted.size() / 3);
    for (const std::string& name : names) {
        if (wanted.size() > name_bytes_max || name.size() > name_bytes_max) {
            continue;
        }
        const std::size_t cost = score(wanted, name);
        if (cost <= allowed && cost < std::max(wanted.size(), name.size())) {
            close.emplace_back(cost, name);
        }
    }
    std::sort(close.begin(), close.end());
    std::vector<std::string> best;
    for (std::size_t i = 0; i < close.size() && i < count; ++i) {
        best.push_back(close[i].second);
    }
    return best;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names) {
    const std::vector<std::string> best = nearest(wanted, names);
    if (best.empty()) {
        return "";
    }
    std::string text = "; did you mean ";
    for (std::size_t i = 0; i < best.size(); ++i) {
        const char* joint = i == 0 ? "" : (i + 1 == best.size() ? " or " : ", ");
        text += joint + ("'" + best[i] + "'");
    }
    return text + "?";
}

}  // namespace ktm
