// SPDX-License-Identifier: Apache-2.0
// cli/trial_command.cc: `katamaran simulate` without a recording: a plan in a world of models.
//
// What it prints depends on nothing but its arguments and the plan: no time of day, no duration of
// its own.
#include "cli/trial_command.hh"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/log.hh"
#include "base/text.hh"
#include "cli/columns.hh"
#include "cli/drawn_timeline.hh"
#include "cli/faults.hh"
#include "cli/given_vars.hh"
#include "cli/interrupt_flag.hh"
#include "cli/live_line.hh"
#include "cli/trial_words.hh"
#include "cli/verdict.hh"
#include "json/writer.hh"
#include "trace/exchange.hh"
#include "trace/reader.hh"
#include "trace/writer.hh"
#include "trial/campaign.hh"
#include "trial/strike.hh"

namespace ktm::cli {

namespace {

using trial::Side;

constexpr std::size_t side_columns = 7;
/// A campaign that takes longer than this shows how far it is, so often.
constexpr Duration silence_first{std::chrono::seconds{2}};
constexpr Duration live_every{std::chrono::milliseconds{500}};

/// Tells one trial as it goes, a line for each thing that a person follows.
class Narration {
public:
    Narration(Console& console, const Secrets& secrets, bool two_nodes)
        : console_(console), secrets_(secrets), two_nodes_(two_nodes) {}

    void tell(Instant at, Side side, std::string_view kind, std::string_view words) {
        const std::string text = secrets_.hide(words);
        if (console_.json()) {
            json::ObjectWriter line;
            line.integer("t", at.time_since_epoch().count());
            line.text("side", model::name_of(side)).text("kind", kind).text("text", text);
            written_ = console_.line(std::move(line).finish()) && written_;
            return;
        }
        const Colour colour = kind == "fault"   ? Colour::red
                              : kind == "guest" ? Colour::bold
                              : kind == "warn" || kind == "error" || kind == "trouble"
                                  ? Colour::yellow
                                  : Colour::cyan;
        if (kind == "debug" || kind == "progress") {
            return;
        }
        std::string line = right_aligned(format_duration(rounded(at)), time_columns) + "  ";
        line += two_nodes_ ? std::string{model::name_of(side)} +
                                 std::string(side_columns - model::name_of(side).size(), ' ')
                           : "";
        line += kind == "guest" ? "guest: " : "";
        written_ = console_.line(line + console_.paint(colour, printable(text))) && written_;
    }
    [[nodiscard]] bool is_written() const noexcept { return written_; }

private:
    static Duration rounded(Instant at) {
        return std::chrono::round<std::chrono::microseconds>(at.time_since_epoch());
    }

    Console& console_;
    const Secrets& secrets_;
    bool two_nodes_;
    bool written_ = true;
};

/// What of a run's actions a person follows.
bool is_followed(std::string_view text) {
    return text.starts_with("enter ") || text.starts_with("trouble") || text.starts_with("undo ") ||
           text.starts_with("not undone") || text.starts_with("release") ||
           text.starts_with("commit");
}

/// One command on a simulated plan.
class Trying {
public:
    Trying(const Desk& desk, Console& console, trial::Stage& stage, const TrialCommand& command)
        : files_(desk.files), now_(desk.now), console_(console), stage_(stage), command_(command) {
        for (const trial::Part& part : stage.parts) {
            secrets_.add(secrets_of(part.settings.values));
        }
    }

