// SPDX-License-Identifier: Apache-2.0
// cli/storyteller.cc: a run of a plan, told as it happens, line by line.
#include "cli/storyteller.hh"

#include <utility>

#include "base/text.hh"
#include "cli/advice.hh"
#include "cli/columns.hh"
#include "cli/packet_ledger.hh"
#include "cli/verdict.hh"
#include "json/writer.hh"

namespace ktm::cli {

namespace {

/// What stands longer than this shows that it is alive.
constexpr Duration silence_max{std::chrono::seconds{2}};
constexpr Duration tick{std::chrono::milliseconds{500}};
/// Away from a terminal progress is a line, at most this often.
constexpr Duration progress_every{std::chrono::seconds{5}};
/// What the machine calls a signal that it refuses.
constexpr std::string_view interruption_event = "interruption";

/// Rounded, so that the eye is not caught by digits that mean nothing.
Duration rounded(Duration duration) {
    using std::chrono::milliseconds;
    return std::chrono::round<milliseconds>(duration);
}

}  // namespace

Storyteller::Storyteller(const ports::World& world, Console& console, Secrets secrets, RunWith with)
    : world_(world),
      console_(console),
      secrets_(std::move(secrets)),
      with_(std::move(with)),
      live_line_(with_.in_real_time && !console.json()) {
    if (with_.markers != nullptr) {
        with_.markers->print_by([this](const std::string& line) {
            live_line_.clear();
            (void)console_.line(line);
        });
    }
    if (live_line_.is_there()) {
        show_alive();
    }
}

Storyteller::~Storyteller() = default;

void Storyteller::begin(const std::string& plan, const std::string& role,
                        const std::string& digest) {
    began_ = entered_ = progress_told_ = world_.clock.now();
    keep("plan " + plan + ", role " + role + ", digest " + digest);
    if (console_.json()) {
        json::ObjectWriter fields;
        fields.text("plan", plan).text("role", role).text("digest", digest);
        tell_json("begin", std::move(fields).finish());
    } else {
        (void)console_.line(console_.paint(Colour::bold, plan) + " " + role);
    }
}

void Storyteller::on_action(const engine::Action& action) {
    if (const auto* entered = std::get_if<engine::Entered>(&action)) {
        state_ = entered->state;
        committed_ = committed_ || entered->commits;
        entered_ = world_.clock.now();
        progress_.clear();
        waiting_.clear();
        if (!console_.json()) {
            tell(entered->commits ? Colour::yellow : Colour::cyan, entered->state,
                 entered->commits ? "the commit: from here on nothing is undone" : "");
        } else {
            json::ObjectWriter fields;
            fields.text("state", entered->state).boolean("commits", entered->commits);
            tell_json("state", std::move(fields).finish());
        }
    } else if (std::holds_alternative<engine::Trouble>(action) ||
               std::holds_alternative<engine::Unwinding>(action) ||
               std::holds_alternative<engine::Dropped>(action) ||
               std::holds_alternative<engine::Ignored>(action)) {
        const auto* ignored = std::get_if<engine::Ignored>(&action);
        // Whoever pressed Ctrl-C wants to know why nothing ends.
        const bool minor =
            (ignored != nullptr && !(committed_ && ignored->event == interruption_event)) ||
            std::holds_alternative<engine::Dropped>(action);
        const std::string text = engine::describe(action);
        if (console_.json()) {
            json::ObjectWriter fields;
            fields.text("text", secrets_.hide(text));
            tell_json(minor ? "note" : "trouble", std::move(fields).finish());
        } else if (!minor) {
            tell(Colour::yellow, text, "");
        }
    } else if (const auto* unwound = std::get_if<engine::Unwound>(&action)) {
        if (unwound->error && !console_.json()) {
            tell(Colour::red, engine::describe(action), "");
        }
    } else if (engine::is_inner(action)) {
        return;
    }
    keep(engine::describe(action));
    if (std::holds_alternative<engine::Ended>(action)) {
        state_.clear();
        waiting_ = "for the last answers";
        if (with_.on_end) {
            with_.on_end();
        }
    }
}

/// On a terminal a countdown in its last line, away from one a line from time to time.
void Storyteller::on_waiting(std::string_view for_what, Duration left) {
    const Duration seconds = std::chrono::ceil<std::chrono::seconds>(left);
    waiting_ = printable(for_what) + ", " + format_duration(seconds) + " left";
    const Instant now = world_.clock.now();
    if (live_line_.is_there() || (waiting_told_ && now - *waiting_told_ < progress_every)) {
        return;
    }
    waiting_told_ = now;
    keep("waiting " + waiting_);
    if (console_.json()) {
        json::ObjectWriter fields;
        fields.text("for", for_what)
            .integer("left_ms",
                     std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
        tell_json("waiting", std::move(fields).finish());
    } else {
        tell(Colour::dim, "  waiting " + waiting_, "");
    }
}

/// What is well is only kept; whoever wants to read it asks the doctor.
void Storyteller::on_finding(const script::Finding& finding) {
    const std::string state{script::name_of(finding.state)};
    keep("look " + state + ": " + script::sentence_of(finding));
    if (console_.json()) {
        tell_json("look", secrets_.hide(script::finding_json(finding)));
    } else if (finding.state != script::Finding::State::ok) {
        const bool is_bad = finding.state == script::Finding::State::bad;
        tell(is_bad ? Colour::red : Colour::yellow,
             "  " + state + ": " + script::sentence_of(finding), "");
    }
}

void Storyteller::on_words(std::string_view level, std::string_view text) {
    if (level == "progress") {
        progress_ = printable(secrets_.hide(text));
        const bool is_due = world_.clock.now() - progress_told_ >= progress_every;
        if (live_line_.is_there() || (!console_.json() && !is_due)) {
            return;
        }
        progress_told_ = world_.clock.now();
    }
    keep(std::string{level} + ": " + std::string{text});
    if (console_.json()) {
        json::ObjectWriter fields;
        fields.text("level", level).text("text", secrets_.hide(text));
        tell_json("words", std::move(fields).finish());
    } else if (level != "debug") {
        const bool loud = level == "warn" || level == "error";
        tell(loud ? Colour::yellow : Colour::dim, "  " + std::string{text}, "");
    }
}

void Storyteller::on_over(const script::Outcome& outcome) {
    exit_code_ = exit_code_of(outcome, with_.zero_loss);
    ticker_.reset();
    live_line_.clear();
    for (const script::GuestStatus& guest : outcome.guests) {
        if (with_.markers != nullptr && guest.vm.empty()) {
            with_.markers->conclude(guest.migration);
        }
    }
    const std::vector<std::string> advice = advice_for(outcome, has_peer_);
    for (const std::string& line : advice) {
        keep("advice: " + line);
    }
    keep(verdict(outcome));
    if (console_.json()) {
        tell_json("end", secrets_.hide(verdict_json(outcome, *exit_code_, advice)));
    } else {
        for (const std::string& line : ledger_lines(console_, outcome.ledger)) {
            (void)console_.line(line);
        }
        for (const std::string& line : advice) {
            (void)console_.line("  " + printable(secrets_.hide(line)));
        }
        const bool good =
            *exit_code_ == exit_done && outcome.ledger.proof.says != net::Proof::Says::lost;
        const Colour colour = good                           ? Colour::green
                              : *exit_code_ == exit_stranded ? Colour::red
                                                             : Colour::yellow;
        (void)console_.line(console_.paint(colour, printable(secrets_.hide(verdict(outcome)))));
    }
    world_.loop.stop();
}

void Storyteller::tell(Colour colour, std::string_view name, std::string_view detail) {
    live_line_.clear();
    const std::string time = right_aligned(format_duration(rounded(elapsed())), time_columns);
    const std::string shown = printable(secrets_.hide(name));
    (void)console_.line(console_.paint(Colour::dim, time) + "  " + console_.paint(colour, shown) +
                        (detail.empty() ? "" : "  " + std::string{detail}));
}

/// One object a line: when, what kind, and its fields.
void Storyteller::tell_json(std::string_view kind, std::string fields) {
    const auto elapsed_us = std::chrono::duration_cast<std::chrono::microseconds>(elapsed());
    (void)console_.line(
        "{\"elapsed_us\":" + std::to_string(elapsed_us.count()) +
        ",\"kind\":" + json::quoted(kind) +
        (with_.migration.empty() ? "" : ",\"migration\":" + json::quoted(with_.migration)) + "," +
        fields.substr(1));
}

void Storyteller::keep(std::string_view text) {
    if (with_.recorder != nullptr) {
        with_.recorder->text("plan", trace::Direction::note, text);
    }
}

/// Writes over its own line, twice a second, once a state has stood for a while.
void Storyteller::show_alive() {
    const Duration standing = world_.clock.now() - entered_;
    const bool stands = standing >= silence_max && !state_.empty();
    if (!waiting_.empty()) {
        live_line_.show("waiting " + waiting_);
    } else if (stands) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(standing);
        live_line_.show(state_ + " " + format_duration(seconds) +
                        (progress_.empty() ? "" : ", " + progress_));
    }
    ticker_ = world_.clock.arm(tick, [this] { show_alive(); });
}

}  // namespace ktm::cli
