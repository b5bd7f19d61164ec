// SPDX-License-Identifier: Apache-2.0
// cli/simulate_command.cc: `katamaran simulate`: a plan, carried out against a recording.
//
// Theory of operation. It is the run of `katamaran run`, in a world of its own: the clock is
// virtual, and QEMU, the kernel, programs and signals are what a recording says of them. What the
// recording cannot answer ends the simulation at once, undecided: nothing is made up, and no undo
// is played of which nobody knows how it would go. When the run has ended already, and only its
// guests are asked yet, what is not known of them is called so by the run itself.
#include "cli/simulate_command.hh"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.hh"
#include "json/writer.hh"
#include "sim/recalled_monitor.hh"
#include "sim/recalled_networks.hh"
#include "sim/recalled_ports.hh"
#include "sim/virtual_world.hh"
#include "trace/exchange.hh"
#include "version.hh"

namespace ktm::cli {

namespace {

constexpr std::string_view vm_prefix = "qmp:";
constexpr std::string_view default_vm = "qmp";
/// How monitor::Client says that it could not connect.
constexpr std::string_view connecting = "could not connect to ";
/// A run that waits for nothing differs by less from its recording.
constexpr Duration short_silence{std::chrono::seconds{1}};

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

/// The world of one simulation.
class Rehearsal {
public:
    explicit Rehearsal(sim::Recording recording) : recording_(std::move(recording)) {}

    /// The monitors of the recording, each where the plan will look for it.
    [[nodiscard]] Result<void> open(const plan::Settings& settings) {
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
        if (!is_reached && settings.values.contains(default_vm)) {
            return Error{Kind::invalid, "no-monitor",
                         "the recording holds no monitor that the plan would connect to", "",
                         nullptr};
        }
        return {};
    }

    [[nodiscard]] ports::World ports() {
        const ports::World all = world_.ports();
        return {all.loop, all.clock, transport_, processes_, files_, all.signals, networks_};
    }

    /// The run asks its guests, and nothing else.
    void settle() { is_settling_ = true; }

    /// What nobody knows, at which the simulation ended.
    [[nodiscard]] std::optional<Error> undecided() {
        return undecided_ ? undecided_ : world_.loop().fault();
    }
    [[nodiscard]] const sim::Recording& recording() const noexcept { return recording_; }

    /// What of the recording did not happen again.
    [[nodiscard]] std::vector<std::string> untold() const {
        std::vector<std::string> rest;
        for (const auto& monitor : monitors_) {
            if (std::optional<std::string> first = monitor->untold()) {
                rest.push_back(monitor->place() + ": from " + std::move(*first) + " on");
            }
        }
        for (const sim::RecalledExchanges* one :
             {&networks_.exchanges(), &processes_.exchanges()}) {
            if (std::optional<std::string> first = one->untold()) {
                rest.push_back("from " + std::move(*first) + " on");
            }
        }
        return rest;
    }

