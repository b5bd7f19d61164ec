// SPDX-License-Identifier: Apache-2.0
// model/ram_copy.cc: legs, slices and passes.
#include "model/ram_copy.hh"
#include "model/seconds.hh"

#include <algorithm>

namespace ktm::model {

namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr Duration slice = 100ms;
constexpr Duration leg_max = 50ms;
constexpr Duration rates_apart = 1s;
constexpr double page = static_cast<double>(RamCopy::page_bytes);
constexpr double header_bytes = 8;
constexpr double zero_page_bytes = 9;
/// Bytes below which nothing is left; pages are fractions here.
constexpr double less_than_a_byte = 1.0;
/// LIMIT: how far ahead is looked for something to be seen, in steps.
constexpr int looks_ahead_max = 100'000;

std::uint64_t whole(double value) {
    return value <= 0 ? 0 : static_cast<std::uint64_t>(value);
}

}  // namespace

RamCopy::RamCopy(const Load& load, const Terms& terms, Instant now)
    : load_(load), terms_(terms), at_(now) {
    total_pages_ = static_cast<double>(load.ram_bytes / page_bytes);
    const double zero = std::min(total_pages_, static_cast<double>(load.zero_bytes) / page);
    bulk_left_ = total_pages_;
    bulk_normal_ = total_pages_ == 0 ? 1 : (total_pages_ - zero) / total_pages_;
    bulk_cost_ = bulk_normal_ * (page + header_bytes) + (1 - bulk_normal_) * zero_page_bytes;
    slice_begin_ = leg_begin_ = rates_begin_ = now;
    left_at_look_ = least_left_ = total_pages_;
}

double RamCopy::wire_bytes_left() const {
    return bulk_left_ * bulk_cost_ + dirty_left_ * (page + header_bytes);
}

/// From here to the next place where QEMU's thread does anything else than sending.
RamCopy::Leg RamCopy::next_leg() const {
    if (sleeping_) {
        return {0, std::max(Duration::zero(), slice_begin_ + slice - at_), true};
    }
    const double speed = terms_.path_bytes_per_second;
    Leg leg{wire_bytes_left(), {}, false};
    if (terms_.max_bandwidth != 0) {
        const double budget = static_cast<double>(terms_.max_bandwidth) / 10;
        if (budget - slice_bytes_ <= leg.bytes) {
            leg = {std::max(0.0, budget - slice_bytes_), {}, true};
        }
    }
    leg.lasts = duration_of(leg.bytes / speed);
    if (const Duration left = leg_begin_ + leg_max - at_; leg.lasts > left) {
        leg = {speed * in_seconds(std::max(Duration::zero(), left)),
               std::max(Duration::zero(), left), false};
    }
    return leg;
}

void RamCopy::dirty(Duration passed) {
    if (!terms_.guest_runs) {
        return;
    }
    guest_ran_ = guest_ran_ || passed > Duration::zero();
    const double share = static_cast<double>(100 - throttle_) / 100;
    const double rate = static_cast<double>(load_.dirty_bytes_per_second) / page * share;
    const double most = static_cast<double>(load_.working_set_bytes) / page;
    fresh_dirty_ = std::min(most, fresh_dirty_ + rate * in_seconds(passed));
}

/// The bulk goes first; what was sent and dirtied again comes behind it.
void RamCopy::send(double wire_bytes) {
    const double bulk = std::min(bulk_left_, bulk_cost_ == 0 ? 0 : wire_bytes / bulk_cost_);
    bulk_left_ -= bulk;
    const double rest = std::max(0.0, wire_bytes - bulk * bulk_cost_);
    const double again = std::min(dirty_left_, rest / (page + header_bytes));
    dirty_left_ -= again;
    normal_sent_ += bulk * bulk_normal_ + again;
    zero_sent_ += bulk * (1 - bulk_normal_);
    slice_pages_ += bulk + again;
    slice_bytes_ += wire_bytes;
    sent_bytes_ += wire_bytes;
}

