// SPDX-License-Identifier: Apache-2.0
// tests/scenarios/stage.cc: a scenario, played in a virtual world and told as text.
#include "scenarios/stage.hh"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.hh"
#include "cli/given_vars.hh"
#include "cli/interruptions.hh"
#include "cli/verdict.hh"
#include "harness/expectation.hh"
#include "json/parser.hh"
#include "json/writer.hh"
#include "scenarios/net_world.hh"
#include "scenarios/told_ports.hh"
#include "script/loader.hh"
#include "script/run.hh"
#include "sim/virtual_world.hh"

namespace ktm::testing {

namespace {

const std::string vars_file = "vars.json";
const std::string recording_file = "/recording.jsonl";
constexpr std::size_t time_columns = 10;
constexpr std::string_view default_port = "qmp";
/// LIMIT: what is told; a run that goes on beyond it would never end.
constexpr std::size_t text_bytes_max = 4U << 20U;

/// Writes down what happens, in the order in which it happens.
class Chronicle final : public script::Observer {
public:
    Chronicle(sim::VirtualWorld& world, Secrets secrets)
        : world_(world), secrets_(std::move(secrets)) {}

    void on_input(const engine::Input& input) override { tell("<- ", engine::describe(input)); }
    void on_action(const engine::Action& action) override {
        const std::string line = engine::describe(action);
        tell("-> ", std::holds_alternative<engine::RunBody>(action) ? without_number(line) : line);
    }
    void on_words(std::string_view level, std::string_view text) override {
        tell("** ", std::string{level} + ": " + std::string{text});
    }
    void on_over(const script::Outcome& outcome) override {
        tell_outgoing();
        text_ += "\n" + clean(cli::verdict(outcome)) + "\n";
        text_ += "exit " + std::to_string(cli::exit_code_of(outcome)) + "\n";
        is_over_ = true;
        world_.loop().stop();
    }

    /// Something that went out.
    void tell_out(const std::string& line) {
        if (!is_over_) {
            tell("=> ", line);
        }
    }

    [[nodiscard]] bool is_over() const noexcept { return is_over_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    /// Whoever loads the plan numbers its functions; here the numbers say nothing.
    static std::string without_number(const std::string& line) {
        const std::size_t number = line.find(", function ");
        const std::size_t end = line.find(',', number == line.npos ? number : number + 1);
        return number == line.npos
                   ? line
                   : line.substr(0, number) + (end == line.npos ? "" : line.substr(end));
    }

    void tell(std::string_view mark, const std::string& line) {
        tell_outgoing();
        append(world_.virtual_clock().now().time_since_epoch(), mark, line);
    }

    /// The commands that went out meanwhile: they are in the recording, with their times.
    void tell_outgoing() {
        const std::string& recording = world_.files().all().at(recording_file);
        const std::vector<std::string>& heard = world_.networks().heard();
        for (; heard_ < heard.size(); ++heard_) {
            if (heard[heard_].starts_with("guard: ")) {
                append(world_.virtual_clock().now().time_since_epoch(), "=> ", heard[heard_]);
            }
        }
        while (recorded_ < recording.size()) {
            const std::size_t end = recording.find('\n', recorded_);
            tell_record(recording.substr(recorded_, end - recorded_));
            recorded_ = end + 1;
        }
    }

    void tell_record(const std::string& line) {
        const Result<json::Document> record = json::parse(line);
        if (!record || record->root().find_string("dir") != "out") {
            return;
        }
        const std::optional<json::View> message = record->root().find("msg");
        const auto command = message ? sim::command_in(*message) : std::nullopt;
        if (!command) {
            return;
        }
        const std::optional<json::View> arguments = message->find("arguments");
        append(Duration{record->root().find_int("t").value_or(0)}, "=> ",
               std::string{*record->root().find_string("port")} + " " + std::string{*command} +
                   (arguments ? " " + json::compact(*arguments) : std::string{}));
    }

    void append(Duration instant, std::string_view mark, const std::string& line) {
        const std::string time = instant == Duration::zero() ? "0 s" : format_duration(instant);
        text_ += std::string(time_columns - std::min(time.size(), time_columns), ' ') + time +
                 "  " + std::string{mark} + clean(line) + "\n";
        if (text_.size() > text_bytes_max) {
            world_.loop().stop();
        }
    }

    [[nodiscard]] std::string clean(const std::string& line) const {
        return printable(secrets_.hide(line));
    }

    sim::VirtualWorld& world_;
    Secrets secrets_;
    std::string text_;
    bool is_over_ = false;
    std::size_t heard_ = 0;     ///< What kernels heard, and was looked at.
    std::size_t recorded_ = 0;  ///< Bytes of the recording that are told.
};

/// As the command line names it, but the same each time.
host::Settings host_settings(const plan::Plan& plan, const plan::Settings& settings) {
    host::Settings host;
    host.header = {"scenario", "00000000000000aa",    "", plan.name, settings.role,
                   "a boot",   "2026-01-01T00:00:00Z"};
    return host;
}

Error interruption(int signal) {
    return Error{Kind::cancelled, "interrupted",
                 "interrupted by SIG" + std::string{::sigabbrev_np(signal)}, "", nullptr};
}

/// One play, from the folder's content to the text.
class Stage {
public:
    Stage(const Scenario& scenario, const std::filesystem::path& lua) : scenario_(scenario) {
        copy_folder(lua, "lua", world_.files());
        copy_folder(scenario.folder / "files", "/", world_.files());
        if (!scenario.plan_folder.empty()) {
            copy_folder(scenario.plan_folder, scenario.plan_folder.filename().string(),
                        world_.files());
        }
        if (!scenario.vars.empty()) {
            (void)world_.files().replace(vars_file, scenario.vars);
        }
        for (const auto& [line, outcome] : scenario.programs) {
            world_.processes().install(line, outcome);
        }
    }