    /// How long it went on while QEMU was silent behind the end of the recording.
    [[nodiscard]] Duration beyond() {
        Duration most{};
        for (const auto& monitor : monitors_) {
            if (const std::optional<Instant> known = monitor->known_until()) {
                most = std::max(most, world_.virtual_clock().now() - *known);
            }
        }
        return most;
    }

private:
    /// Where a port of the recording is reached; nothing when it is no monitor, or of no VM of the
    /// plan.
    static std::optional<Endpoint> endpoint_of(const std::string& port,
                                               const sim::ScenarioRecords& records,
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

    Result<void> open(const std::string& port, const Endpoint& endpoint) {
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

    /// Where no VM was recorded, signals come when they came.
    void arm_signals() {
        for (const auto& record : sim::on_port(recording_.conversations, trace::signal_port)) {
            signals_.push_back(world_.virtual_clock().arm(
                record->at, [this, signal = record->signal] { world_.signals().deliver(signal); }));
        }
    }

    [[nodiscard]] sim::RecalledExchanges exchanges(std::string_view port) {
        return {std::move(recording_.exchanges[std::string{port}]), recording_.end};
    }

    void give_up(Error error) {
        if (!undecided_ && !is_settling_) {
            undecided_ = std::move(error);
            world_.loop().stop();
        }
    }

    sim::Recording recording_;
    sim::VirtualWorld world_;
    std::vector<std::unique_ptr<sim::RecalledMonitor>> monitors_;
    std::vector<std::unique_ptr<ports::Timer>> signals_;
    sim::RecalledTransport transport_{world_.ports().transport,
                                      [this](Error error) { give_up(std::move(error)); }};
    sim::RecalledProcesses processes_{world_.virtual_clock(), exchanges(trace::exec_port),
                                      [this](Error error) { give_up(std::move(error)); }};
    sim::RecalledFiles files_{exchanges(trace::files_port),
                              [this](Error error) { give_up(std::move(error)); }};
    sim::RecalledNetworks networks_{world_.virtual_clock(), exchanges(trace::net_port),
                                    [this](Error error) { give_up(std::move(error)); }};
    bool is_settling_ = false;
    std::optional<Error> undecided_;
};

/// As the run of the recording: by its name it marks what it makes in the kernel.
host::Settings settings_of(const PreparedRun& prepared, const sim::Recording& recording) {
    host::Settings host;
    host.header.version = version;
    host.header.run = recording.run.empty() ? "simulated" : recording.run;
    host.header.vm = recording.vm;
    host.folder = recording.state.empty() ? host.folder : recording.state;
    host.header.plan = prepared.plan.plan().name;
    host.header.role = prepared.settings.role;
    return host;
}

int tell_undecided(Console& console, const Error& error, const Secrets& secrets) {
    const std::string why = secrets.hide(error.sentence());
    std::string line;
    if (console.json()) {
        json::ObjectWriter end;
        end.text("kind", "end").text("end", "undecided").integer("exit", exit_undecided);
        end.text("why", why);
        line = std::move(end).finish();
    } else {
        line = console.paint(Colour::yellow, "undecided: " + printable(why));
    }
    return console.line(line) ? exit_undecided : console.explain_loss();
}

/// What the end alone does not say.
void tell_rest(Console& console, Rehearsal& rehearsal, int code) {
    for (const std::string& rest : rehearsal.untold()) {
        console.note("not needed of the recording: " + rest);
    }
    const Duration beyond = rehearsal.beyond();
    if (code != exit_done && beyond > short_silence) {
        console.note("this took " + format_duration(beyond) +
                     " longer than the recording, for which QEMU was taken to be silent");
    }
}

}  // namespace

int simulate_plan(ports::Files& files, const SimulateOptions& options) {
    Console console{options.run.json};
    std::optional<PreparedRun> prepared = prepare_run(files, console, options.run);
    if (!prepared) {
        return exit_usage;
    }
    Result<sim::Recording> recording = sim::read_recording(files, options.trace);
    if (!recording) {
        console.error(recording.error());
        return exit_usage;
    }
    if (recording->damage) {
        console.note(options.trace +
                     " is damaged, and taken up to there: " + recording->damage->sentence());
    }
    const host::Settings host = settings_of(*prepared, *recording);
    Rehearsal rehearsal{std::move(*recording)};
    if (Result<void> opened = rehearsal.open(prepared->settings); !opened) {
        console.error(std::move(opened).error().while_trying("simulate with " + options.trace));
        return exit_usage;
    }
    const ports::World world = rehearsal.ports();
    Interruptions interruptions{world.signals};
    const std::optional<int> code =
        carry_out(world, console, *prepared, host, interruptions,
                  RunWith{nullptr, {}, false, [&rehearsal] { rehearsal.settle(); }});
    if (code) {
        tell_rest(console, rehearsal, *code);
        return *code;
    }
    const Error quiet{Kind::protocol, "not-recorded",
                      "nothing happens any more, and the run has not ended", "", nullptr};
    return tell_undecided(console, rehearsal.undecided().value_or(quiet), prepared->secrets);
}

}  // namespace ktm::cli