void RamCopy::pass_time(Duration passed, double wire_bytes) {
    dirty(passed);
    send(wire_bytes);
    at_ += passed;
}

void RamCopy::end_slice() {
    const double lasted = in_seconds(at_ - slice_begin_);
    bandwidth_ = slice_bytes_ / lasted;
    pages_rate_ = slice_pages_ / lasted;
    allowed_ = bandwidth_ * static_cast<double>(terms_.downtime_limit_ms) / 1000;
    constexpr double enough_to_say = 10'000;
    if (dirty_rate_ > 0 && slice_bytes_ > enough_to_say) {
        expected_downtime_ms_ = whole(left_at_look_ * page / bandwidth_ * 1000);
    }
    slice_begin_ = at_;
    slice_bytes_ = 0;
    slice_pages_ = 0;
}

/// Dirty pages that wait to be sent anyway are not counted twice.
void RamCopy::collect() {
    const double working_set = static_cast<double>(load_.working_set_bytes) / page;
    const double in_bulk = total_pages_ == 0 ? 0 : bulk_left_ / total_pages_;
    const double in_dirty = working_set == 0 ? 0 : std::min(1.0, dirty_left_ / working_set);
    const double fresh = fresh_dirty_ * (1 - in_bulk) * (1 - in_dirty);
    dirty_left_ += fresh;
    rates_dirtied_ += fresh;
    fresh_dirty_ = 0;
    ++passes_;
    left_at_look_ = bulk_left_ + dirty_left_;
    least_left_ = std::min(least_left_, left_at_look_);
    if (const Duration passed = at_ - rates_begin_; passed > rates_apart) {
        throttle_by(rates_dirtied_ * page, sent_bytes_ - rates_sent_);
        dirty_rate_ = rates_dirtied_ / in_seconds(passed);
        rates_begin_ = at_;
        rates_sent_ = sent_bytes_;
        rates_dirtied_ = 0;
    }
}

void RamCopy::throttle_by(double dirtied, double sent) {
    const double bearable = sent * static_cast<double>(terms_.throttle_trigger) / 100;
    if (!terms_.auto_converge || dirtied <= bearable || ++dirty_too_fast_ < 2) {
        return;
    }
    dirty_too_fast_ = 0;
    throttle_ = throttle_ == 0 ? terms_.throttle_initial : throttle_ + terms_.throttle_increment;
    throttle_ = std::min(throttle_, terms_.throttle_max);
}

/// QEMU between two legs: is little enough left?
RamCopy::Step RamCopy::look() {
    const double left = (bulk_left_ + dirty_left_) * page;
    if (!may_converge_ && left < allowed_) {
        collect();
        may_converge_ = true;
        return Step::pass;
    }
    look_due_ = false;
    may_converge_ = false;
    leg_begin_ = at_;
    if (left < less_than_a_byte || left < allowed_) {
        converged_at_ = passes_;
        return Step::converged;
    }
    return Step::none;
}

/// Full slices that end as this one did, none of which brings anything to see.
void RamCopy::skip_slices(Instant until) {
    constexpr double spare_slices = 3;
    if (terms_.max_bandwidth == 0 || slice_bytes_ != 0 || bandwidth_ <= 0) {
        return;
    }
    const double budget = static_cast<double>(terms_.max_bandwidth) / 10;
    const double spare = (bulk_left_ > 0 ? bulk_left_ * bulk_cost_ : wire_bytes_left()) -
                         (allowed_ / page * bulk_cost_) - spare_slices * budget;
    const auto slices =
        std::min<std::int64_t>((until - at_) / slice, static_cast<std::int64_t>(spare / budget));
    if (slices < 1 || budget / terms_.path_bytes_per_second > in_seconds(slice)) {
        return;
    }
    pass_time(slice * slices, budget * static_cast<double>(slices));
    slice_begin_ = leg_begin_ = at_;
    slice_bytes_ = 0;
    slice_pages_ = 0;
}