    int run() {
        if (!command_.scope.empty() || command_.runs > 0) {
            return run_campaign();
        }
        return run_one();
    }

private:
    int run_one() {
        trial::TrialOptions options;
        if (const Result<void> given = take_faults(options.faults); !given) {
            // What crosses may have a secret in it.
            Error error{given.error()};
            error.what = secrets_.hide(error.what);
            console_.error(error);
            return exit_usage;
        }
        options.keeps = command_.lists ? trial::Keep::texts : trial::Keep::nothing;
        Narration narration{console_, secrets_, stage_.has_two_nodes()};
        options.told = [&](Instant at, Side side, std::string_view kind, std::string_view text) {
            if (kind != "action" || is_followed(text)) {
                narration.tell(at, side, kind, text);
            }
        };
        std::optional<TimelineFile> picture;
        std::array<std::string, 2> recordings;
        if (!command_.timeline.empty()) {
            Result<TimelineFile> opened = TimelineFile::open(files_, command_.timeline);
            if (!opened) {
                console_.error(opened.error());
                return exit_usage;
            }
            picture.emplace(std::move(*opened));
            options.recorded = [&](Side side, std::string_view line) {
                recordings[static_cast<std::size_t>(side)] += secrets_.hide(line);
            };
        }
        const trial::Faults faults = options.faults;
        const trial::Report report = trial::play(stage_, std::move(options));
        if (picture) {
            draw(*picture, recordings, report);
        }
        tell_idle(faults, report);
        return tell(report);
    }

    /// Those of the command line, in their order. They are played once, in silence: one that cannot
    /// strike is no fault of this plan, and nothing is told of a trial that is not what was meant.
    Result<void> take_faults(trial::Faults& faults) {
        for (const std::string& text : command_.faults) {
            Result<trial::Fault> fault = trial::parse_fault(text);
            if (!fault) {
                return Error{fault.error()};
            }
            faults.push_back(*fault);
        }
        if (faults.empty()) {
            return {};
        }
        std::stable_sort(
            faults.begin(), faults.end(),
            [](const trial::Fault& one, const trial::Fault& other) { return one.at < other.at; });
        return trial::check_strikes(
            stage_, faults, trial::play(stage_, {faults, trial::Keep::texts, nullptr, nullptr}));
    }

    /// What an earlier fault has made impossible.
    void tell_idle(const trial::Faults& faults, const trial::Report& report) {
        for (std::size_t at = 0; at < faults.size(); ++at) {
            const std::string text = trial::text_of(faults[at]);
            if (report.turns[at] == trial::Turn::none) {
                console_.note(text +
                              " did not come to pass: what came before it ended the run after " +
                              std::to_string(report.crossings) + " crossings");
            } else if (report.turns[at] == trial::Turn::missed) {
                console_.note(text + " found nobody to strike: what came before it has ended that");
            }
        }
    }

    /// That a picture could not be written is said; how the trial ended is another thing.
    void draw(TimelineFile& picture, std::array<std::string, 2>& recordings,
              const trial::Report& report) {
        std::vector<timeline::Source> sources;
        for (const trial::Ending& ending : report.endings) {
            std::string& bytes = recordings[static_cast<std::size_t>(ending.side)];
            if (ending.outcome) {
                bytes += secrets_.hide(trace::text_line(report.total, trace::plan_port,
                                                        trace::Direction::note,
                                                        verdict(*ending.outcome)));
            }
            trace::Reader reader;
            timeline::Source source;
            source.name = model::name_of(ending.side);
            reader.receive(bytes, source.records);
            reader.finish(source.records);
            sources.push_back(std::move(source));
        }
        timeline::Timeline drawn = timeline::build(sources);
        const model::HeldMost& held = report.held_most[1];
        timeline::note_held_most(drawn, model::name_of(Side::dest),
                                 static_cast<std::int64_t>(held.plug + held.ring));
        if (const Result<void> written = picture.write(drawn, std::nullopt); !written) {
            console_.error(written.error());
        }
    }

    int tell(const trial::Report& report) {
        bool written = true;
        for (const std::string& line :
             console_.json() ? json_of(report, stage_) : words_of(report, stage_, command_.lists)) {
            written = console_.line(secrets_.hide(line)) && written;
        }
        if (!written) {
            return console_.explain_loss();
        }
        if (!report.violations.empty()) {
            return exit_stranded;
        }
        int code = exit_done;
        for (const trial::Ending& ending : report.endings) {
            code = std::max(code, ending.outcome ? exit_code_of(*ending.outcome) : exit_failed);
        }
        return code;
    }

