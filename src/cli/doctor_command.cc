// SPDX-License-Identifier: Apache-2.0
// cli/doctor_command.cc: `katamaran doctor`: what a run would look at before it begins.
//
// It is a run that ends behind its looks: the same plan, the same functions. The other node is not
// asked, and a QEMU that does not answer is found to be so.
#include "cli/doctor_command.hh"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hh"
#include "cli/console.hh"
#include "cli/run_identity.hh"
#include "host/recovery.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

using script::Finding;

constexpr std::size_t state_columns = 7;  ///< "unknown"
constexpr std::array all_states{Finding::State::ok, Finding::State::warn, Finding::State::bad,
                                Finding::State::unknown};

class Doctor final : public script::Observer {
public:
    Doctor(const ports::World& world, Console& console, const Secrets& secrets)
        : world_(world), console_(console), secrets_(secrets) {}

    void on_finding(const Finding& finding) override {
        ++counts_.at(static_cast<std::size_t>(finding.state));
        if (console_.json()) {
            write(secrets_.hide(script::finding_json(finding)));
            return;
        }
        const std::string_view name = script::name_of(finding.state);
        const std::string pad(state_columns + 2 - name.size(), ' ');
        write(console_.paint(colour_of(finding.state), name) + pad + shown(finding.what) + ": " +
              shown(finding.saw));
        if (!finding.remedy.empty()) {
            write(std::string(state_columns + 2, ' ') +
                  console_.paint(Colour::dim, "→ " + shown(finding.remedy)));
        }
    }

    void on_over(const script::Outcome& outcome) override {
        is_over_ = true;
        interrupted_ = outcome.interrupted;
        world_.loop.stop();
    }

    [[nodiscard]] bool is_over() const noexcept { return is_over_; }

    [[nodiscard]] int finish() {
        const int code = interrupted_                                  ? exit_interrupted
                         : count(Finding::State::bad) > 0 || !is_over_ ? exit_failed
                                                                       : exit_done;
        std::string text;
        json::ObjectWriter sum;
        for (const Finding::State state : all_states) {
            const std::string name{script::name_of(state)};
            text += (text.empty() ? "" : ", ") + std::to_string(count(state)) + " " + name;
            sum.integer(name, count(state));
        }
        sum.integer("exit", code);
        write(console_.json()
                  ? std::move(sum).finish()
                  : text + (interrupted_ ? "; interrupted" : "") + "; nothing was changed");
        return written_ ? code : console_.explain_loss();
    }

private:
    static Colour colour_of(Finding::State state) {
        switch (state) {
            case Finding::State::ok: return Colour::green;
            case Finding::State::bad: return Colour::red;
            case Finding::State::warn: return Colour::yellow;
            case Finding::State::unknown: return Colour::cyan;
        }
        return Colour::plain;
    }
    [[nodiscard]] int count(Finding::State state) const {
        return counts_.at(static_cast<std::size_t>(state));
    }
    [[nodiscard]] std::string shown(const std::string& text) const {
        return printable(secrets_.hide(text));
    }
    void write(const std::string& line) { written_ = console_.line(line) && written_; }

    const ports::World& world_;
    Console& console_;
    const Secrets& secrets_;
    std::array<int, all_states.size()> counts_{};
    bool is_over_ = false;
    bool interrupted_ = false;
    bool written_ = true;
};

Finding finding_of(const host::Found& found, const std::string& vm) {
    const host::Header& header = found.remains.header;
    const std::string run = "the run " + header.run + " of " + header.began;
    const bool is_ours = !vm.empty() && header.vm == vm;
    if (!found.unreadable.empty()) {
        return {vm.empty() ? Finding::State::warn : Finding::State::bad, "journal " + found.path,
                "it cannot be read: " + found.unreadable,
                "see with katamaran recover --by-mark --dry-run what its run left, then remove it"};
    }
    if (found.alive) {
        return {is_ours ? Finding::State::bad : Finding::State::ok, "journal " + found.path,
                run + (is_ours      ? " works on this VM"
                       : vm.empty() ? " is at work"
                                    : " is at work, on another VM"),
                is_ours ? "wait until it is over" : ""};
    }
    return {is_ours ? Finding::State::bad : Finding::State::warn, "journal " + found.path,
            run + " ended without taking back what it changed", "katamaran recover"};
}

/// What earlier runs have left in journals; a run refuses to begin because of it as well.
void look_for_remains(const ports::World& world, const std::string& folder, const std::string& vm,
                      Doctor& doctor) {
    Result<std::vector<host::Found>> all = host::find_journals(world.files, folder);
    if (!all) {
        doctor.on_finding({Finding::State::bad, "journals", all.error().sentence(),
                           "see who may read " + folder});
        return;
    }
    for (const host::Found& found : *all) {
        doctor.on_finding(finding_of(found, vm));
    }
    if (all->empty()) {
        doctor.on_finding({Finding::State::ok, "journals", "none in " + folder, ""});
    }
}

}  // namespace

int run_doctor(const ports::World& world, const RunOptions& options) {
    Console console{options.json};
    std::optional<PreparedRun> prepared = prepare_run(world.files, console, options);
    if (!prepared) {
        return exit_usage;
    }
    Result<host::Settings> host =
        identify_run(world, options.state, prepared->plan.plan().name, prepared->settings);
    if (!host) {
        console.error(host.error());
        return exit_usage;
    }
    Interruptions interruptions{world.signals};
    Doctor doctor{world, console, prepared->secrets};
    look_for_remains(world, options.state, vm_of(prepared->settings), doctor);
    script::Run run{world, prepared->plan, prepared->settings, std::move(*host), nullptr, doctor};
    run.look_only();
    turn(world, run, nullptr, interruptions, [&doctor] { return doctor.is_over(); });
    return doctor.finish();
}

}  // namespace ktm::cli