    Telling play() && {
        if (!scenario_.net.empty()) {
            Result<std::unique_ptr<NetWorld>> net = NetWorld::open(scenario_.net, world_);
            if (!net) {
                trouble(net.error().sentence());
                return std::move(telling_);
            }
            net_ = std::move(*net);
        }
        const script::SearchPath path{{"lua/plans"}, {"lua/stdlib"}};
        script::Loading loading = script::load_plan(world_.files(), path, scenario_.plan);
        if (!loading.plan) {
            refuse(loading.faults);
            return std::move(telling_);
        }
        plan::Faults faults;
        cli::GivenVars given;
        given.read(world_.files(), loading.plan->plan(), {},
                   scenario_.vars.empty() ? "" : vars_file, faults);
        const std::string role =
            plan::decide_role(loading.plan->plan(), scenario_.role, given.all(), faults);
        plan::Settings settings;
        if (!role.empty()) {
            settings = plan::resolve(loading.plan->plan(), role, given.all(), faults);
        }
        if (!faults.empty()) {
            refuse(faults);
            return std::move(telling_);
        }
        telling_.text = "plan " + loading.plan->plan().name + ", role " + role + "\n\n";
        open_monitors(settings);
        carry_out(*loading.plan, settings);
        look_back();
        return std::move(telling_);
    }

private:
    /// A plan or vars that are wrong: nothing is run.
    void refuse(const plan::Faults& faults) {
        for (const plan::Fault& fault : faults) {
            telling_.text += fault.sentence() + "\n";
        }
        telling_.text += "exit 2\n";
        if (!scenario_.records.empty()) {
            trouble("the plan was refused, and the trace was not played");
        }
    }

    void open_monitors(const plan::Settings& settings) {
        for (const std::string& port : sim::ports_of(scenario_.records)) {
            const auto socket = settings.values.find(default_port);
            if (port == default_port && socket == settings.values.end()) {
                trouble("the trace has a port 'qmp', and the plan no such var");
                continue;
            }
            const std::string place = port == default_port ? socket->second.as_text() : port;
            const Result<void> opened =
                world_.replay(Endpoint{UnixEndpoint{place}}, sim::on_port(scenario_.records, port));
            if (!opened) {
                trouble(opened.error().sentence());
            }
        }
    }

    void carry_out(script::LoadedPlan& plan, const plan::Settings& settings) {
        const ports::World all = world_.ports();
        const Secrets secrets = cli::secrets_of(settings.values);
        auto recorder =
            monitor::Recorder::open(world_.files(), all.clock, recording_file, "scenario");
        KTM_ASSERT(recorder.has_value());
        (*recorder)->hide(secrets);
        Chronicle chronicle{world_, secrets};
        const Tell tell = [&chronicle](const std::string& line) { chronicle.tell_out(line); };
        const auto processes = told_processes(all.processes, tell);
        const auto files = told_files(all.files, tell);
        const auto networks = told_networks(all.networks, tell);
        const ports::World ports{all.loop, all.clock,   all.transport, *processes,
                                 *files,   all.signals, *networks,     all.ciphers};
        cli::Interruptions interruptions{ports.signals};
        script::Run run{ports,           plan,     settings, host_settings(plan.plan(), settings),
                        recorder->get(), chronicle};
        interruptions.tell([&run](int signal) { run.interrupt(interruption(signal)); });
        run.start();
        if (!chronicle.is_over()) {
            ports.loop.run();
        }
        telling_.text += chronicle.text();
        if (!chronicle.is_over()) {
            trouble("the run does not end; state '" + run.state() + "'");
        }
    }

    /// What the kernels and the journals of a scenario with a net.json have become.
    void look_at_kernels() {
        if (net_ == nullptr) {
            return;
        }
        const std::string difference = net_->difference();
        telling_.text += "\n" + (difference.empty() ? "the kernel is as it was\n"
                                                    : "the kernel is not as it was\n" + difference);
        for (const auto& [path, text] : world_.files().all()) {
            if (path.ends_with(".journal")) {
                telling_.text += "left: " + path + "\n";
            }
        }
        net_ = nullptr;
    }

    /// What the play left behind.
    void look_back() {
        look_at_kernels();
        if (const std::optional<Error> fault = world_.fault()) {
            trouble(fault->sentence());
        }
        if (const std::size_t waiting = world_.loop().close(); waiting > 0) {
            trouble(std::to_string(waiting) + " things still wait in the clock after the end");
        }
        std::string rest;
        for (const auto& monitor : world_.monitors()) {
            if (const std::optional<std::string> unplayed = monitor->unplayed()) {
                rest += (rest.empty() ? "" : "; ") + monitor->place() + ": " + *unplayed;
            }
        }
        if (rest != scenario_.rest && !world_.fault()) {
            trouble("of the trace is left: " + (rest.empty() ? "nothing" : rest));
        }
        for (const int signal : world_.signals().deadly()) {
            trouble("the signal " + std::to_string(signal) + " would have killed the program");
        }
    }

    void trouble(std::string what) { telling_.troubles.push_back(std::move(what)); }

    const Scenario& scenario_;
    sim::VirtualWorld world_;
    std::unique_ptr<NetWorld> net_;
    Telling telling_;
};

}  // namespace

Telling play(const Scenario& scenario, const std::filesystem::path& lua) {
    return Stage{scenario, lua}.play();
}

}  // namespace ktm::testing
