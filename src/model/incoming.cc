// SPDX-License-Identifier: Apache-2.0
// model/incoming.cc: listening, loading, and what becomes of the machine.
#include "model/incoming.hh"

#include <utility>

#include "json/writer.hh"
#include "model/outgoing.hh"

namespace ktm::model {

namespace {

using std::chrono_literals::operator""ms;

/// From the package of the devices to postcopy-active, and from there to RESUME.
constexpr Duration postcopy_listen = 5ms;
constexpr Duration postcopy_run = 3ms;

}  // namespace

MigrationAddress read_migration_address(std::string_view uri) {
    constexpr std::string_view tcp = "tcp:";
    constexpr std::string_view path = "unix:";
    if (uri.starts_with(path)) {
        return {"", std::string(uri.substr(path.size())), ""};
    }
    if (!uri.starts_with(tcp)) {
        return {"", "", "Parameter 'uri' expects a valid migration protocol"};
    }
    const std::string_view rest = uri.substr(tcp.size());
    const std::size_t colon = rest.rfind(':');
    if (colon == rest.npos || rest.ends_with(']')) {
        return {"", "", "error parsing address '" + std::string(rest) + "'"};
    }
    std::string_view host = rest.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    return {std::string(host), std::string(rest.substr(colon + 1)), ""};
}

Incoming::Incoming(Process& process, Machine& machine, Objects& objects,
                   MigrationSettings& settings)
    : process_(process),
      machine_(machine),
      objects_(objects),
      settings_(settings),
      autostart_(!process.settings().paused) {}

std::string_view Incoming::describe() const noexcept {
    switch (status_) {
        case Status::none:
        case Status::setup:
        case Status::failed: return listens_ ? "a migration that is waited for" : "";
        case Status::active:
        case Status::postcopy_active:
        case Status::postcopy_paused: return "a guest that has come in part";
        case Status::completed: return "a guest that has come";
    }
    return "";
}

void Incoming::leave() {
    if (std::exchange(listens_, false)) {
        process_.board().leave({this, nullptr});
    }
}

void Incoming::say(Status status) {
    status_ = status;
    std::string_view name;
    switch (status) {
        case Status::none: return;
        case Status::setup: name = "setup"; break;
        case Status::active: name = "active"; break;
        case Status::postcopy_active: name = "postcopy-active"; break;
        case Status::postcopy_paused: name = "postcopy-paused"; break;
        case Status::completed: name = "completed"; break;
        case Status::failed: name = "failed"; break;
    }
    if (settings_.has(MigrationSettings::Capability::events)) {
        process_.say("MIGRATION", R"({"status":")" + std::string(name) + "\"}");
    }
}

Reply Incoming::migrate_incoming(const json::View& arguments) {
    if (!process_.settings().incoming) {
        return refused("'-incoming' was not specified on the command line");
    }
    if (was_started_) {
        return refused("The incoming migration has already been started");
    }
    return listen(std::string(text_of(arguments, "uri")));
}

Reply Incoming::listen(const std::string& uri) {
    const MigrationAddress address = read_migration_address(uri);
    say(Status::setup);
    if (!address.fault.empty()) {
        return refused(uri.starts_with("tcp:") ? address.fault
                                               : "unknown migration protocol: " + uri);
    }
    const bool is_path = uri.starts_with("unix:");
    if (auto fault =
            process_.board().listen(process_.settings().node, is_path ? "localhost" : address.host,
                                    address.port, Switchboard::Listener{this, nullptr})) {
        return refused(*std::move(fault));
    }
    listens_ = true;
    was_started_ = true;
    json::ObjectWriter shown;
    if (is_path) {
        shown.text("path", address.port).text("type", "unix");
    } else {
        shown.text("port", address.port).boolean("ipv4", true).text("host", address.host);
        shown.text("type", "inet");
    }
    address_ = "[" + std::move(shown).finish() + "]";
    return done();
}

Credentials Incoming::wanted() const {
    return objects_.find(settings_.text("tls-creds")).value_or(Credentials{});
}

