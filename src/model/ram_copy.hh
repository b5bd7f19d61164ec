// SPDX-License-Identifier: Apache-2.0
// model/ram_copy.hh: the memory of a guest on its way, pass by pass.
//
// Theory of operation
//
// Purpose: to say when the passes of QEMU's precopy begin, when it converges, and how far it is in
// between. It is the loop of QEMU's migration thread, without the thread:
//
//     sending    a leg: at the speed of the path, until the budget of the slice is used up, or 50
//                ms have passed, or nothing is left
//     sleeping   until the end of a slice whose budget is used up; more bandwidth wakes nobody
//     stuck      the path is cut: nothing moves, and nothing is noticed
//
// A slice has 100 ms, and a tenth of max-bandwidth as its budget. At its end the bandwidth is
// measured, and what downtime-limit allows is computed from it; before the first end it is zero.
// Between two legs QEMU looks at what is left: where it is less than allowed, the dirty pages are
// collected (a pass begins), and where it still is less, memory has converged. With
// downtime-limit=0 nothing is less than allowed, so that it converges when nothing is left, without
// a last look at the dirty pages: QEMU's own trap.
//
// Nothing is ticked: advance() computes legs up to an instant or to the next thing that others see,
// and next() looks ahead on a copy. Slices that are all alike are taken at once. A question changes
// nothing: view() computes the part of the leg that has passed.
//
// Limits: pages are dirtied evenly over the working set, which lies evenly in memory. TCP sends
// again at once when the wire heals.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hh"
#include "model/guest.hh"

namespace ktm::model {

class RamCopy {
public:
    static constexpr std::uint64_t page_bytes = 4096;

    /// What may change on the way, by commands and by the world.
    struct Terms {
        std::uint64_t max_bandwidth = 128ULL << 20;  ///< Bytes a second; 0 is no limit.
        std::uint64_t downtime_limit_ms = 300;
        double path_bytes_per_second = 1e9;
        bool cut = false;
        bool guest_runs = true;
        bool auto_converge = false;
        std::uint64_t throttle_initial = 20;
        std::uint64_t throttle_increment = 10;
        std::uint64_t throttle_max = 99;
        std::uint64_t throttle_trigger = 50;
        friend bool operator==(const Terms&, const Terms&) = default;
    };

    enum class Step { none, pass, converged };

    /// What query-migrate shows.
    struct View {
        std::uint64_t remaining_bytes = 0;
        std::uint64_t transferred_bytes = 0;
        std::uint64_t duplicate_pages = 0;
        std::uint64_t normal_pages = 0;
        std::uint64_t passes = 0;
        std::uint64_t dirty_pages_per_second = 0;
        std::uint64_t pages_per_second = 0;
        double megabits_per_second = 0;
        std::optional<std::uint64_t> expected_downtime_ms;
        std::uint64_t throttle_percent = 0;
    };

    /// What its speed hangs on.
    enum class Bound { path, thread, limiter };

    /// How it has gone, and why so.
    struct Course {
        bool converged = false;
        std::uint64_t passes = 0;  ///< As QEMU counts them: that at which it converged is one.
        /// The least that was left when a pass began; all of it in the first.
        std::uint64_t least_left_bytes = 0;
        std::uint64_t left_bytes = 0;       ///< Now.
        bool guest_ran = false;             ///< While it was copied, if not all the time.
        double dirty_bytes_per_second = 0;  ///< Of a guest that is slowed down as it is now.
        double sent_bytes_per_second = 0;
        Bound bound = Bound::path;
        std::uint64_t working_set_bytes = 0;
        std::uint64_t throttle_percent = 0;
        std::uint64_t downtime_limit_ms = 0;
        bool guest_went_first = false;
        bool rest_followed = false;  ///< What was left, behind it.
    };

    RamCopy() = default;
    /// All of it is to be sent; the first look at the dirty pages has been taken.
    RamCopy(const Load& load, const Terms& terms, Instant now);

    /// Up to the instant, or to the first thing that is seen on the way, which is returned: then it
    /// stands there, at(). Call it again.
    [[nodiscard]] Step advance(Instant now);
    [[nodiscard]] Instant at() const noexcept { return at_; }
    /// When the next thing is seen if the terms stay; nothing when it never is.
    [[nodiscard]] std::optional<Instant> next() const;
    /// Brought up to the instant first; nothing was due before it.
    void change(const Terms& terms, Instant now);
    [[nodiscard]] const Terms& terms() const noexcept { return terms_; }
    [[nodiscard]] View view(Instant now) const;
    [[nodiscard]] Course course() const;

    /// The guest stands: the last dirty pages are collected. Returns how long the rest takes.
    [[nodiscard]] Duration finish(Instant now);
    /// The rest is there.
    void complete();
    /// What the rest would take now, with the guest standing, at the path's speed.
    [[nodiscard]] Duration rest() const;

private:
    struct Leg {
        double bytes = 0;  ///< On the wire.
        Duration lasts{};
        bool is_last_of_slice = false;
    };

    [[nodiscard]] Leg next_leg() const;
    [[nodiscard]] double wire_bytes_left() const;
    void dirty(Duration passed);
    void send(double wire_bytes);
    void pass_time(Duration passed, double wire_bytes);
    [[nodiscard]] Step look();
    void collect();
    void throttle_by(double dirtied, double sent);
    void end_slice();
    void skip_slices(Instant until);

    Load load_;
    Terms terms_;
    Instant at_{};
    double total_pages_ = 0;
    double bulk_left_ = 0;    ///< Pages never sent yet, zero pages among them.
    double dirty_left_ = 0;   ///< Pages that were collected as dirty.
    double bulk_cost_ = 0;    ///< Wire bytes of an average page of the bulk.
    double bulk_normal_ = 1;  ///< The share of pages in the bulk that have content.
    double fresh_dirty_ = 0;  ///< Pages dirtied since the last look.
    double sent_bytes_ = 0;   ///< On the wire, in all.
    double normal_sent_ = 0;  ///< Pages.
    double zero_sent_ = 0;    ///< Pages.
    bool sleeping_ = false;
    bool look_due_ = false;      ///< At this instant, before anything moves.
    bool may_converge_ = false;  ///< The pages were just collected.
    Instant slice_begin_{};
    Instant leg_begin_{};
    double slice_bytes_ = 0;
    double slice_pages_ = 0;
    double bandwidth_ = 0;  ///< Bytes a second, as measured by the last slice.
    bool guest_ran_ = false;
    double allowed_ = 0;  ///< Bytes that downtime-limit allows.
    double pages_rate_ = 0;
    std::uint64_t passes_ = 1;
    Instant rates_begin_{};
    double rates_sent_ = 0;
    double rates_dirtied_ = 0;
    double dirty_rate_ = 0;
    double left_at_look_ = 0;
    double least_left_ = 0;
    std::uint64_t converged_at_ = 0;  ///< A pass; 0: it has not.
    std::optional<std::uint64_t> expected_downtime_ms_;
    unsigned dirty_too_fast_ = 0;
    std::uint64_t throttle_ = 0;
};

}  // namespace ktm::model
