// SPDX-License-Identifier: Apache-2.0
// cli/case_run.cc: a case of a plan, played in the simulated world or against a recording.
#include "cli/case_run.hh"

#include <algorithm>
#include <utility>

#include "cli/given_vars.hh"
#include "cli/plan_example.hh"
#include "cli/prepared_run.hh"
#include "cli/rehearsal.hh"
#include "cli/trial_words.hh"
#include "cli/verdict.hh"

namespace ktm::cli {

namespace {

constexpr std::string_view cases_ending = ".tests";
constexpr std::string_view plan_ending = ".lua";

/// Sees what a run against a recording does.
class Witness final : public script::Observer {
public:
    Witness(ports::Loop& loop, Rehearsal& rehearsal) : loop_(loop), rehearsal_(rehearsal) {}

    void on_action(const engine::Action& action) override {
        if (const auto* entered = std::get_if<engine::Entered>(&action)) {
            states_.push_back(entered->state);
        } else if (std::holds_alternative<engine::Ended>(action)) {
            rehearsal_.settle();
        }
    }
    void on_over(const script::Outcome& outcome) override {
        outcome_ = outcome;
        loop_.stop();
    }

    [[nodiscard]] bool is_over() const noexcept { return outcome_.has_value(); }
    [[nodiscard]] PlayedRole played(const std::string& role) const {
        PlayedRole played{role, states_, outcome_, false, false};
        for (const script::GuestStatus& guest : outcome_->guests) {
            played.has_guest = played.has_guest || (guest.vm.empty() && guest.status == "running");
        }
        return played;
    }

private:
    ports::Loop& loop_;
    Rehearsal& rehearsal_;
    std::vector<std::string> states_;
    std::optional<script::Outcome> outcome_;
};

class CaseRun {
public:
    CaseRun(ports::Files& files, const script::SearchPath& path, const std::string& file)
        : files_(files), path_(path) {
        result_.file = file;
    }

    CaseResult run() && {
        trial::ReadCase read = trial::read_case(files_, result_.file);
        result_.faults = std::move(read.faults);
        if (read.found) {
            case_ = std::move(*read.found);
            result_.claim = case_.claim;
            if (find_plan()) {
                case_.trace.empty() ? play_trial() : play_recording();
            }
        }
        for (plan::Fault& fault : result_.faults) {
            put_in_place(fault);
        }
        hide_secrets();
        return std::move(result_);
    }

private:
    [[nodiscard]] std::string folder() const {
        const std::size_t slash = result_.file.rfind('/');
        return slash == std::string::npos ? "." : result_.file.substr(0, slash);
    }

    void add_fault(const std::string& key, const std::string& what, const std::string& expected) {
        result_.faults.push_back({case_.place_of({key}), "", what, expected, ""});
    }

    /// The plan that the case names, or its folder does; beside the folder before anywhere else.
    bool find_plan() {
        const std::string here = folder();
        const std::string name = here.substr(here.rfind('/') + 1);
        const bool is_shelf = name.ends_with(cases_ending);
        std::string above = is_shelf ? here.substr(0, here.size() - name.size()) : here + "/";
        above = above.empty() || above == "./" ? "." : above.substr(0, above.size() - 1);
        path_.plans.insert(path_.plans.begin(), above);
        std::string wanted = case_.plan;
        if (wanted.empty() && is_shelf) {
            wanted = name.substr(0, name.size() - cases_ending.size());
        }
        if (wanted.empty()) {
            add_fault("plan", "the case names no plan", "plan = \"NAME\", or a folder NAME.tests");
            return false;
        }
        const bool is_path = wanted.find('/') != std::string::npos || wanted.ends_with(plan_ending);
        const Result<std::string> found = script::find_plan(
            files_, path_,
            !is_path || wanted.starts_with('/') || here == "." ? wanted : here + "/" + wanted);
        if (!found) {
            add_fault("plan", found.error().what, "");
            return false;
        }
        file_ = *found;
        return true;
    }

    /// As `katamaran simulate` has them.
    [[nodiscard]] TrialCommand command(const script::SearchPath& path) const {
        TrialCommand command;
        // The folder beside the case is not in the search path of whoever runs the command.
        script::SearchPath others = path;
        others.plans.erase(others.plans.begin());
        std::string name = file_.substr(file_.rfind('/') + 1);
        name.resize(name.size() - plan_ending.size());
        command.run.plan = call_of(files_, others, name, file_);
        command.run.vars = case_.vars;
        command.run.vars_file = case_.vars_file;
        command.run.role = case_.role;
        command.model = case_.model;
        for (const auto& [line, output] : case_.programs) {
            command.programs.push_back(line + std::string{program_arrow} + output);
        }
        return command;
    }