std::string Incoming::json() const {
    json::ObjectWriter out;
    switch (status_) {
        case Status::none: return "{}";
        case Status::setup: break;
        case Status::active: out.text("status", "active"); break;
        case Status::postcopy_active: out.text("status", "postcopy-active"); break;
        case Status::postcopy_paused: out.text("status", "postcopy-paused"); break;
        case Status::completed: out.text("status", "completed"); break;
        case Status::failed: out.text("status", "failed"); break;
    }
    const bool over = status_ == Status::completed || status_ == Status::failed;
    if (!over && !address_.empty()) {
        out.json("socket-address", address_);
    }
    return std::move(out).finish();
}

void Incoming::accept(Outgoing& source, bool over_wire) {
    source_ = &source;
    over_wire_ = over_wire;
    leave();
    const Duration latency = over_wire ? process_.wire().settings().latency : Duration::zero();
    announced_ =
        process_.after(latency + process_.timings().thread, [this] { say(Status::active); });
    watch_ = process_.wire().watch([this](bool cut) {
        if (!cut) {
            deliver();
        }
    });
}

/// What comes from the source does so behind what lies in its socket and behind the latency, and
/// not through a cut wire.
void Incoming::arrive(UniqueFunction<void()> what, Duration behind) {
    arriving_ = std::move(what);
    arriving_behind_ = behind;
    deliver();
}

void Incoming::deliver() {
    if (!arriving_ || (over_wire_ && process_.wire().is_cut())) {
        arrival_.reset();
        return;
    }
    const Duration latency = over_wire_ ? process_.wire().settings().latency : Duration::zero();
    arrival_ = process_.after(arriving_behind_ + latency, [this] {
        UniqueFunction<void()> what = std::move(arriving_);
        arriving_ = nullptr;
        what();
    });
}

void Incoming::load(Cargo cargo) {
    source_ = nullptr;
    cargo_ = std::move(cargo);
    arrive(
        [this] {
            loading_ = true;
            timer_ = process_.after(process_.timings().load, [this] { finish_load(); });
        },
        cargo_->behind);
}

void Incoming::finish_load() {
    loading_ = false;
    start_loaded();
    say(Status::completed);
    process_.say_idle();
}

void Incoming::start_loaded() {
    bool runs = autostart_;
    // In postcopy QEMU takes the images at once, whatever it was asked for.
    const bool is_activated_late =
        settings_.has(MigrationSettings::Capability::late_block_activate) && !runs &&
        status_ != Status::postcopy_active;
    if (!is_activated_late) {
        // The error goes to stderr; the machine then waits for `cont`.
        runs = !machine_.activate() && runs;
    }
    if (!process_.settings().drives.empty()) {
        machine_.guest().use(process_.settings().drives.front().disk, process_.now());
    }
    machine_.guest().remember(cargo_->load, cargo_->acknowledged);
    if (cargo_->state != RunState::running) {
        machine_.set(cargo_->state);
    } else if (runs) {
        machine_.start();
    } else {
        machine_.set(RunState::paused);
    }
}

void Incoming::load_postcopy(Cargo cargo) {
    cargo_ = std::move(cargo);
    is_postcopy_ = true;
    arrive(
        [this] {
            timer_ = process_.after(postcopy_listen, [this] {
                say(Status::postcopy_active);
                timer_ = process_.after(postcopy_run, [this] {
                    start_loaded();
                    if (breaks_off_) {
                        break_off();
                    }
                });
            });
        },
        cargo_->behind);
}

void Incoming::end_postcopy() {
    source_ = nullptr;
    arrive([this] { say(Status::completed); });
}

void Incoming::lose_source() {
    source_ = nullptr;
    const bool sent_all = cargo_ && status_ == Status::active;
    breaks_off_ = sent_all && is_postcopy_;
    if (sent_all || status_ == Status::completed) {
        return;
    }
    arrive([this] { break_off(); });
}

void Incoming::break_off() {
    if (status_ == Status::postcopy_active) {
        say(Status::postcopy_paused);
        machine_.hang();
        return;
    }
    announced_.reset();
    say(Status::failed);
    timer_ = process_.after(process_.timings().exit, [this] { exits_(1); });
}

void Incoming::vanish() {
    leave();
    timer_.reset();
    arrival_.reset();
    announced_.reset();
    watch_.reset();
    arriving_ = nullptr;
    if (Outgoing* source = std::exchange(source_, nullptr)) {
        source->lose_peer();
    }
}

}  // namespace ktm::model
