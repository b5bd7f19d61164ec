// SPDX-License-Identifier: Apache-2.0
// timeline/row.cc: spans that are sorted into rows.
#include "timeline/row.hh"

#include <algorithm>

namespace ktm::timeline {

namespace {

// LIMIT: what overlaps more often than this shares the last row, shortened.
constexpr std::size_t bar_rows_max = 12;

}  // namespace

std::size_t sort_into_rows(std::vector<Span>& spans) {
    std::stable_sort(spans.begin(), spans.end(),
                     [](const Span& a, const Span& b) { return a.begin < b.begin; });
    std::vector<Span*> last;
    for (Span& span : spans) {
        span.end = std::max(span.begin, span.end);
        std::size_t row = 0;
        while (row < last.size() && last[row]->end > span.begin) {
            ++row;
        }
        if (row == bar_rows_max) {
            row = bar_rows_max - 1;
            last[row]->end = span.begin;
        }
        if (row == last.size()) {
            last.push_back(&span);
        }
        last[row] = &span;
        span.row = row;
    }
    return last.size();
}

}  // namespace ktm::timeline
