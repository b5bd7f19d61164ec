// SPDX-License-Identifier: Apache-2.0
// model/blocks_jobs.cc: mirrors are begun, ended and waited for.
#include <algorithm>
#include <utility>

#include "model/blocks.hh"

namespace ktm::model {

namespace {

/// What QEMU takes as the name of a job: a letter, then letters, digits, "-", "." and "_".
bool is_wellformed(std::string_view id) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_other = [](char c) {
        return (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    };
    return !id.empty() && is_letter(id.front()) &&
           std::ranges::all_of(id, [&](char c) { return is_letter(c) || is_other(c); });
}

std::uint64_t number_of(const json::View& arguments, std::string_view key,
                        std::uint64_t otherwise) {
    const std::optional<json::View> value = arguments.find(key);
    return value ? value->as_uint().value_or(otherwise) : otherwise;
}

/// "host:port:exportname=NAME" behind "nbd:", or "nbd://host:port/NAME".
struct NbdText {
    std::string host;
    std::string port;
    std::string name;
};

std::optional<NbdText> read_nbd_text(std::string_view text) {
    const bool is_uri = text.starts_with("nbd://");
    if (!text.starts_with("nbd:")) {
        return std::nullopt;
    }
    text.remove_prefix(is_uri ? 6 : 4);
    const std::size_t from = text.starts_with('[') ? text.find(']') : 0;
    const std::size_t colon = text.find(':', from);
    const std::string_view behind = colon == text.npos ? "" : text.substr(colon + 1);
    const std::size_t end = behind.find(is_uri ? '/' : ':');
    std::string_view name = end == behind.npos ? "" : behind.substr(end + 1);
    constexpr std::string_view key = "exportname=";
    if (!is_uri && name.starts_with(key)) {
        name.remove_prefix(key.size());
    }
    return NbdText{std::string(text.substr(0, colon)), std::string(behind.substr(0, end)),
                   std::string(name)};
}

Reply no_block_job(std::string_view id) {
    return refused("Block job '" + std::string(id) + "' not found", "DeviceNotActive");
}

Reply not_now(const MirrorJob& job, std::string_view verb) {
    return refused("Job '" + job.id() + "' in state '" + std::string(job.status()) +
                   "' cannot accept command verb '" + std::string(verb) + "'");
}

MirrorJob::Settings settings_of(const json::View& arguments) {
    MirrorJob::Settings settings;
    settings.id = text_of(arguments, "job-id");
    settings.write_blocking = text_of(arguments, "copy-mode") == "write-blocking";
    settings.whole = text_of(arguments, "sync") != "none";
    settings.granularity = number_of(arguments, "granularity", settings.granularity);
    settings.speed = number_of(arguments, "speed", 0);
    return settings;
}

}  // namespace

MirrorJob* Blocks::job_of(std::string_view id) {
    const auto found = std::ranges::find_if(
        jobs_, [&](const std::unique_ptr<MirrorJob>& job) { return job->id() == id; });
    return found == jobs_.end() ? nullptr : found->get();
}

bool Blocks::is_mirrored(std::string_view node) const {
    return std::ranges::any_of(jobs_, [&](const std::unique_ptr<MirrorJob>& job) {
        return job->settings().source.node == node ||
               std::ranges::any_of(nodes_, [&](const NbdNode& known) {
                   return known.name == node && known.link.get() == &job->link();
               });
    });
}

std::optional<Reply> Blocks::job_fault(const MirrorJob::Settings& settings) const {
    if (is_mirrored(settings.source.node)) {
        return refused("Need a root block node");
    }
    if (!is_wellformed(settings.id)) {
        return refused("Invalid job ID '" + settings.id + "'");
    }
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        if (job->id() == settings.id) {
            return refused("Job ID '" + settings.id + "' already in use");
        }
    }
    return std::nullopt;
}

void Blocks::begin(MirrorJob::Settings settings, std::shared_ptr<NbdLink> link) {
    const std::string id = settings.id;
    jobs_.push_back(std::make_unique<MirrorJob>(process_, machine_, std::move(settings),
                                                std::move(link),
                                                [this, id](Disk* pivot) { end(id, pivot); }));
    process_.wire_use_changed();
}

void Blocks::end(const std::string& id, Disk* pivot) {
    std::erase_if(jobs_, [&](const std::unique_ptr<MirrorJob>& job) { return job->id() == id; });
    if (pivot != nullptr) {
        machine_.guest().use(pivot, process_.now());
    }
    process_.wire_use_changed();
}