    /// What has no place of its own is about a var of the case, or about its plan.
    void put_in_place(plan::Fault& fault) const {
        constexpr std::string_view vars = "vars.";
        if (!fault.place.file.empty() || case_.file.empty()) {
            return;
        }
        fault.place = fault.where.starts_with(vars)
                          ? case_.place_of({"vars", fault.where.substr(vars.size())})
                          : case_.place_of({});
    }

    void check(const plan::Plan& plan, const std::vector<std::string>& plays) {
        trial::check_case(case_, plan, plays, result_.faults);
    }

    void hide_secrets() {
        result_.trouble = secrets_.hide(result_.trouble);
        for (trial::Violation& violation : result_.violations) {
            violation.what = secrets_.hide(violation.what);
        }
        for (Difference& difference : result_.differences) {
            difference.got = secrets_.hide(difference.got);
        }
    }

    // --- In the simulated world -----------------------------------------------------------------

    void play_trial() {
        std::optional<trial::Stage> stage = set_the_stage();
        if (!stage) {
            return;
        }
        std::vector<std::string> plays;
        for (const trial::Part& part : stage->parts) {
            plays.push_back(part.settings.role);
            secrets_.add(secrets_of(part.settings.values));
        }
        check(stage->parts.front().plan.plan(), plays);
        if (result_.is_wrong()) {
            return;
        }
        result_.again = command_line_of(command(path_));
        if (case_.tries_all) {
            trial::CampaignOptions options;
            result_.campaign = trial::run_campaign(*stage, options, {});
        } else {
            play_once(*stage);
        }
    }

    std::optional<trial::Stage> set_the_stage() {
        trial::StageOptions options;
        (void)trial::read_world(case_.model, options.world);
        options.programs = case_.programs;
        script::Loading loading = script::load_plan(files_, path_, file_);
        result_.faults = std::move(loading.faults);
        if (!loading.plan) {
            return std::nullopt;
        }
        GivenVars given;
        given.read(files_, loading.plan->plan(), case_.vars, case_.vars_file, result_.faults);
        if (result_.is_wrong()) {
            return std::nullopt;
        }
        options.plan = file_;
        options.role = case_.role;
        options.given = given.all();
        options.path = path_;
        trial::Staging staging = trial::set_the_stage(files_, options);
        result_.faults = std::move(staging.faults);
        return std::move(staging.stage);
    }

    void play_once(trial::Stage& stage) {
        const Result<trial::Faults> faults = trial::locate(stage, case_.strikes);
        if (!faults) {
            result_.again += " --list";
            result_.trouble = faults.error().what;
            return;
        }
        result_.again += faults_text(*faults);
        trial::TrialOptions options;
        options.faults = *faults;
        const trial::Report report = trial::play(stage, std::move(options));
        Played played;
        for (const trial::Ending& ending : report.endings) {
            PlayedRole role{ending.role,
                            {},
                            ending.outcome,
                            ending.killed,
                            report.guest_runs[static_cast<std::size_t>(ending.side)]};
            for (const trial::Entered& entered : ending.states) {
                role.states.push_back(entered.state);
            }
            played.roles.push_back(std::move(role));
        }
        played.violations = report.violations;
        played.dark = report.dark;
        played.total = report.total;
        played.lost = report.packets_lost();
        judge(played);
    }

    /// Who expects another end than the best has thought of why it does not get there.
    void judge(const Played& played) {
        result_.violations = played.violations;
        const std::vector<trial::RoleExpected>& roles = case_.expected.roles;
        if (std::any_of(roles.begin(), roles.end(), [](const trial::RoleExpected& role) {
                return !role.end.empty() && role.end != "done";
            })) {
            std::erase_if(result_.violations, [](const trial::Violation& violation) {
                return violation.invariant == trial::Invariant::gets_there;
            });
        }
        result_.differences = differences_of(case_.expected, played);
    }

    // --- Against a recording --------------------------------------------------------------------

    void play_recording() {
        RunOptions options = command(path_).run;
        options.plan = file_;
        options.path = path_;
        std::optional<PreparedRun> prepared = prepare_run(files_, options, result_.faults);
        if (!prepared) {
            return;
        }
        secrets_.add(prepared->secrets);
        check(prepared->plan.plan(), {prepared->settings.role});
        Result<sim::Recording> recording = sim::read_recording(files_, case_.trace);
        if (!recording) {
            add_fault("trace", recording.error().sentence(), "");
        }
        if (result_.is_wrong()) {
            return;
        }
        result_.again = command_line_of(command(path_)) + " --trace " + shell_word(case_.trace);
        const host::Settings host =
            settings_of(prepared->plan.plan(), prepared->settings, *recording);
        Rehearsal rehearsal{std::move(*recording)};
        if (const Result<void> opened = rehearsal.open(prepared->plan, prepared->settings);
            !opened) {
            add_fault("trace", opened.error().sentence(), "");
            return;
        }
        rehearse(rehearsal, *prepared, host);
    }

