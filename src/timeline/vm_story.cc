// SPDX-License-Identifier: Apache-2.0
// timeline/vm_story.cc: what one QEMU told, and what it was asked.
#include "timeline/vm_story.hh"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.hh"
#include "json/writer.hh"

namespace ktm::timeline {

namespace {

constexpr std::size_t vm_name_bytes = 48;
constexpr std::size_t vm_detail_bytes = 240;
// LIMIT: commands that wait for a reply; one that never comes must not be remembered for ever.
constexpr std::size_t commands_max = 4096;
constexpr std::size_t jobs_max = 64;
constexpr const char* remaining_name = "RAM that remains, MiB";
constexpr double mebibyte = 1024.0 * 1024.0;

std::string id_of(const json::View& message) {
    const std::optional<json::View> id = message.find("id");
    return id ? json::compact(*id) : std::string();
}

std::string detail_of(const std::optional<json::View>& data) {
    return data ? excerpt(json::compact(*data), vm_detail_bytes) : std::string();
}

/// What changes nothing of the VM: a picture has no room for it.
bool only_asks(std::string_view command) {
    return command.starts_with("query-") || command.starts_with("migrate-set-") ||
           command == "qmp_capabilities";
}

struct KnownEvent {
    std::string_view name;
    Look look;
};
/// Events that a reader looks for; all others are minor.
constexpr std::array<KnownEvent, 12> known_events{{{"STOP", Look::dark},
                                                   {"RESUME", Look::running},
                                                   {"SHUTDOWN", Look::bad},
                                                   {"RESET", Look::bad},
                                                   {"GUEST_PANICKED", Look::bad},
                                                   {"WATCHDOG", Look::bad},
                                                   {"BLOCK_IO_ERROR", Look::bad},
                                                   {"BLOCK_JOB_ERROR", Look::bad},
                                                   {"BLOCK_JOB_READY", Look::good},
                                                   {"BLOCK_JOB_COMPLETED", Look::good},
                                                   {"BLOCK_JOB_CANCELLED", Look::quiet},
                                                   {"BLOCK_EXPORT_DELETED", Look::quiet}}};

}  // namespace

void VmStory::take(const trace::Record& record, Duration at) {
    if (turns_.empty()) {
        turns_.push_back({at, GuestIs::unknown, ""});
    }
    if (record.direction == trace::Direction::eof) {
        take_end(record.text, at);
        return;
    }
    if (!record.message || !record.message->root().is_object()) {
        return;
    }
    const json::View message = record.message->root();
    if (const auto command = message.find_string("execute")) {
        take_command(message, *command, at);
    } else if (const auto event = message.find_string("event")) {
        take_event(message, *event, at);
    } else if (message.find("return") || message.find("error")) {
        take_reply(message, at);
    }
}

void VmStory::take_command(const json::View& message, std::string_view command, Duration at) {
    sends_ = sends_ || command == "migrate";
    if (command == "migrate-incoming") {
        receives_ = true;
        was(GuestIs::waiting);
    }
    const std::string name = excerpt(command, vm_name_bytes);
    const std::string arguments = detail_of(message.find("arguments"));
    mark({at, name, arguments, Look::quiet, only_asks(command)});
    if (asked_.size() < commands_max) {
        asked_[id_of(message)] = {name, arguments, at};
    }
}

void VmStory::take_reply(const json::View& message, Duration at) {
    const auto found = asked_.find(id_of(message));
    if (found == asked_.end()) {
        return;
    }
    const Asked asked = std::move(found->second);
    asked_.erase(found);
    Span call{asked.at, at, asked.command, asked.arguments,
              only_asks(asked.command) ? Look::quiet : Look::step};
    const std::optional<json::View> error = message.find("error");
    if (error) {
        const std::string why = excerpt(error->find_string("desc").value_or("?"), vm_detail_bytes);
        call.look = Look::bad;
        call.detail += (call.detail.empty() ? "" : " ") + std::string{"refused: "} + why;
        mark({at, asked.command + " refused", why, Look::bad, false});
    }
    keep(calls_, std::move(call), left_out_);
    const std::optional<json::View> reply = message.find("return");
    if (reply && asked.command == "query-status") {
        take_status(*reply, at);
    } else if (reply && asked.command == "query-migrate") {
        take_progress(*reply, at);
    }
}

void VmStory::take_status(const json::View& reply, Duration at) {
    const std::string status{reply.find_string("status").value_or("")};
    const std::optional<json::View> running = reply.find("running");
    GuestIs is = GuestIs::stopped;
    if (running && running->as_bool().value_or(false)) {
        is = GuestIs::running;
    } else if (status == "inmigrate" || status == "prelaunch") {
        is = GuestIs::waiting;
    } else if (status == "postmigrate") {
        is = GuestIs::left;
    } else if (status == "shutdown") {
        is = GuestIs::gone;
    }
    receives_ = receives_ || status == "inmigrate";
    // A QEMU that was started with -S is paused once the guest has come: it has still not run here.
    if (is == GuestIs::stopped && guest() == GuestIs::waiting) {
        return;
    }
    was(is);
    turn(is, at, "query-status said " + excerpt(status, vm_name_bytes));
}

void VmStory::count(const char* name, const json::View& from, std::string_view key, Duration at,
                    double unit) {
    const std::optional<json::View> value = from.find(key);
    if (const std::optional<double> number = value ? value->as_double() : std::nullopt) {
        Counter& counter = counters_[name];
        keep(counter.samples, {at, *number / unit}, left_out_);
    }
}

void VmStory::take_progress(const json::View& reply, Duration at) {
    const std::string status{reply.find_string("status").value_or("")};
    if (!status.empty() && !(migration_.is_standing() && migration_.text() == status)) {
        const bool is_news = status != "completed" && status != "failed" && status != "cancelled" &&
                             status != "none";
        if (is_news && migration_.is_standing()) {
            take_migration(status, at);
        }
    }
    const std::optional<json::View> ram = reply.find("ram");
    if (!ram || receives()) {
        return;
    }
    count(remaining_name, *ram, "remaining", at, mebibyte);
    count("RAM sent, MiB", *ram, "transferred", at, mebibyte);
    count("throughput, Mbit/s", *ram, "mbps", at, 1);
    count("pages dirtied, 1/s", *ram, "dirty-pages-rate", at, 1);
}

void VmStory::take_event(const json::View& message, std::string_view event, Duration at) {
    const std::optional<json::View> data = message.find("data");
    if (event == "MIGRATION" && data) {
        take_migration(data->find_string("status").value_or("?"), at);
        return;
    }
    if (event == "MIGRATION_PASS" && data) {
        const std::string pass = std::to_string(data->find_int("pass").value_or(0));
        mark({at, "pass " + pass, "the RAM is looked through again", Look::quiet, false});
        return;
    }
    if (event == "JOB_STATUS_CHANGE" && data) {
        take_job(*data, at);
        return;
    }
    if (event == "STOP" && guest() != GuestIs::stopped) {
        was(GuestIs::running);
        turn(GuestIs::stopped, at, "STOP");
    } else if (event == "RESUME") {
        was(receives_ ? GuestIs::waiting : GuestIs::stopped);
        turn(GuestIs::running, at, "RESUME");
    } else if (event == "SHUTDOWN") {
        turn(guest() == GuestIs::left ? GuestIs::left : GuestIs::gone, at, "SHUTDOWN");
    }
    const auto known = std::find_if(known_events.begin(), known_events.end(),
                                    [&](const KnownEvent& each) { return each.name == event; });
    // Where the guest runs is told by its own lane.
    const bool minor = known == known_events.end() || event == "STOP" || event == "RESUME";
    Mark told{at, excerpt(event, vm_name_bytes), detail_of(data),
              known == known_events.end() ? Look::quiet : known->look, minor};
    const bool of_job = event.starts_with("BLOCK_JOB_");
    if (of_job && data && data->find("error")) {
        told.look = Look::bad;
    }
    keep(of_job ? job_marks_ : marks_, std::move(told), left_out_);
}

void VmStory::take_migration(std::string_view status, Duration at) {
    const bool outgoing = sends_;
    if (!outgoing && (status == "setup" || status == "active")) {
        receives_ = true;
        was(GuestIs::waiting);
    }
    const std::string text = excerpt(status, vm_name_bytes);
    if (status == "completed") {
        if (outgoing && guest() != GuestIs::running) {
            turn(GuestIs::left, at, "MIGRATION completed");
        }
        migration_.end(at);
        mark({at, text, "MIGRATION completed", Look::good, false});
    } else if (status == "failed" || status == "cancelled" || status == "none") {
        migration_.end(at);
        mark({at, text, "MIGRATION " + text, status == "failed" ? Look::bad : Look::quiet, false});
    } else {
        migration_.begin({at, at, text, "MIGRATION " + text, Look::step});
    }
}

void VmStory::take_job(const json::View& data, Duration at) {
    const std::string id = excerpt(data.find_string("id").value_or("?"), vm_name_bytes);
    const std::string status = excerpt(data.find_string("status").value_or("?"), vm_name_bytes);
    const auto job = jobs_.find(id);
    if (job == jobs_.end() && (jobs_.size() == jobs_max || status == "null")) {
        return;
    }
    if (status == "null" || status == "undefined") {
        job->second.end(at);
        return;
    }
    const Look look = status == "ready"      ? Look::good
                      : status == "aborting" ? Look::bad
                      : status == "running"  ? Look::step
                                             : Look::quiet;
    jobs_[id].begin({at, at, id + " " + status, "block job " + id + ": " + status, look});
}

void VmStory::take_end(std::string_view text, Duration at) {
    if (text == "closed on our side") {
        return;
    }
    const std::string why = text.empty() ? "connection lost" : excerpt(text, vm_detail_bytes);
    mark({at, "connection lost", why, Look::bad, false});
    migration_.end(at);
    for (auto& [id, job] : jobs_) {
        job.end(at);
    }
    if (guest() == GuestIs::running) {
        turn(GuestIs::unknown, at, why);
    }
}

void VmStory::turn(GuestIs is, Duration at, std::string why) {
    if (guest() != is && turns_.size() < things_max) {
        turns_.push_back({at, is, std::move(why)});
    }
}

void VmStory::was(GuestIs is) {
    if (turns_.size() == 1 && guest() == GuestIs::unknown) {
        turns_.back().is = is;
    }
}

Lane VmStory::qemu_lane(Duration end) {
    Lane lane{Actor::qemu, "", migration_.finish(end), std::move(marks_), std::move(calls_)};
    for (const auto& [id, asked] : asked_) {
        if (lane.calls.size() < things_max) {
            lane.calls.push_back(
                {asked.at, end, asked.command, "no reply was seen", Look::unknown, true});
        }
    }
    return lane;
}

Lane VmStory::jobs_lane(Duration end) {
    Lane lane{Actor::jobs, "", {}, std::move(job_marks_), {}};
    for (auto& [id, job] : jobs_) {
        std::vector<Span> spans = job.finish(end);
        lane.spans.insert(lane.spans.end(), std::make_move_iterator(spans.begin()),
                          std::make_move_iterator(spans.end()));
    }
    return lane;
}

std::vector<Counter> VmStory::counters() {
    std::vector<Counter> all;
    for (auto& [name, counter] : counters_) {
        counter.name = name;
        counter.minor = name != remaining_name;
        all.push_back(std::move(counter));
    }
    return all;
}

}  // namespace ktm::timeline
