// SPDX-License-Identifier: Apache-2.0
// timeline/row.hh: spans that follow each other, and spans that are sorted into rows.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "timeline/timeline.hh"

namespace ktm::timeline {

// LIMIT: things of one kind that one actor keeps; a trace may be of any size, a picture not.
inline constexpr std::size_t things_max = 20'000;

/// Something that is in one state at a time. Times must not go backwards.
class Row {
public:
    /// What was before ends here; the same again changes nothing.
    void begin(Span span) {
        if (current_ && current_->text == span.text && current_->look == span.look) {
            return;
        }
        end(span.begin);
        current_ = std::move(span);
    }

    void end(Duration at) {
        if (current_) {
            current_->end = at;
            if (done_.size() < things_max) {
                done_.push_back(std::move(*current_));
            }
            current_.reset();
        }
    }

    [[nodiscard]] bool is_standing() const noexcept { return current_.has_value(); }
    [[nodiscard]] const std::string& text() const { return current_->text; }

    /// What still stands is drawn to the end of what is known.
    [[nodiscard]] std::vector<Span> finish(Duration at) {
        if (current_) {
            current_->open = true;
        }
        end(at);
        return std::move(done_);
    }

private:
    std::vector<Span> done_;
    std::optional<Span> current_;
};

/// Keeps the first things_max; the rest is only counted.
template <class T>
void keep(std::vector<T>& things, T thing, std::size_t& left_out) {
    if (things.size() < things_max) {
        things.push_back(std::move(thing));
    } else {
        ++left_out;
    }
}

/// Sorts by begin, gives each span the first row that is free, and returns how many rows that took.
std::size_t sort_into_rows(std::vector<Span>& spans);

}  // namespace ktm::timeline
