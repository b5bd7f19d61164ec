// SPDX-License-Identifier: Apache-2.0
// model/outgoing.cc: from `migrate` to the copying of memory, and what is said of it.
#include "model/outgoing.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/assert.hh"
#include "json/writer.hh"

namespace ktm::model {

namespace {

using Capability = MigrationSettings::Capability;

constexpr Duration migration_connect_timeout = std::chrono::seconds{127};
constexpr std::string_view broken_pipe = "Unable to write to socket: Broken pipe";
constexpr std::string_view exec = "exec:";
/// What QEMU has beside the guest's memory: video memory, ROMs.
constexpr std::uint64_t other_ram_bytes = 540'672;

/// An object of numbers whose names need no escapes: what is asked most often is quickly said.
class Numbers {
public:
    Numbers() { out_.reserve(bytes_of_most); }

    template <class Number>
    void put(std::string_view name, Number value) {
        KTM_ASSERT(name.size() <= name_bytes_max);
        std::array<char, name_bytes_max + 36> text;
        char* end = text.data();
        *end++ = out_.empty() ? '{' : ',';
        *end++ = '"';
        end += name.copy(end, name.size());
        *end++ = '"';
        *end++ = ':';
        end = std::to_chars(end, text.data() + text.size(), value).ptr;
        out_.append(text.data(), static_cast<std::size_t>(end - text.data()));
    }
    [[nodiscard]] std::string finish() && {
        out_ += '}';
        return std::move(out_);
    }

private:
    static constexpr std::size_t bytes_of_most = 640;
    static constexpr std::size_t name_bytes_max = 60;
    std::string out_;
};

std::int64_t milliseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

Outgoing::Outgoing(Process& process, Machine& machine, Blocks& blocks, Objects& objects,
                   MigrationSettings& settings)
    : process_(process),
      machine_(machine),
      blocks_(blocks),
      objects_(objects),
      settings_(settings) {}

std::string_view Outgoing::name_of(Status status) noexcept {
    switch (status) {
        case Status::none: return "none";
        case Status::setup: return "setup";
        case Status::active: return "active";
        case Status::postcopy_active: return "postcopy-active";
        case Status::postcopy_paused: return "postcopy-paused";
        case Status::pre_switchover: return "pre-switchover";
        case Status::device: return "device";
        case Status::completed: return "completed";
        case Status::failed: return "failed";
        case Status::cancelling: return "cancelling";
        case Status::cancelled: return "cancelled";
    }
    return "";
}

bool Outgoing::is_under_way() const noexcept {
    return status_ != Status::none && status_ != Status::completed && status_ != Status::failed &&
           status_ != Status::cancelled;
}

Duration Outgoing::latency() const {
    return over_wire_ ? process_.wire().settings().latency : Duration::zero();
}

bool Outgoing::is_cut() const {
    return over_wire_ && process_.wire().is_cut();
}

void Outgoing::say(Status status) {
    status_ = status;
    if (has(Capability::events)) {
        process_.say("MIGRATION", R"({"status":")" + std::string(name_of(status)) + "\"}");
    }
}

void Outgoing::say_pass(std::uint64_t pass) {
    if (has(Capability::events)) {
        process_.say("MIGRATION_PASS", R"({"pass":)" + std::to_string(pass) + "}");
    }
}

void Outgoing::then(Step step, Duration delay, UniqueFunction<void()> what) {
    step_ = step;
    timer_ = process_.after(delay, std::move(what));
}

Reply Outgoing::migrate(const json::View& arguments) {
    if (is_under_way()) {
        return refused("There's a migration process in progress");
    }
    if (machine_.state() == RunState::inmigrate) {
        return refused("Guest is waiting for an incoming migration");
    }
    if (machine_.state() == RunState::postmigrate) {
        return refused("Can't migrate the vm that was paused due to previous migration");
    }
    error_desc_.clear();
    ram_.reset();
    peer_gone_ = stopped_by_us_ = rest_is_postcopy_ = false;
    down_.reset();
    downtime_ = {};
    begun_ = process_.now();
    say(Status::setup);
    program_.reset();
    const std::string_view uri = text_of(arguments, "uri");
    if (uri.starts_with(exec)) {
        return write_to_program(uri.substr(exec.size()));
    }
    MigrationAddress address = read_migration_address(uri);
    if (!address.fault.empty()) {
        error_desc_ = uri.starts_with("tcp:") ? address.fault : "";
        say(Status::failed);
        return refused(std::move(address.fault));
    }
    const bool is_path = uri.starts_with("unix:");
    uri_host_ = is_path ? "localhost" : address.host;
    uri_port_ = address.port;
    uri_text_ = is_path ? address.port : address.host + ":" + address.port;
    watch_ = process_.wire().watch([this](bool cut) { wire_changed(cut); });
    then(Step::connecting, process_.timings().thread, [this] { connect(); });
    return done();
}

/// What was not measured is refused, as QEMU refuses an address that it does not know.
Reply Outgoing::write_to_program(std::string_view command) {
    if (has(Capability::multifd) || has(Capability::postcopy_ram)) {
        say(Status::failed);
        return refused("this model of QEMU has neither multifd nor postcopy to a program");
    }
    auto& starts = process_.hooks().on_program;
    program_ = starts ? starts(command) : Program{};
    over_wire_ = false;
    watch_.reset();
    then(Step::preparing, process_.timings().setup, [this] { prepare(); });
    return done();
}

void Outgoing::connect() {
    const std::string failed = "Failed to connect to '" + uri_text_ + "': ";
    const Switchboard::Found found =
        process_.board().find(process_.settings().node, uri_host_, uri_port_);
    over_wire_ = found.over_wire;
    if (found.reach == Switchboard::Reach::silent) {
        then(Step::connecting, migration_connect_timeout - (process_.now() - begun_),
             [this, failed] { fail(failed + "Connection timed out"); });
        return;
    }
    if (found.reach == Switchboard::Reach::unknown) {
        fail(failed + "No route to host");
        return;
    }
    if (found.listener.incoming == nullptr) {
        fail(failed + "Connection refused");
        return;
    }
    then(Step::connecting, latency() * 2, [this, found] {
        const Switchboard::Found again =
            process_.board().find(process_.settings().node, uri_host_, uri_port_);
        if (again.listener.incoming == found.listener.incoming) {
            connected(*found.listener.incoming, found.over_wire);
        } else {
            connect();
        }
    });
}

std::optional<std::string> Outgoing::tls_fault(const Incoming& peer) const {
    const std::string id{settings_.text("tls-creds")};
    const std::optional<Credentials> shown = objects_.find(id);
    if (!shown) {
        return "No TLS credentials with id '" + id + "'";
    }
    if (*shown != peer.wanted()) {
        return shown->kind.empty()
                   ? "Unable to write to socket: Connection reset by peer"
                   : "TLS handshake failed: The TLS connection was non-properly terminated.";
    }
    return std::nullopt;
}

void Outgoing::connected(Incoming& peer, bool over_wire) {
    if (status_ == Status::cancelling) {
        end_cancelled();
        return;
    }
    if (std::optional<std::string> fault = tls_fault(peer)) {
        fail(*std::move(fault));
        return;
    }
    peer_ = &peer;
    over_wire_ = over_wire;
    peer.accept(*this, over_wire);
    then(Step::preparing, process_.timings().setup, [this] { prepare(); });
}

void Outgoing::prepare() {
    setup_ = process_.timings().setup;
    say_pass(1);
    if (peer_gone_) {
        fail(std::string(broken_pipe));
        return;
    }
    if (program_) {
        then(Step::preparing, process_.timings().thread, [this] { copy(); });
        return;
    }
    if (peer_->settings().has(Capability::multifd) != has(Capability::multifd)) {
        fail(std::string(broken_pipe));
        return;
    }
    if (peer_->settings().has(Capability::postcopy_ram) != has(Capability::postcopy_ram)) {
        std::exchange(peer_, nullptr)->lose_source();
        fail(std::string(broken_pipe));
        return;
    }
    then(Step::preparing, process_.timings().thread, [this] { copy(); });
}

double Outgoing::streams() const {
    return has(Capability::multifd) ? static_cast<double>(settings_.number("multifd-channels")) : 1;
}

double Outgoing::stream_speed() const {
    const QemuSettings& qemu = process_.settings();
    return settings_.text("tls-creds").empty()
               ? qemu.copy_bytes_per_second
               : std::min(qemu.copy_bytes_per_second, qemu.encrypted_bytes_per_second);
}

double Outgoing::thread_speed() const {
    return stream_speed() * streams();
}

double Outgoing::wire_speed() const {
    const auto all = static_cast<double>(process_.wire().settings().bytes_per_second);
    return std::max(all / 2, all - blocks_.wire_need());
}

RamCopy::Terms Outgoing::terms() const {
    RamCopy::Terms terms;
    settings_.apply_to(terms);
    terms.path_bytes_per_second =
        over_wire_ ? std::min(thread_speed(), wire_speed()) : thread_speed();
    if (program_) {
        terms.path_bytes_per_second =
            std::min(terms.path_bytes_per_second, program_->bytes_per_second);
    }
    terms.cut = is_cut() || peer_gone_ || (program_ && !program(Program::Does::reads_all));
    terms.guest_runs = machine_.guest().runs();
    return terms;
}

void Outgoing::copy() {
    say(Status::active);
    ram_.emplace(machine_.guest().load(), terms(), process_.now());
    step_ = Step::copying;
    use_wire();
    pump();
    if (peer_gone_) {
        peer_noticed();
    } else if (program(Program::Does::ends_early)) {
        side_timer_ = process_.after(process_.timings().thread,
                                     [this] { fail("Unable to write to command: Broken pipe"); });
    }
}

/// Says what is due, and stands ready for what comes next.
void Outgoing::pump() {
    if (step_ != Step::copying) {
        return;
    }
    timer_.reset();
    while (true) {
        const RamCopy::Step step = ram_->advance(process_.now());
        if (step == RamCopy::Step::converged) {
            stop_machine();
            return;
        }
        if (step == RamCopy::Step::none) {
            break;
        }
        say_pass(ram_->view(process_.now()).passes);
    }
    if (const std::optional<Instant> next = ram_->next()) {
        then(Step::copying, *next - process_.now(), [this] { pump(); });
    }
}

std::optional<RamCopy::Course> Outgoing::course() const {
    if (!ram_) {
        return std::nullopt;
    }
    RamCopy::Course course = ram_->course();
    if (course.bound == RamCopy::Bound::path && (!over_wire_ || thread_speed() < wire_speed())) {
        course.bound = RamCopy::Bound::thread;
    }
    course.guest_went_first =
        rest_is_postcopy_ && (status_ == Status::postcopy_active ||
                              status_ == Status::postcopy_paused || status_ == Status::completed);
    course.rest_followed = course.guest_went_first && status_ == Status::completed;
    return course;
}

/// What is sent of memory competes with the mirrors.
void Outgoing::use_wire() {
    const bool sends = over_wire_ && (step_ == Step::copying || step_ == Step::finishing);
    double stream = 0;
    if (sends) {
        stream = stream_speed();
        if (const std::uint64_t most = settings_.number("max-bandwidth");
            most != 0 && step_ == Step::copying) {
            stream = std::min(stream, static_cast<double>(most));
        }
    }
    process_.use_wire(stream);
}

void Outgoing::terms_changed() {
    use_wire();
    if (step_ != Step::copying || !ram_) {
        return;
    }
    pump();
    const RamCopy::Terms wanted = terms();
    if (step_ == Step::copying && ram_->terms() != wanted) {
        ram_->change(wanted, process_.now());
        pump();
    }
}

void Outgoing::wire_changed(bool cut) {
    if (step_ == Step::connecting && !cut) {
        then(Step::connecting, process_.timings().thread, [this] { connect(); });
        return;
    }
    terms_changed();
    if (step_ == Step::finishing && over_wire_) {
        if (cut) {
            rest_ -= std::min(rest_, process_.now() - rest_begun_);
            timer_.reset();
        } else {
            finish_rest();
        }
    }
    if (!cut && peer_gone_) {
        peer_noticed();
    }
}

Reply Outgoing::migrate_start_postcopy() {
    if (!has(Capability::postcopy_ram)) {
        return refused("Enable postcopy with migrate_set_capability before the start of migration");
    }
    if (status_ == Status::none) {
        return refused("Postcopy must be started after migration has been started");
    }
    if (step_ == Step::copying) {
        side_timer_ = process_.after(process_.timings().thread, [this] { begin_postcopy(); });
    }
    return done();
}

std::string Outgoing::ram_json(const RamCopy::View& view) const {
    const bool multifd = has(Capability::multifd);
    const std::uint64_t sent = view.transferred_bytes;
    const std::uint64_t before = down_ ? bytes_before_stop_ : sent;
    Numbers ram;
    ram.put("total", machine_.guest().load().ram_bytes + other_ram_bytes);
    ram.put("postcopy-requests", 0);
    ram.put("dirty-sync-count", view.passes);
    ram.put("multifd-bytes", multifd ? before : 0);
    ram.put("pages-per-second", view.pages_per_second);
    ram.put("downtime-bytes", rest_is_postcopy_ ? 0 : sent - before);
    ram.put("page-size", RamCopy::page_bytes);
    ram.put("remaining", view.remaining_bytes);
    ram.put("postcopy-bytes", rest_is_postcopy_ ? sent - before : 0);
    ram.put("mbps", view.megabits_per_second);
    ram.put("transferred", sent);
    ram.put("dirty-sync-missed-zero-copy", 0);
    ram.put("precopy-bytes", multifd ? 0 : before);
    ram.put("duplicate", view.duplicate_pages);
    ram.put("dirty-pages-rate", view.dirty_pages_per_second);
    ram.put("skipped", 0);
    ram.put("normal-bytes", view.normal_pages * RamCopy::page_bytes);
    ram.put("normal", view.normal_pages);
    return std::move(ram).finish();
}

std::string Outgoing::json() const {
    json::ObjectWriter out;
    if (status_ == Status::none) {
        return "{}";
    }
    out.text("status", name_of(status_));
    const bool has_numbers = ram_ && status_ != Status::setup && status_ != Status::failed &&
                             status_ != Status::cancelled;
    if (!has_numbers) {
        if (status_ == Status::failed && !error_desc_.empty()) {
            out.text("error-desc", error_desc_);
        }
        return std::move(out).finish();
    }
    const bool completed = status_ == Status::completed;
    const RamCopy::View view = ram_->view(step_ == Step::copying ? process_.now() : ram_->at());
    out.integer("setup-time", milliseconds(setup_));
    if (completed) {
        out.integer("downtime", milliseconds(downtime_));
    } else {
        out.integer("expected-downtime",
                    static_cast<std::int64_t>(
                        view.expected_downtime_ms.value_or(settings_.number("downtime-limit"))));
    }
    out.integer("total-time", milliseconds((completed ? over_ : process_.now()) - begun_));
    out.json("ram", ram_json(view));
    if (has(Capability::auto_converge) && status_ == Status::active) {
        out.integer("cpu-throttle-percentage", static_cast<std::int64_t>(view.throttle_percent));
    }
    return std::move(out).finish();
}

}  // namespace ktm::model
