// SPDX-License-Identifier: Apache-2.0
// engine/machine.cc: the plan machine. The theory of operation is in the header.
#include "engine/machine.hh"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/assert.hh"
#include "engine/course.hh"
#include "engine/ledger.hh"
#include "json/parser.hh"
#include "json/writer.hh"

namespace ktm::engine {

namespace {

constexpr std::string_view end_has_begun = "the end has begun";

/// An event that waits for its turn.
struct Queued {
    Event event;
    std::shared_ptr<const Error> lost;  ///< What it means where no handler wants it: trouble.
};

/// The body that runs.
struct Body {
    BodyId id;
    std::optional<Pattern> awaited;
    std::optional<Error> cancelled;
};

Event event_of(const Lost& lost) {
    json::ObjectWriter what = std::move(json::ObjectWriter{}.text("what", lost.reason.what));
    Result<json::Document> data = json::parse(std::move(what).finish());
    return Event{"qmp:lost", lost.vm, std::make_shared<const json::Document>(std::move(*data))};
}

BodyKind body_kind_of(Registered::Kind kind) {
    return kind == Registered::Kind::hold ? BodyKind::release : BodyKind::undo;
}

Error late_error(std::string_view code, const std::string& who, Duration within) {
    return Error{Kind::timeout, std::string{code},
                 who + " took longer than " + format_duration(within), "", nullptr};
}

}  // namespace

class Machine::Core {
public:
    Core(const plan::Role& role, const std::vector<Duration>& within)
        : nodes_(course_of(role, within)) {}

    void step(Input&& input, Actions& actions);

    [[nodiscard]] bool has_ended() const noexcept { return phase_ == Phase::ended; }
    [[nodiscard]] bool is_committed() const noexcept { return committed_; }
    [[nodiscard]] const std::string& state() const noexcept;

private:
    enum class Phase { idle, committing, entering, waiting, handling, unwinding, ended };

    void on(Start& input);
    void on(Happened& input);
    void on(BodyEnded& input);
    void on(Awaits& input);
    void on(Forgets& input);
    void on(Registered& input);
    void on(Released& input);
    void on(Due& input);
    void on(Interrupted& input);
    void on(Lost& input);
    void on(PeerGone& input);
    void on(CommitWritten& input);

    // Events.
    void part(Event event, Error reason);
    void arrive(Queued item);
    void keep(Queued item);
    void take(Queued item);
    void work_off();

    // Moving.
    void go_to(std::size_t state);
    void enter(std::size_t state);
    void go_on();
    void follow(Target target, const plan::Handler* upon);
    void go_late();

    // Bodies and deadlines.
    void run(RunBody body);
    void cancel(Error reason);
    void deliver(Event event);
    void arm(Duration within);
    void disarm();

    // Ends.
    void trouble(Error error, std::optional<End> end = {});
    void begin_end();
    void drop_undos();
    void unwind_next();
    void end_entry(const BodyEnded& ended);
    void finish();

    // Words.
    void ignore(std::string event, std::string_view why);
    [[nodiscard]] Error plan_error(std::string_view end, const plan::Handler* upon) const;
    [[nodiscard]] Error state_late() const;
    [[nodiscard]] Error entry_late() const;
    [[nodiscard]] Error runaway() const;
    [[nodiscard]] Error storm() const;

    template <class A>
    void tell(A action) {
        out_->emplace_back(std::in_place_type<A>, std::move(action));
    }
    [[nodiscard]] const Node& node() const { return nodes_[current_]; }
    /// Only the other node knows whose the guest is, and has not said that it keeps it.
    [[nodiscard]] bool is_in_doubt() const {
        return entries_ > 0 && node().late.kind == Target::Kind::stranded &&
               (phase_ != Phase::handling || node().go_of(*handler_).kind != Target::Kind::abort);
    }

    std::vector<Node> nodes_;
    Phase phase_ = Phase::idle;
    std::size_t current_ = 0;
    std::size_t next_ = 0;  ///< Is entered when its commit is written down.
    bool committed_ = false;
    /// Set as soon as it is clear how the run ends; a body may still have to be waited for.
    std::optional<End> end_;
    std::optional<Error> cause_;
    bool late_ = false;  ///< The deadline passed while a body ran.

    std::optional<Body> body_;
    const plan::Handler* handler_ = nullptr;  ///< Whose `run` runs.
    std::optional<DeadlineId> deadline_;      ///< The one that is armed: of the state or the entry.
    std::deque<Queued> queue_;
    Ledger ledger_;