    void rehearse(Rehearsal& rehearsal, PreparedRun& prepared, const host::Settings& host) {
        const ports::World world = rehearsal.ports();
        Interruptions interruptions{world.signals};
        Witness witness{world.loop, rehearsal};
        script::Run run{world, prepared.plan, prepared.settings, host, nullptr, witness};
        turn(world, run, nullptr, interruptions, [&witness] { return witness.is_over(); });
        if (!witness.is_over()) {
            const std::optional<Error> why = rehearsal.undecided();
            result_.trouble =
                "undecided: " +
                (why ? why->sentence() : "nothing happens any more, and the run has not ended");
            return;
        }
        Played played;
        played.roles.push_back(witness.played(prepared.settings.role));
        played.total = played.roles.front().outcome->elapsed;
        judge(played);
    }

    ports::Files& files_;
    script::SearchPath path_;
    std::string file_;  ///< Of the plan.
    trial::Case case_;
    Secrets secrets_;
    CaseResult result_;
};

// --- What differs -------------------------------------------------------------------------------

/// As the last line of a run begins.
std::string end_of(const PlayedRole& role) {
    if (!role.outcome) {
        return role.killed ? "killed" : "it never ended";
    }
    const engine::Ended& ended = role.outcome->ended;
    const std::string end{engine::name_of(ended.end)};
    return ended.end == engine::End::done || ended.state.empty() ? end : end + " in " + ended.state;
}

std::string cause_of(const PlayedRole& role) {
    return role.outcome && role.outcome->ended.cause ? role.outcome->ended.cause->sentence() : "";
}

void compare(const trial::RoleExpected& expected, const PlayedRole& role,
             std::vector<Difference>& differences) {
    const std::string end = end_of(role);
    const std::string cause = cause_of(role);
    const std::string wanted =
        expected.end + (expected.in_state.empty() ? "" : " in " + expected.in_state);
    if (!wanted.empty() && end != wanted &&
        !(expected.in_state.empty() && end.starts_with(wanted + " in "))) {
        differences.push_back(
            {role.role + " ends", wanted, end + (cause.empty() ? "" : ": " + cause), {}});
    }
    if (!expected.why.empty() && cause.find(expected.why) == std::string::npos) {
        differences.push_back(
            {role.role + " why", expected.why, cause.empty() ? "no cause" : cause, {}});
    }
    const std::optional<int> code =
        role.outcome ? std::optional{exit_code_of(*role.outcome)} : std::nullopt;
    if (expected.exit && expected.exit != code) {
        differences.push_back({role.role + " exit",
                               std::to_string(*expected.exit),
                               code ? std::to_string(*code) : end,
                               {}});
    }
    trial::SideBySide both = trial::side_by_side(expected.states, role.states);
    if (!expected.states.empty() && !both.fits) {
        differences.push_back({role.role + " states", "", "", std::move(both.rows)});
    }
}

std::string guest_of(const Played& played) {
    std::string text;
    for (const PlayedRole& role : played.roles) {
        text += role.has_guest ? (text.empty() ? "" : " and ") + role.role : "";
    }
    return text.empty() ? std::string{trial::nowhere_word} : text;
}

}  // namespace

std::vector<Difference> differences_of(const trial::Expected& expected, const Played& played) {
    std::vector<Difference> differences;
    for (const PlayedRole& role : played.roles) {
        for (const trial::RoleExpected& one : expected.roles) {
            if (role.role == one.role) {
                compare(one, role, differences);
            }
        }
    }
    const std::string guest = guest_of(played);
    if (!expected.guest.empty() && expected.guest != guest) {
        differences.push_back({"guest runs at", expected.guest, guest, {}});
    }
    if (expected.total && played.total > *expected.total) {
        differences.push_back({"total",
                               "at most " + format_duration(*expected.total),
                               rounded_text(played.total),
                               {}});
    }
    // Who stood and never ran again was in the dark for good.
    const bool stands = !played.dark && guest == trial::nowhere_word;
    if (expected.dark && (stands || played.dark > expected.dark)) {
        differences.push_back({"dark",
                               "at most " + format_duration(*expected.dark),
                               stands ? "it stands for good" : rounded_text(*played.dark),
                               {}});
    }
    if (expected.lost && played.lost > *expected.lost) {
        differences.push_back({"lost",
                               "at most " + std::to_string(*expected.lost),
                               std::to_string(played.lost) + " packets",
                               {}});
    }
    return differences;
}

bool CaseResult::is_good() const {
    return faults.empty() && trouble.empty() && violations.empty() && differences.empty() &&
           (!campaign || (campaign->findings.empty() && campaign->undisturbed.empty()));
}

CaseResult run_case(ports::Files& files, const script::SearchPath& path, const std::string& file) {
    return CaseRun{files, path, file}.run();
}

}  // namespace ktm::cli