    int run_campaign() {
        trial::CampaignOptions options;
        options.scope = command_.scope == "pairs" ? trial::Scope::pairs
                        : command_.scope == "all" ? trial::Scope::all
                                                  : trial::Scope::random;
        if (!command_.share.empty()) {
            const Result<trial::Share> share = trial::parse_share(command_.share);
            if (!share) {
                console_.error(share.error());
                return exit_usage;
            }
            options.share = *share;
        }
        options.seed = command_.seed;
        options.runs = command_.runs;
        const std::string again = command_line_of(command_);
        const InterruptFlag interrupted;
        LiveLine live{!console_.json()};
        Instant shown = now_() + silence_first - live_every;
        bool written = true;
        const auto tell_lines = [&](const Lines& lines) {
            live.clear();
            for (const std::string& line : lines) {
                written = written && console_.line(secrets_.hide(line));
            }
        };
        trial::CampaignWatch watch;
        watch.found = [&](const trial::Finding& found) {
            tell_lines(console_.json()
                           ? Lines{json_of(found.violation, found.faults, found.seed, again)}
                           : words_of(found, again));
        };
        watch.goes_on = [&](std::uint64_t done, std::uint64_t of) {
            if (live.is_there() && now_() - shown >= live_every) {
                shown = now_();
                live.show(std::to_string(done) + " of " + std::to_string(of));
            }
            return written && !interrupted.is_set();
        };
        const trial::Campaign campaign = trial::run_campaign(stage_, options, std::move(watch));
        tell_lines(console_.json() ? sum_json(campaign, again)
                                   : sum_of(campaign, options.scope, again));
        if (!written) {
            return console_.explain_loss();
        }
        if (campaign.interrupted) {
            return exit_interrupted;
        }
        return campaign.findings.empty() && campaign.undisturbed.empty() ? exit_done : exit_failed;
    }

    ports::Files& files_;
    const std::function<Instant()>& now_;
    Console& console_;
    trial::Stage& stage_;
    const TrialCommand& command_;
    Secrets secrets_;
};

/// "LINE => OUTPUT", each.
Result<void> read_programs(const std::vector<std::string>& texts, trial::ProgramOutputs& programs) {
    for (const std::string& text : texts) {
        const std::size_t arrow = text.find(program_arrow);
        if (arrow == std::string::npos || arrow == 0) {
            return Error{Kind::usage, "bad-program",
                         "'" + text +
                             "' is no program; expected LINE => OUTPUT, such as "
                             "'uname -r => 6.1.0'",
                         "", nullptr};
        }
        if (!programs.emplace(text.substr(0, arrow), text.substr(arrow + program_arrow.size()))
                 .second) {
            return Error{Kind::usage, "bad-program",
                         "of '" + text.substr(0, arrow) + "' it is said twice what it writes", "",
                         nullptr};
        }
    }
    return {};
}

}  // namespace

int try_plan(const Desk& desk, const TrialCommand& command) {
    ports::Files& files = desk.files;
    Console console{command.run.json};
    trial::StageOptions options;
    if (Result<void> read = trial::read_world(command.model, options.world); !read) {
        console.error(read.error());
        return exit_usage;
    }
    if (Result<void> read = read_programs(command.programs, options.programs); !read) {
        console.error(read.error());
        return exit_usage;
    }
    script::Loading loading = script::load_plan(files, command.run.path, command.run.plan);
    if (!loading.plan) {
        return report(console, loading.faults);
    }
    plan::Faults faults;
    GivenVars given;
    given.read(files, loading.plan->plan(), command.run.vars, command.run.vars_file, faults);
    if (!faults.empty()) {
        return report(console, faults);
    }
    options.plan = command.run.plan;
    options.role = command.run.role;
    options.given = given.all();
    options.path = command.run.path;
    trial::Staging staging = trial::set_the_stage(files, options);
    if (!staging.stage) {
        return report(console, staging.faults);
    }
    // What thousands of simulated nodes would warn of is no warning to anybody.
    log::send_to(nullptr);
    return Trying{desk, console, *staging.stage, command}.run();
}

}  // namespace ktm::cli