RamCopy::Step RamCopy::advance(Instant now) {
    while (true) {
        if (look_due_) {
            if (const Step step = look(); step != Step::none) {
                return step;
            }
        }
        if (terms_.cut) {
            if (now > at_) {
                pass_time(now - at_, 0);
            }
            return Step::none;
        }
        const Leg leg = next_leg();
        if (at_ + leg.lasts > now) {
            return Step::none;
        }
        pass_time(leg.lasts, leg.bytes);
        const bool slice_over = at_ - slice_begin_ >= slice;
        if (slice_over) {
            end_slice();
        }
        sleeping_ = leg.is_last_of_slice && !slice_over;
        look_due_ = !sleeping_;
        leg_begin_ = at_;
        if (slice_over && allowed_ < (bulk_left_ + dirty_left_) * page) {
            skip_slices(now);
        }
    }
}

std::optional<Instant> RamCopy::next() const {
    RamCopy ahead = *this;
    for (int looked = 0; looked < looks_ahead_max; ++looked) {
        const Instant until = terms_.cut ? at_ : ahead.at_ + 1h;
        if (ahead.advance(until) != Step::none) {
            return ahead.at_;
        }
        if (terms_.cut) {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

void RamCopy::change(const Terms& terms, Instant now) {
    const Duration passed = std::max(Duration::zero(), now - at_);
    double sent = 0;
    if (!terms_.cut && !sleeping_) {
        const Leg leg = next_leg();
        const Duration under_way = std::min(passed, leg.lasts);
        sent = std::min(leg.bytes, terms_.path_bytes_per_second * in_seconds(under_way));
    }
    pass_time(passed, sent);
    terms_ = terms;
}

RamCopy::View RamCopy::view(Instant now) const {
    RamCopy there = *this;
    // Legs that are over meanwhile: nobody but us has looked since.
    (void)there.advance(now);
    there.change(terms_, std::max(now, there.at_));
    View view;
    view.remaining_bytes = whole(there.bulk_left_ + there.dirty_left_) * page_bytes;
    view.transferred_bytes = whole(there.sent_bytes_);
    view.duplicate_pages = whole(there.zero_sent_);
    view.normal_pages = whole(there.normal_sent_);
    view.passes = there.passes_;
    view.dirty_pages_per_second = whole(there.dirty_rate_);
    view.pages_per_second = whole(there.pages_rate_);
    view.megabits_per_second = there.bandwidth_ * 8 / 1e6;
    view.expected_downtime_ms = there.expected_downtime_ms_;
    view.throttle_percent = there.throttle_;
    return view;
}

RamCopy::Course RamCopy::course() const {
    Course course;
    course.converged = converged_at_ != 0;
    course.passes = course.converged ? converged_at_ : passes_;
    course.least_left_bytes = whole(least_left_) * page_bytes;
    course.left_bytes = whole(bulk_left_ + dirty_left_) * page_bytes;
    course.guest_ran = guest_ran_;
    course.dirty_bytes_per_second =
        guest_ran_ ? static_cast<double>(load_.dirty_bytes_per_second * (100 - throttle_)) / 100
                   : 0;
    const auto limit = static_cast<double>(terms_.max_bandwidth);
    course.sent_bytes_per_second = terms_.path_bytes_per_second;
    if (terms_.max_bandwidth != 0 && limit < terms_.path_bytes_per_second) {
        course.sent_bytes_per_second = limit;
        course.bound = Bound::limiter;
    }
    course.working_set_bytes = load_.working_set_bytes;
    course.throttle_percent = throttle_;
    course.downtime_limit_ms = terms_.downtime_limit_ms;
    return course;
}

Duration RamCopy::rest() const {
    return duration_of(wire_bytes_left() / terms_.path_bytes_per_second);
}

Duration RamCopy::finish(Instant now) {
    change(terms_, std::max(now, at_));
    collect();
    return rest();
}

void RamCopy::complete() {
    send(wire_bytes_left());
    bulk_left_ = 0;
    dirty_left_ = 0;
}

}  // namespace ktm::model
