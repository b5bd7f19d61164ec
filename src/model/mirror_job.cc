// SPDX-License-Identifier: Apache-2.0
// model/mirror_job.cc: copying, getting dirty again, and the ways to end.
#include "model/mirror_job.hh"

#include <algorithm>
#include <utility>

#include "json/writer.hh"
#include "model/seconds.hh"

namespace ktm::model {

namespace {

/// QEMU's BLOCK_JOB_SLICE_TIME: a clean mirror looks again so much later.
constexpr double sleep_seconds = 0.1;
constexpr double write_bytes = 4096;
/// Chunks that a mirror has under way at most, and waits for when it is drained.
constexpr std::uint64_t in_flight_max = 16;
constexpr double less_than_a_chunk = 0.5;

}  // namespace

MirrorJob::MirrorJob(Process& process, Machine& machine, Settings settings,
                     std::shared_ptr<NbdLink> link, Ended ended)
    : process_(process),
      machine_(machine),
      settings_(std::move(settings)),
      link_(std::move(link)),
      ended_(std::move(ended)),
      settled_(process.now()) {
    const Disk::Settings& image = settings_.source.disk->settings();
    dirty_ = settings_.whole ? static_cast<double>(image.allocated_bytes) : 0;
    link_->before_loss = [this] { settle(); };
    link_->after_loss = [this] { changed(); };
    watch_ = process_.wire().watch([this](bool) { changed(); });
    say_status("created");
    say_status("running");
    changed();
}

/// With the wire for itself.
double MirrorJob::own_rate() const {
    const double rate = process_.settings().mirror_bytes_per_second;
    return settings_.speed == 0 ? rate : std::min(rate, static_cast<double>(settings_.speed));
}

double MirrorJob::copy_rate() const {
    const Wire& wire = process_.wire();
    if (link_->lost || (link_->over_wire && wire.is_cut())) {
        return 0;
    }
    if (!link_->over_wire) {
        return own_rate();
    }
    const auto all = static_cast<double>(wire.settings().bytes_per_second);
    return std::min(own_rate(), std::max(all / 2, all - process_.memory_stream()));
}

double MirrorJob::wire_need() const {
    if (!link_->over_wire || link_->lost || phase_ == Phase::failing || phase_ == Phase::ending) {
        return 0;
    }
    return ready_ && phase_ == Phase::copying ? dirties_ : own_rate();
}

double MirrorJob::dirty_rate() const {
    if (settings_.write_blocking || !machine_.guest().runs()) {
        return 0;
    }
    return static_cast<double>(machine_.guest().load().disk_writes_per_second *
                               settings_.granularity);
}

/// Goes on for a time in which nothing else changes.
void MirrorJob::spend(double left) {
    const double size = static_cast<double>(settings_.source.disk->settings().bytes);
    while (left > 0) {
        if (sleeping_) {
            const double sleep = std::min(left, sleep_seconds - slept_);
            dirty_ = std::min(size, dirty_ + dirties_ * sleep);
            slept_ += sleep;
            left -= sleep;
            sleeping_ = slept_ < sleep_seconds;
            if (dirties_ == 0 && dirty_ < less_than_a_chunk) {
                return;
            }
            continue;
        }
        const double net = rate_ - dirties_;
        const double clean_in = net > 0 ? dirty_ / net : left;
        const double copies = std::min(left, clean_in);
        copied_ += rate_ * copies;
        dirty_ = std::clamp(dirty_ - net * copies, 0.0, size);
        left -= copies;
        if (net > 0 && copies >= clean_in) {
            dirty_ = 0;
            sleeping_ = true;
            slept_ = 0;
        }
    }
}

void MirrorJob::settle() {
    const Instant now = process_.now();
    machine_.guest().settle(now);
    if (now > settled_) {
        const double passed = in_seconds(now - settled_);
        settled_ = now;
        spend(passed);
        const Guest& guest = machine_.guest();
        if (settings_.write_blocking && guest.runs() && !stalls_) {
            copied_ +=
                passed * write_bytes * static_cast<double>(guest.load().disk_writes_per_second);
        }
    }
    settle_target();
}

void MirrorJob::settle_target() {
    if (link_->lost || phase_ == Phase::failing) {
        return;
    }
    const Disk& source = *settings_.source.disk;
    double owed = dirty_ < less_than_a_chunk ? 0 : dirty_ + 1;
    if (!settings_.whole) {
        owed = static_cast<double>(source.settings().bytes);
    }
    link_->disk->become(source.history(), static_cast<std::uint64_t>(owed));
}

std::uint64_t MirrorJob::dirty_bytes() {
    settle();
    const bool writes = phase_ == Phase::copying || phase_ == Phase::completing;
    return writes ? static_cast<std::uint64_t>(dirty_) : 0;
}

bool MirrorJob::is_stuck() const {
    return link_->over_wire && !link_->severed && process_.wire().is_cut() &&
           phase_ != Phase::ending &&
           (dirty_ >= less_than_a_chunk || machine_.guest().load().disk_writes_per_second > 0);
}

std::string_view MirrorJob::status() const noexcept {
    if (phase_ == Phase::failing || phase_ == Phase::ending) {
        return "aborting";
    }
    return ready_ ? "ready" : "running";
}

/// The target is gone, and something is written to it.
bool MirrorJob::notices_loss() const {
    return link_->severed || (link_->lost && !(link_->over_wire && process_.wire().is_cut()));
}

void MirrorJob::changed() {
    if (phase_ == Phase::failing || phase_ == Phase::ending) {
        return;
    }
    settle();
    rate_ = copy_rate();
    dirties_ = dirty_rate();
    stalls_ =
        settings_.write_blocking && link_->over_wire && !link_->severed && process_.wire().is_cut();
    machine_.guest().stall(stalls_, process_.now());
    rearm();
}

void MirrorJob::rearm() {
    timer_.reset();
    if (notices_loss()) {
        const std::uint64_t writes = machine_.guest().load().disk_writes_per_second;
        const bool guest_writes = machine_.guest().runs() && writes > 0;
        if (dirty_ >= less_than_a_chunk || phase_ == Phase::completing) {
            timer_ = process_.after(process_.timings().thread, [this] { fail(); });
        } else if (guest_writes) {
            const double until_write = 1 / static_cast<double>(writes);
            timer_ = process_.after(duration_of(until_write), [this] { fail(); });
        }
        return;
    }
    const bool waits_for_clean = !ready_ || phase_ == Phase::completing;
    const double net = rate_ - dirties_;
    if (!waits_for_clean || (net <= 0 && dirty_ >= less_than_a_chunk) || rate_ <= 0) {
        return;
    }
    Duration clean_in = dirty_ < less_than_a_chunk ? Duration::zero() : duration_of(dirty_ / net);
    if (phase_ == Phase::completing) {
        // A job that sleeps is woken by the command; it has the end of the last write to wait for.
        clean_in += process_.timings().job_end;
    }
    timer_ = process_.after(clean_in, [this] { due(); });
}

/// Nothing is dirty, which it waited for.
void MirrorJob::due() {
    settle();
    if (phase_ == Phase::completing) {
        // What the guest wrote in this very moment is waited for too.
        sleeping_ = false;
        dirty_ = 0;
        settle_target();
        end(pivot_);
        return;
    }
    ready_ = true;
    sleeping_ = true;
    slept_ = 0;
    say_status("ready");
    process_.say("BLOCK_JOB_READY", data(""));
    rearm();
    process_.wire_use_changed();
}

void MirrorJob::fail() {
    settle();
    // Who is asked to end does not sleep before it looks at its error.
    const Duration until_end =
        phase_ == Phase::completing ? process_.timings().job_end : process_.timings().job_failure;
    phase_ = Phase::failing;
    machine_.guest().stall(false, process_.now());
    json::ObjectWriter error;
    error.text("device", id()).text("operation", "write").text("action", "report");
    process_.say("BLOCK_JOB_ERROR", std::move(error).finish());
    timer_ = process_.after(until_end, [this] {
        say_status("aborting");
        conclude("BLOCK_JOB_COMPLETED", "Input/output error", nullptr);
    });
}

void MirrorJob::cancel(bool force) {
    if (phase_ == Phase::failing || phase_ == Phase::ending) {
        return;
    }
    if (!force && ready_) {
        settle();
        phase_ = Phase::completing;
        sleeping_ = false;
        rearm();
        return;
    }
    settle();
    phase_ = Phase::ending;
    timer_ = process_.after(process_.timings().job_end, [this] {
        say_status("aborting");
        conclude("BLOCK_JOB_CANCELLED", "", nullptr);
    });
}

void MirrorJob::complete() {
    pivot_ = true;
    cancel(false);
}

void MirrorJob::end(bool pivot) {
    say_status("waiting");
    say_status("pending");
    conclude("BLOCK_JOB_COMPLETED", "", pivot ? link_->disk : nullptr);
}

void MirrorJob::conclude(std::string_view event, std::string_view error, Disk* pivot) {
    machine_.guest().stall(false, process_.now());
    process_.say(event, data(error));
    say_status("concluded");
    say_status("null");
    link_->before_loss = nullptr;
    link_->after_loss = nullptr;
    // LIFETIME: the owner drops this job in the call.
    Ended ended = std::move(ended_);
    ended(pivot);
}

Duration MirrorJob::drain_time() {
    settle();
    if (rate_ <= 0 || settings_.write_blocking) {
        return process_.timings().thread;
    }
    const auto under_way = static_cast<double>(in_flight_max * settings_.granularity);
    return process_.timings().thread + duration_of(std::min(dirty_, under_way) / rate_);
}

void MirrorJob::say_drained() {
    if (phase_ != Phase::copying) {
        return;
    }
    say_status(ready_ ? "standby" : "paused");
    say_status(ready_ ? "ready" : "running");
    settle();
    sleeping_ = false;
}

void MirrorJob::quit() {
    if (phase_ == Phase::failing || phase_ == Phase::ending) {
        return;
    }
    say_drained();
    settle();
    phase_ = Phase::ending;
    timer_.reset();
    say_status("aborting");
    process_.say("BLOCK_JOB_CANCELLED", data(""));
    say_status("concluded");
    say_status("null");
}

void MirrorJob::vanish() {
    settle();
    timer_.reset();
    watch_.reset();
    link_->before_loss = nullptr;
    link_->after_loss = nullptr;
}

void MirrorJob::say_status(std::string_view status) {
    json::ObjectWriter change;
    change.text("status", status).text("id", id());
    process_.say("JOB_STATUS_CHANGE", std::move(change).finish());
}

std::string MirrorJob::data(std::string_view error) const {
    json::ObjectWriter data;
    data.text("device", id());
    data.integer("len", static_cast<std::int64_t>(copied_ + dirty_));
    data.integer("offset", static_cast<std::int64_t>(copied_));
    data.integer("speed", static_cast<std::int64_t>(settings_.speed)).text("type", "mirror");
    if (!error.empty()) {
        data.text("error", error);
    }
    return std::move(data).finish();
}

std::string MirrorJob::block_job_json() {
    settle();
    json::ObjectWriter job;
    job.boolean("auto-finalize", true).text("io-status", "ok").text("device", id());
    job.boolean("auto-dismiss", true).boolean("busy", dirty_ >= less_than_a_chunk);
    job.integer("len", static_cast<std::int64_t>(copied_ + dirty_));
    job.integer("offset", static_cast<std::int64_t>(copied_)).text("status", status());
    job.boolean("paused", false).integer("speed", static_cast<std::int64_t>(settings_.speed));
    job.boolean("ready", ready_).text("type", "mirror");
    return std::move(job).finish();
}

std::string MirrorJob::job_json() {
    settle();
    json::ObjectWriter job;
    job.integer("current-progress", static_cast<std::int64_t>(copied_));
    job.text("status", status());
    job.integer("total-progress", static_cast<std::int64_t>(copied_ + dirty_));
    job.text("type", "mirror").text("id", id());
    return std::move(job).finish();
}

}  // namespace ktm::model