    unsigned moves_ = 0;  ///< In a row, without waiting for anything.
    std::uint64_t entries_ = 0;
    IdCounter<BodyTag> bodies_;
    IdCounter<DeadlineTag> deadlines_;
    Actions* out_ = nullptr;
};

// --- Inputs -----------------------------------------------------------------------------------

void Machine::Core::step(Input&& input, Actions& actions) {
    if (phase_ == Phase::ended) {
        return;
    }
    KTM_ASSERT((phase_ == Phase::committing) == std::holds_alternative<CommitWritten>(input));
    out_ = &actions;
    std::visit([this](auto& content) { on(content); }, input);
    work_off();
}

const std::string& Machine::Core::state() const noexcept {
    static const std::string none;
    return entries_ == 0 ? none : node().state->name;
}

void Machine::Core::on(Start&) {
    if (phase_ == Phase::idle) {  // A second one has no effect.
        go_to(0);
        go_on();
    }
}

void Machine::Core::on(Happened& input) {
    if (phase_ == Phase::idle) {
        ignore(std::move(input.event.name), "the plan has not started");
    } else {
        arrive(Queued{std::move(input.event), nullptr});
    }
}

/// The end of a body that does not run is no news: it has been answered already.
void Machine::Core::on(BodyEnded& input) {
    if (!body_ || body_->id != input.body) {
        return;
    }
    if (phase_ == Phase::unwinding) {
        end_entry(input);
        return;
    }
    body_.reset();
    if (input.waited) {
        moves_ = 0;
    }
    if (end_) {
        begin_end();
    } else if (std::exchange(late_, false)) {
        go_late();
    } else if (input.error) {
        trouble(std::move(*input.error));
    } else if (phase_ == Phase::entering) {
        follow(node().next, nullptr);
    } else {
        follow(node().go_of(*handler_), handler_);
    }
}

void Machine::Core::on(Awaits& input) {
    if (!body_ || body_->id != input.body) {
        return;
    }
    if (body_->cancelled) {
        // Its time is over; nothing would ever end this wait.
        tell(CancelBody{body_->id, *body_->cancelled});
        return;
    }
    body_->awaited = std::move(input.pattern);
    const auto first = std::find_if(queue_.begin(), queue_.end(), [&](const Queued& item) {
        return body_->awaited->fits(item.event);
    });
    if (first != queue_.end()) {
        Event event = std::move(first->event);
        queue_.erase(first);
        deliver(std::move(event));
    }
}

void Machine::Core::on(Forgets& input) {
    if (body_ && body_->id == input.body) {
        body_->awaited.reset();
    }
}

void Machine::Core::on(Registered& input) {
    const bool too_late = committed_ || end_ == End::done;
    if (input.kind == Registered::Kind::undo && too_late) {
        tell(Dropped{{std::move(input.what)}});
    } else {
        ledger_.add(std::move(input));
    }
}

void Machine::Core::on(Released& input) {
    ledger_.release(input.entry);
}

void Machine::Core::on(Due& input) {
    if (deadline_ != input.deadline) {
        return;
    }
    deadline_.reset();
    if (phase_ == Phase::unwinding) {
        cancel(entry_late());
    } else if (body_) {
        late_ = true;  // Means nothing where trouble has cancelled the body already.
        cancel(state_late());
    } else {
        go_late();
    }
}

void Machine::Core::on(Interrupted& input) {
    if (end_) {
        ignore("interruption", end_has_begun);
    } else if (committed_) {
        ignore("interruption", "the commit lies behind");
    } else if (is_in_doubt()) {
        ignore("interruption", "whose the guest is, the other node knows");
    } else {
        trouble(std::move(input.reason));
    }
}

void Machine::Core::on(Lost& input) {
    Event event = event_of(input);
    part(std::move(event), std::move(input.reason));
}

void Machine::Core::on(PeerGone& input) {
    part(std::move(input.event), std::move(input.reason));
}

void Machine::Core::on(CommitWritten& input) {
    if (input.error) {
        trouble(std::move(*input.error));
        return;
    }
    enter(next_);
    go_on();
}

// --- Events -----------------------------------------------------------------------------------

/// Somebody with whom the run talked is gone: an event where a handler wants it, elsewhere trouble.
void Machine::Core::part(Event event, Error reason) {
    if (end_) {
        ignore(std::move(event.name), end_has_begun);
    } else if (phase_ == Phase::idle || node().handler_for(event) == nullptr) {
        trouble(std::move(reason));
    } else {
        arrive(Queued{std::move(event), std::make_shared<const Error>(std::move(reason))});
    }
}

void Machine::Core::arrive(Queued item) {
    if (body_ && body_->awaited && body_->awaited->fits(item.event)) {
        deliver(std::move(item.event));
    } else if (phase_ == Phase::waiting) {
        take(std::move(item));
    } else {
        keep(std::move(item));
    }
}

void Machine::Core::keep(Queued item) {
    if (queue_.size() == events_max) {
        if (!end_) {
            trouble(storm());
            return;
        }
        ignore(std::move(queue_.front().event.name),
               std::to_string(events_max) + " newer events wait");
        queue_.pop_front();
    }
    queue_.push_back(std::move(item));
}

/// A waiting state takes an event.
void Machine::Core::take(Queued item) {
    moves_ = 0;
    const plan::Handler* handler = node().handler_for(item.event);
    if (handler == nullptr && item.lost) {
        trouble(*item.lost);
    } else if (handler == nullptr) {
        ignore(std::move(item.event.name), "no handler in " + state());
    } else if (handler->run) {
        handler_ = handler;
        phase_ = Phase::handling;
        run(RunBody{{}, BodyKind::run, handler->run->id, {}, std::move(item.event)});
    } else {
        follow(node().go_of(*handler), handler);
    }
}

/// A state that waits takes what came while it could not.
void Machine::Core::work_off() {
    while (phase_ == Phase::waiting && !queue_.empty()) {
        Queued first = std::move(queue_.front());
        queue_.pop_front();
        take(std::move(first));
    }
}

// --- Moving -----------------------------------------------------------------------------------

void Machine::Core::go_to(std::size_t state) {
    if (nodes_[state].state->commits && !committed_) {
        phase_ = Phase::committing;
        next_ = state;
        tell(WriteCommit{nodes_[state].state->name});
    } else {
        enter(state);
    }
}

void Machine::Core::go_on() {
    if (!body_ && phase_ != Phase::committing) {
        follow(node().next, nullptr);
    }
}

void Machine::Core::enter(std::size_t state) {
    disarm();
    current_ = state;
    phase_ = Phase::entering;
    nodes_[state].last_entry = ++entries_;
    const plan::State& entered = *node().state;
    tell(Entered{entered.name, entered.commits});
    if (entered.commits) {
        committed_ = true;
        drop_undos();
    }
    arm(node().within);
    if (entered.enter) {
        run(RunBody{{}, BodyKind::enter, entered.enter->id, {}, std::nullopt});
    }
}

/// Goes along an edge, and along the `next` of each state that has nothing to do. `upon` is the
/// handler whose edge it is; null for `next` and `late`.
void Machine::Core::follow(Target target, const plan::Handler* upon) {
    while (target.kind == Target::Kind::state) {
        if (moves_ == moves_max) {
            trouble(runaway());
            return;
        }
        ++moves_;
        go_to(target.state);
        if (body_ || phase_ == Phase::committing) {
            return;
        }
        target = node().next;
        upon = nullptr;
    }
    switch (target.kind) {
        case Target::Kind::stay:
        case Target::Kind::state: phase_ = Phase::waiting; break;
        case Target::Kind::done:
            end_ = End::done;
            begin_end();
            break;
        case Target::Kind::abort: trouble(plan_error(plan::end_abort, upon), End::aborted); break;
        case Target::Kind::stranded:
            trouble(plan_error(plan::end_stranded, upon), End::stranded);
            break;
    }
}

void Machine::Core::go_late() {
    moves_ = 0;
    const Target late = node().late;
    if (late.kind == Target::Kind::state || late.kind == Target::Kind::done) {
        follow(late, nullptr);
    } else {
        trouble(state_late());
    }
}

// --- Bodies and deadlines ---------------------------------------------------------------------

void Machine::Core::run(RunBody body) {
    KTM_ASSERT(!body_);
    body.body = bodies_.next();
    body_.emplace(Body{body.body});
    tell(std::move(body));
}

/// The first reason stays the reason.
void Machine::Core::cancel(Error reason) {
    if (body_->cancelled) {
        return;
    }
    body_->awaited.reset();
    tell(CancelBody{body_->id, reason});
    body_->cancelled = std::move(reason);
}

void Machine::Core::deliver(Event event) {
    body_->awaited.reset();
    tell(Deliver{body_->id, std::move(event)});
}

void Machine::Core::arm(Duration within) {
    deadline_ = deadlines_.next();
    tell(Arm{*deadline_, within});
}

/// Nothing when it was due already.
void Machine::Core::disarm() {
    if (deadline_) {
        tell(Disarm{*deadline_});
        deadline_.reset();
    }
}

// --- Ends -------------------------------------------------------------------------------------

void Machine::Core::trouble(Error error, std::optional<End> end) {
    end_ = committed_ || (!end && is_in_doubt()) ? End::stranded : end.value_or(End::aborted);
    tell(Trouble{error, state()});
    cause_ = error;
    if (body_) {
        cancel(std::move(error));
    } else {
        begin_end();
    }
}

/// The state is left; no body runs.
void Machine::Core::begin_end() {
    disarm();
    if (end_ == End::stranded) {
        finish();
        return;
    }
    if (end_ == End::done) {
        drop_undos();
    }
    phase_ = Phase::unwinding;
    unwind_next();
}

void Machine::Core::drop_undos() {
    std::vector<std::string> dropped = ledger_.drop_undos();
    if (!dropped.empty()) {
        tell(Dropped{std::move(dropped)});
    }
}

void Machine::Core::unwind_next() {
    const Registered* entry = ledger_.begin_newest();
    if (entry == nullptr) {
        finish();
        return;
    }
    queue_.clear();
    const BodyKind kind = body_kind_of(entry->kind);
    tell(Unwinding{kind, ledger_.begun(), ledger_.begun() + ledger_.waiting(), entry->what});
    arm(entry->within);
    run(RunBody{{}, kind, 0, entry->entry, std::nullopt});
}

void Machine::Core::end_entry(const BodyEnded& ended) {
    // Whatever a body that was too late says, too late is what it was.
    std::optional<Error> error = body_->cancelled ? body_->cancelled : ended.error;
    body_.reset();
    disarm();
    Registered entry = ledger_.close(error);
    tell(Unwound{body_kind_of(entry.kind), std::move(entry.what), std::move(error)});
    unwind_next();
}

void Machine::Core::finish() {
    phase_ = Phase::ended;
    std::vector<Left> left = ledger_.left();
    for (const Left& one : left) {
        tell(one);
    }
    tell(Ended{*end_, state(), std::move(cause_), committed_, std::move(left)});
}

// --- Words ------------------------------------------------------------------------------------

void Machine::Core::ignore(std::string event, std::string_view why) {
    tell(Ignored{std::move(event), std::string{why}});
}

Error Machine::Core::plan_error(std::string_view end, const plan::Handler* upon) const {
    const std::string ending{end};
    return Error{Kind::cancelled, "plan-" + ending,
                 "the plan goes to " + ending + ": in state '" + state() + "' " +
                     (upon != nullptr ? "upon " + upon->label() : "after enter"),
                 "", nullptr};
}

Error Machine::Core::state_late() const {
    return late_error("late", "the state '" + state() + "'", node().within);
}

Error Machine::Core::entry_late() const {
    const Registered& entry = ledger_.running();
    const bool hold = entry.kind == Registered::Kind::hold;
    return late_error("undo-late", hold ? "the release" : "the undo", entry.within);
}

/// The edges of such a run go round: it is the states that were entered last.
Error Machine::Core::runaway() const {
    std::string states;
    for (const Node& one : nodes_) {
        if (one.last_entry + nodes_.size() > entries_) {
            states += (states.empty() ? "" : ", ") + one.state->name;
        }
    }
    return Error{Kind::invalid, "runaway",
                 std::to_string(moves_max) +
                     " moves in a row without waiting for anything; states " + states,
                 "", nullptr};
}

Error Machine::Core::storm() const {
    return Error{Kind::protocol, "event-storm",
                 "more than " + std::to_string(events_max) +
                     " events came while one action ran in state '" + state() + "'",
                 "", nullptr};
}

// --- The machine ------------------------------------------------------------------------------

Machine::Machine(const plan::Role& role, std::vector<Duration> within)
    : core_(std::make_unique<Core>(role, within)) {}
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;
Machine::~Machine() = default;

void Machine::step(Input input, Actions& actions) {
    core_->step(std::move(input), actions);
}

bool Machine::has_ended() const noexcept {
    return core_->has_ended();
}

bool Machine::is_committed() const noexcept {
    return core_->is_committed();
}

const std::string& Machine::state() const noexcept {
    return core_->state();
}

}  // namespace ktm::engine
