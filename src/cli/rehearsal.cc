// SPDX-License-Identifier: Apache-2.0
// cli/rehearsal.cc: the world of a run that is played against a recording.
#include "cli/rehearsal.hh"

#include <algorithm>

#include "version.hh"

namespace ktm::cli {

namespace {

constexpr std::string_view vm_prefix = "qmp:";
constexpr std::string_view default_vm = "qmp";
/// How monitor::Client says that it could not connect.
constexpr std::string_view connecting = "could not connect to ";

/// "could not connect to ./vm.qmp: nobody listens there (ECONNREFUSED)", as an error again.
Error connection_error(std::string_view text, const Endpoint& endpoint) {
    const std::size_t what = std::min(text.find(": ", connecting.size()), text.size() - 2) + 2;
    const std::size_t code = std::min(text.rfind(" ("), text.size());
    const bool has_code = code > what && code != text.size() && text.ends_with(")");
    return Error{Kind::io,
                 std::string{has_code ? text.substr(code + 2, text.size() - code - 3) : "unknown"},
                 std::string{text.substr(what, has_code ? code - what : std::string_view::npos)},
                 "connect to " + endpoint.text(), nullptr};
}

/// Where a port of the recording is reached; nothing when it is no monitor, or of no VM of the
/// plan.
std::optional<Endpoint> endpoint_of(const std::string& port, const sim::ScenarioRecords& records,
                                    const plan::Settings& settings) {
    if (port == default_vm) {
        const auto socket = settings.values.find(default_vm);
        return socket == settings.values.end()
                   ? std::nullopt
                   : std::optional<Endpoint>{UnixEndpoint{socket->second.as_text()}};
    }
    if (!port.starts_with(vm_prefix)) {
        return std::nullopt;
    }
    return sim::endpoint_of(records, port);
}

}  // namespace

Result<void> Rehearsal::open(const script::LoadedPlan& plan, const plan::Settings& settings) {
    const sim::ScenarioRecords& records = recording_.conversations;
    bool is_reached = false;
    for (const std::string& port : sim::ports_of(records)) {
        const std::optional<Endpoint> endpoint = endpoint_of(port, records, settings);
        if (endpoint) {
            KTM_CHECK(open(port, *endpoint));
            is_reached = true;
        }
    }
    arm_signals();
    if (const auto place = script::peer_place_of(plan.plan(), settings)) {
        open_peer(plan, *place);
    }
    if (!is_reached && settings.values.contains(default_vm)) {
        return Error{Kind::invalid, "no-monitor",
                     "the recording holds no monitor that the plan would connect to", "", nullptr};
    }
    return {};
}

ports::World Rehearsal::ports() {
    const ports::World all = world_.ports();
    return {all.loop, all.clock,   transport_, processes_,
            files_,   all.signals, networks_,  all.ciphers};
}

std::optional<Error> Rehearsal::undecided() {
    return undecided_ ? undecided_ : world_.loop().fault();
}

std::vector<std::string> Rehearsal::untold() const {
    std::vector<std::string> rest;
    for (const auto& monitor : monitors_) {
        if (std::optional<std::string> first = monitor->untold()) {
            rest.push_back(monitor->place() + ": from " + std::move(*first) + " on");
        }
    }
    if (std::optional<std::string> first = peer_ ? peer_->untold() : std::nullopt) {
        rest.push_back("from " + std::move(*first) + " on");
    }
    for (const sim::RecalledExchanges* one : {&networks_.exchanges(), &processes_.exchanges()}) {
        if (std::optional<std::string> first = one->untold()) {
            rest.push_back("from " + std::move(*first) + " on");
        }
    }
    return rest;
}

Duration Rehearsal::beyond() {
    Duration most{};
    for (const auto& monitor : monitors_) {
        if (const std::optional<Instant> known = monitor->known_until()) {
            most = std::max(most, world_.virtual_clock().now() - *known);
        }
    }
    return most;
}

Result<void> Rehearsal::open(const std::string& port, const Endpoint& endpoint) {
    const sim::ScenarioRecords records = sim::on_port(recording_.conversations, port);
    const sim::ScenarioRecord& first = *records.front();
    if (first.turn == sim::Turn::eof && first.text.starts_with(connecting)) {
        transport_.expect(endpoint, connection_error(first.text, endpoint));
        return {};
    }
    transport_.expect(endpoint);
    Result<std::unique_ptr<sim::RecalledMonitor>> monitor =
        sim::RecalledMonitor::open(world_.virtual_clock(), world_.ports().transport, endpoint,
                                   records, recording_.end - records.back()->at,
                                   {[this](Error error) { give_up(std::move(error)); },
                                    [this](int signal) { world_.signals().deliver(signal); }});
    if (!monitor) {
        return std::move(monitor).error();
    }
    monitors_.push_back(std::move(*monitor));
    return {};
}

/// A run that was recorded knows whether somebody came. What others recorded does not tell.
void Rehearsal::open_peer(const script::LoadedPlan& plan, const script::PeerPlace& place) {
    std::vector<trace::Record>& records = recording_.exchanges[std::string{trace::peer_port}];
    if (records.empty() && recording_.run.empty()) {
        return;
    }
    peer_ = std::make_unique<sim::RecalledPeer>(
        world_.virtual_clock(), sim::RecalledTalk{std::move(records), recording_.end},
        plan.plan().name, plan.digest(), [this](Error error) { give_up_talk(std::move(error)); });
    transport_.expect(place.endpoint(), *peer_);
}

/// Where no VM was recorded, signals come when they came.
void Rehearsal::arm_signals() {
    for (const auto& record : sim::on_port(recording_.conversations, trace::signal_port)) {
        signals_.push_back(world_.virtual_clock().arm(
            record->at, [this, signal = record->signal] { world_.signals().deliver(signal); }));
    }
}

sim::RecalledExchanges Rehearsal::exchanges(std::string_view port) {
    return {std::move(recording_.exchanges[std::string{port}]), recording_.end};
}

void Rehearsal::give_up(Error error) {
    if (!undecided_ && !is_settling_) {
        undecided_ = std::move(error);
        world_.loop().stop();
    }
}

/// The end of a run that is over does not depend on what the other node makes of it.
void Rehearsal::give_up_talk(Error error) {
    if (is_settling_) {
        unheard_ = std::move(error);
    } else {
        give_up(std::move(error));
    }
}

host::Settings settings_of(const plan::Plan& plan, const plan::Settings& settings,
                           const sim::Recording& recording) {
    host::Settings host;
    host.header.version = version;
    host.header.run = recording.run.empty() ? "simulated" : recording.run;
    host.header.vm = recording.vm;
    host.folder = recording.state.empty() ? host.folder : recording.state;
    host.header.plan = plan.name;
    host.header.role = settings.role;
    return host;
}

}  // namespace ktm::cli