Reply Blocks::blockdev_mirror(const json::View& arguments) {
    const std::string_view device = text_of(arguments, "device");
    const std::string_view target = text_of(arguments, "target");
    const Drive* drive = drive_of(device);
    NbdNode* node = node_of(target);
    if (drive == nullptr || node == nullptr) {
        const std::string missing{drive == nullptr ? device : target};
        return refused("Cannot find device='" + missing + "' nor node-name='" + missing + "'");
    }
    const std::string_view on_error = text_of(arguments, "on-target-error");
    if (!on_error.empty() && on_error != "report") {
        return refused("this model of QEMU knows on-target-error=report alone");
    }
    MirrorJob::Settings settings = settings_of(arguments);
    settings.source = *drive;
    if (std::optional<Reply> fault = job_fault(settings)) {
        return *std::move(fault);
    }
    begin(std::move(settings), node->link);
    return done();
}

Blocks::Later Blocks::drive_mirror(const json::View& arguments) {
    const std::string device{text_of(arguments, "device")};
    const Drive* drive = drive_of(device);
    if (drive == nullptr) {
        return refused("Cannot find device='" + device + "' nor node-name='" + device + "'");
    }
    const std::optional<NbdText> place = read_nbd_text(text_of(arguments, "target"));
    if (!place || text_of(arguments, "mode") != "existing") {
        return refused("this model of QEMU knows existing NBD exports as targets alone");
    }
    MirrorJob::Settings settings = settings_of(arguments);
    settings.source = *drive;
    if (settings.id.empty()) {
        settings.id = device;
    }
    if (std::optional<Reply> fault = job_fault(settings)) {
        return fault;
    }
    return mirror_to(settings, {place->host, place->port, place->name, ""});
}

Blocks::Later Blocks::mirror_to(const MirrorJob::Settings& settings, const Target& target) {
    Connected connected = connect(target);
    if (connected.silent) {
        return wait_for_wire([this, settings, target] { return mirror_to(settings, target); },
                             std::move(connected.fault));
    }
    if (!connected.link) {
        return refused(std::move(connected.fault));
    }
    begin(settings, std::move(connected.link));
    return done();
}

/// By force it waits in the command itself for the write that is under way.
Blocks::Later Blocks::block_job_cancel(std::string id, bool force) {
    MirrorJob* job = job_of(id);
    if (job == nullptr) {
        return no_block_job(id);
    }
    if (force && job->is_stuck()) {
        return wait_for_wire([this, id] { return block_job_cancel(id, true); }, "");
    }
    job->cancel(force);
    return done();
}

Reply Blocks::block_job_complete(const json::View& arguments) {
    MirrorJob* job = job_of(text_of(arguments, "device"));
    if (job == nullptr) {
        return no_block_job(text_of(arguments, "device"));
    }
    if (!job->is_ready()) {
        return not_now(*job, "complete");
    }
    job->complete();
    return done();
}

Reply Blocks::job_cancel(const json::View& arguments) {
    MirrorJob* job = job_of(text_of(arguments, "id"));
    if (job == nullptr) {
        return refused("Job not found");
    }
    job->cancel(true);
    return done();
}

Reply Blocks::job_complete(const json::View& arguments) {
    MirrorJob* job = job_of(text_of(arguments, "id"));
    if (job == nullptr) {
        return refused("Job not found");
    }
    if (!job->is_ready()) {
        return not_now(*job, "complete");
    }
    job->complete();
    return done();
}

std::string Blocks::block_jobs_json() {
    std::string list = "[";
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        list += (list.size() == 1 ? "" : ",") + job->block_job_json();
    }
    return list + "]";
}

std::string Blocks::jobs_json() {
    std::string list = "[";
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        list += (list.size() == 1 ? "" : ",") + job->job_json();
    }
    return list + "]";
}

Blocks::Later Blocks::drain() {
    if (std::ranges::any_of(jobs_, [](const auto& job) { return job->is_stuck(); })) {
        return wait_for_wire(
            [this]() -> Later {
                say_drained();
                return done();
            },
            "");
    }
    say_drained();
    return done();
}

Duration Blocks::drain_time() {
    Duration longest{};
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        longest = std::max(longest, job->drain_time());
    }
    return longest;
}

void Blocks::say_drained() {
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        job->say_drained();
    }
}

double Blocks::wire_need() const {
    double need = 0;
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        need += job->wire_need();
    }
    return need;
}

bool Blocks::has_dirty_mirror() {
    return std::ranges::any_of(jobs_, [](const auto& job) { return job->dirty_bytes() > 0; });
}

void Blocks::quit() {
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        job->quit();
    }
}

void Blocks::machine_changed() {
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        job->changed();
    }
}

void Blocks::settle() {
    machine_.guest().settle(process_.now());
    for (const std::unique_ptr<MirrorJob>& job : jobs_) {
        job->settle();
    }
}

}  // namespace ktm::model
